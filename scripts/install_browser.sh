#!/bin/sh
# What `make test-browser` needs beside .venv: Playwright's Python package (hashed lock) and Debian's Chromium, never a browser download.
set -eu
cd "$(dirname "$0")/.."

chromium=${CHROMIUM:-$(command -v chromium || true)}
if [ ! -x "$chromium" ]; then
    if [ -n "${CHROMIUM:-}" ] || [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "A Chromium is needed (Debian: apt-get install chromium); say where it is: make test-browser CHROMIUM=/path/to/chromium" >&2
        exit 1
    fi
    echo "Installing Debian's chromium (about 120 MB)"
    # A machine that has never asked for its package lists has none.
    apt-get install -y -q chromium fonts-liberation >/dev/null 2>&1 || { apt-get update -q && apt-get install -y -q chromium fonts-liberation; } >/dev/null
fi

stamp=.venv/installed-browser # What .venv holds is part of it: a renewed .venv has lost Playwright.
wanted=$(cat requirements/browser.txt .venv/installed | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0
[ -w "${HOME:-/}" ] || export PIP_NO_CACHE_DIR=1
PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install -q --require-hashes --no-deps -r requirements/browser.txt
echo "$wanted" >"$stamp"
