"""Under which names the app may be asked for: what stops a foreign page that calls itself us.

A page on evil.example can let its own name point to 127.0.0.1 a moment after it was loaded (DNS
rebinding). To the browser it then is the same site as this app and may read every reply; only the
Host header still tells the foreign name.
"""

import ipaddress
import os
import re
from collections.abc import Set

from starlette.datastructures import Headers

from pneumo.ui.security.limits import Refusal

# Further names, such as those of a proxy in front of the app, with commas between them.
VARIABLE = "PNEUMO_HOSTS"
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_PORTS = {"http": "80", "https": "443"}


def allowed_hosts(server_name: str) -> frozenset[str] | None:
    """The names under which an app that listens at this one may be asked for, None for any.

    They are the computer's own, a Space's (SPACE_HOST) and those of `VARIABLE`. Where others can
    reach it and `VARIABLE` names none, the app cannot know its names.
    """
    named = {name.strip().lower() for name in os.environ.get(VARIABLE, "").split(",")} - {""}
    own = {"localhost", "127.0.0.1", "[::1]", os.environ.get("SPACE_HOST", "").strip().lower()}
    if is_loopback(server_name):
        name = server_name.lower()
        own |= {f"[{name}]" if ":" in name else name}
    elif not named:
        return None
    return frozenset((named | own) - {""})


def is_loopback(server_name: str) -> bool:
    """Whether only programs on the same computer can reach an app that listens there."""
    if server_name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(server_name.strip("[]")).is_loopback
    except ValueError:
        return False


def check_host(headers: Headers, hosts: Set[str] | None) -> None:
    """Refuse a request that was meant for another name, or that another site's page has sent: 421
    without exactly one Host that is allowed, 403 for an Origin that is neither the Host that is
    asked, port included, nor a proxy's name at its scheme's own port."""
    if hosts is None:
        return
    named = headers.getlist("host")
    host = _parts(named[0]) if len(named) == 1 else None
    if host is None or host[0] not in hosts:
        raise Refusal(421)
    # A page of another site may send a form here without asking, though it cannot read the reply.
    for origin in headers.getlist("origin"):
        scheme, _, rest = origin.partition("://")
        found, usual = _parts(rest), _PORTS.get(scheme)
        if found is None or usual is None or found[0] not in hosts:
            raise Refusal(403)
        proxied = found[1] in (None, usual) and not is_loopback(found[0])
        if not proxied and (found[0], found[1] or usual) != (host[0], host[1] or usual):
            raise Refusal(403)


def _parts(host: str) -> tuple[str, str | None] | None:
    """Name and port of a Host header, None where it is no host."""
    found = _HOST.fullmatch(host.strip())
    return (found[1].lower().removesuffix("."), found[2]) if found else None
