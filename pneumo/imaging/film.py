"""What a readable film is, what is said about an unreadable one, and how large a file may be."""

from dataclasses import dataclass

import numpy as np

# 8,000 x 8,000 fits, also with 16 bits or three colours a pixel; 100 megapixels do not.
MAX_PIXELS = 80_000_000
MAX_SIDE = 30_000
MAX_BYTES = 200 * 1024 * 1024
# 8,000 x 8,000 with four bytes a pixel fit, and take two seconds; with six (16-bit colour) they
# would take nearly four.
MAX_UNPACKED = 256 * 1024 * 1024


class UnreadableFilm(ValueError):
    """A file that gives no film, with the one sentence a reader is told.

    Attributes:
        sentence: What is wrong and what to do. Never holds a file name or a value from the file's
            own text fields, so that it can be shown, logged and stored.
        status: ``"error"`` when nothing can be decoded (damaged, empty, no picture), ``"refused"``
            when it could be but must not (over a limit, several frames, a kind that is not read).
    """

    def __init__(self, sentence: str, status: str = "error") -> None:
        if status not in ("error", "refused"):
            raise ValueError(f"The status is 'error' or 'refused', not {status!r}.")
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One film as grey pixels, free of everything else its file held.

    Attributes:
        pixels: uint8, height x width, C-contiguous, 0 black to 255 white, bones bright.
        source: How it was stored, for example ``"PNG 16-bit grey"``; never a file name.
        notes: Sentences for the reader about what was done to it on the way.
    """

    pixels: np.ndarray
    source: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 2 or not self.pixels.size:
            raise ValueError("A radiograph's pixels are a non-empty uint8 array, height x width.")


def check_bytes(count: int) -> None:
    """Refuse a file (or a file's inflated contents) of more than ``MAX_BYTES`` bytes."""
    if count > MAX_BYTES:
        raise UnreadableFilm(
            f"This file holds more than {MAX_BYTES // 1024**2} MB, the largest size that is read. "
            "Please export the film smaller.",
            "refused",
        )


def check_size(width: int, height: int) -> None:
    """Refuse a picture by its declared size in pixels, before any of it is decoded.

    Raises:
        UnreadableFilm: No area, a side over ``MAX_SIDE`` or an area over ``MAX_PIXELS``.
    """
    if width < 1 or height < 1:
        raise UnreadableFilm("This file declares a picture without any pixels. It may be damaged.")
    if width > MAX_SIDE or height > MAX_SIDE:
        raise UnreadableFilm(
            f"This picture is {width:,} x {height:,} pixels; sides of up to {MAX_SIDE:,} pixels "
            "are read. Please export the film smaller.",
            "refused",
        )
    if width * height > MAX_PIXELS:
        raise UnreadableFilm(
            f"This picture is {width:,} x {height:,} pixels; up to {MAX_PIXELS // 1_000_000} "
            "megapixels are read. Please export the film smaller.",
            "refused",
        )


def check_unpacked(count: int) -> None:
    """Refuse a picture by what it takes up once decoded, before any of it is.

    Args:
        count: Bytes of all pixels, every colour of them, at the depth in which they are stored.

    Raises:
        UnreadableFilm: More than ``MAX_UNPACKED``.
    """
    if count > MAX_UNPACKED:
        raise UnreadableFilm(
            f"This picture unpacks to {count // 1024**2:,} MB; up to {MAX_UNPACKED // 1024**2} MB "
            "are read. Please export the film in grey, with fewer bits a colour, or smaller.",
            "refused",
        )
