"""`mdm up` as its user meets it: it comes up, mends itself, stops at once, and cleans up after a kill."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from cli.children import end_leftovers
from kernel import actor, db
from kernel.settings import settings
from mdm import ownership

SECONDS = 90.0


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "with space"
    yield folder
    end_leftovers(folder / "children.json")


class Up:
    """One `mdm up`, on the servers of this test run."""

    def __init__(self, data_dir: Path, port: int) -> None:
        chosen = settings().model_copy(update={"data_dir": data_dir, "port": port, "worker_processes": 1})
        self.output = data_dir.with_name(f"up-{time.monotonic_ns()}.txt")
        with self.output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "up"], env=chosen.child_environment(), stdout=file, stderr=file
            )
        self.noted = data_dir / "children.json"

    def said(self, text: str) -> bool:
        return text in self.output.read_text()

    def children(self) -> dict[int, psutil.Process]:
        """The children that live, by process id."""
        noted = [one["pid"] for one in json.loads(self.noted.read_text())]
        return {pid: psutil.Process(pid) for pid in noted if psutil.pid_exists(pid)}


def eventually(what: Callable[[], bool], up: Up) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, up.output.read_text()
        time.sleep(0.1)


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.usefixtures("database", "redis_url")
def test_up_mends_itself_and_leaves_nothing(data_dir: Path, port: int) -> None:
    first = Up(data_dir, port)
    eventually(lambda: first.said("Ctrl-C"), first)
    assert is_ready(port)
    _the_key_was_shown_once_and_works(first)
    _a_second_one_is_refused(data_dir, port, first)
    _a_killed_child_comes_back(first, port)
    first.process.kill()
    first.process.wait()
    left = first.children()
    second = Up(data_dir, port)
    eventually(lambda: second.said("Ctrl-C"), second)
    assert second.said("an earlier, killed supervisor had left")
    assert not set(left) & set(second.children())
    assert second.said("a key was made before")
    running = second.children()
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(SECONDS) == 0, second.output.read_text()
    assert not any(psutil.pid_exists(pid) for pid in running)
    assert not is_ready(port)
    with socket.create_server(("127.0.0.1", port)):
        pass  # The port is free again.


def _the_key_was_shown_once_and_works(up: Up) -> None:
    shown = [word for word in up.output.read_text().split() if word.startswith("mdm_live_")]
    assert len(shown) == 1
    with db.read_only() as session:
        assert actor.authenticate(session, shown[0]).may("records:write")


def _a_second_one_is_refused(data_dir: Path, port: int, first: Up) -> None:
    second = Up(data_dir, port)
    assert second.process.wait(SECONDS) == 1
    assert second.said("Another 'mdm up' runs")
    assert first.process.poll() is None
    assert is_ready(port)


def _a_killed_child_comes_back(up: Up, port: int) -> None:
    before = up.children()
    api = next(pid for pid, process in before.items() if "cli.serve" in process.cmdline())
    os.kill(api, signal.SIGKILL)
    eventually(lambda: api not in up.children() and len(up.children()) == len(before), up)
    eventually(lambda: is_ready(port), up)
    assert up.said("api-1    ended (-9)")


@pytest.mark.usefixtures("database", "redis_url")
def test_a_port_in_use_is_told_at_once(data_dir: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        refused = Up(data_dir, port)
        assert refused.process.wait(SECONDS) == 1
    assert refused.said("set MDM_PORT to another")
    assert "Traceback" not in refused.output.read_text()


@pytest.mark.usefixtures("database", "redis_url")
def test_another_secret_is_refused(data_dir: Path, port: int) -> None:
    """With another secret, keys computed before would never meet those computed now."""
    with db.transaction() as session:
        ownership.holds_secret(session, adopt=True)
    before = settings()
    other = before.model_copy(update={"secret_key": SecretStr("77" * 32)})
    started = subprocess.run(
        [sys.executable, "-m", "cli.main", "up"],
        env=other.model_copy(update={"data_dir": data_dir, "port": port}).child_environment(),
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert started.returncode == 1
    assert "another secret key" in started.stderr
