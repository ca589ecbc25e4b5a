"""Spark beside DuckDB on one standardized file: the same partition, and the seconds of both.

Needs what `make test-spark` installs. `python -m bench.spark --records 100000` for another number of records.
"""

import argparse
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from bench.bulk import SEED, write_standardized
from bench.line import Line
from bench.standardized_file import partition
from kernel.settings import settings
from matching.bulk_engine import bulk_engine
from matching.engine import EngineName
from matching.model import default_model
from sampledata.retailer import simulate

RECORDS = 200_000
Parts = frozenset[frozenset[str]]


def measure(records: int = RECORDS) -> list[Line]:
    """Partition the same records under the model that ships, once by each engine."""
    with tempfile.TemporaryDirectory(prefix="mdm-bench-") as name:
        path = Path(name) / "standardized.parquet"
        write_standardized(islice(simulate(records, SEED), records), path)
        duckdb_seconds, expected = _partitioned(path, EngineName.DUCKDB)
        spark_seconds, found = _partitioned(path, EngineName.SPARK)
    took = f"{records:,} records: Spark {spark_seconds:.1f} s, starting it included, DuckDB {duckdb_seconds:.1f} s"
    differing = len({record for part in found ^ expected for record in part})
    largest = max(map(len, expected))
    return [
        Line("Spark / DuckDB, standardized file to partition", spark_seconds / duckdb_seconds, "times", note=took),
        Line(
            "  records whose customer is another on Spark",
            differing,
            "records",
            goal=0,
            note=f"{len(expected):,} customers, the largest of {largest} records",
        ),
    ]


def _partitioned(path: Path, name: EngineName) -> tuple[float, Parts]:
    started = time.perf_counter()
    with bulk_engine(name, settings().bulk_memory_limit, settings().bulk_processes) as engine:
        found = partition(path, default_model(), engine)
    return time.perf_counter() - started, frozenset(part for one in found for part in one.parts)


def main() -> None:
    """Measure so many records and print the lines."""
    from bench.run import console, table  # noqa: PLC0415 - it runs the modules, this one among them.

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=RECORDS)
    lines = measure(options.parse_args().records)
    console.print(table([line.as_json() for line in lines]))
    sys.exit(int(any(line.is_met is False for line in lines)))


if __name__ == "__main__":
    main()
