"""What is asked for goes before the settings, both know the same engines, and what is not there is said before any work."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from pydantic import ValidationError
from typer.testing import CliRunner

from cli import import_commands, rebuild_commands, resolve_commands
from cli.bulk_options import BulkOptions, bulk_options
from kernel.errors import Unavailable
from kernel.settings import Settings, configure, settings
from matching.engine import EngineName

from .. import resolution as master
from ..resolution import MARIA, query


@pytest.fixture(autouse=True)
def given() -> Iterator[Settings]:
    before = settings()
    yield before
    configure(before)


@pytest.fixture
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)  # As Python says that there is none.


def test_settings_and_options_know_the_same_engines() -> None:
    assert Settings.model_fields["bulk_engine"].default == EngineName.DUCKDB
    assert [Settings(bulk_engine=str(name)).bulk_engine for name in EngineName] == list(EngineName)
    with pytest.raises(ValidationError):
        Settings(bulk_engine="abacus")


def test_what_is_asked_for_goes_before_the_settings(given: Settings, no_spark: None) -> None:
    configure(given.model_copy(update={"bulk_engine": "spark", "bulk_memory_limit": "3GB", "bulk_processes": 5}))
    assert bulk_options("2GB", EngineName.DUCKDB) == BulkOptions("2GB", 5, EngineName.DUCKDB)
    with pytest.raises(Unavailable, match=r"customer-master\[spark\].*Java 17"):
        bulk_options()


@pytest.mark.parametrize("command", ["import", "reconcile", "rebuild"])
def test_an_engine_that_is_not_there_is_said_before_any_work(command: str, database: str, no_spark: None, tmp_path: Path) -> None:
    master.start().put("shop", "1", MARIA)
    file = tmp_path / "shop.csv"
    file.write_text("key,given_name\n2,Ana\n", encoding="utf-8")
    app = typer.Typer()
    for commands in (import_commands, rebuild_commands, resolve_commands):
        commands.register(app)
    arguments = [str(file), "--source", "shop"] if command == "import" else []
    result = CliRunner().invoke(app, [command, *arguments, "--engine", "spark"])
    assert (result.exit_code, getattr(result.exception, "code", None)) == (1, "no_spark")
    assert query("SELECT count(*) FROM pending_record") == query("SELECT count(*) FROM source_record") == [(1,)]


def test_an_engine_that_nobody_knows_is_wrong_usage() -> None:
    app = typer.Typer()
    resolve_commands.register(app)
    result = CliRunner().invoke(app, ["reconcile", "--engine", "abacus"])
    assert (result.exit_code, "duckdb" in result.output, "spark" in result.output) == (2, True, True)
