"""What is said about an image file: one sentence for each error, one for each note."""

from pneumo.files import sentences

# By code; the values in braces are numbers and known words.
ERRORS = sentences("error.")
NOTES = sentences("check.file.")
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
