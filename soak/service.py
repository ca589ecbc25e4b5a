"""`mdm up` as a process of our own that can be wounded: any of its processes gets `kill -9`, the supervisor itself included.

Only descendants of the supervisor that was started here are ever ended, each by its id. What was seen running is remembered, so
that the end can tell whether anything was left behind.
"""

import json
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import redis
from pydantic import SecretStr

from cli.children import end_leftovers
from cli.server_process import free_port
from cli.services import attach_if_running, remove_data
from kernel import db
from kernel.settings import Settings, configure, settings
from soak.progress import RESULTS

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 120.0
STOP_SECONDS = 90.0
# What is struck how often. A backend is one connection of PostgreSQL: all others fall with it.
WEIGHTS = {
    "api": 4, "worker": 4, "pool": 4, "relay": 3, "sequencer": 2, "sealer": 1, "dispatcher": 2, "sweeper": 2, "valkey": 2,
    "flushall": 2, "backend": 1, "postgres": 1, "supervisor": 1,
}  # fmt: skip
FEWEST_KINDS = 5
PREFIX = "mdm-soak-"  # Of the folders that hold the data of soaks.


class Service:
    """One service with a data folder of its own."""

    def __init__(self, log: Path, home: Path = RESULTS, environment: Mapping[str, str] | None = None, **chosen: object) -> None:
        """Start it, after ending what a killed soak of this `home` has left: its supervisor and its data are noted there.

        `chosen` are settings beside its own, `environment` what its processes find beyond settings.
        """
        self._environment = dict(environment or {})
        self._noted, self._left = home / "service.json", home / "service.folder"
        end_leftovers(self._noted)
        if self._left.exists():
            _remove(Path(self._left.read_text(encoding="utf-8")))
        self.folder, self._log, self._is_kept = Path(tempfile.mkdtemp(prefix=PREFIX)), log, False
        self.folder.chmod(0o711)  # As root the servers run as another user, who must be able to enter.
        self._left.write_text(str(self.folder), encoding="utf-8")
        folder = self.folder
        own = {"data_dir": folder, "port": free_port(), "api_processes": 2, "database_url": None, "redis_url": None}
        self.chosen = Settings().model_copy(
            update={**own, "secret_key": SecretStr(secrets.token_hex(32)), "secret_key_file": None, **chosen}
        )
        self.seen: set[psutil.Process] = set()
        self.starts = 0
        self.process = self._start()

    @property
    def base_url(self) -> str:
        """Where its API answers."""
        return f"http://{self.chosen.host}:{self.chosen.port}"

    def _start(self) -> "subprocess.Popen[bytes]":
        self.starts += 1
        with self._log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "up"], cwd=ROOT, env={**self.chosen.child_environment(), **self._environment},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        started = round(psutil.Process(process.pid).create_time(), 1)
        self._noted.write_text(json.dumps([{"pid": process.pid, "started": started}]), encoding="utf-8")
        return process

    def watch(self) -> None:
        """Start the supervisor again when it has ended."""
        if self.process.poll() is not None:
            self.process = self._start()

    def wait_until_ready(self) -> None:
        """Wait until the API says that all it needs is there. Raises: TimeoutError."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self.watch()
            try:
                with urllib.request.urlopen(f"{self.base_url}/ready", timeout=5) as answer:  # noqa: S310 - our own address.
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.5)
        raise TimeoutError(f"the service was not ready within {READY_SECONDS:.0f} s")

    def attach(self) -> None:
        """Let this process use the service's database and broker."""
        configure(self.chosen)
        db.dispose()
        if not attach_if_running(self.folder):
            raise TimeoutError("the servers are not running")

    def targets(self) -> dict[str, list[psutil.Process]]:
        """The living processes by what they are."""
        found: dict[str, list[psutil.Process]] = {}
        try:
            supervisor = psutil.Process(self.process.pid)
            family = [supervisor, *supervisor.children(recursive=True)]
        except psutil.Error:
            return found
        self.seen.update(family)
        for process in family:
            if kind := _kind(process, self.process.pid):
                found.setdefault(kind, []).append(process)
        return found

    def strike(self, rng: random.Random, wait: Callable[[], None]) -> str | None:
        """End one process, or empty the broker; say what was struck, None while it is only just starting.

        `wait` is called before a worker is struck: it may wait for a moment at which that hurts.
        """
        found = self.targets()
        kinds = [kind for kind in WEIGHTS if kind in found or kind == "flushall"]
        if len(kinds) < FEWEST_KINDS:
            return None
        kind = rng.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
        if kind == "flushall":
            return kind if flush(self.folder) else None
        struck = rng.choice(found[kind])
        if kind in ("worker", "pool"):
            wait()
        try:
            struck.kill()
        except psutil.NoSuchProcess:
            return None
        return kind

    def stop(self) -> list[str]:
        """Stop it as its user does; what went wrong, and what it left running, which is then ended by id. Idempotent."""
        self.targets()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        told = []
        try:
            if self.process.wait(STOP_SECONDS):
                told.append(f"mdm up ended with exit code {self.process.returncode}")
        except subprocess.TimeoutExpired:
            told.append(f"mdm up did not stop within {STOP_SECONDS:.0f} s")
            self.process.kill()
        _, left = psutil.wait_procs([one for one in self.seen if one.is_running()], timeout=5)
        for process in left:
            if command := _command(process):  # What is dead and only not reaped has none.
                told.append(f"left running: {' '.join(command)[:200]}")
                process.kill()
        self._noted.unlink(missing_ok=True)
        return told

    def keep(self) -> None:
        """Keep its data, as evidence."""
        self._is_kept = True

    def remove(self) -> None:
        """Remove its data, unless it is kept. Call when it has stopped."""
        configure(self.chosen)
        db.dispose()
        if not self._is_kept:
            _remove(self.folder)
        self._left.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove the data of a soak, and nothing else: a note that a killed soak left half written names no folder of one."""
    if folder.name.startswith(PREFIX) and folder.exists():
        remove_data(folder)
        shutil.rmtree(folder)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _kind(process: psutil.Process, supervisor: int) -> str | None:
    """What a process of the service is; None for those that are nobody's target (PostgreSQL's own helpers)."""
    if process.pid == supervisor:
        return "supervisor"
    command = _command(process)
    line = " ".join(command)
    named: dict[str, Callable[[], bool]] = {
        "api": lambda: "cli.serve" in command,
        "relay": lambda: "workers.relay" in command,
        "sequencer": lambda: "workers.sequencer" in command,
        "sealer": lambda: "workers.sealer" in command,
        "dispatcher": lambda: "workers.dispatcher" in command,
        "sweeper": lambda: "workers.sweeper" in command,
        "worker": lambda: "celery" in command and _parent(process) == supervisor,
        "pool": lambda: "celery" in command,
        "valkey": lambda: "valkey-server" in line,
        "postgres": lambda: "-D" in command and "postgres" in command[0],
        "backend": lambda: line.startswith("postgres: mdm") and "127.0.0.1" in line,
    }
    return next((kind for kind, matches in named.items() if matches()), None)


def _parent(process: psutil.Process) -> int:
    try:
        return int(process.ppid())
    except psutil.Error:
        return 0


def flush(folder: Path) -> bool:
    """Empty the broker, wherever it listens now."""
    before = settings()
    try:
        configure(before.model_copy(update={"database_url": None, "redis_url": None}))
        if not attach_if_running(folder):
            return False
        with redis.Redis.from_url(settings().require_redis_url(), socket_timeout=2) as client:
            client.flushall()
    except redis.RedisError:
        return False
    finally:
        configure(before)
    return True
