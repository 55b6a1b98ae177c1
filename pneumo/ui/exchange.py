"""What page and server say to each other about one film: the request checked, the answer built."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from pneumo.imaging import overlay
from pneumo.imaging.film import MAX_BYTES
from pneumo.imaging.radiograph import UnreadableFilm
from pneumo.models.checkpoint import CheckpointError, available_models
from pneumo.reading.reader import Reading
from pneumo.ui.cards import heat_scale
from pneumo.ui.desk import Desk, Film, Forgotten, Superseded
from pneumo.ui.examples import Example
from pneumo.ui.pictures import film_picture, heat_picture
from pneumo.ui.texts import text


@dataclass(frozen=True)
class Request:
    """One wish of a page.

    Attributes:
        models: names of the networks that are to read, one or more.
        visit: random name of the page; empty when it does not care about being overtaken.
        turn: number of the request within the visit.
        film: bytes of a film file, or None.
        token: of a film already on the desk, or "".
        example: number of an example, or None.
        picture: whether the page needs the film's picture too.
        guard: False when the person wants it read although the guard refused it.
    """

    models: tuple[str, ...]
    visit: str = ""
    turn: int = 0
    film: bytes | None = None
    token: str = ""
    example: int | None = None
    picture: bool = True
    guard: bool = True


def parse(data: object) -> Request:
    """A request from what Gradio hands over: a dict, or one with the bytes of an uploaded file.

    Raises:
        ValueError: when it is nothing the page would send.
    """
    fields = getattr(data, "data", data)
    files = getattr(data, "files", [])
    if not isinstance(fields, dict):
        raise ValueError("a request is a table of names and values")
    known = available_models()
    wanted = str(fields.get("models", "")).split(",")
    models = tuple(dict.fromkeys(name for name in wanted if name in known))
    if not models:
        raise ValueError("a request names at least one available model")
    example = str(fields.get("example", ""))
    return Request(
        models=models,
        visit=str(fields.get("visit", ""))[:64],
        turn=int(fields.get("turn", 0)),
        film=files[0][1] if files else None,
        token=str(fields.get("token", "")),
        example=int(example) if example.isdigit() else None,
        picture=str(fields.get("picture", "yes")) == "yes",
        guard=str(fields.get("guard", "on")) != "off",
    )


def answer(desk: Desk, examples: Sequence[Example], data: object) -> dict:
    """Whatever the page asked, answered in plain json values.

    Returns:
        `status` is "ok" (then film, token and readings are there), "refused" or "error" (then
        reason is a sentence; a token with it means that the film can be read all the same),
        "superseded" or "forgotten" (the page knows what to do).
    """
    try:
        request = parse(data)
    except (ValueError, TypeError):
        return {"status": "error", "reason": text("error.nofile")}
    try:
        return _answer(desk, examples, request)
    except UnreadableFilm as error:
        return {"status": error.status, "reason": error.sentence}
    except CheckpointError as error:
        return {"status": "error", "reason": str(error)}
    except Superseded:
        return {"status": "superseded"}
    except Forgotten:
        return {"status": "forgotten"}
    except Exception:
        # The page must hear something; the cause goes to the operator's log, without the film.
        logging.getLogger(__name__).exception("a film could not be read")
        return {"status": "error", "reason": text("error.server")}


def _answer(desk: Desk, examples: Sequence[Example], request: Request) -> dict:
    if request.visit:
        desk.announce(request.visit, request.turn)
    film = _film(desk, examples, request)
    readings = [
        desk.read(film, model, request.visit, request.turn, request.guard)
        for model in request.models
    ]
    refused = next((reading for reading in readings if not reading.ok), None)
    if refused:
        return {"status": refused.status, "reason": refused.reason, "token": film.token}
    shown = {"film": film_picture(film.radiograph)} if request.picture else {}
    drawn = [picture_reading(desk, film, reading) for reading in readings]
    return {"status": "ok", "token": film.token, "readings": drawn, **shown}


def _film(desk: Desk, examples: Sequence[Example], request: Request) -> Film:
    if request.token:
        return desk.fetch(request.token)
    if request.example is not None:
        if request.example >= len(examples):
            raise UnreadableFilm(text("examples.missing"))
        path = examples[request.example].path
        if not path.is_file():
            raise UnreadableFilm(text("examples.missing"))
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    else:
        data = request.film
    if data is None:
        raise UnreadableFilm(text("error.nofile"))
    return desk.take_in(data, request.visit, request.turn)


def picture_reading(desk: Desk, film: Film, reading: Reading) -> dict:
    """A reading with its heat as pictures, for the page.

    Returns:
        record (as `Reading.record`) and heat, with "for" and "against" as `heat_picture` gives.
    """
    scale = heat_scale(desk.reader(reading.model).checkpoint.card)
    shape = film.radiograph.pixels.shape
    signs = (overlay.FOR, overlay.AGAINST)
    return {
        "record": reading.record(),
        "heat": {sign: heat_picture(reading.heat, shape, scale, sign) for sign in signs},
    }
