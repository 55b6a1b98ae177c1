"""Decodes one compressed DICOM frame in a process of its own; run as a script.

JPEG 2000 is decoded by Pillow (OpenJPEG), what Pillow does not read by GDCM. A small stream can
keep either busy for minutes or crash it: here a crash, a hang or a flood of memory ends this
process and nothing else. Standard input holds one line of JSON (the request) and then the frame;
standard output gets the raw pixels and, behind those of JPEG 2000, their size (`SIZE`), which may
be smaller than the frame's.
"""

import io
import json
import struct
import sys

NO_GDCM = 3
# Width and height of a decoded JPEG 2000 picture.
SIZE = struct.Struct("<II")
_MEMORY = 2 << 30
# Of computing; the largest films that are read take half of it on a busy machine.
_SECONDS = 12


def limit_resources() -> None:
    """Cap this process's memory and time where the system can (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    # The signal of the lower limit says why the process ended; that of the upper one does not.
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def decode_jpeg_2000(frame: bytes, halvings: int) -> bytes:
    """The raw pixels of a JPEG 2000 stream as Pillow gives them, and their size as `SIZE`.

    Args:
        frame: The compressed stream, bare or boxed.
        halvings: How often its sides are halved.

    Returns:
        8 bits a value up to a depth of 8, else 16 bits little-endian; the depth is shifted up to
        the whole of them, and signed values are raised above zero.
    """
    from PIL import Image

    with Image.open(io.BytesIO(frame), formats=("JPEG2000",)) as image:
        image.reduce = halvings
        image.load()
        return image.tobytes() + SIZE.pack(*image.size)


def decode_by_gdcm(geometry: dict, frame: bytes) -> bytes:
    """The raw pixels of one frame, little-endian, colours side by side (RLE: in planes).

    Args:
        geometry: ``syntax``, ``rows``, ``columns``, ``samples``, ``photometric``, ``allocated``,
            ``stored``, ``signed``.
        frame: The compressed stream.
    """
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())

    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((geometry["columns"], geometry["rows"], 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(geometry["photometric"])
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    if geometry["samples"] > 1:
        image.SetPlanarConfiguration(geometry["planar"])
    syntax = gdcm.TransferSyntax.GetTSType(geometry["syntax"])
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    image.SetPixelFormat(
        gdcm.PixelFormat(
            geometry["samples"],
            geometry["allocated"],
            geometry["stored"],
            geometry["stored"] - 1,
            geometry["signed"],
        )
    )
    # GDCM's Python binding hands bytes over as text.
    return image.GetBuffer().encode("utf-8", "surrogateescape")


def main() -> int:
    """Read the request from standard input, write the pixels, and return the exit code."""
    # The folder of this script, which Python puts first, holds nothing that may be imported here.
    del sys.path[0]
    limit_resources()
    request = json.loads(sys.stdin.buffer.readline())
    frame = sys.stdin.buffer.read()
    if "halvings" in request:
        pixels = decode_jpeg_2000(frame, request["halvings"])
    else:
        try:
            pixels = decode_by_gdcm(request, frame)
        except ImportError:
            return NO_GDCM
    sys.stdout.buffer.write(pixels)
    return 0


if __name__ == "__main__":
    sys.exit(main())
