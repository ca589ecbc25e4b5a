"""Child processes under one supervisor: started in order, restarted when they die, stopped together, cleaned up after a crash.

Every start is noted in a file with the process's start time, so that a supervisor that was killed leaves no orphan behind: the
next one ends exactly the processes that are still the noted ones, and no other.
"""

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

Say = Callable[[str, str], None]
STOP_SECONDS = 25.0
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_AFTER_SECONDS = 10.0


@dataclass
class Child:
    """One program that must keep running."""

    name: str
    command: Sequence[str]
    inherited: tuple[int, ...] = ()
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    pause_seconds: float = 0.5
    restart_at: float = 0.0
    restarts: int = field(default=0)


class Children:
    """The children of one supervisor. Not thread-safe but for the threads that pass their output on."""

    def __init__(self, environment: Mapping[str, str], noted_in: Path, say: Say) -> None:
        self._environment = dict(environment)
        self._noted_in = noted_in
        self._say = say
        self._children: list[Child] = []
        self._revive: Callable[[], Sequence[str]] = tuple

    def start(self, name: str, command: Sequence[str], inherited: tuple[int, ...] = ()) -> None:
        """Start a program; its output is passed on line by line under its name."""
        child = Child(name, command, inherited)
        self._children.append(child)
        self._spawn(child)

    def _spawn(self, child: Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - our own programs only.
            child.command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=child.inherited,
            start_new_session=True,  # Ctrl-C reaches the supervisor only, which then stops them in order.
        )
        child.started_at = time.monotonic()
        threading.Thread(target=self._pass_on, args=(child.name, child.process), daemon=True).start()
        self._note()

    def _pass_on(self, name: str, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self._say(name, line.rstrip())

    def _note(self) -> None:
        noted = [_identity(child.process.pid) for child in self._children if child.process and child.process.poll() is None]
        draft = self._noted_in.with_suffix(".draft")
        draft.write_text(json.dumps([one for one in noted if one]), encoding="utf-8")
        draft.replace(self._noted_in)

    def also_watch(self, revive: Callable[[], Sequence[str]]) -> None:
        """Revive the servers as well that the children need: `revive` starts what has ended, and names it."""
        self._revive = revive

    def watch(self) -> None:
        """Restart what died, each with a pause that doubles while it keeps dying. Call about once a second."""
        for name in self._revive():
            self._say("mdm", f"{name} had ended and was started again")
        for child in self._children:
            if child.process is None or child.process.poll() is None:
                continue
            now = time.monotonic()
            if child.restart_at == 0.0:
                lived = now - child.started_at
                longer = min(child.pause_seconds * 2, LONGEST_PAUSE_SECONDS)
                child.pause_seconds = 0.5 if lived > HEALTHY_AFTER_SECONDS else longer
                child.restart_at = now + child.pause_seconds
                self._say(child.name, f"ended ({child.process.returncode}); starts again in {child.pause_seconds:g} s")
            elif now >= child.restart_at:
                child.restart_at, child.restarts = 0.0, child.restarts + 1
                self._spawn(child)

    def running(self) -> dict[str, int]:
        """Name the children that run now, with their process ids."""
        return {child.name: child.process.pid for child in self._children if child.process and child.process.poll() is None}

    def stop(self) -> None:
        """Ask all to end, the last started first; end by force what has not after STOP_SECONDS."""
        living = [child.process for child in reversed(self._children) if child.process and child.process.poll() is None]
        for process in living:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in living:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_session(process.pid)
                process.wait()
        self._children.clear()
        self._noted_in.unlink(missing_ok=True)


def end_leftovers(noted_in: Path) -> int:
    """End the children that a killed supervisor left behind; returns how many there were."""
    if not noted_in.exists():
        return 0
    try:
        noted = json.loads(noted_in.read_text(encoding="utf-8"))
    except ValueError:
        noted = []  # Cut off while it was written; the file is replaced as a whole, so this is another's doing.
    living = [one for one in noted or () if _identity(one["pid"]) == one]
    for one in living:
        _kill_session(one["pid"])
    noted_in.unlink(missing_ok=True)
    return len(living)


def _identity(pid: int) -> dict[str, float] | None:
    try:
        return {"pid": pid, "started": round(psutil.Process(pid).create_time(), 1)}
    except psutil.Error:
        return None


def _kill_session(pid: int) -> None:
    """End a child and its own children: each was started as the leader of its session and process group."""
    with contextlib.suppress(psutil.Error):
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(family, timeout=5)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, 9)
