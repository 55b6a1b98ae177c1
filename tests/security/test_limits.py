"""The limits of a request by themselves: bytes, memory of all together, patience."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pneumo.ui.security import limits
from pneumo.ui.security.calls import without_files
from pneumo.ui.security.limits import Budget, Limited, Refusal, image_form, whole_body

FORM = (
    b'--cut\r\nContent-Disposition: form-data; name="film"; filename="f"\r\n\r\n',
    b"x" * 50,
    b"y" * 50,
    b"\r\n--cut--\r\n",
)
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
    return image_form(SCOPE, limited)


def test_what_is_within_the_limits_is_read_and_nothing_stays_held():
    budget = Budget(1000)
    assert outcome(whole_body, (b"ab", b"", b"c"), 3, budget) == b"abc"
    assert outcome(form, FORM, 1000, budget) == ({}, [b"x" * 50 + b"y" * 50])
    assert budget.held == 0


def test_a_film_never_goes_to_the_disk(monkeypatch):
    monkeypatch.setattr(
        tempfile.SpooledTemporaryFile,
        "rollover",
        lambda self: pytest.fail("the film was written to the disk"),
    )
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


@pytest.mark.parametrize(
    ("limit", "wait"),
    [
        ("WINDOW_SECONDS", 0.3),  # nothing comes
        ("WINDOW_SECONDS", 0.03),  # too little comes
        ("MOST_SECONDS", 0.03),  # each piece comes soon enough, but not all of them
    ],
)
@pytest.mark.parametrize("work", [whole_body, form])
def test_who_does_not_send_is_not_waited_for(work, limit: str, wait: float, monkeypatch):
    monkeypatch.setattr(limits, limit, 0.05)
    budget = Budget(1000)
    assert outcome(work, FORM, 1000, budget, wait) == 408
    assert budget.held == 0


def test_who_sends_fast_enough_is_waited_for(monkeypatch):
    monkeypatch.setattr(limits, "WINDOW_SECONDS", 0.05)
    monkeypatch.setattr(limits, "WINDOW_BYTES", 2)
    pieces = (b"abc",) * 8
    assert outcome(whole_body, pieces, 1000, Budget(1000), 0.03) == b"abc" * 8


def test_large_requests_leave_a_part_of_the_budget_to_small_ones():
    budget = Budget(1000, reserve=300)
    budget.take(700, small=False)
    with pytest.raises(Refusal):
        budget.take(1, small=False)
    budget.take(300)
    with pytest.raises(Refusal):
        budget.take(1)


def test_files_in_a_call_become_tokens():
    file = {"path": "/etc/passwd", "url": "http://here/x", "meta": {"_type": "gradio.FileData"}}
    call = {"data": [file, {"path": "to-ken_1"}, [{"a": file}], "/etc/passwd", {"b": 1}, None]}
    assert without_files(call) == {
        "data": ["", "to-ken_1", [{"a": ""}], "/etc/passwd", {"b": 1}, None]
    }
