"""The desk: takes films in, keeps the last ones in memory for a while, has them read in turn."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pneumo.imaging.radiograph import Radiograph, UnreadableFilm, read_radiograph
from pneumo.reading.reader import Reader, Reading
from pneumo.ui.cores import Cores

KEEP_SECONDS = 30 * 60
KEEP_BYTES = 400_000_000

# Films decoded at the same time; each may need several times its own size for a moment.
DECODERS = 2


class Superseded(Exception):
    """A newer film of the same page is waiting, so this one need not be read."""


class Forgotten(Exception):
    """The film is no longer in memory and has to be sent again."""


@dataclass(eq=False)
class Film:
    """A film on the desk with the readings it has had so far."""

    token: str
    radiograph: Radiograph
    seconds: float
    touched: float
    readings: dict[tuple[str, bool], Reading] = field(default_factory=dict)


class Desk:
    """Films in memory and the readers that read them.

    Networks share the cores as `Cores` says. A page counts its requests in turns; a request
    overtaken by a newer one of its page is dropped before it costs anything.

    Args:
        make_reader: gives the reader of a model's name; called once for each name.
        clock: seconds, for forgetting films.
    """

    def __init__(
        self,
        make_reader: Callable[[str], Reader] = Reader,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_reader = make_reader
        self._clock = clock
        self._readers: dict[str, Reader] = {}
        self._films: OrderedDict[str, Film] = OrderedDict()
        self._turns: OrderedDict[str, int] = OrderedDict()
        self._shelf = threading.Lock()
        self._loading = threading.Lock()
        self._cores = Cores()
        self._decoders = threading.BoundedSemaphore(DECODERS)

    def announce(self, visit: str, turn: int) -> None:
        """Note that a page has come to this turn; its earlier ones are overtaken."""
        with self._shelf:
            self._turns[visit] = max(turn, self._turns.get(visit, turn))
            self._turns.move_to_end(visit)
            while len(self._turns) > 1000:
                self._turns.popitem(last=False)

    def decode(self, data: bytes, visit: str = "", turn: int = 0) -> Film:
        """Decode a film that is wanted once and not kept.

        Raises:
            UnreadableFilm: with the sentence for the person.
            Superseded: when the page has moved on.
        """
        with self._decoders:
            self._still_wanted(visit, turn)
            started = time.perf_counter()
            radiograph = read_radiograph(data)
            seconds = time.perf_counter() - started
        return Film(secrets.token_urlsafe(16), radiograph, seconds, self._clock())

    def take_in(self, data: bytes, visit: str = "", turn: int = 0) -> Film:
        """Decode a film and keep it on the desk for a while; errors as in `decode`."""
        film = self.decode(data, visit, turn)
        with self._shelf:
            self._films[film.token] = film
            self._tidy()
        return film

    def fetch(self, token: str) -> Film:
        """A film that was laid on the desk before.

        Raises:
            Forgotten: when it is no longer kept.
        """
        with self._shelf:
            self._tidy()
            film = self._films.get(token)
            if film is None:
                raise Forgotten
            film.touched = self._clock()
            self._films.move_to_end(token)
            return film

    def tidy(self) -> int:
        """Forget what is old, also when nobody asks for anything; the number of films left."""
        with self._shelf:
            self._tidy()
            return len(self._films)

    def reader(self, name: str) -> Reader:
        """The reader of a model, loaded at its first use.

        Raises:
            CheckpointError: when its checkpoint must not be used.
        """
        with self._loading:
            if name not in self._readers:
                self._readers[name] = self._make_reader(name)
            return self._readers[name]

    def read(
        self, film: Film, model: str, visit: str = "", turn: int = 0, guard: bool = True,
        one_of_many: bool = False,
    ) -> Reading:
        """The reading of a film by a model; a second time it is the same one.

        Args:
            film: one of this desk's.
            model: name of a network.
            visit: the page's name, and `turn` the number of its request.
            turn: see above.
            guard: False reads also what the guard would refuse.
            one_of_many: nobody waits for this film alone.

        Raises:
            CheckpointError: when the model's checkpoint must not be used.
            Superseded: when the page has moved on.
        """
        key = (model, guard)
        if key not in film.readings:
            reader = self.reader(model)
            with self._cores.lent(one_of_many):
                self._still_wanted(visit, turn)
                if key not in film.readings:  # another request of the page may have been first
                    reading = reader.read_radiograph(film.radiograph, guard)
                    film.readings[key] = replace(reading, seconds=reading.seconds + film.seconds)
        return film.readings[key]

    def read_once(
        self, data: bytes, model: str, guard: bool = True, one_of_many: bool = False
    ) -> tuple[Radiograph | None, Reading]:
        """A film's bytes read and kept nowhere: the film, None when not decodable, and its reading.

        Args:
            data: of a film file.
            model, guard, one_of_many: as in `read`.

        Raises:
            CheckpointError: when the model's checkpoint must not be used.
        """
        reader = self.reader(model)
        try:
            # Before the cores are lent: a file that is long to decode holds up no network.
            film = self.decode(data)
        except UnreadableFilm as error:
            return None, reader.unreadable(error)
        return film.radiograph, self.read(film, model, guard=guard, one_of_many=one_of_many)

    def _still_wanted(self, visit: str, turn: int) -> None:
        if self._turns.get(visit, turn) > turn:
            raise Superseded

    def _tidy(self) -> None:
        """Forget what is old, and the longest untouched while there is too much; shelf held."""
        oldest = self._clock() - KEEP_SECONDS
        total = sum(film.radiograph.pixels.nbytes for film in self._films.values())
        while self._films:
            first = next(iter(self._films.values()))
            if first.touched >= oldest and (total <= KEEP_BYTES or len(self._films) == 1):
                return
            total -= first.radiograph.pixels.nbytes
            self._films.popitem(last=False)
