"""The memory that a command lets DuckDB or Spark have."""

import typer

from kernel.settings import settings
from matching.engine import is_memory_limit


def memory_of(given: str | None) -> str:
    """Give the memory limit that was asked for, else the setting's."""
    limit = given or settings().bulk_memory_limit
    if not is_memory_limit(limit):
        raise typer.BadParameter("--memory-limit is a number and a unit, such as 4GB")
    return limit
