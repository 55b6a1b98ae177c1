"""The limits of a request by themselves: bytes, memory of all together, patience."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pneumo.ui.security import limits
from pneumo.ui.security.calls import without_files
from pneumo.ui.security.limits import Budget, Limited, Refusal, film_form, whole_body

FORM = (b'--cut\r\nContent-Disposition: form-data; name="film"; filename="f"\r\n\r\n', b"x" * 50,
        b"y" * 50, b"\r\n--cut--\r\n")
SCOPE = {"type": "http", "headers": [(b"content-type", b"multipart/form-data; boundary=cut")]}


def outcome(work: Callable, pieces: tuple[bytes, ...], most: int, budget: Budget, wait: float = 0):
    """What reading a request of these pieces gives: its result, or the status of its refusal."""
    left = list(pieces)

    async def receive() -> dict:
        await asyncio.sleep(wait)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def read() -> object:
        try:
            with Limited(receive, most, budget) as limited:
                return await work(limited)
        except Refusal as refusal:
            return refusal.status

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, read()).result()


def form(limited: Limited):
    return film_form(SCOPE, limited)


def test_what_is_within_the_limits_is_read_and_nothing_stays_held():
    budget = Budget(1000)
    assert outcome(whole_body, (b"ab", b"", b"c"), 3, budget) == b"abc"
    assert outcome(form, FORM, 1000, budget) == ({}, [b"x" * 50 + b"y" * 50])
    assert budget.held == 0


def test_a_film_never_goes_to_the_disk(monkeypatch):
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover",
                        lambda self: pytest.fail("the film was written to the disk"))
    film = bytes(5_000_000)
    assert outcome(form, (FORM[0], film, FORM[-1]), 6_000_000, Budget(6_000_000)) == ({}, [film])


@pytest.mark.parametrize("work", [whole_body, form])
def test_one_byte_too_many_is_refused_and_nothing_stays_held(work):
    budget, size = Budget(1000), sum(map(len, FORM))
    assert outcome(work, FORM, size - 1, budget) == 413
    assert budget.held == 0


@pytest.mark.parametrize("work", [whole_body, form])
def test_all_requests_together_hold_no_more_than_the_budget(work):
    budget = Budget(1000)
    budget.take(950)
    assert outcome(work, FORM, 1000, budget) == 503
    assert budget.held == 950


@pytest.mark.parametrize("limit", ["PATIENCE_SECONDS", "MOST_SECONDS"])
@pytest.mark.parametrize("work", [whole_body, form])
def test_who_does_not_send_is_not_waited_for(work, limit: str, monkeypatch):
    monkeypatch.setattr(limits, limit, 0.05)
    budget = Budget(1000)
    # Each piece alone may come soon enough, but not all of them.
    wait = 0.3 if limit == "PATIENCE_SECONDS" else 0.03
    assert outcome(work, FORM, 1000, budget, wait) == 408
    assert budget.held == 0


def test_files_in_a_call_become_tokens():
    file = {"path": "/etc/passwd", "url": "http://here/x", "meta": {"_type": "gradio.FileData"}}
    call = {"data": [file, {"path": "to-ken_1"}, [{"a": file}], "/etc/passwd", {"b": 1}, None]}
    assert without_files(call) == {"data": ["", "to-ken_1", [{"a": ""}], "/etc/passwd", {"b": 1},
                                            None]}
