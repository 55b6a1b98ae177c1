"""Python runs this first in the program under test, whose network cable it pulls out.

Every address that the program reaches for is noted; one of another computer is not reached. An
audit hook also sees what compiled code asks of Python's sockets.
"""

import errno
import os
import sys

_NOTES = os.environ.get("PNEUMO_TEST_CONNECTIONS")
_OWN = ("unix", "None", "127.0.0.1", "::1", "localhost", "0.0.0.0", "")


def _note(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto"):
        host, port = arguments[1][:2] if isinstance(arguments[1], tuple) else ("unix", "")
    elif event == "socket.getaddrinfo":
        host, port = arguments[:2]
    else:
        return
    host = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    with open(_NOTES, "a", encoding="utf-8") as notes:
        notes.write(f"{'own' if host in _OWN else 'foreign'} {host} {port}\n")
    if host not in _OWN:
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))


if _NOTES:
    sys.addaudithook(_note)
# Modules that are here and are to be missed.
for _name in filter(None, os.environ.get("PNEUMO_TEST_WITHOUT", "").split(",")):
    sys.modules[_name] = None
