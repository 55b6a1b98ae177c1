"""What is said about an image file: one sentence for each error, one for each note."""

# By code, so that a translation can replace them; the values in braces are numbers and known words.
ERRORS = {
    "empty": "This file is empty. Please export or copy the image again.",
    "missing": "There is no file at this place.",
    "permission": "This file may not be opened: permission is missing.",
    "unopenable": "This file cannot be opened.",
    "folder": "This is a folder. Please choose one image file in it.",
    "device": "This is a device or a pipe and not a file.",
    "bytes": "This file holds more than {limit} MB, the largest size that is read. "
    "Please export the image smaller.",
    "format": "This is a {kind} file: DICOM, PNG, JPEG, TIFF, BMP and WebP files are read. "
    "Please export the radiograph as one of them.",
    "unknown": "This is no image file: DICOM, PNG, JPEG, TIFF, BMP and WebP files are read. "
    "Please export the radiograph as one of them.",
    "damaged": "This {kind} file is damaged or incomplete and cannot be decoded. "
    "Please export or copy it again.",
    "no_pixels": "This file declares an image without any pixels. It may be damaged.",
    "side": "This image is {width:,} x {height:,} pixels; sides of up to {limit:,} pixels are "
    "read. Please export the image smaller.",
    "pixels": "This image is {width:,} x {height:,} pixels; up to {limit} megapixels are read. "
    "Please export the image smaller.",
    "unpacked": "This image unpacks to {size:,} MB; up to {limit} MB are read. "
    "Please export it in grey, with fewer bits a colour, or smaller.",
    "frames": "This {kind} file holds several frames or pages; one single image is read at a time.",
    "parts": "This {kind} file is split into more parts than are read. "
    "Please save the image again, as PNG for example.",
    "run_length": "This BMP file is run-length encoded, which is not read. "
    "Please save the image as PNG.",
    "time": "This {kind} file takes too long to decode. "
    "Please export the image again, smaller or uncompressed.",
    "memory": "This {kind} file needs more memory than decoding may take. "
    "Please export the image smaller.",
    "no_image": "This DICOM file holds no image; it may be a report or a plan, or be cut short. "
    "Please choose the file of the radiograph itself.",
    "modality": "This file declares {modality}, not a radiograph. Only chest radiographs are "
    "analyzed; please choose the file of the chest X-ray.",
    "bits": "This DICOM image stores {stored} of {allocated} bits a value; 2 to 16 bits in 8, 16 "
    "or 32 are read. Please export it again.",
    "samples": "This DICOM image has {count} values a pixel; 1 (grey) or 3 (colour) are read. "
    "Please export it in grey.",
    "compression": "This DICOM image is compressed in a way that is not read ({name}). "
    "Please export it uncompressed or as JPEG.",
}

NOTES = {
    "colour": "The image is in colour and is analyzed in grey.",
    "inverted": "The image was stored inverted, with dark bones on a bright background. It is "
    "shown and analyzed with bright bones; please compare it with the original.",
    "polarity": "The greys that the DICOM file declares give dark bones. The image is shown and "
    "analyzed the other way round, with bright bones; please compare it with the original.",
    "lateral": "The file declares a lateral view; the models know frontal radiographs only.",
    "window": "The display window stored in the file shows almost nothing of the image, so its "
    "greys were scaled by its contents instead.",
}
LATERAL_NOTE = NOTES["lateral"]
NOTE_CODES = {sentence: code for code, sentence in NOTES.items()}


class UnreadableImage(ValueError):
    """A file that gives no radiograph, with the one sentence shown (key: `code`).

    The status is ``"error"`` when nothing can be decoded, ``"refused"`` when it must not be. The
    sentence never holds a file name or the file's own text, so it can be shown and logged.
    """

    def __init__(self, code: str, status: str = "error", **values: str | int) -> None:
        if status not in ("error", "refused"):
            raise ValueError(f"The status is 'error' or 'refused', not {status!r}.")
        self.code, self.status, self.values = code, status, values
        self.sentence = ERRORS[code].format(**values)
        super().__init__(self.sentence)


class DecodingCancelled(Exception):
    """The caller's `cancelled` said that nobody waits for this image any more."""
