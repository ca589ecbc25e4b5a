"""What is away takes with it only what needs it: reads go on without broker and model, a read-only database refuses by 503."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from starlette.testclient import TestClient

from api.app import create_app
from kernel import db
from kernel.errors import Unavailable
from kernel.settings import configure, settings

from .. import resolution as master
from ..resolution import MARIA, Master, query
from .conftest import KeyMaker

LOOKUP = {"identifier": {"kind": "email", "value": "maria.garcia@telefonica.net"}, "view": "checkout"}


@pytest.fixture
def mdm(policy: master.Policy) -> Master:
    mdm = Master(policy)
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    return mdm


@contextmanager
def read_only(database: str) -> Iterator[None]:
    """The database as a replica is, or one that is looked after: it takes no writes of new connections."""
    name = sql.Identifier(psycopg.conninfo.conninfo_to_dict(database)["dbname"])  # type: ignore[arg-type]  # A name that we gave.
    with psycopg.connect(database, autocommit=True) as connection:
        try:
            connection.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
            db.dispose()
            yield
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
            db.dispose()


def test_a_database_that_takes_no_writes_refuses_what_must_be_stored_or_audited_and_serves_the_rest(
    mdm: Master, key: KeyMaker, database: str
) -> None:
    headers = key()
    with read_only(database), TestClient(create_app(), headers=headers) as api:
        assert api.get("/live").status_code == 200
        ready = api.get("/ready")
        assert (ready.status_code, [one["code"] for one in ready.json()["degraded"]]) == (200, ["read_only"])
        put = api.put("/v1/sources/pos/records/2", json=MARIA)
        assert (put.status_code, put.headers.get("retry-after")) == (503, "1")
        found = api.post("/v1/lookup", json=LOOKUP)
        assert (found.status_code, "Garcia" in found.text) == (503, False)
        assert api.get("/v1/events").status_code == 200
    with TestClient(create_app(), headers=headers) as api:
        assert api.put("/v1/sources/pos/records/2", json=MARIA).status_code < 300
        assert api.post("/v1/lookup", json=LOOKUP).json()["status"] == "live"


def test_without_a_broker_everything_is_served_and_what_comes_waits(mdm: Master, key: KeyMaker) -> None:
    before = settings()
    configure(before.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    try:
        with TestClient(create_app(), headers=key()) as api:
            assert api.get("/ready").json() == {"status": "ready", "missing": [], "degraded": []}
            assert api.post("/v1/lookup", json=LOOKUP).json()["status"] == "live"
            assert api.put("/v1/sources/pos/records/2", json=MARIA).status_code < 300
    finally:
        configure(before)
    assert query("SELECT count(*) FROM pending_record") == [(1,)]


def test_without_a_model_records_are_stored_and_wait_and_lookups_go_on(mdm: Master, key: KeyMaker) -> None:
    """The stored model is one that this program cannot read: nobody is merged on what is not known, and no record is to blame."""
    [(shipped,)] = query("SELECT model FROM version_set WHERE is_current")
    query("INSERT INTO model_version (fingerprint, name, body, created_by) VALUES ('newer', 'newer', '{}', 'test')")
    query("UPDATE version_set SET model = 'newer' WHERE is_current", role=db.Role.OWNER)
    with TestClient(create_app(), headers=key()) as api:
        assert api.put("/v1/sources/pos/records/2", json=MARIA).status_code < 300
        with pytest.raises(Unavailable):
            mdm.drain()
        assert query("SELECT attempts, quarantined_at FROM pending_record") == [(0, None)]
        assert api.post("/v1/lookup", json=LOOKUP).json()["status"] == "live"
    query("UPDATE version_set SET model = %s WHERE is_current", shipped, role=db.Role.OWNER)
    mdm.drain()
    assert query("SELECT count(*) FROM pending_record") == [(0,)]


def test_the_secret_of_other_data_is_told(policy: master.Policy) -> None:
    query("UPDATE timeline SET secret_check = %s", uuid.uuid4().bytes * 2, role=db.Role.OWNER)
    try:
        with TestClient(create_app()) as api:
            assert [one["code"] for one in api.get("/ready").json()["missing"]] == ["secret"]
    finally:
        query("UPDATE timeline SET secret_check = NULL", role=db.Role.OWNER)
