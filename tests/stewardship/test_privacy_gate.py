"""A database restored from before an erasure answers nothing until that is replayed; then nothing of the person is left."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from starlette.testclient import TestClient

from api.app import create_app
from api.public.app import create_app as create_public_app
from cli import main
from consent import links
from consent.links import Link, LinkKind
from kernel import actor, clock, db
from kernel.errors import Unavailable
from kernel.settings import configure, settings
from stewardship import privacy_erasure, privacy_gate, privacy_ledger

from ..resolution import MARIA, Master, end_other_connections, golden_of, query, start
from .test_privacy_erasure import OTTO, erase


@pytest.fixture
def mdm(database: str) -> Master:
    privacy_ledger.path().unlink(missing_ok=True)
    made = start()
    made.put("shop", "m1", MARIA)
    made.put("crm", "o1", OTTO)
    made.drain()
    return made


@pytest.fixture
def backup(mdm: Master, database_url: str) -> Iterator[str]:
    """A copy of the database as it is before the erasure; its URL."""
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    copy = f"{name}_backup"
    end_other_connections(database_url)
    with psycopg.connect(psycopg.conninfo.make_conninfo(database_url, dbname="postgres"), autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(copy))
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(copy), sql.Identifier(str(name))))
        yield database_url.replace(f"/{name}", f"/{copy}")
        db.dispose()
        configure(settings().model_copy(update={"database_url": database_url}))
        connection.execute(drop)


def restored(url: str) -> None:
    """Serve from a database that was restored."""
    db.dispose()
    configure(settings().model_copy(update={"database_url": url}))


def key() -> dict[str, str]:
    with db.transaction() as session:
        _, text = actor.create_key(session, "test", ["golden:read", "lookup"])
    return {"authorization": f"Bearer {text}"}


def link() -> str:
    """Where a customer of nobody unsubscribes."""
    made = Link(LinkKind.UNSUBSCRIBE, "00" * 16, "email", uuid.uuid4(), True, clock.now() + timedelta(days=1))
    return f"/unsubscribe/{links.write(made)}"


def test_a_restored_database_answers_nothing_until_the_replay(mdm: Master, backup: str) -> None:
    maria, otto = golden_of("shop", "m1"), golden_of("crm", "o1")
    erase(mdm, maria)
    restored(backup)
    assert golden_of("shop", "m1") == maria  # The restore brought her back.
    with TestClient(create_app(), headers=key()) as api, TestClient(create_public_app()) as public:
        assert public.post(link()).status_code == 503
        refused: Any = api.get(f"/v1/golden/{otto}")
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (503, "erasure_replay_needed")
        assert api.get("/ready").json()["missing"][0]["code"] == "erasures"
        assert api.get("/live").status_code == 200
        assert privacy_erasure.replay(mdm.resolver) == 1
        assert api.get(f"/v1/golden/{otto}").status_code == 200
        assert api.get(f"/v1/golden/{maria}").status_code == 410
        assert api.get("/ready").status_code == 200
        assert public.post(link()).status_code == 200
    assert query("SELECT count(*) FROM standard_record WHERE body::text ILIKE '%%garcia%%'") == [(0,)]
    assert mdm.put("pos", "again", MARIA).problem is not None
    assert mdm.verify(deep=True).differences == ()
    assert privacy_erasure.replay(mdm.resolver) == 0


@pytest.mark.usefixtures("logging_as_it_was")
def test_no_command_works_on_a_restored_database_before_the_replay(
    mdm: Master, backup: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would tell of who was erased, or write to them: and an erasure that began there would stand in the way of the replay."""
    maria = golden_of("shop", "m1")
    erase(mdm, maria)
    restored(backup)
    asked, answered = tmp_path / "asked.csv", tmp_path / "answered.csv"
    asked.write_text(f"golden_id\n{maria}\n", encoding="utf-8")
    audience = ["consents", "audience", str(asked), "--purpose", "service", "--channel", "email", "--out", str(answered)]
    waiting = [
        audience, ["consents", "show", str(maria)], ["privacy", "open", "erasure", str(maria)], ["privacy", "retention"],
        ["reconcile"], ["import", str(asked), "--source", "shop"], ["export", "crosswalk", "--out", str(answered)],
    ]  # fmt: skip
    for arguments in waiting:
        assert main.run(arguments) == 1
        assert "Erasures have to be replayed first" in capsys.readouterr().err
    assert not answered.exists()
    assert main.run(["privacy", "replay"]) == 0
    assert main.run(audience) == 0
    assert "unknown_customer" in answered.read_text(encoding="utf-8")


def test_a_ledger_that_lost_lines_is_told(mdm: Master) -> None:
    erase(mdm, golden_of("shop", "m1"))
    erase(mdm, golden_of("crm", "o1"))
    first, second = privacy_ledger.path().read_bytes().splitlines(keepends=True)
    privacy_ledger.path().write_bytes(second)
    with pytest.raises(Unavailable, match="own copy"):
        privacy_ledger.entries()
    privacy_ledger.path().write_bytes(first.replace(b'"entry_no":1', b'"entry_no":2') + second)
    with pytest.raises(Unavailable):
        privacy_ledger.entries()


def test_a_ledger_that_is_behind_is_written_again(mdm: Master) -> None:
    """The file was lost, the database was not."""
    erase(mdm, golden_of("shop", "m1"))
    said = privacy_ledger.entries()
    privacy_ledger.path().unlink()
    privacy_gate.require_now()
    assert privacy_erasure.replay(mdm.resolver) == 0
    assert privacy_ledger.entries() == said
