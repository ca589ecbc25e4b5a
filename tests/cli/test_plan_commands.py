"""`mdm policy plan`, `mdm policy rollback` and `mdm model plan` as people and programs read them."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import plan_commands
from cli.main import build
from kernel.db import read_only
from kernel.errors import NotFound
from mdm import policy

from .. import resolution as master
from ..resolution import MARIA, POLICY, Master, at, contents

BY_TIME = POLICY + "survivorship:\n  attributes:\n    language: {criteria: [recent]}\n"


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start()
    made.put("shop", "1", MARIA | {"language": "es"}, source_updated_at=at(3))
    made.put("crm", "x", MARIA | {"language": "ca"}, source_updated_at=at(2))
    made.drain()
    return made


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "next.yaml"
    path.write_text(BY_TIME, encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    plan_commands.console.width = 200
    words = [str(one) for one in arguments]
    app: typer.Typer = build(words)
    return CliRunner().invoke(app, words)


def test_a_plan_is_told_in_words_and_changes_nothing(mdm: Master, document: Path) -> None:
    before = contents()
    said = run("policy", "plan", document).output
    assert "2 records, 1 golden record now; 1 golden id would answer otherwise." in said
    assert "would have other values" in said
    assert "By attribute: language 1" in said
    assert contents() == before


def test_a_plan_for_programs_names_records_and_values(mdm: Master, document: Path) -> None:
    told = json.loads(run("policy", "plan", document, "--output", "json").stdout)
    assert (told["changes"], told["causes"], told["read_anew"]) == (1, {"values": 1}, 0)
    assert told["told"][0]["values"] == ["language"]
    assert {"source": "crm", "key": "x"} in told["told"][0]["members"]


def test_a_plan_says_what_the_document_changes_and_by_what_records_are_read_anew(mdm: Master, tmp_path: Path) -> None:
    path = tmp_path / "more.yaml"
    named = POLICY.replace("  trial:", "  desk: {channel_kind: pos, brand: acme}\n  trial:")
    path.write_text(named.replace("brand: bolt, trust: 0.9", "brand: bolt, trust: 0.9, default_country: ES"), encoding="utf-8")
    said = run("policy", "plan", path).output
    assert "+ source desk  (live)" in said
    assert "1 record would be read anew (changed: the default country)" in said


def test_what_happens_alike_to_several_is_one_row(mdm: Master, document: Path) -> None:
    for number, given in enumerate(("Ute", "Ines", "Boris")):
        said = {"given_name": given, "surname": f"Quist{number}", "emails": [f"q{number}@telefonica.net"]}
        mdm.put("shop", f"q{number}", said | {"language": "es"}, source_updated_at=at(3))
        mdm.put("crm", f"q{number}", said | {"language": "ca"}, source_updated_at=at(2))
    mdm.drain()
    said = run("policy", "plan", document).output
    assert said.count("would have other values") == 2  # By cause, and the row.
    assert "3 more" in said
    assert "Each of the 4 told" in said


def test_the_model_in_force_changes_nothing(mdm: Master) -> None:
    assert "0 golden ids would answer otherwise" in run("model", "plan", "current").output


def test_a_rollback_brings_back_what_was(mdm: Master, document: Path) -> None:
    before = contents()
    run("policy", "apply", document)
    mdm.drain()
    assert contents() != before
    assert "Policy version 1 rules again, in place of version 2" in run("policy", "rollback").output
    mdm.drain()
    assert contents() == before
    assert mdm.verify().differences == ()
    with read_only() as session:
        assert policy.current(session).version == 1
    assert isinstance(run("policy", "rollback").exception, NotFound)
    assert isinstance(run("policy", "rollback", 17).exception, NotFound)
