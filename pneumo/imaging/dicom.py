"""DICOM files to 8-bit grey pixels, parsed by pydicom; nothing about the patient is kept.

Runs inside the sandbox (`sandbox.py`) alone: pydicom follows whatever a file declares, and the
sandbox's limits on time and memory are what stops it.
"""

import io
import warnings
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_windowing, get_decoder
from pydicom.pixels.processing import apply_voi
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    UID_dictionary,
)

from pneumo.imaging.messages import UnreadableImage
from pneumo.imaging.polarity import bones_bright, looks_inverted
from pneumo.imaging.precheck import check_size, check_unpacked
from pneumo.imaging.scaling import FULL_SCALES, MEANT_SHARE, display_range

# The only elements that are kept; everything about the patient, the place and the time is skipped.
TAGS = (
    "Modality", "ViewPosition", "SamplesPerPixel", "PhotometricInterpretation",
    "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "RescaleIntercept", "RescaleSlope",
    "ModalityLUTSequence", "VOILUTSequence",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData", "PixelData",
)  # fmt: skip
OVERLAY_BIT = 0x60000102
# `_codes` cuts the bits off, because some writers use more of them than they declare.
_AS_STORED: Any = {"correct_unused_bits": False, "allow_excess_frames": False}
# Text leaves the decoder only as one of these words, never as the file spells it.
MODALITIES = frozenset(["CR", "DX", "DR", "RG", "RF", "XA", "PX", "IO", "OT", "SC", "XC"])
REFUSED_MODALITIES = {
    "CT": "computed tomography (CT)",
    "MR": "magnetic resonance imaging (MR)",
    "US": "ultrasound (US)",
    "NM": "nuclear medicine (NM)",
    "PT": "positron emission tomography (PT)",
    "MG": "mammography (MG)",
}
PHOTOMETRICS = frozenset(
    ["MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"]
) | {"PALETTE COLOR"}
_OPPOSITE = {"MONOCHROME1": "MONOCHROME2", "MONOCHROME2": "MONOCHROME1"}
# A window under which fewer of the pixels than this are neither black nor white is wrong.
_LEAST_SHOWN = 0.05
_SAMPLED_SIDE = 512


def decode_dicom(data: bytes) -> tuple[np.ndarray, str, list[str]]:
    """Decode the one radiograph of a DICOM file, shown as it asks; returns as `worker.decode`.

    What is refused raises UnreadableImage; a damaged file may raise anything.
    """
    with warnings.catch_warnings():
        # pydicom's warnings quote values of the file.
        warnings.simplefilter("ignore")
        tags = [*TAGS, f"0x{OVERLAY_BIT:08X}"]
        file = pydicom.dcmread(io.BytesIO(data), force=True, specific_tags=tags)
        _check(file)
        photometric = _word(file, "PhotometricInterpretation", PHOTOMETRICS)
        modality = _word(file, "Modality", MODALITIES)
        notes = ["lateral"] if _word(file, "ViewPosition", {"LL", "RL"}) else []
        _complete(file, photometric)
        values = _stored_values(file)
        if photometric == "PALETTE COLOR":
            values = apply_color_lut(values, file)
        if values.ndim == 3:
            pixels, inverted = bones_bright(_luma(values, file.BitsStored))
            notes += ["colour", *(["inverted"] if inverted else [])]
        else:
            codes, bits = _codes(values, file)
            pixels, window_notes = _show(codes, bits, file)
            if looks_inverted(pixels):
                # Again, because what is padding stays black.
                file.PhotometricInterpretation = _OPPOSITE[file.PhotometricInterpretation]
                pixels, window_notes = _show(codes, bits, file)
                notes.append("polarity" if photometric else "inverted")
            notes += window_notes
    source = " ".join(word for word in ("DICOM", modality, photometric) if word)
    return pixels, source, notes


def _check(file: Dataset) -> None:
    """Refuse what is not one radiograph, or too large, before any of its pixels is decoded."""
    if modality := _word(file, "Modality", REFUSED_MODALITIES):
        raise UnreadableImage("modality", "refused", modality=REFUSED_MODALITIES[modality])
    if "PixelData" not in file:
        raise UnreadableImage("no_image")
    allocated, samples = int(file.BitsAllocated), _integer(file, "SamplesPerPixel", 1)
    stored = _integer(file, "BitsStored", allocated)
    check_size(int(file.Columns), int(file.Rows))
    if _integer(file, "NumberOfFrames", 1) > 1:
        raise UnreadableImage("frames", "refused", kind="DICOM")
    if allocated not in (8, 16, 32) or not 2 <= stored <= min(16, allocated):
        raise UnreadableImage("bits", "refused", stored=stored, allocated=allocated)
    if samples not in (1, 3):
        raise UnreadableImage("samples", "refused", count=samples)
    check_unpacked(int(file.Rows) * int(file.Columns) * samples * allocated // 8)


def _complete(file: Dataset, photometric: str) -> None:
    """Fill in what a careless writer left out, as pydicom asks for all of it."""
    file.SamplesPerPixel = samples = _integer(file, "SamplesPerPixel", 1)
    file.BitsStored = stored = _integer(file, "BitsStored", int(file.BitsAllocated))
    file.HighBit = _integer(file, "HighBit", stored - 1)
    file.PixelRepresentation = int(_integer(file, "PixelRepresentation", 0) == 1)
    file.PlanarConfiguration = int(_integer(file, "PlanarConfiguration", 0) == 1)
    file.NumberOfFrames = 1
    fitting = photometric if (samples == 3) != photometric.startswith(("MONO", "PAL")) else ""
    file.PhotometricInterpretation = fitting or ("MONOCHROME2" if samples == 1 else "RGB")
    if "TransferSyntaxUID" not in file.file_meta:
        implicit, little = file.original_encoding
        native = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        file.file_meta.TransferSyntaxUID = native if little else ExplicitVRBigEndian


def _stored_values(file: Dataset) -> np.ndarray:
    """The values before any windowing: integers, (H, W), or (H, W, 3) in RGB."""
    syntax = UID(file.file_meta.TransferSyntaxUID)
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        decoder = None
    if decoder is None or not decoder.is_available:
        # Only a registered name is shown: an unknown identifier could be anything.
        name = syntax.name if syntax in UID_dictionary else "a private or unknown one"
        raise UnreadableImage("compression", "refused", name=name)
    plugin = "pillow" if syntax in (JPEGBaseline8Bit, JPEGExtended12Bit) else ""
    if syntax == JPEGExtended12Bit and file.BitsStored > 8:
        # pydicom refuses to have GDCM decode it, which does so correctly under this name.
        file.file_meta.TransferSyntaxUID = JPEGLosslessSV1
        decoder, plugin = get_decoder(JPEGLosslessSV1), "gdcm"
    values, _ = decoder.as_array(file, index=0, decoding_plugin=plugin, **_AS_STORED)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    spare = file.HighBit + 1 - file.BitsStored
    if not syntax.is_compressed and 0 < spare <= file.BitsAllocated - file.BitsStored:
        values = values.view(f"u{values.itemsize}") >> spare
    return values


def _codes(values: np.ndarray, file: Dataset) -> tuple[np.ndarray, int]:
    """The declared bits alone (uint8 or uint16, two's complement), and how many they are."""
    bits, mask = int(file.BitsStored), (1 << int(file.BitsStored)) - 1
    values = values.view(f"u{values.itemsize}")
    largest = int(values.max())
    overlaid = _integer(file, OVERLAY_BIT, 0) > 0
    if mask < largest < 65536 and not (file.PixelRepresentation or overlaid):
        # Some writers declare fewer bits than they use; cutting them off would fold the greys.
        return values.astype(np.uint16), largest.bit_length()
    if largest > mask:
        values = values & values.dtype.type(mask)
    return values.astype(np.uint8 if bits <= 8 else np.uint16, copy=False), bits


def _show(codes: np.ndarray, bits: int, file: Dataset) -> tuple[np.ndarray, list[str]]:
    """Grey pixels as the file asks for them to be shown, by a table of all values; and notes."""
    levels = np.arange(1 << bits, dtype=np.int32)
    if file.PixelRepresentation:
        levels[1 << (bits - 1) :] -= 1 << bits
    step = -(-max(codes.shape) // _SAMPLED_SIDE)
    sample = codes[::step, ::step].ravel()
    padded = _padding(levels, file)
    # A padding value that covers the whole image says nothing.
    padded &= not padded[sample].all()
    sample = sample[~padded[sample]]
    shares, notes = _requested(levels, file), []
    if shares is not None:
        shown = shares[sample]
        if np.mean((shown > 0) & (shown < 1)) < _LEAST_SHOWN:
            shares, notes = None, ["window"]
    if shares is None:
        shares = _by_content(levels, levels[sample], bits)
        if (_numbers(file, "RescaleSlope") or [1.0])[0] < 0:
            shares = 1 - shares
    if file.PhotometricInterpretation == "MONOCHROME1":
        shares = 1 - shares
    table = (np.clip(shares, 0, 1) * 255 + 0.5).astype(np.uint8)
    table[padded] = 0
    return table[codes], notes


def _padding(levels: np.ndarray, file: Dataset) -> np.ndarray:
    """Which levels mark pixels that are not part of the image."""
    first = _numbers(file, "PixelPaddingValue")
    if not first:
        return np.zeros(levels.shape, bool)
    last = _numbers(file, "PixelPaddingRangeLimit") or first
    ends = sorted((first[0], last[0]))
    return (levels >= ends[0]) & (levels <= ends[1])


def _requested(levels: np.ndarray, file: Dataset) -> np.ndarray | None:
    """The share of white that the file's table or window gives each level, None without either."""
    try:
        values = apply_modality_lut(levels, file)
        if file.get("VOILUTSequence"):
            greys = apply_voi(np.rint(values).astype(np.int32), file)
            declared, largest = (1 << file.VOILUTSequence[0].LUTDescriptor[2]) - 1, greys.max()
            # The table's white is its declared depth, unless what it holds contradicts that.
            return greys / (declared if MEANT_SHARE * declared <= largest <= declared else largest)
        centers, widths = _numbers(file, "WindowCenter"), _numbers(file, "WindowWidth")
        if not centers or not widths:
            return None
        window = Dataset()
        window.WindowCenter, window.WindowWidth = centers[0], widths[0]
        function = _word(file, "VOILUTFunction", {"SIGMOID", "LINEAR_EXACT"})
        window.VOILUTFunction = function or "LINEAR"
        window.PhotometricInterpretation = "MONOCHROME2"
        # What the window is stretched to: the modality values, not the stored ones, come in.
        window.BitsStored, window.PixelRepresentation = 16, 0
        return apply_windowing(values, window) / 65535
    except Exception:  # A table or window that makes no sense is none.
        return None


def _by_content(levels: np.ndarray, sample: np.ndarray, bits: int) -> np.ndarray:
    """The share of white of each level where the file does not say how it is to be shown."""
    if bits <= 8 and not levels.min() < 0:
        # As in an 8-bit picture file: what is stored is what is shown.
        return levels / ((1 << bits) - 1)
    # Signed values that dip below zero are held against the whole signed range.
    offset = 1 << (bits - 1) if sample.min() < 0 else 0
    scales = {(1 << bits) - 1} if offset else {*FULL_SCALES, (1 << bits) - 1}
    black, white = display_range(sample[None] + offset, sorted(scales))
    return (levels + offset - black) / (white - black)


def _luma(colours: np.ndarray, bits: int) -> np.ndarray:
    """Grey of RGB with the weights that colour pictures get."""
    if colours.dtype != np.uint8:
        bits = max(bits, int(colours.max()).bit_length())
        colours = (colours >> max(bits - 8, 0)).astype(np.uint8)
    return np.asarray(Image.fromarray(np.ascontiguousarray(colours)).convert("L"))


def _word(file: Dataset, name: str, known: frozenset[str] | set[str] | dict[str, str]) -> str:
    """The first word of a text element where it is one of the known ones, otherwise ''."""
    value = file.get(name)
    first = value if isinstance(value, str) else next(iter(value or ()), "")
    return first if first in known else ""


def _numbers(file: Dataset, name: str | int) -> list[float]:
    """The finite numbers that an element begins with, none where it is missing or damaged."""
    numbers: list[float] = []
    try:
        value = file[name].value
        for number in [value] if isinstance(value, int | float | str) else value:
            if not np.isfinite(float(number)):
                break
            numbers.append(float(number))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        pass
    return numbers


def _integer(file: Dataset, name: str | int, default: int) -> int:
    return int((_numbers(file, name) or [default])[0])
