"""The limits of a request by themselves: bytes, memory of all together, patience."""

import asyncio
from functools import partial

import pytest

from pneumo.ui.security import limits
from pneumo.ui.security.limits import Budget, Limited, Refusal, image_form, whole_body
from pneumo.ui.security.uploads import Full, Uploads
from tests.served import run_apart

FORM = (
    b'--cut\r\nContent-Disposition: form-data; name="image"; filename="f"\r\n\r\n',
    b"x" * 50,
    b"y" * 50,
    b"\r\n--cut--\r\n",
)
SCOPE = {"type": "http", "headers": [(b"content-type", b"multipart/form-data; boundary=cut")]}


@pytest.mark.parametrize("work", [whole_body, partial(image_form, SCOPE)])
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
    budget, left = Budget(1000), list(FORM)

    async def receive() -> dict:
        await asyncio.sleep(wait)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def read() -> None:
        with pytest.raises(Refusal) as refusal, Limited(receive, 1000, budget) as limited:
            await work(limited)
        assert (refusal.value.status, budget.held) == (408, 0)

    run_apart(read())


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
