"""Exports beside what PostgreSQL does at its best: the crosswalk as a file, against a bare COPY of the same columns, in turns.

The rows are made in the database, under policies as in service. An export also checks formulas, hashes, syncs and registers.
"""

import resource
import statistics
import tempfile
import time

from bench.line import Line
from bench.server import own_database
from kernel import actor, db, jobs
from mdm import chunks, export_registry, exports, policy, sql
from mdm.exports import Wish
from tests.resolution import POLICY
from workers.kinds import EXPORTS

ROWS = 300_000
ROUNDS = 3
GOAL_TIMES, GOAL_GROWTH_MB = 10.0, 300.0
OPERATOR = actor.local("bench")
FILL = """
WITH made AS (SELECT gen_random_uuid() AS id, n FROM generate_series(1, %s) AS n),
record AS (
  INSERT INTO source_record (record_id, source, source_key, brand, version_no, is_deleted, received_at, payload_hash)
  SELECT id, 'shop', 'K-' || n, 'acme', 1, false, now(), '' FROM made)
INSERT INTO crosswalk (record_id, source, source_key, brand, state, version_no)
SELECT id, 'shop', 'K-' || n, 'acme', 'shadow', 1 FROM made"""
COPY = "COPY (SELECT source, source_key, record_id, golden_id, state FROM crosswalk ORDER BY record_id) TO STDOUT (FORMAT csv)"


def measure() -> list[Line]:
    """Fill, and export in turns with COPY."""
    with own_database():
        with db.transaction() as session:
            policy.store(session, policy.parse(POLICY), "bench")
            sql.run(session, FILL, [ROWS])
        with db.transaction(db.Role.OWNER) as session:
            sql.run(session, "ANALYZE")
        copied, taken, before = [], dict[str, list[float]](), _memory_mb()
        for _ in range(ROUNDS):
            copied.append(_copied())
            for kind in ("csv", "ndjson", "parquet"):
                taken.setdefault(kind, []).append(_exported(kind))
    bare = statistics.median(copied)
    note = f"{ROWS:,} rows; bare COPY {ROWS / bare:,.0f} rows/s in the same run"
    grown = Line("memory that exports add", _memory_mb() - before, "MB", GOAL_GROWTH_MB, note=f"{ROWS:,} rows, each format")
    lines = [
        Line(f"export of the crosswalk as {kind}", ROWS / statistics.median(found), "rows/s", note=note)
        for kind, found in taken.items()
    ]
    times = statistics.median(taken["csv"]) / bare
    return [*lines, Line("export as CSV beside a bare COPY", times, "times as long", GOAL_TIMES, note=note), grown]


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _copied() -> float:
    started = time.perf_counter()
    with db.read_only() as session, sql.cursor(session) as cursor, tempfile.TemporaryFile() as file, cursor.copy(COPY) as copy:
        for block in copy:
            file.write(block)
    return time.perf_counter() - started


def _exported(kind: str) -> float:
    with db.transaction() as session:
        export_id = exports.begin(session, policy.current(session), Wish("crosswalk", kind), OPERATOR)
        claim = jobs.claim_chunk(session, "bench", [exports.KIND], job_id=export_id)
    started = time.perf_counter()
    if claim is not None:
        chunks.take(db.transaction, EXPORTS, claim)
    taken = time.perf_counter() - started
    with db.transaction() as session:
        entry = export_registry.remove(session, export_id, OPERATOR.actor)
    export_registry.delete_files(entry)
    if entry.rows != ROWS:
        raise ValueError(f"{entry.rows} rows were exported instead of {ROWS}")
    return taken
