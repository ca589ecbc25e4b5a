"""What each process measures of its own work: requests by route, steps of the standing processes, batches of the workers.

Kept in a file of each process, which `workers.metrics` adds up and shows. Labels name routes, processes and outcomes: never a
value that was sent. Off, and next to free, unless MDM_METRICS_PORT is set.
"""

import socket
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector

from kernel import clock
from kernel.settings import settings

REGISTRY = CollectorRegistry(auto_describe=True)
METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
BATCH_SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
_request = Histogram(
    "mdm_request_seconds", "Requests answered, by route as declared.", ["method", "route", "status"],
    buckets=REQUEST_SECONDS, registry=REGISTRY,
)  # fmt: skip
_resolve = Histogram(
    "mdm_resolve_batch_seconds", "Batches of records resolved by workers.", ["outcome"],
    buckets=BATCH_SECONDS, registry=REGISTRY,
)  # fmt: skip
_done = Counter("mdm_done", "Pieces of work done by each kind of process.", ["process"], registry=REGISTRY)
_step = Gauge(
    "mdm_last_step_timestamp_seconds", "When each kind of process last ended a step.", ["process"],
    multiprocess_mode="max", registry=REGISTRY,
)  # fmt: skip
_name = ""


def be(name: str) -> None:
    """Keep what this process measures under its name, of which there is one at a time on a machine; again after a fork.

    Who comes after it under the same name goes on counting in the same file.
    """
    global _name
    was, _name = _name, f"{_host()}-{name}".replace("_", "-")
    if settings().metrics_port is not None and not was:
        settings().keep_metrics()
        values.ValueClass = values.MultiProcessValue(lambda: _name)  # type: ignore[no-untyped-call]  # The library chooses by an environment read at import.


def be_child(number: int) -> None:
    """Be one of the children of a worker, which are numbered."""
    if _name:
        be(f"{_name.removeprefix(_host() + '-')}-{number}")


def is_kept() -> bool:
    """Whether anybody looks at what this process measures."""
    return bool(_name) and settings().metrics_port is not None


def last_step(process: str) -> float | None:
    """When a process of this machine last ended a step, in seconds of the epoch; None when it never did."""
    files = settings().metrics_path().glob(f"gauge_max_{_host()}-*.db")
    found = MultiProcessCollector.merge([str(one) for one in files])  # type: ignore[no-untyped-call]  # The library has no types here.
    samples = [one for metric in found for one in metric.samples if one.labels.get("process") == process]
    return max((float(one.value) for one in samples), default=None)


def _host() -> str:
    return socket.gethostname().replace("_", "-")


def request(method: str, route: str, status: int, seconds: float) -> None:
    """Note a request that was answered."""
    if is_kept():
        _request_of(method if method in METHODS else "other", route, str(status)).observe(seconds)


@cache
def _request_of(method: str, route: str, status: str) -> Histogram:
    return _request.labels(method, route, status)


def resolved(outcome: str, seconds: float) -> None:
    """Note a batch that a worker was done with: done, postponed or failed."""
    if is_kept():
        _resolve.labels(outcome).observe(seconds)


def stepped(process: str, done: int = 0) -> None:
    """Note that a process ended a step, and how many pieces of work that was."""
    if is_kept():
        _done.labels(process).inc(done)
        _step.labels(process).set(clock.now().timestamp())
