"""DuckDB as the bulk engine uses it: in memory up to a limit, and beyond it in a spill folder that goes with the connection."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

DEFAULT_MEMORY_LIMIT = "4GB"
_SIZE = re.compile(r"\d+(\.\d+)? ?([KMGT]i?B)", re.IGNORECASE)


def is_memory_limit(text: str) -> bool:
    """Say whether a text is a size that DuckDB takes: a number and KB, MB, GB or TB (or KiB and so on)."""
    return _SIZE.fullmatch(text.strip()) is not None


@contextmanager
def engine(memory_limit: str = DEFAULT_MEMORY_LIMIT) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB of its own that spills to disk what does not fit into `memory_limit`. Raises: ValueError for no size."""
    if not is_memory_limit(memory_limit):
        raise ValueError(f"{memory_limit!r} is no size: say a number and a unit, such as 4GB")
    with tempfile.TemporaryDirectory(prefix="mdm-spill-") as folder, duckdb.connect() as connection:
        connection.execute("SET memory_limit = ?", [memory_limit.strip()])
        connection.execute("SET temp_directory = ?", [folder])
        # Every query that needs an order says so; keeping that of the input besides costs memory in proportion to it.
        connection.execute("SET preserve_insertion_order = false")
        yield connection
