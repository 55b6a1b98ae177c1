"""The body of a call as Gradio may see it: known endpoint, known keys, no file or address in it."""

import json
import re
from typing import Any

import gradio as gr

from pneumo.ui.security.limits import Refusal

SESSION = re.compile(r"[\w-]{1,64}")
QUEUE_KEYS = ("data", "fn_index", "session_hash", "trigger_id", "event_data")


def parsed(raw: bytes) -> dict[str, Any]:
    """A request's JSON object; 400 when it is none, or has numbers that are not finite."""
    try:
        call = json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Refusal(400) from None
    if not isinstance(call, dict):
        raise Refusal(400)
    return call


def plain_call(raw: bytes, how: str | None, name: str | None, blocks: gr.Blocks) -> bytes:
    """The call rewritten with what belongs to it and nothing else; `how` is "run", "api", "call" or
    "call/v2" for an endpoint by its name, None for the queue. Refuses with 404 an endpoint that is
    not public, with 400 a body that does not fit it."""
    call = parsed(raw)
    if how is None:
        index = call.get("fn_index")
        function = blocks.fns.get(index) if type(index) is int else None
        if function is None or not _is_session(call.get("session_hash")):
            raise Refusal(400)
    else:
        public = (f for f in blocks.fns.values() if f.api_visibility == "public")
        function = next((f for f in public if f.api_name == name), None)
        if function is None:
            raise Refusal(404)
    if how == "call/v2":
        call.pop("oauth_token", None)
    else:
        values = call.get("data")
        if not isinstance(values, list) or len(values) > len(function.inputs):
            raise Refusal(400)
        # Arguments at the end may be left out.
        call["data"] = values + [
            getattr(block, "value", None) for block in function.inputs[len(values) :]
        ]
        keys = QUEUE_KEYS if how is None else ("data", "session_hash")
        call = {key: call[key] for key in keys if key in call}
        if not _is_session(call.get("session_hash", "none")):
            raise Refusal(400)
    try:
        return json.dumps(without_files(call)).encode()
    except RecursionError:
        raise Refusal(400) from None


def without_files(value: Any) -> Any:
    """JSON in which every description of a file is only the token of an upload.

    Gradio would download, copy or open what such a description names, in any field.
    """
    if isinstance(value, list):
        return [without_files(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() & {"path", "url", "meta"}:
        path = value.get("path")
        return path if isinstance(path, str) and SESSION.fullmatch(path) else ""
    return {key: without_files(item) for key, item in value.items()}


def _is_session(value: object) -> bool:
    return isinstance(value, str) and SESSION.fullmatch(value) is not None


def _refuse(constant: str) -> None:
    raise ValueError(constant)
