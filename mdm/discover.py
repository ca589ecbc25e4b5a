"""All decisions that the stored records should have, found by either of the two paths: by a bulk engine, or online key by key.

Both give the same decisions, bit for bit; `mdm.reconcile` takes the first, `mdm.verify` whichever did not write what it checks.
Only reads.
"""

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import pyarrow as pa
from sqlmodel import Session

from matching.bulk import forms_table
from matching.bulk_engine import BulkEngine
from matching.bulk_pairs import PAIRS_SCHEMA
from matching.score import Scored
from mdm import candidates, exact_copies, key_index, sql
from mdm.appraisal import PARTLY_FILED_CODES
from mdm.decisions import PairDecision
from mdm.judge import decision_of, pair_decisions
from mdm.records import ComparedRecord, Pair, Shelf
from mdm.versions import VersionSet

GATHERED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Discovered:
    """The decisions there should be, the keys that are hot, and how many records have no key, or none that is not hot.

    `copies`: the chains of exact copies, as pairs.
    """

    pairs: int
    decisions: Sequence[PairDecision]
    hot: frozenset[int]
    keyless: int = 0
    unreachable: int = 0
    copies: frozenset[Pair] = frozenset()


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everybody, by position: what pairs are decided by (None: it cannot be used), their forms as a table, all their keys.

    `copies` are the chains of exact copies, by id.
    """

    record_ids: Sequence[uuid.UUID]
    records: Sequence[ComparedRecord | None]
    forms: pa.Table
    keys: pa.Table
    partly_filed: int = 0
    copies: frozenset[Pair] = frozenset()

    @property
    def unusable(self) -> set[uuid.UUID]:
        """Who cannot be used."""
        return {record_id for record_id, record in zip(self.record_ids, self.records, strict=True) if record is None}


def gather(session: Session, versions: VersionSet, shelf: Shelf) -> Gathered:
    """Read all living records, a batch at a time: of each its form is kept, not the record it was made of."""
    index = key_index.read(session)
    records: list[ComparedRecord | None] = []
    tables: list[pa.Table] = []
    for batch in batches(index.record_ids, GATHERED_AT_ONCE):
        found = shelf.compared(session, batch)
        held = [found.get(one) for one in batch]
        named = [(str(at), one.form) for at, one in enumerate(held, len(records)) if one]
        tables.append(forms_table([name for name, _ in named], [form for _, form in named], versions.model.extras))
        records += held
    empty = forms_table([], [], versions.model.extras)
    partly_filed = "SELECT count(*) FROM standard_record WHERE appraisal && %s"
    counted = sql.rows(session, partly_filed, [list(PARTLY_FILED_CODES)])
    copies = frozenset(exact_copies.every(session, versions))
    return Gathered(index.record_ids, records, pa.concat_tables([empty, *tables]), index.keys, counted[0][0], copies)


def in_bulk(versions: VersionSet, everybody: Gathered, engine: BulkEngine) -> Discovered:
    """Find, score and decide all pairs with a bulk engine. Pure; holds all forms and decisions in memory, scored pairs some at a
    time."""
    groups = by_domain(versions, (one.source if one else None for one in everybody.records))
    copies = by_place(everybody.copies, everybody.record_ids)
    found = engine.find_pairs(everybody.keys, groups, copies)
    made: list[PairDecision] = []
    may_decide = bool(versions.identifier_rules)  # Below the component line only that comes back to Python.
    for scored in engine.scored(versions.model, everybody.forms, found.pairs, versions.lines.component, may_decide):
        made += _decided(versions, everybody.records, scored)
    return Discovered(found.pairs.num_rows, made, found.hot, found.keyless, found.unreachable, everybody.copies)


def by_domain(versions: VersionSet, sources: Iterable[str | None]) -> pa.Array:
    """Number the identity domain of each record by its source: whom `find_pairs` compares; null for a record without."""
    domains: dict[str, int] = {}
    groups = [None if one is None else domains.setdefault(versions.domain(one), len(domains)) for one in sources]
    return pa.array(groups, pa.int32())


def by_place(pairs: Collection[Pair], record_ids: Sequence[uuid.UUID]) -> pa.Table:
    """Name the records of pairs by their places among all ids: PAIRS_SCHEMA."""
    places = {record_id: at for at, record_id in enumerate(record_ids)} if pairs else {}
    columns = [pa.array([places[pair[side]] for pair in pairs], pa.int32()) for side in (0, 1)]
    return pa.Table.from_arrays(columns, schema=PAIRS_SCHEMA)


def _decided(versions: VersionSet, records: Sequence[ComparedRecord | None], scored: pa.Table) -> Iterator[PairDecision]:
    """Decide scored pairs."""
    sides = [scored.column(side).cast(pa.int32()).to_pylist() for side in ("record_a", "record_b")]
    levels, weights = scored.column("levels").to_pylist(), scored.column("weight").to_pylist()
    for at_a, at_b, levels_of, weight in zip(*sides, levels, weights, strict=True):
        a, b = records[at_a], records[at_b]
        decision = decision_of(versions, a, b, Scored(tuple(levels_of), weight, ())) if a and b else None
        if decision:
            yield decision


def online(
    session: Session,
    versions: VersionSet,
    shelf: Shelf,
    record_ids: Sequence[uuid.UUID],
    size: int = 500,
    beside: AbstractSet[uuid.UUID] = frozenset(),
) -> Discovered:
    """Find, score and decide all pairs of the records, as resolution does, a batch at a time; none with those `beside` them."""
    pairs: set[Pair] = set()
    made: dict[Pair, PairDecision] = {}
    hot: frozenset[int] = frozenset()
    copies: set[Pair] = set()
    keyless = unreachable = 0
    for batch in batches(record_ids, size):
        found = candidates.find(session, versions, batch)
        fresh = {pair for pair in found.pairs - pairs if beside.isdisjoint(pair)}
        records = shelf.load(session, {one for pair in fresh for one in pair}.union(batch))
        made.update((one.pair, one) for one in pair_decisions(versions, fresh, records))
        pairs |= found.pairs
        hot |= found.hot
        copies |= exact_copies.pairs(found.copies)
        keyless += len(found.keyless & records.keys())
        unreachable += len(found.unreachable & records.keys())
    return Discovered(len(pairs), list(made.values()), hot, keyless, unreachable, frozenset(copies))


def batches(record_ids: Sequence[uuid.UUID], size: int) -> Iterator[Collection[uuid.UUID]]:
    """Cut a sequence into batches."""
    return (record_ids[start : start + size] for start in range(0, len(record_ids), size))
