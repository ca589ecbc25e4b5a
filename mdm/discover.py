"""All decisions that the stored records should have, found by either of the two paths: bulk (DuckDB) or online (key by key).

Both give the same decisions, bit for bit; `mdm.reconcile` takes the first, `mdm.verify` whichever did not write what it checks.
Only reads.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlmodel import Session

from matching.bulk import candidate_pairs, forms_table, hot_keys, score_candidates
from matching.score import Scored
from mdm import candidates, sql
from mdm.decisions import PairDecision
from mdm.judge import decision_of, pair_decisions
from mdm.records import CurrentRecord, Pair, Shelf
from mdm.versions import VersionSet

KEYS_SCHEMA = pa.schema([("blocking_key", pa.int64()), ("record_id", pa.string())])


@dataclass(frozen=True, slots=True)
class Discovered:
    """The decisions there should be, the keys that are hot, and how many records have no key, or none that is not hot."""

    pairs: int
    decisions: Sequence[PairDecision]
    hot: frozenset[int]
    keyless: int = 0
    unreachable: int = 0


def read_keys(session: Session) -> pa.Table:
    """Read the whole key index."""
    found = sql.rows(session, "SELECT blocking_key, record_id::text FROM blocking_key")
    return pa.table(
        {
            "blocking_key": pa.array([row[0] for row in found], pa.int64()),
            "record_id": pa.array([row[1] for row in found], pa.string()),
        },
        schema=KEYS_SCHEMA,
    )


def in_bulk(versions: VersionSet, records: Mapping[uuid.UUID, CurrentRecord], keys: pa.Table) -> Discovered:
    """Find, score and decide all pairs with the bulk engine. Pure given the keys and records; holds all of them in memory."""
    named = {str(record_id): record for record_id, record in records.items()}
    forms = forms_table(list(named), [record.form for record in named.values()], versions.model.extras)
    pairs = _comparable(versions, candidate_pairs(keys), named)
    scored = score_candidates(versions.model, forms, pairs).to_pydict() if pairs.num_rows else {"record_a": []}
    made = [
        decision_of(versions, named[a], named[b], Scored(tuple(scored["levels"][row]), scored["weight"][row], ()))
        for row, (a, b) in enumerate(zip(scored["record_a"], scored.get("record_b", ()), strict=True))
    ]
    hot = frozenset(hot_keys(keys).column("blocking_key").to_pylist())
    keyed = set(keys.column("record_id").unique().to_pylist())
    usable = keys.filter(pc.invert(pc.is_in(keys.column("blocking_key"), value_set=pa.array(hot, pa.int64()))))
    reachable = set(usable.column("record_id").unique().to_pylist())
    decided = [one for one in made if one]
    return Discovered(pairs.num_rows, decided, hot, len(named.keys() - keyed), len((named.keys() & keyed) - reachable))


def _comparable(versions: VersionSet, pairs: pa.Table, named: Mapping[str, CurrentRecord]) -> pa.Table:
    """Leave out pairs of different identity domains, which are never compared, and of records that went in between."""
    columns = (pairs.column("record_a").to_pylist(), pairs.column("record_b").to_pylist())
    kept = [
        a in named and b in named and versions.domain(named[a].source) == versions.domain(named[b].source)
        for a, b in zip(*columns, strict=True)
    ]
    return pairs.filter(pa.array(kept, pa.bool_()))


def online(session: Session, versions: VersionSet, shelf: Shelf, record_ids: Sequence[uuid.UUID], size: int = 500) -> Discovered:
    """Find, score and decide all pairs of the records, as resolution does, a batch at a time."""
    pairs: set[Pair] = set()
    made: dict[Pair, PairDecision] = {}
    hot: frozenset[int] = frozenset()
    for batch in batches(record_ids, size):
        found = candidates.find(session, batch)
        records = shelf.load(session, {one for pair in found.pairs for one in pair}.union(batch))
        made.update((one.pair, one) for one in pair_decisions(versions, found.pairs - pairs, records))
        pairs |= found.pairs
        hot |= found.hot
    return Discovered(len(pairs), list(made.values()), hot)


def batches(record_ids: Sequence[uuid.UUID], size: int) -> Iterator[Collection[uuid.UUID]]:
    """Cut a sequence into batches."""
    return (record_ids[start : start + size] for start in range(0, len(record_ids), size))
