#!/bin/sh
# Run tests/spark: install what the ordinary environment leaves out (hashed lock), find Java 17 or newer, start Spark on loopback.
set -eu
cd "$(dirname "$0")/.."

find_java() {
    for candidate in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)" /usr/lib/jvm/*/bin/java; do
        [ -x "$candidate" ] || continue
        version=$("$candidate" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
        [ "${version:-0}" -ge 17 ] && { dirname "$(dirname "$(readlink -f "$candidate")")"; return; }
    done
    return 1
}

install_java() {
    # Only where nobody keeps the machine by hand: continuous integration, as root.
    [ -n "${CI:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    apt-get update -q >/dev/null
    apt-get install -q -y --no-install-recommends openjdk-17-jre-headless >/dev/null ||
        apt-get install -q -y --no-install-recommends openjdk-21-jre-headless >/dev/null # Debian 13 has no 17.
}

home=$(find_java) || { install_java >&2 && home=$(find_java); } || {
    echo "Spark needs Java 17 or newer, and none was found. Debian: apt-get install openjdk-17-jre-headless (Debian 13: openjdk-21-jre-headless); or set JAVA_HOME" >&2
    exit 1
}

[ -w "${HOME:-/}" ] || export UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1
# pyspark comes as source only: it is built with the setuptools of the lock, not with one fetched unseen.
if [ -x .venv/bin/uv ]; then
    .venv/bin/uv pip install -q --python .venv/bin/python --no-build-isolation --require-hashes -r requirements/spark.txt
else
    .venv/bin/python -m pip install -q --no-build-isolation --require-hashes -r requirements/spark.txt
fi

unset SPARK_HOME SPARK_CONF_DIR # Another Spark of this machine is not the one under test.
# A JVM that lives for a minute spends half of it compiling itself: C1 alone took 24 s of processor time where both took 58 s.
export JAVA_HOME="$home" SPARK_LOCAL_IP=127.0.0.1 JDK_JAVA_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
exec .venv/bin/python -m pytest -q tests/spark
