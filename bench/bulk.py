"""The bulk path beside bare Splink on the same records in one run; `python -m bench.bulk --records 1000000 --train` for long.

Parquet to durable golden records against Splink's train + predict + cluster on the already standardized file; the standardized
file to the partition under a given model against Splink's predict + cluster; memory; growth over a tenth of the records.
`--train` trains between import and reconciliation, as who loads a million should: the model that ships was made of 32,000.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from bench.import_stages import import_file
from bench.line import Line
from bench.memory import Watched
from bench.server import own_database
from bench.splink_alone import SplinkAlone
from bench.standardized_file import BODY, FORM_HASH, KEYS, RULES, partition, standardized
from kernel import db
from kernel.settings import settings
from matching.model import default_model
from matching.standardize import standardize
from mdm import mapping, models, policy, training, versions
from mdm.crew import collect_seldom
from mdm.import_crew import preparation
from mdm.reconcile import choose, reconcile
from mdm.resolve import Resolver
from sampledata.files import policy_text, write
from sampledata.retailer import SOURCES, SimulatedRecord, simulate
from stewardship import tasks

RECORDS = 100_000
GROWTH = 10
SEED = 2026
PIECE = 20_000
GOAL_WHOLE, GOAL_PARTITION, GOAL_GROWTH, GOAL_MB = 6.0, 3.0, 1.3, 8_000.0


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one size of the load."""

    imported: float
    trained: float
    reconciled: float
    partitioned: float

    @property
    def whole(self) -> float:
        """From Parquet to durable golden records."""
        return self.imported + self.trained + self.reconciled


def measure(records: int = RECORDS, *, trains: bool = False) -> list[Line]:
    """Run a tenth for the growth, then the whole, then Splink on the file that was standardized for it."""
    alone: list[SplinkAlone] = []
    with Watched() as watched:
        small = _run(max(1, records // GROWTH), trains, None)
        took = _run(records, trains, alone.append)
    splink = alone[0]
    ratio = took.whole / (splink.trained + splink.resolved)
    growth = took.whole / (small.whole * records / max(1, records // GROWTH))
    of = f"{records:,} records"
    return [
        Line("bulk, Parquet to golden records / bare Splink", ratio, "times", GOAL_WHOLE, note=f"{of} in {took.whole:.1f} s"),
        Line("  of it import", took.imported, "s", note=f"{took.imported / records * 1e6:.0f} µs a record"),
        Line("  of it train", took.trained, "s", note="none is trained without --train"),
        Line("  of it reconcile", took.reconciled, "s", note=f"{took.reconciled / records * 1e6:.0f} µs a record"),
        Line("  bare Splink, train", splink.trained, "s", note=of),
        Line("  bare Splink, predict + cluster", splink.resolved, "s", note=f"{splink.pairs:,} pairs"),
        Line(
            "bulk, standardized file to partition / Splink",
            took.partitioned / splink.resolved,
            "times",
            GOAL_PARTITION,
            note=f"{took.partitioned:.1f} s; the file holds forms and keys, as the store does",
        ),
        Line(
            f"bulk, growth over {GROWTH} times the records",
            growth,
            "of linear",
            GOAL_GROWTH,
            note=f"{small.whole:.1f} s for a tenth",
        ),
        Line(
            "bulk, memory",
            watched.most_mb,
            "MB",
            GOAL_MB,
            note="the most that it and its helpers held, Splink included",
        ),
    ]


def _run(records: int, trains: bool, with_splink: Callable[[SplinkAlone], None] | None) -> Took:
    with tempfile.TemporaryDirectory(prefix="mdm-bench-") as name:
        folder = Path(name)
        write(islice(simulate(records, SEED), records), folder, "parquet")
        seconds = _whole(folder, records, trains)
        standardized = folder / "standardized.parquet"
        forms = write_standardized(islice(simulate(records, SEED), records), standardized)
        if with_splink:
            with_splink(SplinkAlone.run(forms))
        return Took(*seconds, _partition(standardized))


def _whole(folder: Path, records: int, trains: bool) -> tuple[float, float, float]:
    """Seconds of what `mdm import` of every channel's file, `mdm train --use` where asked, and `mdm reconcile` do."""
    with own_database():
        with db.transaction() as session:
            rules = policy.store(session, policy.parse(policy_text()), "bench")
            versions.adopt(session, rules)
        collect_seldom()
        processes = settings().bulk_processes
        started = time.perf_counter()
        with preparation(rules, processes, records) as ready:
            for source in SOURCES:
                path = folder / f"{source}.parquet"
                if path.exists():
                    import_file(rules, path, source, ready)
        imported = time.perf_counter()
        if trains:
            _train()
        trained = time.perf_counter()
        with db.read_only() as session:
            choice = choose(session, 0, settings().bulk_memory_limit, processes)
        reconcile(Resolver(db.transaction, tasks.project), choice=choice)
        return imported - started, trained - imported, time.perf_counter() - trained


def _train() -> None:
    with db.read_only(snapshot=True) as session:
        model = training.train_on_stored(session, "bench").model
    with db.transaction() as session:
        models.store(session, model, "bench")
        versions.adopt(session, model=model)


def write_standardized(records: Iterator[SimulatedRecord], path: Path) -> pa.Table:
    """Write the standardized file; gives the forms that Splink reads."""
    told = policy.parse(policy_text())
    tables: list[pa.Table] = []
    with parquet.ParquetWriter(path, standardized([], []).schema, compression="zstd") as writer:
        while piece := list(islice(records, PIECE)):
            standards = [
                standardize(mapping.apply(told.source(one.source), one.payload).input, told.standardize_context(one.source))
                for one in piece
            ]
            names = [f"{one.source}:{one.key}" for one in piece]
            table = standardized(names, standards)
            writer.write_table(table)
            tables.append(table.drop_columns([BODY, FORM_HASH, RULES, KEYS]))
    return pa.concat_tables(tables)


def _partition(path: Path) -> float:
    """Seconds from the standardized file to the partition, under the model that ships."""
    started = time.perf_counter()
    partition(path, default_model())
    return time.perf_counter() - started


def main() -> None:
    """Measure so many records and print the lines."""
    from bench.run import console, table  # noqa: PLC0415 - it runs the modules, this one among them.

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=RECORDS)
    options.add_argument("--train", action="store_true", help="train a model on what was imported, and resolve by it")
    given = options.parse_args()
    lines = measure(given.records, trains=given.train)
    console.print(table([line.as_json() for line in lines]))
    sys.exit(int(any(line.is_met is False for line in lines)))


if __name__ == "__main__":
    main()
