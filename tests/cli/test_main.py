"""The program as a whole: help with examples, one line for an error, one module for a command."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.main import get_command

from cli import main
from cli.main import MODULES, build
from kernel.settings import settings


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    given = {
        **settings().child_environment(),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "MDM_DATA_DIR": "/nonexistent/x",
        **environment,
    }
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False)


def test_help_shows_examples_and_exit_codes() -> None:
    shown = run("--help").stdout
    assert "mdm import customers.csv --source crm" in " ".join(shown.split())
    assert "Exit codes" in shown


def test_each_command_is_found_by_the_table() -> None:
    """A command that is missing from the table would be unknown when asked for alone."""
    everything = get_command(build([]))
    declared = {name for commands in MODULES.values() for name in commands}
    assert set(everything.commands) == declared  # type: ignore[attr-defined]  # A group.


@pytest.mark.parametrize("name", sorted({commands[0] for commands in MODULES.values()}))
def test_a_command_alone_is_a_command(name: str) -> None:
    """Typer drops the name of a program's only command unless it is told not to."""
    assert name in get_command(build([name])).commands  # type: ignore[attr-defined]  # A group.


def test_a_typing_error_gets_a_suggestion() -> None:
    wrong = run("migrat")
    assert wrong.returncode == 64
    assert "migrate" in wrong.stderr


@pytest.mark.parametrize(
    "arguments",
    [("import",), ("verify", "--nope"), ("verify", "--golden", "xyz"), ("policy",), ("evaluate", "x.csv", "--output", "xml")],
)
@pytest.mark.usefixtures("logging_as_it_was")
def test_wrong_usage_is_not_taken_for_rejects_or_differences(arguments: tuple[str, ...]) -> None:
    """Typer says 2, with which a nightly `mdm verify` reports differences."""
    assert main.run(arguments) == 64


def test_alone_it_shows_its_help() -> None:
    alone = run()
    assert alone.returncode == 0
    assert "Examples:" in alone.stdout


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "mdm up"),
        ({"DATABASE_URL": "mysql://h/d"}, "mdm: DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "postgresql://h/d", "MDM_PORT": "99999"}, "mdm: MDM_PORT: Input should be less than"),
        ({"MDM_SECRET_KEY": "abc"}, "mdm: MDM_SECRET_KEY: must be 32 bytes in hexadecimal"),
        ({"DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x"}, "The database at 127.0.0.1:1/x: nothing answers"),
    ],
)
def test_an_expected_error_is_one_line(environment: dict[str, str], told: str) -> None:
    failed = run("migrate", **environment)
    assert failed.returncode == 1
    assert told in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert "hunter2" not in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("up",), "The data folder /dev/null/x cannot be used"),
        (("simulate", "--out", "/proc/x", "--customers", "1"), "/proc/x: "),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_line(arguments: tuple[str, ...], told: str) -> None:
    failed = run(*arguments, MDM_DATA_DIR="/dev/null/x", MDM_PORT="0")
    assert failed.returncode == 1
    assert told in failed.stderr
    assert failed.stderr.count("\n") == 1


def test_a_version_to_show_is_not_the_programs_own(database: str) -> None:
    """`policy show --version 1` once skipped the servers that `mdm up` runs, as --version alone does."""
    assert "No such policy version" in run("policy", "show", "--version", "7", DATABASE_URL=database).stderr


def test_the_version_is_told() -> None:
    assert run("--version").stdout.strip() == version("customer-master")
