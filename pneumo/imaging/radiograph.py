"""Any film file to a Radiograph: opened with care, known by its contents, held to the limits."""

import os
import stat
from pathlib import Path

from pneumo.imaging.dicom import read_dicom
from pneumo.imaging.dicom_elements import looks_like_dicom
from pneumo.imaging.film import MAX_BYTES, MAX_PIXELS, Radiograph, UnreadableFilm, check_bytes
from pneumo.imaging.pictures import read_picture
from pneumo.imaging.polarity import bones_bright

__all__ = ["MAX_BYTES", "MAX_PIXELS", "Radiograph", "UnreadableFilm", "read_radiograph"]

WHAT_IS_READ = "DICOM, PNG, JPEG, TIFF, BMP and WebP files are read"
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"BM", "BMP"),
)
_KNOWN_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
)


def read_radiograph(file: str | Path | bytes, *, follow_links: bool = True) -> Radiograph:
    """Read a film from a file or from a file's bytes.

    Args:
        file: A path, or the whole contents of a file.
        follow_links: Whether a path may be a symbolic link to a regular file.

    Returns:
        The film as 8-bit grey, upright, bones bright.

    Raises:
        UnreadableFilm: Whatever is wrong; nothing else is raised for any file.
    """
    data = file if isinstance(file, bytes) else _read_bytes(file, follow_links)
    if not data:
        raise UnreadableFilm("This file is empty. Please export or copy the film again.")
    check_bytes(len(data))
    kind = _kind(data)
    if kind is None:
        what = next((name for start, name in _KNOWN_OTHERS if data.startswith(start)), "no film")
        if data[4:8] == b"ftyp":
            what = "a HEIC, AVIF or video file"
        raise UnreadableFilm(f"This is {what}: {WHAT_IS_READ}. Please export the film as one.")
    if kind == "DICOM":
        return read_dicom(data)
    picture = read_picture(data, kind)
    pixels, notes = bones_bright(picture.pixels)
    return Radiograph(pixels, picture.source, picture.notes + notes)


def _kind(data: bytes) -> str | None:
    # First, because a DICOM file may begin with anything, also with another format's signature.
    if looks_like_dicom(data):
        return "DICOM"
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def _read_bytes(path: str | Path, follow_links: bool) -> bytes:
    """The contents of a regular file; never waits on a pipe or reads a device without end."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        info = os.stat(path) if follow_links else os.lstat(path)
        if stat.S_ISLNK(info.st_mode):
            raise UnreadableFilm("This is a link to a file, which is not followed.", "refused")
        if stat.S_ISDIR(info.st_mode):
            raise UnreadableFilm("This is a folder. Please choose one film file in it.")
        if not stat.S_ISREG(info.st_mode):
            raise UnreadableFilm("This is a device or a pipe and no file.", "refused")
        check_bytes(info.st_size)
        if not follow_links:
            flags |= getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(path, flags), "rb") as stream:
            # What lies there may have been exchanged since it was looked at.
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise UnreadableFilm("This is a device or a pipe and no file.", "refused")
            return stream.read(MAX_BYTES + 1)
    except UnreadableFilm:
        raise
    except FileNotFoundError:
        raise UnreadableFilm("There is no file at this place.") from None
    except PermissionError:
        raise UnreadableFilm("This file may not be opened: permission is missing.") from None
    except (OSError, ValueError, TypeError):
        raise UnreadableFilm("This file cannot be opened.") from None
