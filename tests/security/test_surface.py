"""Only what is documented can be called, and it answers whatever it is sent with a sentence."""

import json
import re

import pytest

from tests.served import API, ROOT, Server

PUBLIC = {"predict", "models"}
LEAKS = ("Traceback", "site-packages", str(ROOT), "/usr", "/tmp", "/root", "/home", 'File "', ".py",
         "pydantic", "gradio cache", "Received inputs", "root:")  # fmt: skip
CLOSED = (
    f"{API}/deep_link?session_hash=x", f"{API}/run-history/records", f"{API}/dev/reload",
    f"{API}/upload_progress?upload_id=x", f"{API}/vibe-edit", f"{API}/profiling/traces",
    "/monitoring/summary", f"{API}/token", "/pwa_icon/60000", f"{API}/stream/a/b/1/playlist.m3u8",
    f"{API}/custom_component/x/client/component/index.js", "/docs", "/openapi.json",
    f"{API}/mcp/sse", "/login", "/svelte/x", "/assets/none.js", "/static/none",
    "/.git/config", "/metrics",
)  # fmt: skip
BODIES = (
    b"", b"{", b"null", b"[]", b'{"data": null}', b'{"data": []}', b'{"data": [1]}',
    b'{"data": [null, "cnn", NaN, false, false]}', b"[" * 30_000, b'{"data":' * 8000, b"\xff\xfe",
    b'{"data": [], "session_hash": "../x"}', b'{"data": [], "fn_index": 1e99, "session_hash": "s"}',
    b'{"data": ["\\ud800"]}', b'{"data": [{"path": "x"}, {"path": "x"}, {"path": "x"}]}',
)  # fmt: skip


def clean(text: str) -> bool:
    return not any(leak in text for leak in LEAKS)


@pytest.fixture(autouse=True)
def _no_traceback_is_printed(server: Server):
    before = len(server.printed())
    yield
    assert "Traceback" not in server.printed()[before:]


def test_what_the_app_does_not_need_is_closed(server: Server):
    for path in CLOSED:
        for method, body in (("GET", b""), ("POST", b"{}")):
            status, said = server.raw(path, method, body, Content_Type="application/json")
            assert status in (400, 404, 405), path
            assert json.loads(said)["error"].endswith(".")
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "XX"):
        for path in ("/", f"{API}/run/predict", f"{API}/upload"):
            assert server.raw(path, method)[0] >= 400


def test_only_the_documented_names_are_listed_and_called(server: Server):
    with server.client() as client:
        info = client.get(f"{API}/info?all_endpoints=true").json()
        assert set(info["named_endpoints"]) == {f"/{name}" for name in PUBLIC}
        assert info["unnamed_endpoints"] == {}
        paths = client.get(f"{API}/openapi.json").json()["paths"]
        assert not [p for p in paths if p.split("/")[-1] not in ("upload", "{event_id}", *PUBLIC)]
        config = client.get("/config").json()
        assert {d["api_name"] for d in config["dependencies"]} == PUBLIC
        for route in ("run", "api", "call", "call/v2"):
            for name in ("analyze", "lambda", "predict_1", "__init__", "0", "click", "load"):
                reply = client.post(f"{API}/{route}/{name}", json={"data": []})
                assert reply.status_code == 404, (route, name)
        # A number in the body does not call another function than the one named.
        reply = client.post(f"{API}/run/models", json={"data": [], "fn_index": 0})
        assert reply.status_code == 200 and reply.json()["data"][0][0]["name"] == "cnn"


@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
def test_pages_name_no_place_of_the_disk_and_no_foreign_address(server: Server, header: str):
    with server.client() as client:
        for path in ("/", "/config", f"{API}/info", f"{API}/openapi.json", "/theme.css"):
            client.get(path, headers={header: "evil.example"})
            text = client.get(path).text
            for place in (str(ROOT), str(server.folder), "site-packages", "evil.example"):
                assert place not in text, (path, place)


@pytest.mark.parametrize(
    "route", ["run/predict", "call/predict", "call/v2/predict", "queue/join", "component_server"]
)
def test_a_broken_body_is_refused_with_a_sentence(server: Server, route: str):
    for body in BODIES:
        status, reply = server.raw(f"{API}/{route}", "POST", body, Content_Type="application/json")
        text = reply.decode()
        assert clean(text), text
        if status == 200:  # a well-formed call that fails later, in the queue
            answer = server.raw(f"{API}/call/predict/{json.loads(text)['event_id']}")[1].decode()
            assert "event: error" in answer and clean(answer), answer
        else:
            assert json.loads(text)["error"].endswith("."), text


WRONG = {
    0: (None, "gone"),
    1: (None, 5, ["cnn"], "../cnn", "x" * 9999, "<img src=x>", "\ud800"),
    2: ("half", True, [0.5], 1.1, 10**40),
    5: ("x", [1, 0], [0.1]),
    6: (0, 1, 50, "x", [0.5]),
}


def test_wrong_values_are_told_in_a_sentence(server: Server, png: bytes):
    for position, values in WRONG.items():
        for value in values:
            call = [{"path": server.upload(png)}, "cnn", None, False, False, "balanced", None]
            call[position] = value
            reply = server.ask("predict", *call)
            assert reply.status_code == 422 and reply.json()["error"].endswith("."), call
            assert len(reply.text) < 400 and clean(reply.text)


PAYLOADS = (
    None,
    {"models": ["cnn"]},
    {"models": "cnn", "turn": "9" * 5000},
    {"models": "cnn", "example": "²"},
    {"models": "cnn," * 10_000, "token": {"a": 1}},
    {"models": "cnn", "image": {"path": "/etc/passwd"}},
    {"models": "cnn", "token": "x", "prevalence": {"a": 1}, "policy": []},
    {"models": "cnn", "token": "x", "comment": "\ud800", "opacity": "nan"},
    {"models": "../../etc/passwd", "example": "../0"},
)


@pytest.mark.parametrize("name", ["analyze", "show_examples", "print_report"])
def test_server_functions_take_anything(server: Server, name: str):
    for payload in PAYLOADS:
        call = {"component_id": server.viewer, "session_hash": "s", "fn_name": name}
        reply = server.post("component_server", json={**call, "data": payload})
        assert reply.status_code == 200 and clean(reply.text), (payload, reply.text)
        if name == "analyze":
            assert reply.json()["status"] in ("error", "invalid", "forgotten", "superseded")


def test_nothing_else_of_a_component_can_be_called(server: Server):
    with server.client() as client:
        numbers = [c["id"] for c in client.get("/config").json()["components"]]
        calls = [
            (n, name) for n in numbers for name in ("", "__init__", "preprocess", "push", None)
        ]
        calls += [(n, "analyze") for n in (None, -1, 1e308, 10**30, "x", "", [], True, 99999)]
        for number, name in calls:
            call = {"component_id": number, "session_hash": "s", "fn_name": name, "data": []}
            reply = client.post(f"{API}/component_server", json=call)
            assert reply.status_code == 404 and reply.json()["error"].endswith("."), call


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
