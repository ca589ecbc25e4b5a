"""Shows metrics to Prometheus, on a port of their own: what the processes measured, added up, and what the database tells.

Run as `python -m workers.metrics`, one on each machine. They name sources and routes, so the port is for whoever scrapes: it
binds to loopback unless MDM_METRICS_HOST says otherwise. Only reads.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import redis
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from kernel import db, log
from kernel.errors import Unavailable
from kernel.settings import settings
from stewardship import figures
from workers.standing import stand

BROKER_SECONDS = 1.0
DATABASE_UP, BROKER_UP = "mdm_database_up", "mdm_broker_up"
logger = log.get_logger()


class Collector:
    """Asks the database and the broker at each scrape; a figure that cannot be had is left out, and the reason is a metric."""

    def collect(self) -> Iterator[Metric]:
        """Give the figures."""
        is_up = 1.0
        try:
            yield from self._figures()
        except (*db.UNAVAILABLE, Unavailable) as away:
            logger.warning("database_away", error=type(away).__name__)
            is_up = 0.0
        yield GaugeMetricFamily(DATABASE_UP, "Whether the database answers.", is_up)
        yield GaugeMetricFamily(BROKER_UP, "Whether the broker answers.", float(_broker_answers()))

    def _figures(self) -> Iterator[Metric]:
        for figure, rows in figures.read(db.read_only):
            family = GaugeMetricFamily(figure.name, figure.tells, labels=figure.labels)
            for labels, value in rows:
                family.add_metric(labels, value)
            yield family

    def describe(self) -> Iterator[Metric]:
        """Give their names alone; nothing is asked for while it is registered."""
        yield from (GaugeMetricFamily(name, "") for name in names())


def names() -> list[str]:
    """The names of what is asked for at each scrape."""
    return [*(figure.name for figure in figures.FIGURES), DATABASE_UP, BROKER_UP]


def _broker_answers() -> bool:
    try:
        with redis.Redis.from_url(
            settings().require_redis_url(), socket_connect_timeout=BROKER_SECONDS, socket_timeout=BROKER_SECONDS
        ) as client:
            return bool(client.ping())
    except (redis.RedisError, Unavailable, OSError):
        return False


def registry(folder: Path) -> CollectorRegistry:
    """What is shown: what processes keep in the folder, and what is asked for."""
    made = CollectorRegistry()
    MultiProcessCollector(made, str(folder))  # type: ignore[no-untyped-call]  # The library has no types here.
    made.register(Collector())
    return made


def run(stopping: threading.Event) -> None:
    """Show them until told to stop."""
    server, thread = start_http_server(settings().metrics_port or 0, settings().metrics_host, registry(settings().keep_metrics()))
    logger.info("metrics_shown", port=server.server_port)
    stopping.wait()
    server.shutdown()
    thread.join()
    server.server_close()


def main() -> None:
    """Entry point."""
    stand("metrics", run)


if __name__ == "__main__":
    main()
