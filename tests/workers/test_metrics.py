"""Metrics: what processes measured is added up whoever ended, what waits is asked for, and nothing personal is among it."""

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from cli.server_process import free_port
from kernel import db
from kernel.settings import Settings, configure, settings
from stewardship import figures
from workers import metrics

from .. import resolution as master
from ..resolution import MARIA, Master, query
from .processes import Start, wait_until

MEASURE = """
import sys
from mdm import instruments
from workers import app
instruments.be(sys.argv[1])
for _ in range(int(sys.argv[2])):
    instruments.request("GET", "/v1/golden/{golden_id}", 200, 0.003)
    instruments.request("STRANGE", "unknown", 404, 0.2)
    instruments.resolved("done", 0.02)
    instruments.stepped("relay", 2)
"""


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    """A folder in which processes keep their metrics."""
    before = settings()
    configure(before.model_copy(update={"metrics_port": free_port(), "metrics_dir": tmp_path / "metrics"}))
    yield settings().keep_metrics()
    configure(before)


def measure(name: str, times: int) -> None:
    command = [sys.executable, "-c", MEASURE, name, str(times)]
    subprocess.run(command, env=settings().child_environment(), check=True)


def shown(folder: Path) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = generate_latest(metrics.registry(folder)).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def sample(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


@pytest.mark.usefixtures("database")
def test_what_several_processes_measured_is_added_up_and_the_next_of_a_name_goes_on(kept: Path) -> None:
    for name, times in (("api-1", 2), ("api-2", 3), ("api-1", 4)):
        measure(name, times)
    found = shown(kept)
    route = {"method": "GET", "route": "/v1/golden/{golden_id}", "status": "200"}
    assert found[sample("mdm_request_seconds_count", **route)] == 9
    assert found[sample("mdm_request_seconds_bucket", **route, le="0.005")] == 9
    assert found[sample("mdm_request_seconds_count", method="other", route="unknown", status="404")] == 9
    assert found[sample("mdm_done_total", process="relay")] == 18
    assert found[sample("mdm_last_step_timestamp_seconds", process="relay")] > 1e9
    assert len(list(kept.glob("histogram_*"))) == 2


def test_nothing_is_kept_where_nobody_looks(database: str, tmp_path: Path) -> None:
    before = settings()
    configure(settings().model_copy(update={"metrics_dir": tmp_path / "metrics"}))
    try:
        measure("api-1", 1)
        assert not (tmp_path / "metrics").exists()
    finally:
        configure(before)


def test_what_waits_is_told_by_source(database: str, kept: Path) -> None:
    mdm: Master = master.start()
    mdm.put("shop", "1", MARIA)
    query("UPDATE pending_record SET requested_at = now() - interval '100 seconds'")
    found = shown(kept)
    assert found[sample("mdm_pending_records", source="shop")] == 1
    assert 100 <= found[sample("mdm_pending_oldest_seconds", source="shop")] < 200
    assert found[sample("mdm_database_up")] == 1
    assert found[sample("mdm_broker_up")] == 1
    assert not re.search("(?i)maria|garcia|telefonica|655872310", str(found))


def test_every_figure_can_be_read(database: str) -> None:
    read = {figure.name: rows for figure, rows in figures.read(db.read_only)}
    assert set(read) == {figure.name for figure in figures.FIGURES}
    assert all(len(labels) == len(figure.labels) for figure in figures.FIGURES for labels, _ in read[figure.name])


def test_a_database_and_a_broker_that_are_away_are_told_by_a_metric(database: str, kept: Path) -> None:
    nowhere = {"database_url": "postgresql://nobody@127.0.0.1:1/none", "redis_url": "redis://127.0.0.1:1/0"}
    before = settings()
    configure(settings().model_copy(update=nowhere))
    try:
        found = shown(kept)
    finally:
        configure(before)
    assert (found[sample("mdm_database_up")], found[sample("mdm_broker_up")]) == (0, 0)
    assert sample("mdm_hot_keys") not in found


def test_a_figure_that_takes_too_long_costs_no_other(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = figures.Figure("slow", "", (), "SELECT 1 FROM pg_sleep(10)")
    quick = figures.Figure("quick", "", (), "SELECT 1")
    monkeypatch.setattr(figures, "FIGURES", (slow, quick))
    monkeypatch.setattr(figures, "LONGEST", "50ms")
    assert [(figure.name, rows) for figure, rows in figures.read(db.read_only)] == [("quick", [((), 1.0)])]


def test_the_process_shows_them_on_a_port_of_its_own(
    database: str, kept: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = settings().metrics_port
    for name, value in settings().child_environment().items():
        monkeypatch.setenv(name, value)
    start([sys.executable, "-m", "workers.metrics"])
    start([sys.executable, "-m", "workers.sequencer"])

    def text() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    wait_until(lambda: 'mdm_last_step_timestamp_seconds{process="sequencer"}' in text())
    assert "mdm_outbox_events 0.0" in text()


def test_metrics_are_off_and_on_loopback_unless_asked_for() -> None:
    fields = Settings.model_fields
    assert (fields["metrics_port"].default, fields["metrics_host"].default) == (None, "127.0.0.1")
