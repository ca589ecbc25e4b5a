#!/bin/sh
# What Prometheus itself says of the alerts: promtool reads the rules, and fires each at what deploy/prometheus/alerts_test.yaml makes up.
set -eu
cd "$(dirname "$0")/.."

promtool=${PROMTOOL:-$(command -v promtool || true)}
unpacked=build/prometheus/usr/bin/promtool
[ -x "$promtool" ] || promtool=$unpacked
if [ ! -x "$promtool" ]; then
    if [ -n "${PROMTOOL:-}" ] || ! command -v apt-get >/dev/null; then
        echo "promtool is needed (Debian's package prometheus has it); say where it is: make test-alerts PROMTOOL=/path/to/promtool" >&2
        exit 1
    fi
    echo "Fetching Debian's prometheus for its promtool (about 20 MB); nothing is installed"
    mkdir -p build/prometheus
    (cd build/prometheus && apt-get download -q prometheus >/dev/null 2>&1) || {
        echo "Debian's prometheus cannot be fetched: apt-get update as root, or make test-alerts PROMTOOL=/path/to/promtool" >&2
        exit 1
    }
    dpkg-deb --fsys-tarfile build/prometheus/prometheus_*.deb | tar -x -C build/prometheus ./usr/bin/promtool
fi
"$promtool" check config deploy/prometheus/prometheus.yaml
"$promtool" test rules deploy/prometheus/alerts_test.yaml
