#!/bin/sh
# The scanners have an environment of their own: what they depend on is no business of the product's.
set -eu
cd "$(dirname "$0")/.."
[ -x build/audit/bin/python ] || .venv/bin/python -m venv build/audit
build/audit/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/audit.txt
exec build/audit/bin/python scripts/audit.py
