#!/bin/sh
# Create .venv and install exactly what the hashed lock says. Quick when nothing changed: a stamp holds the hash of what was installed.
set -eu
cd "$(dirname "$0")/.."

stamp=.venv/installed
wanted=$(cat requirements/dev.txt requirements/uv.txt pyproject.toml | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted $PWD" ] && exit 0

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] || continue
        "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$candidate"; return; }
    done
    echo "Python 3.11 or newer with its venv module is needed (Debian: apt install python3-venv); say where it is: make install PYTHON=/path/to/python3" >&2
    exit 1
}

python=$(find_python)
export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1
[ -w "${HOME:-/}" ] || export UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1 # A service user may have no home to cache in.
[ -x .venv/bin/python ] || "$python" -m venv .venv
echo "Installing into .venv (hashed lock, about a minute the first time)"
if .venv/bin/python -m pip install -q --require-hashes -r requirements/uv.txt; then
    .venv/bin/uv pip sync -q --python .venv/bin/python --require-hashes requirements/dev.txt
    .venv/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
else
    .venv/bin/python -m pip install -q --require-hashes -r requirements/dev.txt
    .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
fi
echo "$wanted $PWD" >"$stamp"
