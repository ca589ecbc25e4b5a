"""Reads everything a change plan must see: the components around records, closed over former members and founders.

A golden id's fate hangs on all its founders, wherever they are now, and on whoever lives under it; so the closure holds, for
every record in it, its component, the records that share its golden id, the founders of every id concerned, the records
whose customer confirmed one of these ids, and those that a steward set a value of together. Only reads.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import Session

from matching.blocking import IDENTIFIER_RULE
from matching.components import Component
from matching.union import Union
from mdm import assertions, decisions, overrides, sql
from mdm.assertions import Assertion
from mdm.decisions import StewardDecision
from mdm.graph import EdgesOf, Graph
from mdm.override_values import Override
from mdm.steward_decisions import NOTHING, Supposed
from mdm.versions import VersionSet

KEYS_EACH = 20  # About as many keys has a record.


@dataclass(frozen=True, slots=True)
class RecordHead:
    """Where a record stands: its golden id so far (None: none yet), and at which rung its component was last small enough."""

    record_id: uuid.UUID
    source: str
    source_key: str
    brand: str
    region: str
    state: str
    golden_id: uuid.UUID | None
    version_no: int
    rung: int
    is_deleted: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class GoldenHead:
    """What a golden id answers so far, without its body."""

    golden_id: uuid.UUID
    issue_no: int
    status: str
    redirect_to: uuid.UUID | None
    split_into: tuple[uuid.UUID, ...]
    version: int
    brands: tuple[str, ...]
    regions: tuple[str, ...]
    content_hash: bytes
    version_set_id: int
    computed_at: datetime


@dataclass(frozen=True, slots=True)
class Closure:
    """All that is needed to say which golden ids its records live under. `outgrown`: see `mdm.graph.Graph`."""

    components: tuple[Component[uuid.UUID], ...]
    rules: tuple[StewardDecision, ...]
    records: Mapping[uuid.UUID, RecordHead]
    founders: Mapping[uuid.UUID, frozenset[uuid.UUID]]
    goldens: Mapping[uuid.UUID, GoldenHead]
    outgrown: Mapping[uuid.UUID, int]
    assertions: tuple[Assertion, ...] = ()
    hot_identifiers: frozenset[int] = frozenset()
    overrides: tuple[Override, ...] = ()


def read(
    session: Session,
    starts: Collection[uuid.UUID],
    of: VersionSet,
    edges_of: EdgesOf = decisions.edges,
    supposed: Supposed = NOTHING,
) -> Closure:
    """Read the closure of some records, a round at a time until nothing new is found (nearly always in the second)."""
    graph = Graph(session, of, edges_of, supposed)
    said: dict[uuid.UUID, Assertion] = {}
    values: dict[uuid.UUID, Override] = {}
    components: list[Component[uuid.UUID]] = []
    records: dict[uuid.UUID, RecordHead] = {}
    founders: dict[uuid.UUID, set[uuid.UUID]] = {}
    waiting = set(starts)
    while waiting:
        found = graph.components(waiting)
        components += found
        fresh = (waiting | {one for component in found for one in component.records}) - records.keys()
        heads = _heads(session, fresh)
        records |= heads
        golden_ids = _golden_ids(session, heads) - founders.keys()
        confirmed = {one.record_id: one for one in assertions.around(session, fresh, golden_ids, of)}
        named = {one.golden_id for one in confirmed.values()} - founders.keys() - golden_ids
        if named:
            confirmed |= {one.record_id: one for one in assertions.around(session, (), named, of)}
        said |= confirmed
        golden_ids |= named
        founders |= {golden_id: set() for golden_id in golden_ids}
        near = _around(session, golden_ids, founders)
        found_values = supposed.overrides_about(overrides.about(session, fresh), fresh)
        spoken_of = {one for known, value in found_values.items() if known not in values for one in value.records}
        values |= found_values
        waiting = near.union(confirmed, spoken_of) - records.keys()
    return Closure(
        components=tuple(components),
        rules=tuple(graph.rules.values()),
        records=records,
        founders={golden_id: frozenset(held) for golden_id, held in founders.items()},
        goldens=goldens(session, founders.keys()),
        outgrown=graph.outgrown,
        assertions=tuple(said.values()),
        hot_identifiers=_hot_identifiers(session, records) if of.identifier_rules else frozenset(),
        overrides=tuple(values.values()),
    )


def _hot_identifiers(session: Session, record_ids: Collection[uuid.UUID]) -> frozenset[int]:
    """Read the hot keys under which identifiers of the records are filed: not all their holders are in the component.

    A key is of one rule, which any of its rows tells: next to no hot key is an identifier's, and only of those who holds it is
    asked. Where there are more hot keys than the records can have keys, as among millions, it is their keys that are looked up.
    """
    found = sql.rows(
        session,
        """WITH many AS (SELECT count(*) > %(most)s AS are FROM (SELECT FROM hot_key LIMIT %(most)s + 1) AS looked_at)
           SELECT blocking_key FROM hot_key h
           WHERE (SELECT NOT are FROM many)
             AND CASE WHEN (SELECT b.rule FROM blocking_key b WHERE b.blocking_key = h.blocking_key LIMIT 1) = %(rule)s
             THEN EXISTS (SELECT FROM blocking_key b WHERE b.blocking_key = h.blocking_key AND b.record_id = ANY(%(ids)s)) END
           UNION
           SELECT blocking_key FROM unnest(%(ids)s::uuid[]) AS mine (record_id) CROSS JOIN LATERAL (
             SELECT b.blocking_key FROM blocking_key b WHERE b.record_id = mine.record_id AND b.rule = %(rule)s OFFSET 0) AS filed
           JOIN hot_key USING (blocking_key)
           WHERE (SELECT are FROM many)""",
        {"rule": IDENTIFIER_RULE, "ids": list(record_ids), "most": len(record_ids) * KEYS_EACH},
    )
    return frozenset(row[0] for row in found)


def _heads(session: Session, record_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, RecordHead]:
    found = sql.rows(
        session,
        """SELECT c.record_id, r.source, r.source_key, r.brand, r.region, c.state, c.golden_id, r.version_no, c.rung,
             r.is_deleted, r.created_at
           FROM crosswalk c JOIN source_record r USING (record_id) WHERE c.record_id = ANY(%s)""",
        [list(record_ids)],
    )
    return {row[0]: RecordHead(*row) for row in found}


def _golden_ids(session: Session, heads: Mapping[uuid.UUID, RecordHead]) -> set[uuid.UUID]:
    founded = sql.rows(session, "SELECT DISTINCT golden_id FROM founder WHERE record_id = ANY(%s)", [list(heads)])
    return {row[0] for row in founded} | {head.golden_id for head in heads.values() if head.golden_id}


def _around(session: Session, golden_ids: Collection[uuid.UUID], founders: dict[uuid.UUID, set[uuid.UUID]]) -> set[uuid.UUID]:
    """Read founders and members of the ids; notes the founders, gives both."""
    if not golden_ids:
        return set()
    ids = [list(golden_ids)]
    near = {row[0] for row in sql.rows(session, "SELECT record_id FROM crosswalk WHERE golden_id = ANY(%s)", ids)}
    for golden_id, record_id in sql.rows(session, "SELECT golden_id, record_id FROM founder WHERE golden_id = ANY(%s)", ids):
        founders[golden_id].add(record_id)
        near.add(record_id)
    return near


def goldens(session: Session, golden_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, GoldenHead]:
    """Read the heads of golden ids."""
    found = sql.rows(
        session,
        """SELECT golden_id, issue_no, status, redirect_to, split_into, version, brands, regions, content_hash, version_set_id,
             computed_at
           FROM golden WHERE golden_id = ANY(%s)""",
        [list(golden_ids)],
    )
    return {row[0]: _golden_head(row) for row in found}


def _golden_head(row: sql.Row) -> GoldenHead:
    golden_id, issue_no, status, redirect_to, split_into, version, brands, regions, content_hash, *stamps = row
    return GoldenHead(
        golden_id, issue_no, status, redirect_to, tuple(split_into), version, tuple(brands), tuple(regions), bytes(content_hash),
        *stamps,
    )  # fmt: skip


def split(closure: Closure) -> list[Closure]:
    """Cut a closure into units that have nothing to do with each other: by component, by golden id lived under, by founder."""
    find = _together(closure)
    units: dict[uuid.UUID, _Unit] = {}
    for record, head in closure.records.items():
        units.setdefault(find(record), _Unit()).records[record] = head
    for component in closure.components:
        units[find(next(iter(component.records)))].components.append(component)
    for golden_id, founders in closure.founders.items():
        holder = next((record for record in founders if record in closure.records), None)
        if holder is not None:
            units[find(holder)].golden_ids.append(golden_id)
    return [unit.of(closure) for unit in units.values()]


def _together(closure: Closure) -> Callable[[uuid.UUID], uuid.UUID]:
    """Give the function that names, for each record, the one that stands for all that hang together with it."""
    union = Union[uuid.UUID]()
    for together in _bonds(closure):
        known = [record for record in together if record in closure.records]
        for other in known[1:]:
            union.join(known[0], other)
    return union.first


def _bonds(closure: Closure) -> Iterator[Iterable[uuid.UUID]]:
    lives_under: dict[uuid.UUID, list[uuid.UUID]] = {}
    for head in closure.records.values():
        if head.golden_id:
            lives_under.setdefault(head.golden_id, list(closure.founders.get(head.golden_id, ()))).append(head.record_id)
    yield from (component.records for component in closure.components)
    yield from lives_under.values()
    yield from closure.founders.values()
    yield from ((one.record_id, *closure.founders.get(one.golden_id, ())) for one in closure.assertions)
    yield from (one.records for one in closure.overrides)


def rules_about(rules: Iterable[StewardDecision], records: AbstractSet[uuid.UUID]) -> list[StewardDecision]:
    """Pick the stewards' decisions that speak of the records, also through matches of records that are gone."""
    reached, left, found = set(records), list(rules), []
    while near := [rule for rule in left if not rule.records.isdisjoint(reached)]:
        found += near
        reached.update(record for rule in near if rule.is_match for record in rule.records)
        left = [rule for rule in left if rule not in near]
    return found


@dataclass(slots=True)
class _Unit:
    """A unit while it is gathered."""

    records: dict[uuid.UUID, RecordHead] = field(default_factory=dict)
    components: list[Component[uuid.UUID]] = field(default_factory=list)
    golden_ids: list[uuid.UUID] = field(default_factory=list)

    def of(self, whole: Closure) -> Closure:
        """The unit as a closure of its own."""
        return Closure(
            tuple(self.components),
            tuple(rules_about(whole.rules, self.records.keys())),
            self.records,
            {golden_id: whole.founders[golden_id] for golden_id in self.golden_ids},
            {golden_id: whole.goldens[golden_id] for golden_id in self.golden_ids if golden_id in whole.goldens},
            {},  # Who outgrew the cap is told once, of the whole.
            tuple(one for one in whole.assertions if one.record_id in self.records),
            whole.hot_identifiers,
            tuple(one for one in whole.overrides if not one.records.isdisjoint(self.records)),
        )


def without(closure: Closure, lost: AbstractSet[uuid.UUID]) -> Closure:
    """Leave records out of their components, as if they were gone: those that cannot be used until they are mended."""
    if not any(not lost.isdisjoint(component.records) for component in closure.components):
        return closure
    kept = (
        replace(component, records={one: form for one, form in component.records.items() if one not in lost})
        for component in closure.components
    )
    return replace(closure, components=tuple(component for component in kept if component.records))


def lock(session: Session, record_ids: Collection[uuid.UUID]) -> None:
    """Lock the crosswalk rows of the records in record order, so that two workers never wait for each other in a circle."""
    sql.run(session, "SELECT 1 FROM crosswalk WHERE record_id = ANY(%s) ORDER BY record_id FOR UPDATE", [list(record_ids)])


def digests(session: Session, record_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Read for each record a digest of all that its resolution hangs on; equal digests: nothing changed. One statement.

    OFFSET 0: as in `mdm.decisions`, no plan may read all live pairs.

    Covers the record's version, policy and time, its golden id and that one's version, decisions and stewards' rules about it.
    """
    found = sql.rows(
        session,
        """WITH mine AS (SELECT unnest(%(ids)s::uuid[]) AS record_id),
           live AS (
             SELECT record_id, decision_id FROM mine CROSS JOIN LATERAL (
               (SELECT decision_id FROM decision WHERE superseded_at IS NULL AND record_a = mine.record_id OFFSET 0)
               UNION ALL
               (SELECT decision_id FROM decision WHERE superseded_at IS NULL AND record_b = mine.record_id OFFSET 0)) AS pairs
             UNION ALL SELECT record_id, decision_id FROM mine CROSS JOIN LATERAL (
               SELECT decision_id FROM decision WHERE superseded_at IS NULL AND reason_code = 'override'
                 AND right_records @> ARRAY[mine.record_id] OFFSET 0) AS overrides
             WHERE EXISTS (SELECT FROM steward_record)
             UNION ALL SELECT named, decision_id FROM decision, unnest(left_records || right_records) AS named
             WHERE superseded_at IS NULL AND record_a IS NULL AND reason_code <> 'override'
               AND (left_records && %(ids)s::uuid[] OR right_records && %(ids)s::uuid[])),
           said AS (
             SELECT record_id, concat_ws('/', count(*), bit_xor(uuid_hash_extended(decision_id, 0)),
               bit_xor(uuid_hash_extended(decision_id, 1))) AS decisions
             FROM live GROUP BY record_id)
           SELECT c.record_id, concat_ws('|', r.version_no, s.version_no, s.policy_version, s.standardizer, s.observed_at,
             c.golden_id, g.version, g.status, c.state = 'deleted', said.decisions)
           FROM mine JOIN crosswalk c USING (record_id) JOIN source_record r USING (record_id)
           LEFT JOIN standard_record s USING (record_id) LEFT JOIN golden g ON g.golden_id = c.golden_id
           LEFT JOIN said USING (record_id)""",
        {"ids": list(record_ids)},
    )
    return {record_id: digest for record_id, digest in found}


def outgrown(session: Session, reached: Mapping[uuid.UUID, int], owner: str) -> list[uuid.UUID]:
    """Of records whose component a rung no longer holds: those last seen to fit there, to be looked at again.

    Not those that are owed a look already, unless somebody else has begun it and may know less; the owner's own come later.
    """
    found = sql.rows(
        session,
        """SELECT c.record_id FROM crosswalk c JOIN unnest(%s::uuid[], %s::int[]) AS o (record_id, rung) USING (record_id)
           WHERE c.rung <= o.rung AND NOT EXISTS (
             SELECT FROM pending_record p
             WHERE p.record_id = c.record_id AND (p.lease_owner IS NULL OR p.lease_owner = %s))""",
        [list(reached), list(reached.values()), owner],
    )
    return [row[0] for row in found]
