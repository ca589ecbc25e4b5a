"""Bulk import of 20,000 simulated records end to end: file, versions, standard records, keys, pairs, decisions, golden records.

Reports records/s, the share of each stage, and the whole as a multiple of a bare COPY of the same rows into the same server.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import psycopg

from bench.line import Line
from bench.server import own_database
from bench.stages import REST, measured
from kernel import db
from kernel.actor import Principal
from mdm import files, imports, policy, versions
from mdm.crew import collect_seldom
from mdm.import_crew import Preparation
from mdm.reconcile import reconcile
from mdm.resolve import Resolver
from sampledata.files import policy_text, row_of, write
from sampledata.retailer import SOURCES, SimulatedRecord, simulate
from stewardship import tasks

RECORDS = 20_000
SEED = 2026
SMALL = 200
OPERATOR = Principal("bench", "bench", frozenset({"records:write"}), db.Scope())
# Stage by stage, the functions whose own time it is.
STAGES = {
    "map and standardize": ("mdm.import_crew:Preparation.make_ready",),
    "store": ("mdm.imports:take_chunk", "mdm.imports:begin", "mdm.imports:finish"),
    "candidates": ("mdm.key_index:read", "matching.bulk_engine:find_pairs", "mdm.candidates:note"),
    "score and decide": ("mdm.discover:forms_table", "mdm.discover:in_bulk", "matching.evidence:Weigher.weights"),
    "write decisions": ("mdm.decisions:store", "mdm.decisions:supersede", "mdm.decisions:all_live"),
    "read closures": ("mdm.closure:read", "mdm.closure:digests", "mdm.closure:lock", "mdm.records:Shelf.load"),
    "cluster": ("mdm.evaluation:_evaluate",),
    "golden": ("mdm.drafts:Drafter.drafts", "mdm.golden:write", "stewardship.tasks:project"),
}


def measure() -> list[Line]:
    """Run it once, after a small run that warms the caches of phone and address libraries."""
    records = list(islice(simulate(RECORDS, SEED), RECORDS))
    with own_database() as url:
        with db.transaction() as session:
            versions.adopt(session, policy.store(session, policy.parse(policy_text()), "bench"))
        with written(list(islice(simulate(SMALL, SEED + 1), SMALL))) as folder:
            load_all(folder)
        with written(records) as folder:
            collect_seldom()
            started = time.perf_counter()
            with measured(STAGES) as stages:
                load_all(folder)
            seconds = time.perf_counter() - started
        copied = _bare_copy(url, records)
    lines = [
        Line("import, end to end", len(records) / seconds, "records/s", note=f"{len(records):,} records in {seconds:.1f} s"),
        Line("import / bare COPY of the same rows", seconds / copied, "times", note=f"COPY took {copied:.2f} s"),
    ]
    shares = {**{stage: stages.seconds[stage] for stage in STAGES}, "read files, and the rest": stages.seconds[REST]}
    return lines + [
        Line(f"  share of {stage}", taken / seconds * 100, "%", note=f"{taken / len(records) * 1e6:.0f} µs a record")
        for stage, taken in shares.items()
    ]


@contextmanager
def written(records: list[SimulatedRecord]) -> Iterator[Path]:
    """Write records as the files of their channels."""
    with tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder:
        write(records, Path(folder))
        yield Path(folder)


def load_all(folder: Path) -> None:
    """What `mdm import` of every channel's file and `mdm reconcile` do, in this process alone."""
    with db.read_only() as session:
        rules = policy.current(session)
    ready = Preparation(rules)
    for source in SOURCES:
        path = folder / f"{source}.ndjson"
        if path.exists():
            import_file(rules, path, source, ready)
    reconcile(Resolver(db.transaction, tasks.project))


def import_file(rules: policy.Policy, path: Path, source: str, ready: Preparation) -> None:
    """Load a file as `mdm import` does, a chunk a step."""
    rows = files.open_rows(path)
    with db.transaction() as session:
        job = imports.begin(session, rules, rows, source, OPERATOR)
    for chunk in ready.chunks(source, imports.chunks(rows.rows(), job.tally.rows)):
        with db.transaction() as session:
            job.tally = imports.take_chunk(session, rules, job, chunk, OPERATOR)
    with db.transaction() as session:
        imports.finish(session, job)


def _bare_copy(url: str, records: list[SimulatedRecord]) -> float:
    """The least that storing these rows can cost: COPY of source, key and payload into a table with its primary key."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE bare_copy (source text, key text, payload text, PRIMARY KEY (source, key))")
        connection.commit()
        started = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy("COPY bare_copy FROM STDIN") as copy:
            for record in records:
                copy.write_row((record.source, record.key, json.dumps(row_of(record), ensure_ascii=False)))
        connection.commit()
        return time.perf_counter() - started
