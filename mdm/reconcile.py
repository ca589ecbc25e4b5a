"""Resolution in bulk: all pairs by the bulk engine, then the same components, changes and golden records, in chunks.

Comes to exactly what the online path comes to. Safe beside running workers: what changed since its snapshot is left to them.
"""

import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from sqlmodel import Session

from kernel import clock, db, log
from kernel.errors import Conflict
from matching.bulk_engine import bulk_engine
from matching.engine import DEFAULT_MEMORY_LIMIT, EngineName
from mdm import candidates, decisions, discover, exact_copies, loads, pending, restandardize, versions
from mdm.crew import WORTH_A_CREW
from mdm.decisions import PairDecision
from mdm.discover import Discovered
from mdm.foreknown import Foreknown, foreknown
from mdm.records import Pair, living
from mdm.resolve import Batch, Resolved, Resolver
from mdm.settling import helpers, settle_all
from mdm.shadows import Watcher
from mdm.steps import snapshot
from mdm.versions import VersionSet

CHUNK = 500
DECISIONS_CHUNK = 5_000
LEASE_SECONDS = 600.0
BULK_SHARE = 4  # A backlog of a quarter of all records and more is resolved in bulk: that looks at all of them.
Progress = Callable[[int, int], None]
logger = log.get_logger()


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


class Path(StrEnum):
    """How pairs are found and scored: one by one over the key index, or all at once by a bulk engine. Both come to the same."""

    ONLINE = "online"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which path is worth taking for how many records, the memory that the engine may use on the bulk path, how many processes
    settle (of a resolver whose functions can be imported by name when they are several), and which engine it is."""

    path: Path
    records: int
    memory_limit: str = DEFAULT_MEMORY_LIMIT
    processes: int = 1
    engine: EngineName = EngineName.DUCKDB


def choose(
    session: Session,
    bulk_from_records: int,
    memory_limit: str = DEFAULT_MEMORY_LIMIT,
    processes: int = 1,
    engine: EngineName = EngineName.DUCKDB,
) -> Choice:
    """Choose by the number of living records: below `bulk_from_records` laying out tables for an engine costs more than it saves,
    and below some more so do helpers."""
    records = living(session)
    path = Path.BULK if records >= bulk_from_records else Path.ONLINE
    return Choice(path, records, memory_limit, processes if records >= WORTH_A_CREW else 1, engine)


def is_worth_it(session: Session, owed: int, bulk_from_records: int) -> bool:
    """Say whether so many records that wait are better resolved by resolving everybody in bulk: many, and not few of all."""
    records = living(session)
    return owed >= max(1, bulk_from_records) and owed * BULK_SHARE >= records


def reconcile(
    resolver: Resolver,
    progress: Progress = _silent,
    chunk_size: int = CHUNK,
    choice: Choice = Choice(Path.BULK, 0),
    load_id: uuid.UUID | None = None,
) -> Resolved:
    """Resolve everything anew. Takes what is owed and free off the workers' hands; `progress` hears of (done, total) records.

    Killed anywhere, what it held is owed again: its claims, and every record whose decisions it ended; begun again under the same
    `load_id` it has its claims back at once. Raises: Conflict when another version set becomes current meanwhile: run it again.
    """
    load_id = load_id or clock.uuid7()
    owner = str(load_id)
    with resolver.steps() as session:
        current = versions.adopt(session)
        taken = pending.claim_next(session, owner, 2**31 - 1, LEASE_SECONDS)
        loads.keep(session, load_id, loads.RECONCILE, list(current.policy.sources))
    batch = Batch(resolver, current, {claim.record_id: claim for claim in taken}, owner, LEASE_SECONDS, load_id=load_id)
    try:
        with helpers(batch, choice.processes) as crew:
            unusable, known = _decide_all(batch, choice)
            telling = loads.keeping(resolver.steps, load_id, list(current.policy.sources), progress)
            settle_all(batch, known, telling, chunk_size, crew)
    finally:  # To the workers: what was not reached, what cannot be used, and what met too much company.
        batch.give_back(batch.claims.keys() | {claim.record_id for claim in taken})
        with suppress(*db.UNAVAILABLE), resolver.steps() as session:  # Cut off as well, it has told of its events by a load.
            loads.close(session, load_id, loads.RECONCILE, list(current.policy.sources))
    logger.info("reconciled", unusable=len(unusable))
    Watcher(resolver.steps, resolver.shelf).watch_stored()
    return batch.result


def _decide_all(batch: Batch, choice: Choice) -> tuple[set[uuid.UUID], Foreknown]:
    """Renew all records and write all decisions; the records that cannot be used, which are no claims of the batch any more, and
    what is known of the pairs that are decided."""
    refresh(batch.resolver, batch.versions)
    unusable, known = _decide(batch, choice)
    for record_id in unusable & batch.claims.keys():
        del batch.claims[record_id]
    return unusable, known


def refresh(resolver: Resolver, current: VersionSet) -> None:
    """Renew, a chunk a step, what an older program or policy made. Raises: Conflict when another version set became current."""
    with snapshot(resolver.steps) as session:
        ids = restandardize.stale(session, current.policy)
    for start in range(0, len(ids), CHUNK):
        _refresh_some(resolver, current, ids[start : start + CHUNK])


def _refresh_some(resolver: Resolver, current: VersionSet, ids: Sequence[uuid.UUID]) -> None:
    """Renew some records; when that fails, in halves, until a record that fails alone is left to the workers."""
    try:
        with resolver.steps() as session:
            versions.still(session, current)
            restandardize.refresh(session, current.policy, ids)
    except (*db.UNAVAILABLE, Conflict):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a record provokes must not stop the others
        half = len(ids) // 2
        if half:
            _refresh_some(resolver, current, ids[:half])
            _refresh_some(resolver, current, ids[half:])
        else:
            logger.warning("renewal_failed", record_id=str(ids[0]), error=type(error).__name__)
            with resolver.steps() as session:
                pending.request(session, ids, "renewal_failed", fresh=False)


def _decide(batch: Batch, choice: Choice) -> tuple[set[uuid.UUID], Foreknown]:
    """Write the decisions that the records of one snapshot should have, end the others; gives the records that cannot be used,
    and what is known of the pairs that are decided."""
    shelf = batch.resolver.shelf(batch.versions)
    with snapshot(batch.resolver.steps) as session:
        everybody = discover.gather(session, batch.versions, shelf)
        live = decisions.all_live(session)
        online = discover.online(session, batch.versions, shelf, everybody.record_ids) if choice.path is Path.ONLINE else None
    found = online or _in_bulk(batch, everybody, choice)
    _write(batch, found, live)
    batch.result += Resolved(
        records=len(everybody.records) - len(everybody.unusable),
        pairs=found.pairs,
        decisions=len(found.decisions),
        hot_keys=len(found.hot),
        keyless=found.keyless,
        unreachable=found.unreachable,
        partly_filed=everybody.partly_filed,
    )
    return everybody.unusable, foreknown(batch.versions, found.decisions, everybody.records)


def _in_bulk(batch: Batch, everybody: discover.Gathered, choice: Choice) -> Discovered:
    with bulk_engine(choice.engine, choice.memory_limit, choice.processes) as engine:
        return discover.in_bulk(batch.versions, everybody, engine)


def _write(batch: Batch, found: Discovered, live: dict[uuid.UUID, Pair]) -> None:
    pairs = {one.pair for one in found.decisions}
    gone = [decision_id for decision_id, pair in live.items() if pair not in pairs]

    def end(session: Session) -> list[pending.Claim]:
        candidates.note(session, found.hot, ())
        candidates.cool(session)
        return batch.hold(session, decisions.supersede(session, gone, "no_longer_a_candidate"))

    def store(session: Session, some: Sequence[PairDecision]) -> list[pending.Claim]:
        return batch.hold(session, decisions.store(session, some, batch.versions.decision_secret).lost)

    batch.adopt(batch.step(end))
    for start in range(0, len(found.decisions), DECISIONS_CHUNK):
        batch.adopt(batch.step(partial(store, some=found.decisions[start : start + DECISIONS_CHUNK])))
    batch.step(lambda session: candidates.redo_crossed(session, found.hot))
    batch.step(lambda session: exact_copies.redo_changed(session, batch.versions, found.copies))
