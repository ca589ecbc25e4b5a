"""Children are restarted with growing pauses, stopped in time, and recognised after a crash of their supervisor."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cli.children import Children, end_leftovers
from kernel.settings import settings

SLEEP = [sys.executable, "-c", "import time; print('hello', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


class Heard:
    """What the children said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))


def eventually(what: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.02)
    return what()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def children(tmp_path: Path, heard: Heard) -> Iterator[Children]:
    made = Children(settings().child_environment(), tmp_path / "children.json", heard)
    yield made
    made.stop()


def test_output_is_passed_on_under_the_name(children: Children, heard: Heard) -> None:
    children.start("relay", SLEEP)
    assert eventually(lambda: ("relay", "hello") in heard.lines)


def test_a_killed_child_is_restarted(children: Children, heard: Heard) -> None:
    children.start("worker", SLEEP)
    first = children.running()["worker"]
    psutil.Process(first).kill()

    def has_another() -> bool:
        children.watch()
        return children.running().get("worker", first) != first

    assert eventually(has_another)
    assert any("ended (-9)" in line for _, line in heard.lines)


def test_pauses_grow_while_a_child_keeps_dying(children: Children, heard: Heard) -> None:
    children.start("api", [sys.executable, "-c", "raise SystemExit(3)"])

    def ended_twice() -> bool:
        children.watch()
        return sum("ended (3)" in line for _, line in heard.lines) >= 2

    assert eventually(ended_twice)
    pauses = [line.rsplit("in ", 1)[1] for _, line in heard.lines if "ended (3)" in line]
    assert pauses[:2] == ["1 s", "2 s"]


def test_all_are_stopped_and_the_note_is_gone(tmp_path: Path, heard: Heard) -> None:
    children = Children(settings().child_environment(), tmp_path / "children.json", heard)
    children.start("a", SLEEP)
    children.start("b", SLEEP)
    running = children.running()
    assert (tmp_path / "children.json").exists()
    children.stop()
    assert not any(psutil.pid_exists(pid) for pid in running.values())
    assert not (tmp_path / "children.json").exists()


def test_one_that_will_not_end_is_ended(children: Children, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.children.STOP_SECONDS", 0.3)
    children.start("stubborn", STUBBORN)
    assert eventually(lambda: ("stubborn", "up") in heard.lines)
    pid = children.running()["stubborn"]
    children.stop()
    assert not psutil.pid_exists(pid)


def test_what_a_killed_supervisor_left_is_ended_with_its_own_children(tmp_path: Path) -> None:
    family = f"import subprocess, time; subprocess.Popen({SLEEP!r}); print('up', flush=True); time.sleep(600)"
    program = (
        "import sys, time; from pathlib import Path; from cli.children import Children; from kernel.settings import settings\n"
        f"said, note = [], Path({str(tmp_path / 'children.json')!r})\n"
        "c = Children(settings().child_environment(), note, lambda *words: said.append(words))\n"
        f"c.start('worker', [sys.executable, '-c', {family!r}])\n"
        "while len(said) < 2: time.sleep(0.02)\nprint(c.running()['worker'], flush=True)\ntime.sleep(600)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    worker = psutil.Process(int(supervisor.stdout.readline()))
    left = [worker, *worker.children(recursive=True)]
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    assert len(left) == 2
    assert end_leftovers(tmp_path / "children.json") == 1
    assert eventually(lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in left))


def test_a_stranger_who_got_the_process_id_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL)
    noted = [{"pid": stranger.pid, "started": 1.0}, {"pid": 2**22 + 1, "started": 1.0}]
    (tmp_path / "children.json").write_text(json.dumps(noted))
    assert end_leftovers(tmp_path / "children.json") == 0
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize("text", ["", "[", "null"])
def test_a_spoilt_note_is_no_reason_to_stop(tmp_path: Path, text: str) -> None:
    (tmp_path / "children.json").write_text(text)
    assert end_leftovers(tmp_path / "children.json") == 0
