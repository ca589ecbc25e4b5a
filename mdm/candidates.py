"""The blocking-key index in PostgreSQL: which pairs of records share a key that is not hot.

A key held by more records than its limit (`matching.hot_keys`) is hot: it yields no pair by itself, the refined keys of its
records do (they are stored beside it, and share its pairs while it is not hot). Crossing the limit, up or down, re-queues the
records of the key. Exact copies are pairs besides (`mdm.exact_copies`). Never scores, never decides.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from matching.blocking import REFINED_STEP, left_out
from matching.hot_keys import LIMITS
from mdm import exact_copies, pending, sql
from mdm.appraisal import PARTLY_FILED_CODES
from mdm.exact_copies import Beside
from mdm.records import CurrentRecord, Pair
from mdm.versions import VersionSet


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the key index says about a batch: pairs with ids ordered, and what it could not say.

    `hot` are keys over the limit, `cool` all others; `keyless` records have no key at all; `unreachable` have keys, but every
    one is hot: of them only exact copies are found. `copies`: where those stand that have any.
    """

    pairs: frozenset[Pair]
    hot: frozenset[int] = frozenset()
    cool: frozenset[int] = frozenset()
    keyless: frozenset[uuid.UUID] = frozenset()
    unreachable: frozenset[uuid.UUID] = frozenset()
    copies: Mapping[uuid.UUID, Beside] = field(default_factory=dict)


def find(session: Session, of: VersionSet, record_ids: Collection[uuid.UUID]) -> Candidates:
    """Find all pairs of which at least one record is in the batch. Bounded by the limit + 1 rows a key; two statements.

    Refined keys are asked only of records that hold a hot key: while a key is not hot, its refined keys' pairs are among its own.
    """
    batch = frozenset(record_ids)
    near = _near(session, "record_id = ANY(%(ids)s) AND rule < %(refined)s", {"ids": list(batch)})
    if near.hot:
        under_hot = (
            "record_id IN (SELECT record_id FROM blocking_key WHERE blocking_key = ANY(%(hot)s) AND record_id = ANY(%(ids)s))"
        )
        near += _near(session, f"rule >= %(refined)s AND {under_hot}", {"ids": list(batch), "hot": list(near.hot)})
    reachable = {one for one, _ in near.others}
    keyed = reachable | (_keyed(session, batch - reachable) if len(reachable) < len(batch) else set())
    pairs = frozenset(
        (one, other) if one < other else (other, one) for one, others in near.others for other in others if one != other
    )
    copies = exact_copies.find(session, of, batch)
    unreachable = frozenset(keyed - reachable)
    return Candidates(pairs | exact_copies.pairs(copies), near.hot, near.cool, batch - keyed, unreachable, copies)


@dataclass(frozen=True, slots=True)
class _Near:
    """Whom some keys bring together: the keys that are hot and those that are not, and for each record of the batch that has one
    of the latter all that share one with it, itself among them."""

    hot: frozenset[int]
    cool: frozenset[int]
    others: list[tuple[uuid.UUID, list[uuid.UUID]]]

    def __add__(self, more: "_Near") -> "_Near":
        return _Near(self.hot | more.hot, self.cool | more.cool, self.others + more.others)


def _near(session: Session, which: str, params: dict[str, Any]) -> _Near:
    """Read whom some of the batch's keys bring together; of each key at most one more record than its limit.

    A record shares several keys with most of those that it meets: told once of each, it is a seventh of what the keys hold.
    """
    found = sql.rows(
        session,
        f"""WITH mine AS MATERIALIZED (
              SELECT blocking_key, array_agg(record_id) AS owners FROM blocking_key WHERE {which} GROUP BY blocking_key),
            held AS MATERIALIZED (
              SELECT mine.*, ARRAY(SELECT record_id FROM blocking_key b WHERE b.blocking_key = mine.blocking_key
                                   LIMIT {LIMITS.sql("mine.blocking_key")} + 1) AS record_ids FROM mine),
            told AS MATERIALIZED (SELECT *, cardinality(record_ids) > {LIMITS.sql("blocking_key")} AS is_hot FROM held)
            SELECT NULL, NULL, array_agg(blocking_key) FILTER (WHERE is_hot), array_agg(blocking_key) FILTER (WHERE NOT is_hot)
            FROM told
            UNION ALL
            SELECT one, array_agg(DISTINCT other), NULL, NULL
            FROM told, unnest(owners) AS one, unnest(record_ids) AS other WHERE NOT is_hot GROUP BY one""",
        params | {"refined": REFINED_STEP},
    )
    [(_, _, hot, cool)] = [row for row in found if row[0] is None]
    return _Near(frozenset(hot or ()), frozenset(cool or ()), [(row[0], row[1]) for row in found if row[0] is not None])


def _keyed(session: Session, record_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Which records have any key: a hot key's first holders need not name the record that asked."""
    found = sql.rows(session, "SELECT DISTINCT record_id FROM blocking_key WHERE record_id = ANY(%s)", [list(record_ids)])
    return {row[0] for row in found}


def note(session: Session, hot: Collection[int], cool: Collection[int]) -> list[int]:
    """Note which keys are hot and which are not; those of which it was not known."""
    newly = sql.rows(
        session,
        "INSERT INTO hot_key (blocking_key) SELECT unnest(%s::bigint[]) ORDER BY 1 ON CONFLICT DO NOTHING RETURNING blocking_key",
        [sorted(hot)],
    )
    cooled = sql.rows(session, "DELETE FROM hot_key WHERE blocking_key = ANY(%s) RETURNING blocking_key", [sorted(cool)])
    return [row[0] for row in (*newly, *cooled)]


def mark(session: Session, of: VersionSet, found: Candidates, ended: Iterable[Pair], changed: Collection[uuid.UUID]) -> int:
    """Note which keys a batch met hot, and which not, and re-queue all records of those that crossed the limit, once.

    So are those beside whom a copy came or went, told by the pairs that the batch ended and the records it wrote pairs of. Not
    only the sweeper cools: a key may fall to the limit, yield its pairs, and pass the limit again before the sweeper looks.
    """
    moved = exact_copies.redo(session, of, found.copies, ended, changed)
    return moved + _redo(session, note(session, found.hot, found.cool), "hot_key")


def redo_crossed(session: Session, hot: Collection[int]) -> int:
    """Re-queue the records of the keys that crossed the limit since it was read which are hot."""
    now = {row[0] for row in sql.rows(session, "SELECT blocking_key FROM hot_key")}
    return _redo(session, sorted(now ^ set(hot)), "hot_key")


def cool(session: Session) -> int:
    """Forget hot keys whose population fell to the limit again and re-queue their records; run by the sweeper."""
    limit = LIMITS.sql("h.blocking_key")
    cooled = sql.rows(
        session,
        f"""DELETE FROM hot_key AS h WHERE (
             SELECT count(*) FROM (
               SELECT 1 FROM blocking_key AS b WHERE b.blocking_key = h.blocking_key LIMIT {limit} + 1) AS held
           ) <= {limit} RETURNING h.blocking_key""",
    )
    return _redo(session, [row[0] for row in cooled], "cooled_key")


def _redo(session: Session, keys: Collection[int], reason: str) -> int:
    if not keys:
        return 0
    holders = sql.rows(session, "SELECT DISTINCT record_id FROM blocking_key WHERE blocking_key = ANY(%s)", [list(keys)])
    return pending.request(session, [row[0] for row in holders], reason, fresh=False)


def partly_filed(records: Iterable[CurrentRecord]) -> int:
    """Count the records that hold more values of an attribute than one is found by."""
    return sum(bool(left_out(record.standard)) for record in records)


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """Living records for which no candidate can be found (no key at all, or hot ones only), those in cut components, and those
    that hold so many values that they are found by some only."""

    keyless: int
    unreachable: int
    capped: int
    partly_filed: int = 0


def out_of_reach(session: Session) -> OutOfReach:
    """Count what the key index leaves alone. Reads the whole index: for the doctor, not for a till."""
    found = sql.rows(
        session,
        """SELECT
             (SELECT count(*) FROM standard_record s
              WHERE NOT EXISTS (SELECT FROM blocking_key b WHERE b.record_id = s.record_id)),
             (SELECT count(*) FROM (SELECT DISTINCT record_id FROM blocking_key JOIN hot_key USING (blocking_key)) AS hot
              WHERE NOT EXISTS (SELECT FROM blocking_key b WHERE b.record_id = hot.record_id
                AND NOT EXISTS (SELECT FROM hot_key h WHERE h.blocking_key = b.blocking_key))),
             (SELECT count(*) FROM crosswalk WHERE rung > 0 AND state = 'resolved'),
             (SELECT count(*) FROM standard_record WHERE appraisal && %s)""",
        [list(PARTLY_FILED_CODES)],
    )
    return OutOfReach(*found[0])
