"""A backup holds everything of one moment; a restore makes a service of it on a new timeline, or leaves everything as it was."""

import os
import re
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import typer
from click.testing import Result
from pydantic import SecretStr
from typer.testing import CliRunner

from cli import audit_commands, backup_commands, postgres_programs
from kernel import db
from kernel.errors import Conflict, Invalid, MdmError, Unavailable
from kernel.settings import configure, settings
from mdm import ownership, published
from stewardship import audit_files
from webhooks import feed
from workers import sealer, sequencer

from .. import resolution as master
from ..modes import modes
from ..resolution import MARIA, Master, contents, end_other_connections, query

DRILL = f"mdm_drill_{os.getpid()}"  # Others may drill at the same time.
LONGEST_SECONDS = 120.0


@pytest.fixture
def mdm(database: str, tmp_path: Path) -> Iterator[Master]:
    """A service of its own data folder with two customers, whose databases of drills and of before go with the test."""
    before = settings()
    end_other_connections(database)
    configure(before.model_copy(update={"data_dir": tmp_path, "audit_checkpoints": tmp_path / "kept.ndjson"}))
    mdm = master.start()
    with db.transaction() as session:
        ownership.holds_secret(session, adopt=True)
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "1", MARIA)
    mdm.put("crm", "9", {"given_name": "Otto", "surname": "Becker", "emails": ["otto.becker@gmx.de"]})
    mdm.drain()
    sequencer.number_all()
    sealer.seal_all()
    yield mdm
    db.dispose()
    configure(before)
    with psycopg.connect(database, dbname="postgres", autocommit=True) as connection:
        own = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
        ours = f"^({DRILL}|{own}(_before_|_restored_))"
        names = connection.execute("SELECT datname FROM pg_database WHERE datname ~ %s", [ours]).fetchall()
        for (name,) in names:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(*arguments: object) -> Result:
    app = typer.Typer()
    for module in (backup_commands, audit_commands):
        module.register(app)
        module.console.width = 200
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


def latest() -> str:
    with db.read_only() as session:
        log = feed.log(session)
    return log.cursor(log.last_seq)


def test_a_drill_brings_back_everything_and_touches_nothing(mdm: Master, tmp_path: Path, database: str) -> None:
    wanted, file = contents(), tmp_path / "monday.mdm"
    assert "3 records" in run("backup", file).output
    assert file.stat().st_mode & 0o077 == 0
    mdm.delete("crm", "9")
    mdm.drain()
    now = contents()
    begun = time.monotonic()
    assert run("restore", file, "--into", DRILL).exit_code == 0
    assert time.monotonic() - begun < LONGEST_SECONDS
    assert contents() == now
    with backup_commands._connected_to(DRILL):
        assert contents() == wanted
        assert mdm.verify().differences == ()
    assert len(query("SELECT * FROM timeline")) == 1


def test_a_restore_takes_the_place_and_begins_a_timeline(mdm: Master, tmp_path: Path) -> None:
    """Cursors of before are refused, what was signed since the backup is given up knowingly, what was there is kept."""
    wanted, file = contents(), tmp_path / "monday.mdm"
    run("backup", file)
    mdm.put("crm", "10", {"given_name": "Ida", "surname": "Berg", "emails": ["ida.berg@gmx.de"]})
    mdm.drain()
    sequencer.number_all()
    query("INSERT INTO audit (actor, action, object_type, object_id) VALUES ('x', 'x', 'x', 'x')")
    query("UPDATE audit_checkpoint SET signed_at = now() - interval '1 hour'", role=db.Role.OWNER)
    sealer.seal_all()
    cursor, signed = latest(), audit_files.read_checkpoints(audit_files.checkpoint_file())
    said = run("restore", file).output
    assert "3 records" in said
    assert contents() == wanted
    with db.read_only() as session, pytest.raises(MdmError) as refused:
        published.page(session, cursor, (), 10)
    assert refused.value.code == "cursor_from_other_timeline"
    assert len(audit_files.read_checkpoints(audit_files.checkpoint_file())) == len(signed) + 1
    assert run("audit", "verify").exit_code == 0
    kept = re.findall(r"kept as (\S+)", said)[0]
    with backup_commands._connected_to(kept):
        assert latest() == cursor
    mdm.put("crm", "11", {"given_name": "Eva", "surname": "Lund", "emails": ["eva.lund@gmx.de"]})
    mdm.drain()
    assert mdm.verify().differences == ()


def test_a_live_backup_becomes_a_tests_only_by_asking_for_it_and_never_in_the_place_of_a_live_service(
    mdm: Master, tmp_path: Path
) -> None:
    file, begun = tmp_path / "monday.mdm", query("SELECT count(*) FROM timeline")
    run("backup", file)
    with modes("test", "test"):
        with pytest.raises(Unavailable, match="of a live service"):
            run("restore", file, "--into", DRILL)
        assert run("restore", file, "--into", DRILL, "--change-mode").exit_code == 0
        with backup_commands._connected_to(DRILL):
            assert query("SELECT DISTINCT mode FROM timeline WHERE reason <> 'created'") == [("test",)]
            assert query("SELECT detail FROM audit WHERE action = 'database.restored'") == [({"mode": "test"},)]
    with modes("live", "test"), pytest.raises(Unavailable, match="of a live service"):
        run("restore", file, "--change-mode")
    assert query("SELECT count(*) FROM timeline") == begun


def test_a_backup_is_of_one_moment_whatever_is_written_meanwhile(mdm: Master, tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            mdm.put("pos", f"w{number}", {"given_name": "Ana", "surname": f"Sur{number}", "emails": [f"w{number}@gmx.de"]})
            mdm.drain()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        file = tmp_path / "busy.mdm"
        assert run("backup", file).exit_code == 0
    finally:
        done.set()
        writer.join()
    run("restore", file, "--into", DRILL)
    with backup_commands._connected_to(DRILL):
        mdm.drain()
        assert mdm.verify().differences == ()


def test_a_database_in_use_is_not_taken_away(mdm: Master, tmp_path: Path, database: str) -> None:
    file = tmp_path / "monday.mdm"
    run("backup", file)
    with psycopg.connect(database), pytest.raises(Conflict, match="1 connection"):
        run("restore", file)
    assert mdm.verify().differences == ()


def databases(database: str) -> set[str]:
    """Those of this drill: others may drill beside."""
    with psycopg.connect(database, autocommit=True) as connection:
        own = f"^({DRILL}|{connection.info.dbname}(_|$))"
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ %s", [own])}


def test_a_backup_of_another_secret_is_refused_and_leaves_no_trace(mdm: Master, tmp_path: Path, database: str) -> None:
    file = tmp_path / "monday.mdm"
    run("backup", file)
    before = databases(database)
    configure(settings().model_copy(update={"secret_key": SecretStr("ab" * 32)}))
    with pytest.raises(Conflict, match="another secret key"):
        run("restore", file, "--into", DRILL)
    assert databases(database) == before


def test_a_damaged_backup_is_refused_before_anything_is_made(mdm: Master, tmp_path: Path, database: str) -> None:
    file = tmp_path / "monday.mdm"
    run("backup", file)
    whole, before = file.read_bytes(), databases(database)
    middle = len(whole) // 2
    for broken in (whole[:middle], whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], b"", b"no backup"):
        file.write_bytes(broken)
        with pytest.raises(Invalid, match=r"no backup|damaged"):
            run("restore", file, "--into", DRILL)
    assert databases(database) == before


def test_no_secret_is_in_a_backup(mdm: Master, tmp_path: Path) -> None:
    file = tmp_path / "monday.mdm"
    run("backup", file)
    with tarfile.open(file) as archive:
        manifest = archive.extractfile(backup_commands.MANIFEST)
        said = manifest.read().decode() if manifest else ""
    assert '"records": 3' in said
    assert "5e5e5e" not in said


def test_programs_are_those_that_fit_the_server() -> None:
    assert postgres_programs._major(postgres_programs.program("pg_dump", 180_000, "postgresql://h/d")) == 18
    with pytest.raises(Unavailable, match="pg_dump of PostgreSQL 99"):
        postgres_programs.program("pg_dump", 990_000, "postgresql://h/d")


def test_a_program_that_fails_says_why_without_the_password(database: str, tmp_path: Path) -> None:
    path = postgres_programs.program("pg_dump", 150_000, "postgresql://h/d")
    with pytest.raises(MdmError, match="pg_dump failed") as failed:
        postgres_programs.run(path, "postgresql://nobody:hush-hush@127.0.0.1:1/none", [])
    assert "hush" not in str(failed.value.detail)
