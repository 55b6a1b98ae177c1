"""The limits of a request by themselves: bytes, memory of all together, patience."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pneumo.ui.security import limits
from pneumo.ui.security.limits import Budget, Limited, Refusal, image_form, whole_body
from pneumo.ui.security.uploads import Full, Uploads

FORM = (
    b'--cut\r\nContent-Disposition: form-data; name="image"; filename="f"\r\n\r\n',
    b"x" * 50,
    b"y" * 50,
    b"\r\n--cut--\r\n",
)
SCOPE = {"type": "http", "headers": [(b"content-type", b"multipart/form-data; boundary=cut")]}


def form(limited: Limited):
    return image_form(SCOPE, limited)


both = pytest.mark.parametrize("work", [whole_body, form])


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


@both
@pytest.mark.parametrize(
    ("limit", "wait"),
    [
        ("WINDOW_SECONDS", 0.3),  # nothing comes
        ("WINDOW_SECONDS", 0.03),  # too little comes
        ("MOST_SECONDS", 0.03),  # each piece comes soon enough, but not all of them
    ],
)
def test_who_does_not_send_is_not_waited_for(work, limit: str, wait: float, monkeypatch):
    monkeypatch.setattr(limits, limit, 0.05)
    budget = Budget(1000)
    assert outcome(work, FORM, 1000, budget, wait) == 408
    assert budget.held == 0


def test_uploads_are_bounded_in_number_and_bytes_and_given_out_once():
    uploads = Uploads(keep_bytes=10, most=3)
    tokens = {uploads.put(b"x") for _ in range(3)}
    with pytest.raises(Full):
        uploads.put(b"x")
    token = tokens.pop()
    assert uploads.take(token) == b"x" and uploads.take(token) is None
    with pytest.raises(Full):
        uploads.put(b"x" * 9)
    uploads.put(b"x" * 8)
