"""Images in memory: decoded once, kept for a while, analyzed once by each network."""

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial

from pneumo.imaging.radiograph import DecodingCancelled, Radiograph, read_radiograph, sandbox
from pneumo.models.card import CheckpointError
from pneumo.models.checkpoint import available_models
from pneumo.reading.reader import Reader, Reading

KEEP_SECONDS = 30 * 60
KEEP_BYTES = 400_000_000
# Images decoded at the same time; each may need several times its own size for a moment.
DECODERS = 2

# Set once the sender of the request that is being answered has gone; None where none is watched.
sender_gone: ContextVar[threading.Event | None] = ContextVar("sender_gone", default=None)


class Superseded(Exception):
    """A newer image of the same page is waiting, or nobody is, so this one is not analyzed."""


class Forgotten(Exception):
    """The image is no longer in memory and has to be sent again."""


@dataclass(eq=False)
class StoredImage:
    """An image with the readings it has had so far, by network and whether it was checked."""

    token: str
    radiograph: Radiograph
    seconds: float
    touched: float
    readings: dict[tuple[str, bool], Reading] = field(default_factory=dict)


class ImageStore:
    """Images in memory and the readers that analyze them, one for each network's name.

    A page counts its requests in turns; a request overtaken by a newer one of its page is dropped
    before it costs anything. `ready` is set once `warm_up` is through.
    """

    def __init__(self, make_reader: Callable[[str], Reader] = Reader) -> None:
        self.ready = threading.Event()
        self._make_reader = make_reader
        self._readers: dict[str, Reader] = {}
        self._images: OrderedDict[str, StoredImage] = OrderedDict()
        self._turns: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        # One network at a time, on all threads of the processor; both in order of arrival.
        self._computing = ThreadPoolExecutor(1)
        self._decoders = ThreadPoolExecutor(DECODERS)

    def warm_up(self) -> None:
        """Load all networks and start the decoders, while the person looks for an image."""
        sandbox().start()
        for name in available_models():
            try:
                self.reader(name)
            except CheckpointError as error:
                logging.getLogger(__name__).error("%s", error)
        self.ready.set()

    def announce(self, visit: str, turn: int) -> None:
        """Note that a page has come to this turn; its earlier ones are overtaken."""
        with self._lock:
            self._turns[visit] = max(turn, self._turns.get(visit, turn))
            self._turns.move_to_end(visit)
            while len(self._turns) > 1000:
                self._turns.popitem(last=False)

    def decode(self, data: bytes, visit: str = "", turn: int = 0) -> StoredImage:
        """Decode an image that is wanted once and not kept; `Superseded` when the page has moved
        on, or its person has gone."""
        overtaken = partial(self._overtaken, sender_gone.get(), visit, turn)

        def decoded() -> StoredImage:
            started = time.perf_counter()
            try:
                if overtaken():
                    raise DecodingCancelled
                radiograph = read_radiograph(data, cancelled=overtaken)
            except DecodingCancelled:
                raise Superseded from None
            seconds = time.perf_counter() - started
            return StoredImage(secrets.token_urlsafe(16), radiograph, seconds, time.monotonic())

        return self._decoders.submit(decoded).result()

    def put(self, data: bytes, visit: str = "", turn: int = 0) -> StoredImage:
        """Decode an image and keep it for a while; errors as in `decode`."""
        image = self.decode(data, visit, turn)
        with self._lock:
            self._images[image.token] = image
            self._tidy()
        return image

    def get(self, token: str) -> StoredImage:
        """An image that was put here before; `Forgotten` when it is no longer kept."""
        with self._lock:
            self._tidy()
            image = self._images.get(token)
            if image is None:
                raise Forgotten
            image.touched = time.monotonic()
            self._images.move_to_end(token)
            return image

    def tidy(self) -> int:
        """Forget what is old, also when nobody asks for anything; the number of images left."""
        with self._lock:
            self._tidy()
            return len(self._images)

    def reader(self, name: str) -> Reader:
        """The reader of a network, loaded at its first use; CheckpointError for an unusable one."""
        with self._loading:
            if name not in self._readers:
                self._readers[name] = self._make_reader(name)
            return self._readers[name]

    def read(
        self, image: StoredImage, model: str, visit: str = "", turn: int = 0, check: bool = True
    ) -> Reading:
        """The reading of an image by a network, with its default policy and prevalence; the same
        one a second time, `Superseded` when the page has moved on.

        `visit` and `turn` name the page and its request; without `check` also what the input check
        would refuse is analyzed.
        """
        key = (model, check)
        if key not in image.readings:
            reader, gone = self.reader(model), sender_gone.get()

            def compute() -> None:
                if self._overtaken(gone, visit, turn):
                    raise Superseded
                if key not in image.readings:  # another request of the page may have been first
                    reading = reader.read_radiograph(image.radiograph, check)
                    image.readings[key] = replace(reading, seconds=reading.seconds + image.seconds)

            self._computing.submit(compute).result()
        return image.readings[key]

    def finish(self) -> None:
        """Wait until what is being analyzed is done, and analyze nothing more."""
        self._decoders.shutdown()
        self._computing.shutdown()

    def _overtaken(self, gone: threading.Event | None, visit: str, turn: int) -> bool:
        return (gone is not None and gone.is_set()) or self._turns.get(visit, turn) > turn

    def _tidy(self) -> None:
        """Forget what is old, and the longest untouched while there is too much; lock held."""
        oldest = time.monotonic() - KEEP_SECONDS
        total = sum(image.radiograph.pixels.nbytes for image in self._images.values())
        while self._images:
            first = next(iter(self._images.values()))
            if first.touched >= oldest and (total <= KEEP_BYTES or len(self._images) == 1):
                return
            total -= first.radiograph.pixels.nbytes
            self._images.popitem(last=False)
