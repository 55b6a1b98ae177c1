"""Python runs this first in the program under test, whose network cable it pulls out.

Every address that the program reaches for is noted; one of another computer is not reached.
"""

import errno
import os
import sys

_NOTES = os.environ.get("PNEUMO_TEST_CONNECTIONS")


def _note(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "unix"
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode(errors="replace") if isinstance(host, bytes) else host
    if host in ("unix", None, "127.0.0.1", "::1", "localhost", "0.0.0.0", ""):
        host, what = str(host), "own"
    else:
        what = "foreign"
    port = arguments[1][1] if event != "socket.getaddrinfo" and host != "unix" else arguments[1]
    with open(_NOTES, "a", encoding="utf-8") as notes:
        notes.write(f"{what} {host} {port if isinstance(port, (int, str)) else ''}\n")
    if what == "foreign":
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))


if _NOTES:
    # Unlike a patched socket module this also sees what compiled code asks Python's sockets for.
    sys.addaudithook(_note)
