"""A worker asks itself by the broker: one that is deaf, stopped or gone notes nothing any more, one that is at work does."""

import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from cli import health
from cli.server_process import free_port
from kernel import clock
from kernel.settings import configure, settings
from mdm import instruments
from workers import hearing
from workers.app import BULK, make_app

from .processes import WORKER, Start, wait_until

URGENT = [*WORKER, "--concurrency", "1", "-Q", "interactive", "-n", "urgent@%h"]


@pytest.fixture
def kept(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = settings()
    configure(before.model_copy(update={"metrics_port": free_port(), "metrics_dir": tmp_path / "metrics"}))
    monkeypatch.setenv("MDM_METRICS_PORT", str(settings().metrics_port))
    monkeypatch.setenv("MDM_METRICS_DIR", str(settings().metrics_path()))
    yield
    clock.set_source(None)
    configure(before)


def is_heard(process: str, moment: float = 0.0) -> bool:
    return (instruments.last_step(process) or 0.0) > moment


def children_of(worker: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    return psutil.Process(worker.pid).children(recursive=True)


def questions(broker: "redis.Redis") -> int:
    """How many wait in the queues that workers ask themselves by."""
    return sum(int(broker.llen(queue)) for queue in broker.keys(hearing.own_queue("*")))


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(("process", "command"), [("worker", WORKER), ("urgent", URGENT)])
def test_a_worker_that_hears_says_so_again_and_again(start: Start, process: str, command: list[str]) -> None:
    start(command)
    wait_until(lambda: is_heard(process))
    assert health.is_healthy(process)
    now = time.time()
    wait_until(lambda: is_heard(process, now))


@pytest.mark.usefixtures("kept")
def test_a_worker_whose_processes_answer_nothing_is_not_healthy_though_its_loop_runs(start: Start, redis_url: str) -> None:
    worker = start(WORKER)
    wait_until(lambda: is_heard("worker"))
    stopped = children_of(worker)
    for child in stopped:
        child.suspend()
    heard_last = instruments.last_step("worker")
    with redis.Redis.from_url(redis_url) as broker:
        wait_until(lambda: int(broker.hlen("unacked")) >= len(stopped))  # Asked, taken, and not answered.
        wait_until(lambda: questions(broker) > 0)  # All its places are taken by questions, and it asks again.
    later = clock.now() + timedelta(minutes=2)
    clock.set_source(lambda: later)
    assert not health.is_healthy("worker")
    clock.set_source(None)
    assert instruments.last_step("worker") == heard_last
    for child in stopped:
        child.resume()
    now = time.time()
    wait_until(lambda: is_heard("worker", now))


@pytest.mark.usefixtures("kept")
def test_a_worker_all_of_whose_places_are_taken_is_at_work(start: Start, database: str, redis_url: str) -> None:
    start(WORKER)
    wait_until(lambda: is_heard("worker"))
    with psycopg.connect(database) as holder, redis.Redis.from_url(redis_url) as broker:
        holder.execute("LOCK TABLE job_chunk IN ACCESS EXCLUSIVE MODE")
        for _ in range(2):
            make_app(redis_url).send_task("run_chunk", [str(uuid.uuid4())], queue=BULK)
        wait_until(lambda: int(broker.hlen("unacked")) == 2)
        now = time.time()
        wait_until(lambda: is_heard("worker", now))


@pytest.mark.usefixtures("kept")
def test_a_worker_is_not_to_blame_for_a_broker_that_is_away() -> None:
    """It would be started again and again, and hear nothing more by that."""
    assert not health.is_healthy("worker")
    configure(settings().model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    assert health.is_healthy("worker")
