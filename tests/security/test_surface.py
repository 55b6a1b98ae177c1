"""Only what is documented can be called, and it answers whatever it is sent with a sentence."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import httpx
import pytest

from pneumo.ui.texts import catalogue
from tests.security.server import API, Server, sentences

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = {"predict", "models"}
# Everything that calls for a reading answers these with a sentence or a refusal, never a traceback.
LEAKS = (
    "Traceback",
    "site-packages",
    str(ROOT),
    "/usr",
    "/tmp",
    "/root",
    "/home",
    'File "',
    ".py",
    "pydantic",
    "gradio cache",
    "Received inputs",
)
CLOSED = (
    f"{API}/deep_link?session_hash=x",
    "/gradio_api/deep_link?session_hash=x",
    f"{API}/runs",
    f"{API}/run-history/buckets",
    f"{API}/run-history/records",
    f"{API}/dev/reload",
    f"{API}/upload_progress?upload_id=x",
    f"{API}/vibe-code",
    f"{API}/vibe-edit",
    f"{API}/profiling/traces",
    f"{API}/profiling/summary",
    "/monitoring",
    "/monitoring/summary",
    "/monitoring/x",
    f"{API}/token",
    "/pwa_icon",
    "/pwa_icon/9999",
    "/pwa_icon/60000",
    f"{API}/custom_component/x/client/component/index.js",
    f"{API}/stream/a/b/1/playlist.m3u8",
    f"{API}/stream/a/b/1/playlist-file",
    "/docs",
    "/redoc",
    "/openapi.json",
    f"{API}/mcp",
    f"{API}/mcp/sse",
    "/login",
    "/logout",
    "/svelte/x",
    "/.git/config",
    f"{API}/user",
    "/metrics",
)


def clean(text: str) -> bool:
    return not any(leak in text for leak in LEAKS)


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_the_app_does_not_need_is_closed(server: Server, path: str, method: str):
    status, body = server.raw(
        path, method, b"{}" if method == "POST" else b"", Content_Type="application/json"
    )
    assert status in (400, 404, 405), path
    assert json.loads(body)["error"].endswith(".")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "XX"])
def test_other_methods_are_closed(server: Server, method: str):
    for path in ("/", f"{API}/run/predict", f"{API}/upload", f"{API}/file=/etc/passwd"):
        assert server.raw(path, method)[0] >= 400


@pytest.mark.parametrize(
    "path", ["/assets/none.js", "/static/none", f"{API}/queue/data", f"{API}/call/predict/none%0A"]
)
def test_what_gradio_would_say_itself_is_a_sentence_of_ours(server: Server, path: str):
    status, body = server.raw(path, "GET")
    assert status >= 400
    assert json.loads(body) == {"error": json.loads(body)["error"]}
    assert json.loads(body)["error"] in {
        words.format(limit=200) if "{limit}" in words else words
        for key, words in catalogue().items()
        if "gate." in key
    }


def test_only_the_documented_names_are_listed_and_called(server: Server):
    with server.client() as client:
        for query in ("", "?all_endpoints=true", "?all_endpoints=1&page="):
            info = client.get(f"{API}/info{query}").json()
            assert set(info["named_endpoints"]) == {f"/{name}" for name in PUBLIC}, query
            assert info["unnamed_endpoints"] == {}
        paths = client.get(f"{API}/openapi.json").json()["paths"]
        assert not [p for p in paths if p.split("/")[-1] not in ("upload", "{event_id}", *PUBLIC)]
        config = client.get("/config").json()
        assert {d["api_name"] for d in config["dependencies"]} == PUBLIC
        for route in ("run", "api", "call", "call/v2"):
            for name in (
                "analyze",
                "show_examples",
                "lambda",
                "predict_1",
                "__init__",
                "0",
                "undefined",
                "click",
                "load",
                "nobody",
            ):
                reply = client.post(f"{API}/{route}/{name}", json={"data": []})
                assert reply.status_code == 404, (route, name)
        # A number in the body does not call another function than the one named.
        reply = client.post(f"{API}/run/models", json={"data": [], "fn_index": 0})
        assert reply.status_code == 200 and reply.json()["data"][0][0]["name"] == "cnn"


def test_page_config_and_listing_name_no_place_of_the_disk(server: Server, stand_ins):
    from tests.security.server import ROOT

    for path in ("/", "/config", f"{API}/info", f"{API}/openapi.json", "/theme.css"):
        text = server.raw(path)[1].decode()
        for place in (str(ROOT), str(server.temp), str(stand_ins), "site-packages", "Traceback"):
            assert place not in text, (path, place)


def test_the_queue_tells_nothing_of_others(server: Server):
    assert set(json.loads(server.raw(f"{API}/queue/status")[1])) <= {
        "msg",
        "event_id",
        "queue_size",
        "rank",
        "rank_eta",
        "queue_eta",
    }
    with server.client() as client:
        # Neither an unknown session nor an unknown event gives anything.
        for path in ("queue/data?session_hash=nobody", "call/predict/nobody"):
            said = ""
            # Gradio breaks such a stream off instead of ending it.
            with (
                contextlib.suppress(httpx.RemoteProtocolError),
                client.stream("GET", f"{API}/{path}") as stream,
            ):
                for piece in stream.iter_text():
                    said += piece
            assert clean(said) and "complete" not in said, path


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b'{"data": null}',
        b'{"data": {}}',
        b'{"data": []}',
        b'{"data": [1]}',
        b'{"data": [null, "cnn", NaN, false, false]}',
        b'{"data": [null, "cnn", Infinity, false, false]}',
        b'{"data": [1, 2, 3, 4, 5, 6]}',
        b"[" * 30_000,
        b'{"data":' * 8000,
        b"\xff\xfe",
        b'{"data": [null, null, null, null, null]}',
        b'{"data": [], "session_hash": 5}',
        b'{"data": [], "session_hash": "../x"}',
        b'{"data": [], "fn_index": 1e99, "session_hash": "s"}',
        b'{"data": ["\\ud800"]}',
        b'{"data": [{"path": "x"}, {"path": "x"}, {"path": "x"}, {"path": "x"}, {"path": "x"}]}',
    ],
)
@pytest.mark.parametrize(
    "route", ["run/predict", "call/predict", "call/v2/predict", "queue/join", "component_server"]
)
def test_a_broken_body_is_refused_with_a_sentence(server: Server, route: str, body: bytes):
    before = len(server.printed())
    status, reply = server.raw(f"{API}/{route}", "POST", body, Content_Type="application/json")
    text = reply.decode()
    assert clean(text), text
    if status == 200:  # a well-formed call that fails later, in the queue
        event = json.loads(text)["event_id"]
        assert route.startswith("call")
        answer = server.raw(f"{API}/call/predict/{event}")[1].decode()
        assert "event: error" in answer and clean(answer), answer
    else:
        assert json.loads(text)["error"].endswith("."), text
    assert "Traceback" not in server.printed()[before:]


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "application/xml",
        "\xff",
    ],
)
def test_another_kind_of_body_is_refused(server: Server, kind: str):
    for route in ("run/models", "call/models", "queue/join", "component_server", "upload"):
        status, reply = server.raw(f"{API}/{route}", "POST", b'{"data": []}', Content_Type=kind)
        assert status in (400, 404) and json.loads(reply)["error"].endswith("."), (route, kind)


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (1, None),
        (1, 5),
        (1, ["cnn"]),
        (1, {"a": "cnn"}),
        (1, "../cnn"),
        (1, "nobody"),
        (1, "x" * 9999),
        (1, "<img src=x>"),
        (1, "\ud800"),
        (2, "half"),
        (2, True),
        (2, [0.5]),
        (2, -0.1),
        (2, 1.1),
        (2, 10**40),
        (2, 1e308),
        (2, {"a": 1}),
        (5, "x"),
        (5, [1, 0]),
        (6, 0),
        (6, [0.5]),
    ],
)
def test_wrong_values_are_told_in_a_sentence(server: Server, film: bytes, position, value):
    values = [{"path": server.upload(film).json()[0]}, "cnn", None, False, False, None, None]
    values[position] = value
    before = len(server.printed())
    reply = server.ask("predict", *values)
    assert reply.status_code == 422 and sentences(reply).endswith(".")
    assert len(reply.text) < 400 and clean(reply.text)
    assert "Traceback" not in server.printed()[before:]


@pytest.mark.parametrize("name", ["analyze", "show_examples", "print_report"])
def test_server_functions_take_anything(server: Server, name: str):
    room = server.component()
    payloads = [
        None,
        5,
        "x",
        [],
        {},
        {"models": 5},
        {"models": ["cnn"]},
        {"models": "cnn"},
        {"models": "cnn", "turn": "x"},
        {"models": "cnn", "turn": 1e308},
        {"models": "cnn", "turn": "9" * 5000},
        {"models": "cnn", "turn": None},
        {"models": "cnn", "example": "9" * 5000},
        {"models": "cnn", "example": "²"},
        {"models": "cnn", "example": "99999"},
        {"models": "cnn", "token": {"a": 1}},
        {"models": "cnn", "visit": "v" * 60_000, "token": "x"},
        {"models": "cnn," * 10_000, "token": "x"},
        {"models": "cnn", "image": "/etc/passwd"},
        {"models": "cnn", "image": {"path": "/etc/passwd"}},
        {"models": "cnn", "token": "x", "prevalence": {"a": 1}, "policy": []},
        {"models": "cnn", "token": "x", "comment": "\ud800", "opacity": "nan"},
        {"models": "../../etc/passwd", "example": "../0"},
    ]
    before = len(server.printed())
    for payload in payloads:
        with server.client() as client:
            reply = client.post(
                f"{API}/component_server",
                content=json.dumps(
                    {"component_id": room, "session_hash": "s", "fn_name": name, "data": payload}
                ),
                headers={"Content-Type": "application/json"},
            )
        assert reply.status_code == 200, (payload, reply.text)
        if name == "analyze":
            assert reply.json()["status"] in ("error", "invalid", "forgotten", "superseded")
        assert clean(reply.text) and "root:" not in reply.text
    assert "Traceback" not in server.printed()[before:]


def test_a_server_function_of_many_models_reads_each_once(server: Server, film: bytes):
    reply = server.analyze(film, models="cnn," * 5000).json()
    assert reply["status"] == "ok" and len(reply["results"]) == 1


@pytest.mark.parametrize(
    "name",
    [
        "",
        "__init__",
        "__class__",
        "load",
        "postprocess",
        "preprocess",
        "get_config",
        "constructor_args",
        "serve_static_file",
        "push",
        "move_resource_to_block_cache",
        None,
        5,
        ["read"],
        {"a": 1},
    ],
)
def test_nothing_else_of_a_component_can_be_called(server: Server, name):
    with server.client() as client:
        numbers = [c["id"] for c in client.get("/config").json()["components"]]
        for number in numbers:
            reply = client.post(
                f"{API}/component_server",
                json={"component_id": number, "session_hash": "s", "fn_name": name, "data": []},
            )
            assert reply.status_code == 404, (number, name)


@pytest.mark.parametrize("number", [None, -1, 1e308, 10**30, "x", "", "0x1", [], {}, True, 99999])
def test_an_unknown_component_is_a_sentence(server: Server, number):
    with server.client() as client:
        reply = client.post(
            f"{API}/component_server",
            json={"component_id": number, "session_hash": "s", "fn_name": "analyze", "data": {}},
        )
    assert reply.status_code == 404 and reply.json()["error"].endswith(".")


@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
def test_nobody_writes_an_address_into_what_others_read(server: Server, header: str):
    with server.client() as client:
        for path in (f"{API}/info", f"{API}/openapi.json", "/config", "/"):
            client.get(path, headers={header: "evil.example"})
            assert "evil.example" not in client.get(path).text, path


def test_a_page_of_another_host_gets_no_leave(server: Server):
    with server.client() as client:
        for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
            reply = client.get("/config", headers={"origin": origin})
            assert reply.headers.get("access-control-allow-origin") not in (origin, "*")
        policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "*" not in policy
    # Only the page of a Space, inside huggingface.co, may show the app in a frame.
    (frames,) = re.findall(r"frame-ancestors ([^;]*)", policy)
    assert frames.split() == ["'self'", "https://huggingface.co"]
    assert policy.count("http") == 1
