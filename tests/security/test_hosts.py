"""A foreign page that gives its own name this computer's address (DNS rebinding) gets nothing."""

from __future__ import annotations

import json

import pytest
from starlette.datastructures import Headers

from pneumo.ui.layout import launch_arguments
from pneumo.ui.security.hosts import VARIABLE, allowed_hosts, check_host
from pneumo.ui.security.limits import Refusal
from tests.security.server import API, Server

FOREIGN = (
    "evil.example",
    "evil.example:7860",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example@127.0.0.1",
    "127.0.0.1@evil.example",
    "evil.example#127.0.0.1",
    "",
    "127.0.0.1,evil.example",
    "2130706433",
    "192.168.0.1",
    "[::1",
    "[::2]",
    "localhost:",
    "127.0.0.1:x",
    "a b",
    "localhost/evil.example",
)
OWN = (
    "localhost",
    "LOCALHOST:7860",
    "127.0.0.1",
    "127.0.0.1:1",
    "[::1]",
    "[::1]:7860",
    "localhost.",
)


def status(hosts: frozenset[str] | None, *pairs: tuple[str, str]) -> int:
    """What a request with these headers is answered."""
    try:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
        check_host(Headers(raw=raw), hosts)
    except Refusal as refusal:
        return refusal.status
    return 200


@pytest.fixture
def hosts(monkeypatch) -> frozenset[str]:
    """The names of an app that only this computer can reach."""
    for name in (VARIABLE, "SPACE_HOST"):
        monkeypatch.delenv(name, raising=False)
    return allowed_hosts("127.0.0.1")


def test_the_rebinding_attack_gets_nothing_of_the_running_app(server: Server, film: bytes):
    form = (
        b'--cut\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\n'
        + film
        + b"\r\n--cut--\r\n"
    )
    multipart = "multipart/form-data; boundary=cut"
    attacks = (
        ("/", "GET", b"", ""),
        ("/config", "GET", b"", ""),
        (f"{API}/run/models", "POST", b'{"data": []}', "application/json"),
        (f"{API}/upload", "POST", form, multipart),
        (f"{API}/component_server", "POST", form, multipart),
    )
    for target, method, body, kind in attacks:
        for host in ("evil.example", f"evil.example:{server.port}"):
            code, said = server.raw(target, method, body, Host=host, Content_Type=kind)
            assert code == 421 and list(json.loads(said)) == ["error"], (target, said[:200])
    # The same requests under the app's own name do come through.
    for target, method, body, kind in attacks[:4]:
        own = f"localhost:{server.port}"
        assert server.raw(target, method, body, Host=own, Content_Type=kind)[0] == 200, target


def test_a_form_of_another_sites_page_is_not_answered(server: Server, film: bytes):
    form = (
        b'--cut\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\n'
        + film
        + b"\r\n--cut--\r\n"
    )
    for origin, expected in (("http://evil.example", 403), ("null", 403), (server.url, 200)):
        code, said = server.raw(
            f"{API}/upload",
            "POST",
            form,
            Origin=origin,
            Content_Type="multipart/form-data; boundary=cut",
        )
        assert code == expected, (origin, said)


@pytest.mark.parametrize("host", FOREIGN)
def test_foreign_names_are_refused(hosts, host: str):
    assert status(hosts, ("host", host)) == 421


@pytest.mark.parametrize("host", OWN)
def test_own_names_are_let_in_at_any_port(hosts, host: str):
    assert status(hosts, ("host", host), ("origin", f"http://{host}")) == 200


def test_exactly_one_host_is_wanted(hosts):
    assert status(hosts) == 421
    assert status(hosts, ("host", "localhost"), ("host", "localhost")) == 421
    assert status(hosts, ("host", "localhost"), ("host", "evil.example")) == 421


def test_a_space_and_named_proxies_are_known(monkeypatch, hosts):
    assert status(hosts, ("host", "me-pneumo.hf.space")) == 421
    monkeypatch.setenv("SPACE_HOST", "Me-pneumo.hf.space")
    assert status(allowed_hosts("localhost"), ("host", "me-pneumo.hf.space")) == 200
    assert allowed_hosts("0.0.0.0") is None and status(None, ("host", "evil.example")) == 200
    monkeypatch.setenv(VARIABLE, "reader.example, Other.example")
    for bound in ("0.0.0.0", "127.0.0.1", "::1"):
        for name, code in (("other.example", 200), ("localhost", 200), ("evil.example", 421)):
            assert status(allowed_hosts(bound), ("host", name)) == code, (bound, name)


def test_a_space_is_known_beside_named_proxies(monkeypatch, hosts):
    monkeypatch.setenv("SPACE_HOST", "me-pneumo.hf.space")
    monkeypatch.setenv(VARIABLE, "reader.example")
    for bound in ("0.0.0.0", "127.0.0.1"):
        for name in ("me-pneumo.hf.space", "reader.example"):
            pairs = (("host", name), ("origin", f"https://{name}"))
            assert status(allowed_hosts(bound), *pairs) == 200, (bound, name)


@pytest.mark.parametrize(
    ("host", "origin", "code"),
    [
        ("localhost:7860", "http://localhost:7860", 200),
        ("localhost", "http://localhost:80", 200),
        ("localhost:7860", "http://localhost:8080", 403),
        ("localhost:7860", "http://localhost", 403),
        ("localhost:7860", "http://127.0.0.1:7860", 403),
        ("localhost:7860", "null", 403),
        ("localhost:7860", "https://reader.example", 200),
        ("reader.example", "https://reader.example:443", 200),
        ("localhost:7860", "https://reader.example:444", 403),
        ("localhost:7860", "file://localhost:7860", 403),
    ],
)
def test_another_port_is_another_site(monkeypatch, host: str, origin: str, code: int):
    monkeypatch.setenv(VARIABLE, "reader.example")
    hosts = allowed_hosts("127.0.0.1")
    assert status(hosts, ("host", host), ("origin", origin)) == code


def test_the_app_as_it_is_launched_holds_to_its_names(monkeypatch, hosts):
    for name in ("GRADIO_SERVER_NAME", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    (middleware,) = launch_arguments()["app_kwargs"]["middleware"]
    assert middleware.kwargs["hosts"] == hosts
    monkeypatch.setenv("SPACE_ID", "me/pneumo")
    (middleware,) = launch_arguments()["app_kwargs"]["middleware"]
    assert middleware.kwargs["hosts"] is None
