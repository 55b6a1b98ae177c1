"""Decodes one compressed DICOM frame with GDCM in a process of its own; run as a script.

GDCM reads the compressions that Pillow does not, but is not hardened against hostile files: here
a crash, a hang or a flood of memory ends this process and nothing else. Standard input holds one
line of JSON (the frame's geometry) and then the frame; standard output gets the raw pixels.
"""

import json
import sys

NO_GDCM = 3
_MEMORY = 2 << 30
_SECONDS = 6


def limit_resources() -> None:
    """Cap this process's memory and time where the system can (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def decode(geometry: dict, frame: bytes) -> bytes:
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
    geometry = json.loads(sys.stdin.buffer.readline())
    frame = sys.stdin.buffer.read()
    try:
        pixels = decode(geometry, frame)
    except ImportError:
        return NO_GDCM
    sys.stdout.buffer.write(pixels)
    return 0


if __name__ == "__main__":
    sys.exit(main())
