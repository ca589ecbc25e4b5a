"""Golden records at work: a thousand source keys at once, now and as of a time; a merge looked at; everything verified.

On the simulated retailer, resolved. The keys are asked over HTTP; previews and verification run in this process.
"""

import json
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from bench import serving, stored
from bench.line import Line
from bench.server import own_database
from kernel import actor, clock, db
from kernel.actor import Principal
from mdm import ingest, sql, verify
from mdm.crew import collect_seldom
from mdm.incoming import Incoming
from mdm.reconcile import Choice, Path, reconcile
from mdm.resolve import Resolver
from stewardship import settle, tasks
from stewardship.settle import Wish
from stewardship.sides import Side

RECORDS = 6_000
SEED = 2026
KEYS = 1_000
TIMES = 60
GOAL_KEYS_MS, GOAL_PREVIEW_MS, GOAL_VERIFIED = 40.0, 100.0, 5_000.0
STEWARD = Principal("bench", "bench", frozenset({"decisions:write"}), db.Scope())


def measure() -> list[Line]:
    """Load, resolve, measure."""
    with own_database():
        resolver = Resolver(db.transaction, tasks.project)
        load(resolver)
        return [*asked(), previews(resolver), verified()]


def load(resolver: Resolver) -> None:
    """Take the retailer's records in and resolve them."""
    rules = stored.adopt()
    by_source: dict[str, list[Incoming]] = {}
    for one in stored.records(RECORDS, SEED):
        by_source.setdefault(one.source, []).append(Incoming(one.key, one.payload, raw=json.dumps(one.payload).encode()))
    for source, items in by_source.items():
        for start in range(0, len(items), KEYS):
            with db.transaction() as session:
                ingest.put_records(session, rules, source, items[start : start + KEYS], stored.OPERATOR)
    reconcile(resolver, choice=Choice(Path.BULK, RECORDS))
    with db.transaction(db.Role.OWNER) as session:
        sql.run(session, "ANALYZE")


def asked() -> list[Line]:
    """Ask for the golden ids of a thousand keys, now and as of a moment ago."""
    with db.transaction() as session:
        _, key = actor.create_key(session, "bench", ["lookup"])
        rows = sql.rows(session, "SELECT source, source_key FROM crosswalk ORDER BY md5(record_id::text) LIMIT %s", [KEYS])
    body = json.dumps({"records": [{"source": source, "key": one} for source, one in rows]}).encode()
    then = (clock.now() - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    paths = {"now": "/v1/crosswalk:lookup", "as of a time": f"/v1/crosswalk:lookup?as_of={then}"}
    head = (
        f"host: localhost\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    requests: dict[str, serving.Requests] = {
        name: partial(bytes, f"POST {path} HTTP/1.1\r\n{head}".encode() + body) for name, path in paths.items()
    }
    with serving.running_server() as served:
        found = serving.run(served.port, requests, 1, 3)
    return [
        Line(
            f"crosswalk of {KEYS:,} keys, {name}, p95",
            statistics.median(one.percentile(0.95) for one in rounds),
            "ms",
            GOAL_KEYS_MS if name == "now" else None,
            note="one connection",
        )
        for name, rounds in found.items()
    ]


def previews(resolver: Resolver) -> Line:
    """Look at merges of two golden records each."""
    with db.transaction() as session:
        ids = [
            row[0]
            for row in sql.rows(session, "SELECT golden_id FROM golden WHERE status = 'live' ORDER BY md5(golden_id::text)")
        ]
    wishes = [
        Wish("match", Side(golden_id=one), Side(golden_id=other), "bench")
        for one, other in zip(ids[:TIMES], ids[TIMES : 2 * TIMES], strict=True)
    ]
    taken = sorted(milliseconds(partial(settle.look, resolver, STEWARD, wish)) for wish in wishes)
    return Line(
        "merge preview, p95",
        taken[int(len(taken) * 0.95)],
        "ms",
        GOAL_PREVIEW_MS,
        note=f"median {statistics.median(taken):.0f} ms",
    )


def milliseconds(act: Callable[[], object]) -> float:
    """How long an act takes."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1e3


def verified() -> Line:
    """Verify everything as `mdm verify` does; processor time of this process is told beside, for a busy machine."""
    collect_seldom()
    worked = time.process_time()
    report = verify.verify(db.transaction, tasks)
    worked = time.process_time() - worked
    if report.differences:
        raise RuntimeError(f"{len(report.differences)} differences")
    rate = report.goldens / report.seconds
    note = f"{report.goldens:,} goldens, {worked / report.goldens * 1e6:.0f} µs of this process each"
    return Line("mdm verify", rate, "goldens/s", GOAL_VERIFIED, at_most=False, note=note)
