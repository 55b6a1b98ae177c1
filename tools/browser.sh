#!/bin/sh
# Makes sure that there is a browser for the tests: an installed Chromium or Chrome, one of the
# system's packages, or playwright's own download.
set -eu
for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else return 1
    fi
}
if command -v apt-get >/dev/null 2>&1 && as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
then exit 0; fi
.venv/bin/playwright install chromium
