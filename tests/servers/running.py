"""PostgreSQL and a broker that speak TLS and nothing else: this machine's own programs, for those that come along speak none.

`make test-tls` runs this folder; the ordinary suite leaves it out (norecursedirs). They run as the embedded
ones do: in a folder of their own, as an unprivileged user, with a password, on loopback.
"""

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from cli import embedded_postgres
from cli.postgres_programs import DEBIAN
from cli.server_process import Place, Server, choose_place, free_port, run_as

from ..tls import Authority

POSTGRES = max(DEBIAN.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]), default=None)
BROKER = shutil.which("valkey-server") or shutil.which("redis-server")
NAME = "localhost"  # As the certificates say it.
BROKER_CONFIGURATION = """
bind 127.0.0.1
port 0
tls-port {port}
tls-cert-file "{folder}/broker.crt"
tls-key-file "{folder}/broker.key"
tls-ca-cert-file "{folder}/broker.ca"
tls-auth-clients no
requirepass {password}
dir "{folder}"
save ""
appendonly no
"""


@contextmanager
def folder_of_servers() -> Iterator[Place]:
    """A folder that the servers' user may enter, gone with the block."""
    with tempfile.TemporaryDirectory(prefix="mdm-tls-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield choose_place(Path(folder))


def _prove(place: Place, authority: Authority, folder: Path, name: str) -> None:
    """Lay a certificate for this machine beside a server, and whose it is."""
    made = authority.certificate(NAME)
    for suffix, file in (("crt", made.chain), ("key", made.key), ("ca", authority.file)):
        place.write_secret(folder / f"{name}.{suffix}", file.read_text(encoding="ascii"))


@contextmanager
def _running(place: Place, name: str, command: list[str], answers: Callable[[], bool]) -> Iterator[None]:
    server = Server(name, place, command, place.folder.parent / f"{name}.log", embedded_postgres.STOP_SIGNALS)
    try:
        server.wait_until(answers)
        yield
    finally:
        server.stop()


@contextmanager
def postgres(place: Place, authority: Authority) -> Iterator[str]:
    """Run PostgreSQL, which lets nobody in without TLS; its address, that says nothing of TLS yet."""
    assert POSTGRES, "no PostgreSQL that speaks TLS: install postgresql (Debian's)"
    cluster, password, port = place.folder / "postgres", secrets.token_urlsafe(24), free_port()
    place.write_secret(place.folder / "password", password)
    made = run_as(
        place,
        [
            str(POSTGRES.with_name("initdb")), "-D", str(cluster), "--username", embedded_postgres.NAME, "--no-sync",
            "--pwfile", str(place.folder / "password"), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8",
        ],
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    _prove(place, authority, cluster, "server")
    (cluster / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n", encoding="ascii")
    chosen = {
        "listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", "ssl": "on",
        "ssl_cert_file": "server.crt", "ssl_key_file": "server.key", "shared_buffers": "64MB", "jit": "off", "fsync": "off",
    }  # fmt: skip
    flags = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    url = f"postgresql://{embedded_postgres.NAME}:{password}@{NAME}:{port}/postgres?hostaddr=127.0.0.1"

    def answers() -> bool:
        try:
            psycopg.connect(proven(url, authority.file), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    with _running(place, "PostgreSQL", [str(POSTGRES), "-D", str(cluster), *flags], answers):
        yield url


def proven(url: str, trusted: Path) -> str:
    """An address of PostgreSQL by which whoever answers has to prove who it is."""
    return f"{url}&sslmode=verify-full&sslrootcert={trusted}"


@contextmanager
def broker(place: Place, authority: Authority) -> Iterator[str]:
    """Run a broker on a port of TLS alone; its address, that names no authority yet."""
    assert BROKER, "no broker that speaks TLS: install redis-server or valkey-server (Debian's)"
    password, port, configuration = secrets.token_urlsafe(24), free_port(), place.folder / "broker.conf"
    _prove(place, authority, place.folder, "broker")
    place.write_secret(configuration, BROKER_CONFIGURATION.format(port=port, folder=place.folder, password=password))
    url = f"rediss://:{password}@{NAME}:{port}/0"

    def answers() -> bool:
        try:
            with redis.Redis.from_url(f"{url}?ssl_ca_certs={authority.file}", socket_connect_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    with _running(place, "broker", [str(BROKER), str(configuration)], answers):
        yield url
