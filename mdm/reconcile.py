"""Resolution in bulk: all pairs by the bulk engine, then the same components, changes and golden records, in chunks.

Comes to exactly what the online path comes to. Safe beside running workers: what changed since its snapshot is left to them.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence

from kernel import clock
from mdm import candidates, decisions, discover, pending, sql, versions
from mdm.discover import Discovered
from mdm.records import Shelf
from mdm.resolve import Batch, Resolved, Resolver, snapshot
from mdm.versions import VersionSet

CHUNK = 500
DECISIONS_CHUNK = 5_000
LEASE_SECONDS = 600.0
Progress = Callable[[int, int], None]


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


def reconcile(resolver: Resolver, progress: Progress = _silent) -> Resolved:
    """Resolve everything anew. Takes what is owed and free off the workers' hands; `progress` hears of (done, total) records."""
    owner = str(clock.uuid7())
    with resolver.steps() as session:
        current = versions.adopt(session)
        claims = pending.claim_next(session, owner, 2**31 - 1, LEASE_SECONDS)
    result = _decide(resolver, current)
    with snapshot(resolver.steps) as session:
        everyone = [row[0] for row in sql.rows(session, "SELECT record_id FROM crosswalk ORDER BY record_id")]
    waiting = {claim.record_id: claim for claim in claims}
    done: set[uuid.UUID] = set()
    for chunk in _chunks(everyone, done):
        mine = [waiting.pop(record_id) for record_id in chunk if record_id in waiting]
        batch = Batch(resolver, current, mine, owner, touched=set(chunk))
        done |= batch.settle()
        result += batch.result
        progress(len(done), len(everyone))
    return result


def _chunks(everyone: Sequence[uuid.UUID], done: set[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    """Yield the next records that no earlier chunk has settled along with its own."""
    chunk: list[uuid.UUID] = []
    for record_id in everyone:
        if record_id not in done:
            chunk.append(record_id)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _decide(resolver: Resolver, current: VersionSet) -> Resolved:
    """Write the decisions that the records of one snapshot should have, and end those that they should not."""
    with snapshot(resolver.steps) as session:
        ids = [row[0] for row in sql.rows(session, "SELECT record_id FROM standard_record")]
        records = Shelf(size=len(ids)).load(session, ids)
        keys = discover.read_keys(session)
        live = decisions.all_live(session)
    found = discover.in_bulk(current, records, keys)
    _write(resolver, current, found, live)
    return Resolved(records=len(ids), pairs=found.pairs, decisions=len(found.decisions), hot_keys=len(found.hot))


def _write(
    resolver: Resolver, current: VersionSet, found: Discovered, live: dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID]]
) -> None:
    pairs = {one.pair for one in found.decisions}
    gone = [decision_id for decision_id, pair in live.items() if pair not in pairs]
    with resolver.steps() as session:
        candidates.note_hot(session, found.hot)
        decisions.supersede(session, gone, "no_longer_a_candidate")
    for start in range(0, len(found.decisions), DECISIONS_CHUNK):
        with resolver.steps() as session:
            decisions.store(session, found.decisions[start : start + DECISIONS_CHUNK], current.decision_secret)
