"""Tables are not folded to 80 columns where no terminal shows them."""

import io

from rich.console import Console
from rich.table import Table

from cli.output import unfolded


def written(**told: object) -> str:
    file = io.StringIO()
    table = Table(*(f"a column {number}" for number in range(9)))
    table.add_row(*("9" * 12 for _ in range(9)))
    unfolded(Console(file=file, **told)).print(table)  # type: ignore[arg-type]  # Options of a console.
    return file.getvalue()


def test_a_piped_table_keeps_its_lines() -> None:
    assert written().count("9" * 12) == 9


def test_a_terminal_is_as_wide_as_it_is() -> None:
    assert written(force_terminal=True, width=60).count("9" * 12) == 0
