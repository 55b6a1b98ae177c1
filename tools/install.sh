#!/bin/sh
# Sets up .venv for `make run` ($1 = run) or `make test` ($1 = test) with the Python $2.
set -eu
"$2" - <<'CHECK'
import sys
if sys.version_info < (3, 11):
    sys.exit("Pneumo needs Python 3.11 or newer; name one with: make run PYTHON=python3.12")
CHECK
[ -x .venv/bin/python ] || "$2" -m venv .venv
# Python compiles what it imports; compiling all that is installed takes a minute.
pip() { .venv/bin/python -m pip install --disable-pip-version-check --no-compile -q "$@"; }

echo "Installing what Pneumo needs; PyTorch makes this several minutes the first time."
# Without an NVIDIA card, PyTorch's wheels for the CPU: 0.2 GB instead of 4. They lie in an index of
# their own; where it cannot be reached, PyPI's run on the CPU as well.
cpu_wheels=https://download.pytorch.org/whl/cpu
if [ "$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null 2>&1 &&
    .venv/bin/python -c "import urllib.request as r; r.urlopen('$cpu_wheels/torch/', timeout=10)" 2>/dev/null
then
    case "$(uname -m) $(.venv/bin/python -c "import sys; print('%d.%d' % sys.version_info[:2])")" in
        "x86_64 3.1"[1-4] | "aarch64 3.1"[1-4]) pip --require-hashes --no-deps -r requirements-cpu.txt ;;
        # shellcheck disable=SC2046
        *) pip --index-url "$cpu_wheels" $(grep -E '^(torch|torchvision)==' requirements.txt) ;;
    esac
fi
case $1 in
    run) pip -r requirements.txt -e . ;;
    test) pip -r requirements-dev.txt -e . ; touch .venv/run.stamp ;;
esac
