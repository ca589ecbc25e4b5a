"""The doctor sees what is wrong and says how to mend it."""

import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from cli.doctor import examine
from cli.findings import Finding, State
from cli.services import sole
from kernel import actor, clock, db
from kernel.settings import Settings, configure, settings
from mdm import ownership
from stewardship import privacy_erasure, privacy_ledger, privacy_requests
from webhooks import endpoints

from .. import resolution as master


@pytest.fixture(autouse=True)
def _restore_settings() -> Iterator[None]:
    before = settings()
    yield
    configure(before)


def look(**changes: object) -> dict[str, Finding]:
    chosen = configure(settings().model_copy(update={"port": 0, **changes}))
    return {finding.what: finding for finding in examine(chosen)}


@pytest.mark.usefixtures("database", "redis_url")
def test_a_healthy_installation_has_no_findings() -> None:
    assert {name: found.seen for name, found in look().items() if found.state is not State.GOOD} == {}


def test_without_servers_it_says_how_to_get_them(tmp_path: Path) -> None:
    configure(Settings(database_url=None, redis_url=None, data_dir=tmp_path, secret_key=None))
    found = look()
    assert (found["database"].state, found["database"].mend) == (State.ODD, "mdm up, or set DATABASE_URL")
    assert found["broker"].state is State.ODD
    assert found["secret key"].state is State.ODD


def test_a_server_that_does_not_answer_is_a_finding(tmp_path: Path) -> None:
    found = look(database_url="postgresql://nobody:hunter2@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1", data_dir=tmp_path)
    assert (found["database"].seen, found["database"].state) == ("at 127.0.0.1:1/none: nothing answers", State.BAD)
    assert found["database"].mend == "start it, or correct DATABASE_URL"
    assert found["broker"].mend == "start it, or correct REDIS_URL"
    assert found["not looked at"].seen.startswith("migrations, secret of the data, model")
    assert "hunter2" not in str(found)
    assert "could not be looked at" not in str(found)


def test_nothing_running_is_said(tmp_path: Path) -> None:
    assert look(database_url=None, redis_url=None, data_dir=tmp_path)["service"].mend == "mdm up"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("folder", "told"), [("", "MDM_DATA_DIR to its folder"), ("demo", "MDM_DATA_DIR=")])
def test_a_service_of_another_folder_is_not_taken_for_this_ones(tmp_path: Path, folder: str, told: str) -> None:
    with _live_server() as port, sole(tmp_path / folder, "up") if folder else nullcontext():
        found = look(port=port, database_url=None, redis_url=None, data_dir=tmp_path)
    assert (found["port"].state, told in found["port"].mend) == (State.ODD, True)
    assert "service" not in found


@contextmanager
def _live_server() -> Iterator[int]:
    class Live(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Live) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.usefixtures("redis_url")
def test_a_schema_that_is_behind_is_a_finding(database: str) -> None:
    newest = look()["migrations"].seen.split()[-1]
    _rewrite_revision("0002")
    try:
        assert (look()["migrations"].state, look()["migrations"].mend) == (State.BAD, "mdm migrate")
    finally:
        _rewrite_revision(newest)


def _rewrite_revision(revision: str) -> None:
    with db.transaction(db.Role.OWNER) as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


@pytest.mark.usefixtures("database", "redis_url")
def test_another_secret_is_a_finding() -> None:
    with db.transaction() as session:
        ownership.holds_secret(session, adopt=True)
    other = SecretStr("66" * 32)
    assert look(secret_key=other)["secret of the data"].state is State.BAD


def test_a_secret_that_others_can_read_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_text("ab" * 32)
    path.chmod(0o644)
    found = look(secret_key=None, data_dir=tmp_path, database_url=None, redis_url=None)["secret key"]
    assert (found.state, found.mend) == (State.BAD, f"chmod 600 {path}")


def test_a_port_in_use_is_a_finding(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = look(port=other.getsockname()[1], database_url=None, redis_url=None, data_dir=tmp_path)["port"]
    assert (found.state, "MDM_PORT" in found.mend) == (State.BAD, True)


@pytest.mark.usefixtures("database", "redis_url")
def test_a_clock_that_is_wrong_is_a_finding() -> None:
    clock.set_source(lambda: datetime.now(UTC) + timedelta(seconds=90))
    try:
        found = look()["clock"]
    finally:
        clock.set_source(None)
    assert (found.state, found.seen) == (State.BAD, "90.0 s apart from the database's")


@pytest.mark.usefixtures("database", "redis_url")
def test_a_queue_that_stands_still_is_a_finding() -> None:
    with db.transaction() as session:
        session.connection().execute(
            text(
                "WITH made AS (INSERT INTO source_record (record_id, source, source_key, brand, version_no, is_deleted,"
                " received_at, payload_hash) VALUES (:id, 'pos', '1', 'acme', 1, false, now(), '') RETURNING record_id)"
                " INSERT INTO pending_record (record_id, reason, requested_at)"
                " SELECT record_id, 'new', now() - interval '1 hour' FROM made"
            ),
            {"id": clock.uuid7()},
        )
    found = look()["queue"]
    assert found.state is State.ODD
    assert found.seen.startswith("1 record pending, the oldest for 36")


@pytest.mark.usefixtures("database", "redis_url")
def test_an_endpoint_that_is_overdue_is_a_finding() -> None:
    wish = endpoints.Wish("https://hooks.shop.example/a")
    with db.transaction() as session:
        made, _ = endpoints.create(session, actor.local("test"), wish)
        session.connection().execute(text("UPDATE webhook_endpoint SET overdue_since = now()"))
    found = look()["webhooks"]
    assert (found.state, str(made.endpoint_id) in found.mend) == (State.ODD, True)


@pytest.fixture
def erased(database: str, redis_url: str) -> Iterator[None]:
    """Somebody was erased, as the database and the ledger know."""
    privacy_ledger.path().unlink(missing_ok=True)
    mdm = master.start()
    mdm.put("shop", "1", master.MARIA)
    mdm.drain()
    records = [row[0] for row in master.query("SELECT record_id FROM crosswalk")]
    privacy_erasure.end(mdm.resolver, privacy_erasure.begin(db.transaction, uuid.uuid4(), records))
    yield
    privacy_ledger.path().unlink(missing_ok=True)


@pytest.mark.usefixtures("erased")
def test_what_hangs_on_the_erasure_ledger_is_told() -> None:
    assert look()["privacy"].state is State.GOOD
    ledger = privacy_ledger.path().read_bytes()
    privacy_ledger.path().write_bytes(b"")
    found = look()["privacy"]
    assert (found.state, "1 erasure not in the erasure ledger" in found.seen) == (State.BAD, True)
    privacy_ledger.path().write_bytes(ledger)
    master.query("UPDATE erasure SET state = 'begun', begun_at = now() - interval '1 hour'")
    assert "1 erasure was begun and is not done" in look()["privacy"].seen
    master.query("DELETE FROM erasure")
    found = look()["privacy"]
    assert (found.state, found.mend) == (State.BAD, "mdm privacy replay")
    assert "restored" in found.seen


@pytest.mark.usefixtures("database", "redis_url")
def test_requests_past_their_time_are_told() -> None:
    privacy_ledger.path().unlink(missing_ok=True)
    mdm = master.start()
    mdm.put("shop", "1", master.MARIA)
    mdm.drain()
    golden_id = master.golden_of("shop", "1")
    assert golden_id is not None
    with db.transaction() as session:
        privacy_requests.open_request(session, master.WHO, privacy_requests.Wish("erasure", golden_id))
    assert look()["privacy"].seen == "1 request open, nothing overdue"
    master.query("UPDATE privacy_request SET due_at = now() - interval '1 day'")
    assert (look()["privacy"].state, look()["privacy"].seen) == (State.ODD, "1 request overdue")
