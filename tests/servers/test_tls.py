"""The whole service on servers that speak TLS by themselves: used for everything where they prove it, else for nothing."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from kombu.exceptions import OperationalError
from starlette.testclient import TestClient

from api.app import create_app
from cli import postgres_programs
from cli.doctor import BROKER, DATABASE, examine
from cli.migrations import migrate
from kernel import actor, db
from kernel.settings import Settings, configure, settings
from mdm import ownership
from workers.app import make_app

from ..resolution import MARIA, query, start
from ..tls import Authority
from ..workers.processes import RELAY, WORKER, kill, wait_until
from . import running

WAYS = """SELECT array_agg(DISTINCT ssl), count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
WHERE client_addr IS NOT NULL"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="module")
def urls(authority: Authority) -> Iterator[tuple[str, str]]:
    """Where the servers are; nothing of TLS is said yet."""
    with ExitStack() as stack:
        place = stack.enter_context(running.folder_of_servers())
        yield (
            stack.enter_context(running.postgres(place, authority)),
            stack.enter_context(running.broker(place, authority)),
        )


@pytest.fixture
def before() -> Iterator[Settings]:
    given = settings()
    yield given
    db.dispose()
    configure(given)


def of(before: Settings, database_url: str, redis_url: str, folder: Path) -> Settings:
    """Use these servers, with a data folder of one's own."""
    named = {"database_url": database_url, "redis_url": redis_url, "data_dir": folder, "secret_key": "5e" * 32}
    chosen = configure(Settings(**{**before.model_dump(), **named}))
    db.dispose()
    return chosen


def test_the_whole_service_runs_on_servers_that_prove_who_they_are(
    authority: Authority, urls: tuple[str, str], before: Settings, tmp_path: Path
) -> None:
    """From the schema to a resolved record, by a worker that is rung; no connection is in clear."""
    database_url, redis_url = urls
    chosen = of(before, running.proven(database_url, authority.file), f"{redis_url}?ssl_ca_certs={authority.file}", tmp_path)
    migrate()
    start()
    with db.transaction() as session:
        ownership.holds_secret(session, adopt=True)
        key = actor.create_key(session, "till", ["admin"])[1]
    with ExitStack() as stack, TestClient(create_app()) as client:
        for command in (WORKER, RELAY):
            process = subprocess.Popen(command, start_new_session=True, env=chosen.child_environment())
            stack.callback(kill, process)
        client.headers["authorization"] = f"Bearer {key}"
        assert client.put("/v1/sources/shop/records/1", json=MARIA).status_code < 300
        wait_until(lambda: not query("SELECT 1 FROM pending_record"))
        answer = client.post("/v1/lookup", json={"source_key": {"source": "shop", "key": "1"}})
        assert (answer.status_code, answer.json()["result"]) == (200, "found")
        ((ways, connections),) = query(WAYS, role=db.Role.OWNER)
        assert ways == [True]
        assert connections >= 3, "the engine's, the hot pool's, the worker's"
    found = {one.what: one.state.value for one in examine(chosen)}
    assert (found[DATABASE], found[BROKER]) == ("ok", "ok")


def test_a_backup_is_taken_by_tls(authority: Authority, urls: tuple[str, str], tmp_path: Path) -> None:
    url, dump = running.proven(urls[0], authority.file), tmp_path / "all.sql"
    with psycopg.connect(url) as connection:
        version = connection.info.server_version
    path = postgres_programs.program("pg_dump", version, url)
    postgres_programs.run(path, url, ["--schema-only", "--file", str(dump)])
    assert "PostgreSQL database dump" in dump.read_text(encoding="utf-8")


def test_a_database_is_not_spoken_to_that_cannot_prove_who_it_is(
    authority: Authority, urls: tuple[str, str], tmp_path: Path
) -> None:
    database_url, _ = urls
    theirs = Authority(tmp_path, "theirs").file
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(running.proven(database_url, theirs))
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        psycopg.connect(running.proven(database_url.replace("@localhost", "@elsewhere"), authority.file))
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(f"{database_url}&sslmode=disable")


def test_a_broker_is_not_rung_that_cannot_prove_who_it_is(
    authority: Authority, urls: tuple[str, str], before: Settings, tmp_path: Path
) -> None:
    database_url, redis_url = urls
    assert rings(of(before, database_url, f"{redis_url}?ssl_ca_certs={authority.file}", tmp_path))
    assert not rings(of(before, database_url, f"{redis_url}?ssl_ca_certs={Authority(tmp_path, 'theirs').file}", tmp_path))
    assert not rings(of(before, database_url, redis_url, tmp_path)), "not signed by who this machine trusts"
    by_address = redis_url.replace("@localhost", "@127.0.0.1")
    assert not rings(of(before, database_url, f"{by_address}?ssl_ca_certs={authority.file}", tmp_path))
    assert not rings(of(before, database_url, urlsplit(redis_url)._replace(scheme="redis").geturl(), tmp_path)), "in clear"


def rings(chosen: Settings) -> bool:
    """Whether a doorbell gets through by Celery's library, and a count by Redis' own: both or neither."""
    with make_app(chosen.require_redis_url()).connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=5)
            by_celery = bool(connection.connected)
        except OperationalError:
            by_celery = False
    try:
        with redis.Redis.from_url(chosen.require_redis_url(), socket_connect_timeout=5) as client:
            by_redis = bool(client.ping())
    except redis.RedisError:
        by_redis = False
    assert by_celery == by_redis
    return by_celery
