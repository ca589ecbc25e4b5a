"""DuckDB as the bulk engine uses it: in memory up to a limit, and beyond it in a spill folder that goes with the connection.

The names of the engines and the sizes of memory stand here, where saying them loads neither Splink nor Spark.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import duckdb

DEFAULT_MEMORY_LIMIT = "4GB"
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT])(i?)B", re.IGNORECASE)


class EngineName(StrEnum):
    """What finds and scores pairs in bulk. Both come to the same, bit for bit."""

    DUCKDB = "duckdb"
    SPARK = "spark"


def is_memory_limit(text: str) -> bool:
    """Say whether a text is a size that DuckDB takes: a number and KB, MB, GB or TB (or KiB and so on)."""
    return _SIZE.fullmatch(text.strip()) is not None


def memory_bytes(text: str) -> int:
    """Give a size in bytes, as DuckDB reads it: GB are of thousands, GiB of 1,024. Raises: ValueError for no size."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no size: say a number and a unit, such as 4GB")
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** ("KMGT".index(unit.upper()) + 1))


@contextmanager
def engine(memory_limit: str = DEFAULT_MEMORY_LIMIT) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB of its own that spills to disk what does not fit into `memory_limit`. Raises: ValueError for no size."""
    memory_bytes(memory_limit)  # Says what a size is, where DuckDB would not.
    with tempfile.TemporaryDirectory(prefix="mdm-spill-") as folder, duckdb.connect() as connection:
        connection.execute("SET memory_limit = ?", [memory_limit.strip()])
        connection.execute("SET temp_directory = ?", [folder])
        # Every query that needs an order says so; keeping that of the input besides costs memory in proportion to it.
        connection.execute("SET preserve_insertion_order = false")
        yield connection
