"""Small files that kept a decoder busy for minutes: each is answered with a sentence, at once.

A test measures the processor time of the decoding process, which the machine's load does not
change, and that of this process, which stands for the server.
"""

import struct
import time
import zlib
from collections.abc import Iterator

import numpy as np
import psutil
import pytest
from PIL import Image

from pneumo.imaging.messages import UnreadableImage
from pneumo.imaging.sandbox import Limits, Sandbox
from tests.security.test_sandbox import workers
from tests.unit.imaging.files import chest, dicom, dicom_bytes, picture

IMAGE = chest()


PAGE_SIZE = 2 + 12 * 10 + 4


def tiff(width: int, height: int, tile: int, tiles: int, pages: int = 1) -> bytes:
    """Pages of 8-bit grey that share their tiles, all of one place."""
    table = 8 + pages * PAGE_SIZE
    tags = (
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1),
        (262, 3, 1, 1), (277, 3, 1, 1), (322, 4, 1, tile), (323, 4, 1, tile),
        (324, 4, tiles, table), (325, 4, tiles, table + 4 * tiles),
    )  # fmt: skip
    page = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    following = [8 + (number + 1) * PAGE_SIZE for number in range(pages - 1)] + [0]
    directory = b"".join(page + struct.pack("<I", place) for place in following)
    tables = struct.pack("<I", table) * tiles + struct.pack("<I", 1) * tiles
    return b"II*\0" + struct.pack("<I", 8) + directory + tables


def rle_bmp() -> bytes:
    """12 kB that skip over 30,000 lines: 25 s in Pillow."""
    body = b"\0\2\xff\xff" * 3000 + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, 8000, 8000, 1, 8, 1, len(body), 0, 0, 256, 0)
    colours = b"".join(bytes([level] * 3 + [0]) for level in range(256))
    start = 14 + len(header) + len(colours)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + colours + body


def shared_tiles() -> bytes:
    """200 pages that share 15,000 tiles of one pixel: 28 s."""
    return tiff(150, 100, 1, 15_000, pages=200)


def tiny_tiles() -> bytes:
    """6 MB of tiles of one pixel: 42 s and 1 GB."""
    return tiff(860, 860, 1, 860 * 860)


def surplus_tiles() -> bytes:
    """One tile by its geometry, 700,000 by its table."""
    return tiff(64, 64, 64, 700_000)


def comments() -> bytes:
    """Empty comments, 20 MB of them (204 MB: 121 s and 3.8 GB)."""
    data = picture(IMAGE, "JPEG")
    return data[:2] + b"\xff\xfe\0\2" * 5_000_000 + data[2:]


def fill_bytes() -> bytes:
    """FF bytes, which may stand before a marker: 25 s."""
    data = picture(IMAGE, "JPEG")
    return data[:2] + b"\xff" * 20_000_000 + data[2:]


def empty_chunks() -> bytes:
    """24 MB of empty chunks: 19 s."""
    data = picture(IMAGE, "PNG")
    chunk = struct.pack(">I", 0) + b"tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))
    return data[:33] + chunk * 2_000_000 + data[33:]


def many_scans() -> bytes:
    """A progressive JPEG whose last scan comes a thousand times."""
    data = picture(Image.new("L", (4000, 4000), 99), "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 1000 + data[-2:]


def shredded_dicom() -> bytes:
    """A header of 3 million elements."""
    return bytes(128) + b"DICM\x08\0\x05\0CS\0\0" + b"\x09\0\x01\0LO\0\0" * 3_000_000


def deflated_bomb() -> bytes:
    """4 MB that inflate to 4 GB."""
    whole = dicom_bytes(dicom(IMAGE), "1.2.840.10008.1.2.1.99")
    start = whole.index(b"1.2.840.10008.1.2.1.99")
    start = whole.index(b"\x02\0\x12\0", start)
    start += 8 + struct.unpack_from("<H", whole, start + 6)[0]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = packer.compress(bytes(1 << 22)) + packer.flush(zlib.Z_FULL_FLUSH)
    return whole[:start] + piece * 1024


# The code of the refusal, before a decoder opens the file; "" where its limits must stop it.
ATTACKS = {
    rle_bmp: "run_length", shared_tiles: "frames", tiny_tiles: "parts", surplus_tiles: "parts",
    comments: "parts", fill_bytes: "parts", empty_chunks: "parts", many_scans: "parts",
    shredded_dicom: "", deflated_bomb: "",
}  # fmt: skip


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    made = Sandbox(size=1)
    made.decode(picture(IMAGE, "PNG"))
    yield made
    made.close()


def processor_seconds() -> float:
    """What decoding processes have used, and all children of this process that have ended.

    Of those that live the decoders alone: a server or a browser of other tests idles beside them.
    """
    own = psutil.Process().cpu_times()
    ended = own.children_user + own.children_system
    return ended + sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in workers())


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_costs_little_and_the_next_image_is_read(box: Sandbox, attack) -> None:
    box.limits, code = Limits(dicom_seconds=2.0), ATTACKS[attack]
    data = attack()
    before, own = processor_seconds(), time.process_time()
    try:
        box.decode(data)
        assert not code
    except UnreadableImage as error:
        assert error.code in ([code] if code else ("time", "memory", "damaged", "no_image"))
        assert error.status == "refused" or not code
    np.testing.assert_array_equal(box.decode(picture(IMAGE, "PNG"))[0], IMAGE)
    assert time.process_time() - own < 0.5
    # A stopped decoder has had its two seconds, and those that a new process takes to start.
    assert processor_seconds() - before < (1.0 if code else 4.0)


def test_the_limits_are_those_that_are_promised() -> None:
    assert Limits() == Limits(picture_seconds=2.0, dicom_seconds=8.0, memory=1 << 30)
