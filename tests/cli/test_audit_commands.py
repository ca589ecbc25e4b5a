"""`mdm audit`: verifies here and from an export elsewhere, names what was done, and says what is not sealed yet."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from cli import audit_commands
from kernel import audit, db
from kernel.errors import Invalid
from kernel.settings import configure, settings
from stewardship import audit_files
from workers import sealer

from ..resolution import query


@pytest.fixture
def log(database: str, tmp_path: Path) -> Iterator[Path]:
    """A log of three rows, sealed, signed and kept outside; the file that keeps it."""
    before = settings()
    configure(before.model_copy(update={"audit_checkpoints": tmp_path / "checkpoints.ndjson"}))
    for number in range(3):
        with db.transaction() as session:
            audit.record(session, "key:1", "golden.read", "golden", f"g{number}")
    sealer.seal_all()
    yield audit_files.checkpoint_file()
    configure(before)


def run(*arguments: object) -> Result:
    app = typer.Typer()
    audit_commands.register(app)
    audit_commands.console.width = 200
    return CliRunner().invoke(app, ["audit", *map(str, arguments)], catch_exceptions=False)


def test_what_stands_is_said_with_its_tail(log: Path) -> None:
    with db.transaction() as session:
        audit.record(session, "key:1", "golden.read", "golden", "g9")
    said = run("verify")
    assert said.exit_code == 0
    assert "3 rows in the chain, signed up to 3" in said.output
    assert "1 row not sealed yet" in said.output
    assert "Everything stands" in said.output


def test_what_was_done_is_named_with_its_place(log: Path) -> None:
    query("DELETE FROM audit WHERE object_id = 'g1'", role=db.Role.OWNER)
    said = run("verify")
    assert said.exit_code == audit_commands.TAMPERED
    assert "the row was deleted" in said.output
    assert json.loads(run("verify", "--output", "json").output)["findings"] == [{"code": "row_missing", "seq": 2, "audit_id": 2}]


def test_what_was_taken_away_altogether_is_missed_by_what_is_kept_outside(log: Path) -> None:
    for table in ("audit", "audit_seal", "audit_checkpoint", "audit_chain"):
        query(f"DELETE FROM {table}", role=db.Role.OWNER)
    said = run("verify")
    assert (said.exit_code, "signed beyond" in said.output) == (audit_commands.TAMPERED, True)
    log.unlink()
    assert run("verify").exit_code == 0


def test_an_export_is_verified_without_database_and_secret(log: Path, tmp_path: Path) -> None:
    key = run("key").output.strip()
    file = tmp_path / "audit.ndjson"
    assert run("export", file).exit_code == 0
    assert query("SELECT count(*) FROM audit WHERE action = 'audit.exported'") == [(1,)]
    before = settings()
    configure(settings().model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none", "secret_key": None}))
    try:
        whole = run("verify", "--export", file, "--public-key", key, "--checkpoints", log)
        assert (whole.exit_code, "1 row not sealed yet" in whole.output) == (0, True)
        file.write_text(file.read_text().replace('"object_id":"g1"', '"object_id":"g7"'))
        assert "is not what was sealed" in run("verify", "--export", file, "--public-key", key).output
        with pytest.raises(Invalid, match="kept apart"):
            run("verify", "--export", file)
        assert "not signed with the key" in run("verify", "--export", file, "--public-key", "A" * 43 + "=").output
    finally:
        configure(before)


def test_an_export_that_was_cut_off_is_none(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "audit.ndjson"
    run("export", file)
    lines = file.read_bytes().splitlines(keepends=True)
    for cut in (lines[:-1], [*lines[:2], *lines[3:]], [b""]):
        file.write_bytes(b"".join(cut))
        with pytest.raises(Invalid, match="cut off"):
            run("verify", "--export", file, "--public-key", "A" * 43 + "=")
