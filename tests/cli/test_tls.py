"""TLS to the API, to PostgreSQL and to the broker: by an authority of our own, and nothing without it."""

import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import BadStatusLine, RemoteDisconnected
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest
import redis
from kombu.exceptions import OperationalError
from psycopg.conninfo import conninfo_to_dict
from starlette.testclient import TestClient

from api.app import create_app
from api.quotas import Quotas
from cli import health, postgres_programs
from cli.doctor import BROKER, DATABASE, PORT, examine
from cli.server_process import free_port
from kernel import actor, db
from kernel.actor import Principal
from kernel.errors import Unavailable
from kernel.settings import Settings, configure, settings
from stewardship import accounts
from workers.app import make_app
from workers.metrics import _broker_answers

from ..resolution import MARIA, query, start
from ..tls import Authority, Certificate, Front
from ..workers.processes import wait_until


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def before() -> Iterator[Settings]:
    given = settings()
    yield given
    db.dispose()
    configure(given)


@contextmanager
def served(certificate: Certificate) -> Iterator[Settings]:
    """The API by TLS, as a container runs it."""
    chosen = settings().model_copy(update={"port": free_port(), "tls_certificate": certificate.chain, "tls_key": certificate.key})
    configure(chosen)
    process = subprocess.Popen([sys.executable, "-m", "cli.serve"], env=chosen.child_environment())
    try:
        wait_until(lambda: health.is_healthy("api"))
        yield chosen
    finally:
        process.terminate()
        process.wait(30)


def read(chosen: Settings, trusted: Path | None, host: str = "localhost", scheme: str = "https") -> int:
    context = ssl.create_default_context(cafile=str(trusted) if trusted else None)
    with urllib.request.urlopen(f"{scheme}://{host}:{chosen.port}/live", timeout=10, context=context) as answer:
        return int(answer.status)


def test_the_api_speaks_tls_to_whoever_trusts_its_authority_and_nothing_else(
    authority: Authority, before: Settings, database: str, tmp_path: Path
) -> None:
    start()
    with served(authority.certificate("localhost")) as chosen:
        assert read(chosen, authority.file) == 200
        with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
            read(chosen, Authority(tmp_path, "theirs").file)
        with pytest.raises(URLError, match="IP address mismatch"):
            read(chosen, authority.file, "127.0.0.1")
        with pytest.raises((URLError, ConnectionError, RemoteDisconnected, BadStatusLine)):
            read(chosen, None, scheme="http")
        found = {one.what: one for one in examine(chosen)}
        assert "the service answers" in found[PORT].seen
        configure(chosen.model_copy(update={"tls_certificate": authority.certificate("other", "name").chain}))
        assert not health.is_healthy("api"), "another certificate is not ours"


def test_a_signed_in_browser_keeps_its_cookie_to_tls(authority: Authority, before: Settings, database: str) -> None:
    start()
    with db.transaction() as session:
        accounts.add(session, "test", "ana", password="correct horse battery")
    with served(authority.certificate("localhost")) as chosen:
        sent = urlencode({"name": "ana", "password": "correct horse battery"}).encode()
        request = urllib.request.Request(f"https://localhost:{chosen.port}/console/sign-in", sent)
        opener = urllib.request.build_opener(
            _Still, urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(authority.file)))
        )
        with pytest.raises(HTTPError) as answered:
            opener.open(request, timeout=30)
        assert answered.value.code == 303
        assert "secure" in answered.value.headers["set-cookie"].lower()


class _Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def postgres_by(front: Front, url: str, **how: str) -> str:
    parts = conninfo_to_dict(url)
    secret = f":{parts['password']}" if parts.get("password") else ""
    said = urlencode({"hostaddr": "127.0.0.1", **how})
    return f"postgresql://{parts['user']}{secret}@localhost:{front.port}/{parts['dbname']}?{said}"


@contextmanager
def postgres(certificate: Certificate, url: str) -> Iterator[Front]:
    parts = conninfo_to_dict(url)
    front = Front(certificate, str(parts["host"]), int(parts["port"] or 5432), is_postgres=True)
    yield front
    db.dispose()
    front.end()


def test_everything_reaches_a_database_that_proves_who_it_is(
    authority: Authority, before: Settings, database: str, tmp_path: Path
) -> None:
    """Engine, hot pool and the programs of a backup: by one address in the settings."""
    with postgres(authority.certificate("localhost"), database) as front:
        url = postgres_by(front, database, sslmode="verify-full", sslrootcert=str(authority.file))
        configure(before.model_copy(update={"database_url": url}))
        db.dispose()
        made = start()
        made.put("shop", "1", MARIA)
        made.drain()
        assert next(one for one in examine(settings()) if one.what == DATABASE).state.value == "ok"
        by_engine = front.opened
        with db.transaction() as session:
            _, key = actor.create_key(session, "till", ["lookup"])
        with TestClient(create_app()) as client:
            asked = {"source_key": {"source": "shop", "key": "1"}}
            answer = client.post("/v1/lookup", json=asked, headers={"authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.json()["result"]) == (200, "found")
        by_pool = front.opened
        version = int(query("SHOW server_version_num")[0][0])
        assert 0 < by_engine < by_pool
        assert dumped(version, url, tmp_path / "dump.sql") != (front.opened == by_pool)


def fits(path: Path, version: int) -> bool:
    return postgres_programs._major(path) >= version // 10_000


def dumped(version: int, url: str, dump: Path) -> bool:
    """Whether a backup's program came through; where none that is installed speaks TLS, that is said, with what to install."""
    if not any(postgres_programs._speaks_tls(one) for one in postgres_programs._installed("pg_dump") if fits(one, version)):
        with pytest.raises(Unavailable, match=f"that speaks TLS here: install postgresql-client-{version // 10_000}"):
            postgres_programs.program("pg_dump", version, url)
        return False
    path = postgres_programs.program("pg_dump", version, url)
    postgres_programs.run(path, url, ["--schema-only", "--file", str(dump)])
    assert "CREATE TABLE public.golden" in dump.read_text()
    return True


def test_a_database_of_another_authority_or_name_is_not_spoken_to(authority: Authority, database: str, tmp_path: Path) -> None:
    theirs = Authority(tmp_path, "theirs")
    ours = {"sslmode": "verify-full", "sslrootcert": str(authority.file)}
    with postgres(authority.certificate("localhost"), database) as front:
        psycopg.connect(postgres_by(front, database, **ours)).close()
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            psycopg.connect(postgres_by(front, database, sslmode="verify-full", sslrootcert=str(theirs.file)))
    with (
        postgres(authority.certificate("elsewhere"), database) as front,
        pytest.raises(psycopg.OperationalError, match="does not match host name"),
    ):
        psycopg.connect(postgres_by(front, database, **ours))


def broker_by(front: Front, url: str, **how: str) -> str:
    parts = urlsplit(url)
    secret = f":{parts.password}@" if parts.password else ""
    return f"rediss://{secret}localhost:{front.port}{parts.path}{'?' if how else ''}{urlencode(how)}"


@contextmanager
def broker(certificate: Certificate, url: str) -> Iterator[Front]:
    parts = urlsplit(url)
    front = Front(certificate, parts.hostname or "", parts.port or 6379)
    yield front
    front.end()


def rings(chosen: Settings) -> bool:
    """Whether a doorbell gets through, by Celery's own library."""
    with make_app(chosen.require_redis_url()).connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=5)
        except OperationalError:
            return False
        return bool(connection.connected)


def test_doorbells_counts_and_looks_reach_a_broker_that_proves_who_it_is(
    authority: Authority, before: Settings, redis_url: str
) -> None:
    with broker(authority.certificate("localhost"), redis_url) as front:
        chosen = Settings(**{**before.model_dump(), "redis_url": broker_by(front, redis_url, ssl_ca_certs=str(authority.file))})
        assert chosen.redis_url is not None
        configure(chosen)
        assert rings(chosen)
        opened = front.opened
        assert _broker_answers()
        counts = Quotas()
        counts.count(Principal("k", "k", frozenset(), db.Scope(), requests_per_minute=5))
        with redis.Redis.from_url(chosen.redis_url) as client:
            counts.share(client)
            assert client.keys("mdm:requests:k:*")
        assert next(one for one in examine(chosen) if one.what == BROKER).state.value == "ok"
        assert front.opened >= opened + 3


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_broker_that_proves_nothing_is_rung_by_nobody(
    authority: Authority, before: Settings, redis_url: str, tmp_path: Path, is_ours: bool
) -> None:
    """Celery's library takes any certificate unless told, and its rediss:// alone tells it nothing."""
    trusted = authority if is_ours else Authority(tmp_path, "theirs")
    with broker(authority.certificate("elsewhere" if is_ours else "localhost"), redis_url) as front:
        url = broker_by(front, redis_url, ssl_ca_certs=str(trusted.file))
        chosen = configure(Settings(**{**before.model_dump(), "redis_url": url}))
        assert not rings(chosen)
        assert not _broker_answers()
    bare = Settings(**{**before.model_dump(), "redis_url": "rediss://broker.example:6380/0"})
    assert bare.redis_url == "rediss://broker.example:6380/0?ssl_cert_reqs=required"


def test_half_a_certificate_is_refused(before: Settings) -> None:
    with pytest.raises(ValueError, match="MDM_TLS_KEY"):
        Settings(**{**before.model_dump(), "tls_certificate": "/etc/ours.pem"})
