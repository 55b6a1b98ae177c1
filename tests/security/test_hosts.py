"""A foreign page that gives its own name this computer's address (DNS rebinding) gets nothing."""

import json

import pytest
from starlette.datastructures import Headers

from pneumo.ui.security.hosts import VARIABLE, allowed_hosts, check_host
from pneumo.ui.security.limits import Refusal
from tests.served import API, Server

FOREIGN = ("evil.example", "127.0.0.1.evil.example", "evil.example@127.0.0.1",
           "127.0.0.1@evil.example", "", "127.0.0.1,evil.example", "2130706433", "192.168.0.1",
           "[::1", "[::2]", "localhost:", "127.0.0.1:x", "localhost/evil.example")  # fmt: skip
OWN = ("localhost", "LOCALHOST:7860", "127.0.0.1", "[::1]:7860", "localhost.")


def status(hosts: frozenset[str] | None, *pairs: tuple[str, str]) -> int:
    """What a request with these headers is answered."""
    try:
        check_host(Headers(raw=[(n.encode(), v.encode()) for n, v in pairs]), hosts)
    except Refusal as refusal:
        return refusal.status
    return 200


@pytest.fixture
def hosts(monkeypatch) -> frozenset[str]:
    """The names of an app that only this computer can reach."""
    for name in (VARIABLE, "SPACE_HOST", "SPACE_ID", "GRADIO_SERVER_NAME"):
        monkeypatch.delenv(name, raising=False)
    return allowed_hosts("127.0.0.1")


def test_the_running_app_answers_to_its_own_name_and_to_no_foreign_form(server: Server):
    head = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\n'
    form = head + b"x\r\n--cut--\r\n"
    own, multipart = f"localhost:{server.port}", "multipart/form-data; boundary=cut"
    attacks = (
        ("/", "GET", b"", ""),
        ("/config", "GET", b"", ""),
        (f"{API}/run/models", "POST", b'{"data": []}', "application/json"),
        (f"{API}/upload", "POST", form, multipart),
    )
    for target, method, body, kind in attacks:
        for host in ("evil.example", f"evil.example:{server.port}"):
            code, said = server.raw(target, method, body, Host=host, Content_Type=kind)
            assert code == 421 and list(json.loads(said)) == ["error"], target
        assert server.raw(target, method, body, Host=own, Content_Type=kind)[0] == 200, target
    for origin, expected in (("http://evil.example", 403), ("null", 403), (server.url, 200)):
        target, method, body, kind = attacks[-1]
        assert server.raw(target, method, body, Origin=origin, Content_Type=kind)[0] == expected


def test_exactly_one_host_of_its_own_is_let_in_at_any_port(hosts):
    assert {status(hosts, ("host", host)) for host in FOREIGN} == {421}
    for host in OWN:
        assert status(hosts, ("host", host), ("origin", f"http://{host}")) == 200, host
    assert status(hosts) == 421
    assert status(hosts, ("host", "localhost"), ("host", "localhost")) == 421


def test_a_space_and_named_proxies_are_known(monkeypatch, hosts):
    assert status(hosts, ("host", "me-pneumo.hf.space")) == 421
    assert allowed_hosts("0.0.0.0") is None and status(None, ("host", "evil.example")) == 200
    monkeypatch.setenv("SPACE_HOST", "Me-pneumo.hf.space")
    assert status(allowed_hosts("localhost"), ("host", "me-pneumo.hf.space")) == 200
    monkeypatch.setenv(VARIABLE, "reader.example, Other.example")
    for bound in ("0.0.0.0", "127.0.0.1", "::1"):
        for name in ("me-pneumo.hf.space", "reader.example", "other.example", "localhost"):
            assert status(allowed_hosts(bound), ("host", name)) == 200, (bound, name)
        assert status(allowed_hosts(bound), ("host", "evil.example")) == 421


def test_another_port_is_another_site(monkeypatch, hosts):
    monkeypatch.setenv(VARIABLE, "reader.example")
    hosts = allowed_hosts("127.0.0.1")
    own = (("localhost:7860", "http://localhost:7860"), ("localhost", "http://localhost:80"),
           ("localhost:7860", "https://reader.example"),
           ("reader.example", "https://reader.example:443"))  # fmt: skip
    for host, origin in own:
        assert status(hosts, ("host", host), ("origin", origin)) == 200, origin
    for origin in ("http://localhost:8080", "http://localhost", "http://127.0.0.1:7860",
                   "https://reader.example:444", "file://localhost:7860"):  # fmt: skip
        assert status(hosts, ("host", "localhost:7860"), ("origin", origin)) == 403, origin
