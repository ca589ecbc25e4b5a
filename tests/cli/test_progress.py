"""A long command is never silent, and a log is not flooded."""

import io

import pytest
from rich.console import Console

from cli import progress as progress_module
from cli.progress import progress
from cli.words import counted


def test_a_log_gets_a_line_for_every_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "SECONDS_BETWEEN_LINES", 0.0)
    log = Console(file=io.StringIO(), width=200)
    with progress(log, "importing", "rows") as tell:
        for done in range(0, 2_001, 10):
            tell(done, 2_000)
    lines = log.file.getvalue().splitlines()  # type: ignore[attr-defined]  # A StringIO.
    assert (len(lines), lines[0], lines[-1]) == (
        10,
        "importing: 200 of 2,000 (10 %) rows",
        "importing: 2,000 of 2,000 (100 %) rows",
    )


def test_a_quick_command_says_nothing() -> None:
    log = Console(file=io.StringIO())
    with progress(log, "importing", "rows") as tell:
        tell(10, 10)
    assert log.file.getvalue() == ""  # type: ignore[attr-defined]  # A StringIO.


def test_numbers_agree_with_their_nouns() -> None:
    assert (counted(1, "row"), counted(2_000, "row"), counted(0, "row has", "rows have")) == (
        "1 row",
        "2,000 rows",
        "0 rows have",
    )
