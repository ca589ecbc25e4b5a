"""The forms in which a command prints its figures."""

from enum import StrEnum

from rich.console import Console

PIPED_WIDTH = 200


class Output(StrEnum):
    """How figures are printed."""

    TABLE = "table"
    JSON = "json"


def unfolded(console: Console) -> Console:
    """Let tables keep their width where no terminal shows them: a file or another program has no 80 columns."""
    if not console.is_terminal:
        console.width = max(console.width, PIPED_WIDTH)
    return console
