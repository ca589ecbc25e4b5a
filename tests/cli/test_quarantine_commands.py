"""`mdm quarantine`: what failed is listed with its reason and tried again on demand, by nothing else."""

import json

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import quarantine_commands
from mdm import reconcile

from .. import resolution as master
from ..resolution import MARIA, Master, query


@pytest.fixture
def mdm(database: str) -> Master:
    """Maria's record failed and waits; another is well."""
    made = master.start()
    made.put("shop", "1", MARIA)
    made.put("pos", "2", {"surname": "Quiroga"})
    made.drain()
    query(
        """INSERT INTO pending_record (record_id, reason, attempts, error, quarantined_at)
           SELECT record_id, 'received', 3, 'ValueError', now() FROM source_record WHERE source_key = '1'"""
    )
    return made


def run(*arguments: str) -> Result:
    app = typer.Typer()
    quarantine_commands.register(app)
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result


def listed() -> list[tuple[str, str]]:
    return [(one["source"], one["error"]) for one in json.loads(run("--output", "json").output)["shown"]]


def test_what_failed_is_listed_with_its_reason(mdm: Master) -> None:
    assert listed() == [("shop", "ValueError")]
    assert "ValueError" in run().output


def test_neither_the_same_record_nor_reconciling_lifts_a_quarantine(mdm: Master) -> None:
    assert mdm.put("shop", "1", MARIA).status == "same"
    reconcile.reconcile(mdm.resolver)
    assert listed() == [("shop", "ValueError")]


def test_what_failed_is_tried_again_when_asked(mdm: Master) -> None:
    assert run("--retry").output == "1 record tried again by the workers.\n"
    mdm.drain()
    assert query("SELECT count(*) FROM pending_record") == [(0,)]
    assert run().output == "No record is in quarantine.\n"
    assert run("--retry").output == "0 records tried again by the workers.\n"


def test_how_many_are_not_shown_is_told(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_commands, "MOST_SHOWN", 0)
    assert "1 more record not shown." in run().output
