"""PostgreSQL and the broker: those configured, those another `mdm` of this data folder runs, or embedded ones of our own.

A lock on the data folder says who owns the embedded servers; it goes with its process, also by kill -9. Whoever holds it next
ends what was left. Servers that we did not start are never touched.
"""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cli import embedded_postgres, embedded_valkey
from cli.embedded_postgres import EmbeddedPostgres
from cli.embedded_valkey import EmbeddedValkey
from cli.server_process import Place, Server, choose_place
from kernel import db
from kernel.errors import Unavailable
from kernel.settings import configure, settings

ATTACH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    """Where PostgreSQL and the broker answer. The URLs hold passwords, so they are not shown."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    servers: tuple[Server, ...] = ()  # Ours only, and where they keep their data.
    folder: Path | None = None

    def revive(self) -> list[str]:
        """Start those of our own servers again that have ended by themselves; their names. Call about once a second."""
        return [server.name for server in self.servers if server.revive()]


@contextmanager
def running_services(data_dir: Path, *, durable: bool = True) -> Iterator[ServiceUrls]:
    """Give the URLs of running servers for the length of the block; those that we start, we stop. Raises: Unavailable."""
    chosen = settings()
    if chosen.database_url and chosen.redis_url:
        yield ServiceUrls(chosen.database_url, chosen.redis_url)
        return
    with ExitStack() as stack:
        is_ours = stack.enter_context(_lock(data_dir / "services.lock"))
        urls = _start(data_dir, stack, durable) if is_ours else _attach(data_dir)
        yield ServiceUrls(chosen.database_url or urls.database_url, chosen.redis_url or urls.redis_url, urls.servers, urls.folder)


@contextmanager
def temporary_services(*, durable: bool = False) -> Iterator[ServiceUrls]:
    """Give servers for tests and measurements, whose data is gone with the block. Ends what a killed process left of such."""
    shelter = Path(tempfile.gettempdir()) / f"mdm-temporary-{os.getuid()}"
    shelter.mkdir(mode=0o711, exist_ok=True)
    is_ours = shelter.stat().st_uid == os.getuid()
    for left in shelter.iterdir() if is_ours else ():
        _end_abandoned(left)
    with tempfile.TemporaryDirectory(dir=shelter if is_ours else None, prefix="mdm-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # As root the servers run as another user, who must be able to enter.
        with running_services(Path(folder), durable=durable) as urls:
            yield urls


def _end_abandoned(data_dir: Path) -> None:
    """End the servers of a folder whose owner was killed: it would hold the lock. Without a lock it is just beginning."""
    if (data_dir / "services.lock").exists():
        with contextlib.suppress(OSError, Unavailable):
            remove_data(data_dir)
            shutil.rmtree(data_dir, ignore_errors=True)


def attach_if_running(data_dir: Path) -> bool:
    """Let this process use the embedded servers that another `mdm` runs in the data folder; False when there is none.

    Raises: Unavailable when the folder cannot be used.
    """
    chosen = settings()
    if (chosen.database_url and chosen.redis_url) or not _is_there(data_dir / "services.json"):
        return False
    with _lock(data_dir / "services.lock") as free:
        if free:
            return False
    urls = _read(data_dir)
    if urls is not None:
        found = {"database_url": chosen.database_url or urls.database_url, "redis_url": chosen.redis_url or urls.redis_url}
        configure(chosen.model_copy(update=found))
        db.dispose()
    return urls is not None


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Try to hold a lock; False when another process holds it. The kernel frees it with its process."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("ab")
    except OSError as error:
        raise _unusable(path.parent, error) from error
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def check_folder(data_dir: Path) -> None:
    """Look whether the data folder may be entered, or made. Raises: Unavailable."""
    _is_there(data_dir / "services.json")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # The folder may not be entered.
        raise _unusable(path.parent, error) from error


def _unusable(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"The data folder {folder} cannot be used ({error.strerror}): set MDM_DATA_DIR to one of your own", code="bad_data_dir"
    )


def is_running(data_dir: Path, what: str) -> bool:
    """Tell whether another process is the `sole` one; leaves no trace. Raises: Unavailable for a folder that cannot be used."""
    if not _is_there(data_dir / f"{what}.lock"):
        return False
    with _lock(data_dir / f"{what}.lock") as free:
        return not free


@contextmanager
def sole(data_dir: Path, what: str) -> Iterator[None]:
    """Be the only one who does `what` on the data folder. Raises: Unavailable."""
    with _lock(data_dir / f"{what}.lock") as free:
        if not free:
            raise Unavailable(
                f"Another 'mdm {what}' runs on {data_dir}; stop it, or set MDM_DATA_DIR to another folder", code="in_use"
            )
        yield


def _start(data_dir: Path, stack: ExitStack, durable: bool) -> ServiceUrls:
    """Start what is not configured; what had been started is stopped should the next one fail."""
    chosen, place = settings(), choose_place(data_dir)
    embedded_postgres.end_left(place)
    embedded_valkey.end_left(place)
    database_url, redis_url, servers = chosen.database_url, chosen.redis_url, []
    if database_url is None:
        postgres = EmbeddedPostgres(data_dir, place, durable=durable)
        stack.callback(postgres.server.stop)
        database_url = postgres.url
        servers.append(postgres.server)
    if redis_url is None:
        valkey = EmbeddedValkey(data_dir, place)
        stack.callback(valkey.server.stop)
        redis_url = valkey.url
        servers.append(valkey.server)
    noted = data_dir / "services.json"
    text = json.dumps({"database_url": database_url, "redis_url": redis_url, "pid": os.getpid(), "folder": str(place.folder)})
    Place(data_dir).write_secret(noted, text)
    stack.callback(noted.unlink, missing_ok=True)
    return ServiceUrls(database_url, redis_url, tuple(servers), place.folder)


def remove_data(data_dir: Path) -> None:
    """Remove all that the embedded servers keep for this data folder. Raises: Unavailable while they run."""
    with _lock(data_dir / "services.lock") as free:
        if not free:
            raise Unavailable(f"The servers of {data_dir} are running; stop them first", code="in_use")
        place = choose_place(data_dir)
        embedded_postgres.end_left(place)
        embedded_valkey.end_left(place)
        shutil.rmtree(place.folder)
        for name in ("services.json", embedded_postgres.PASSWORD_FILE, "postgres.log", "valkey.log"):
            (data_dir / name).unlink(missing_ok=True)


def _attach(data_dir: Path) -> ServiceUrls:
    """Wait for the servers that the lock's holder is starting."""
    deadline = time.monotonic() + ATTACH_SECONDS
    while time.monotonic() < deadline:
        urls = _read(data_dir)
        if urls is not None:
            return urls
        time.sleep(0.1)
    raise Unavailable(f"Another 'mdm' holds {data_dir} but its servers did not come up", code="in_use")


def _read(data_dir: Path) -> ServiceUrls | None:
    try:
        noted = json.loads((data_dir / "services.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return ServiceUrls(noted["database_url"], noted["redis_url"])
