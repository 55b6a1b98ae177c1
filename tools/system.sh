#!/bin/sh
# Installs what Python packages cannot bring: OpenCV's shared libraries and, with "browser", a
# Chromium for the tests. Uses apt where there is one; elsewhere says what to install.
set -eu
PATH=$PATH:/usr/sbin:/sbin  # where ldconfig is for an ordinary user
here=$(cd "$(dirname "$0")/.." && pwd)

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else echo "Please run as an administrator: $*" >&2; return 1
    fi
}

apt() {
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

has_library() { ldconfig -p 2>/dev/null | grep -q "$1"; }

if [ "$(uname)" = Linux ] && ! { has_library libGL.so.1 && has_library libglib-2.0.so.0; }; then
    if command -v apt-get >/dev/null 2>&1; then
        # shellcheck disable=SC2046
        apt $(cat "$here/packages.txt")
    else
        echo "OpenCV needs libGL.so.1 and libglib-2.0.so.0: install your system's packages." >&2
        exit 1
    fi
fi

[ "${1:-}" = browser ] || exit 0
for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1 && apt chromium; then exit 0; fi
python="$here/.venv/bin/python"
"$python" -m playwright install --with-deps chromium || "$python" -m playwright install chromium
