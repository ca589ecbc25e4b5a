"""`mdm evaluate --pack`: nobody of the pack is merged wrongly by what ships, enough is found, and the exit code tells."""

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import model_commands
from matching.model import Lines, default_model, dump_model
from sampledata.pack import cases

CUSTOMERS = "300"  # A small crowd; a release is measured among 50,000.


def run(*arguments: object) -> Result:
    app = typer.Typer()
    model_commands.register(app)
    return CliRunner().invoke(app, ["evaluate", "--pack", "--customers", CUSTOMERS, *(str(one) for one in arguments)])


@pytest.fixture(scope="module")
def shipped() -> Any:
    result = run("--output", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_nobody_of_the_pack_is_merged_wrongly(shipped: Any) -> None:
    merged = [one for one in shipped["differences"] if one["found"] == "match"]
    assert (shipped["false_merges"], merged) == (0, [])


def test_nine_in_ten_are_merged_or_asked_and_three_in_four_merged(shipped: Any) -> None:
    assert shipped["match_cases"] >= 50
    assert shipped["matched_or_asked"] / shipped["match_cases"] >= 0.9
    assert shipped["matched"] / shipped["match_cases"] >= 0.75


def test_every_case_is_counted_in_its_category(shipped: Any) -> None:
    assert shipped["cases"] == len(cases())
    assert sum(one["cases"] for one in shipped["by_category"].values()) == len(cases())
    assert list(shipped["by_category"]) == list(dict.fromkeys(case.category for case in cases()))


def test_a_model_that_merges_too_readily_fails(tmp_path: Any) -> None:
    """With its lines far too low the model merges what fits a little; the command says which cases, and exits with 1."""
    eager = tmp_path / "eager.json"
    eager.write_text(dump_model(default_model().with_lines(Lines(component=-6.0, guard=-6.0, merge=-6.0))), encoding="utf-8")
    result = run("--model", eager)
    assert result.exit_code == 1
    assert "merged: " in result.stdout


def test_the_table_names_every_category() -> None:
    result = run()
    assert result.exit_code == 0
    assert f"{len(cases())} cases among" in result.stdout
    for category in {case.category for case in cases()}:
        assert category.replace("_", " ") in result.stdout


def test_without_files_and_without_pack_the_usage_is_told() -> None:
    app = typer.Typer()
    model_commands.register(app)
    result = CliRunner().invoke(app, ["evaluate"])
    assert result.exit_code == 2
    assert "or --pack" in result.output
