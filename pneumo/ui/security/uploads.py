"""Images that a program has sent and not yet had analyzed: in memory, for minutes."""

import secrets
import threading

from pneumo.imaging.radiograph import MAX_BYTES

# A program asks for the prediction right after it has sent the image.
KEEP_SECONDS = 5 * 60
KEEP_BYTES = 2 * MAX_BYTES
MOST = 1000


class Full(Exception):
    """So many images are waiting that no other can be kept."""


class Uploads:
    """Bytes under tokens; each is given out once and never touches the disk."""

    def __init__(self, keep_bytes: int = KEEP_BYTES, most: int = MOST) -> None:
        self._keep_bytes, self._most = keep_bytes, most
        self._images: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, data: bytes) -> str:
        """Keep an image and give its token, a name that nobody can guess; `Full` without room."""
        with self._lock:
            kept = sum(map(len, self._images.values()))
            if len(self._images) >= self._most or kept + len(data) > self._keep_bytes:
                raise Full
            token = secrets.token_urlsafe(16)
            self._images[token] = data
            return token

    def take(self, token: str) -> bytes | None:
        """The image of a token, forgotten with this; None when there is none."""
        with self._lock:
            return self._images.pop(token, None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._images)
