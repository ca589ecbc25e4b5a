"""Exact copies in the stored records: each is a candidate of the copy before it and of the one after, in the order of record ids.

Copies have one form hash, one identity domain, and sources that merge. Their chain has no limit, and so n copies are n - 1 pairs
whatever keys are hot. It changes where a copy comes or goes: those on either side of the place are asked for again.
"""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from sqlmodel import Session

from matching.exact_copies import COPIES_SQL
from mdm import pending, sql
from mdm.records import Pair
from mdm.versions import VersionSet

REASON = "copies_changed"


class Beside(NamedTuple):
    """The nearest copies of a record, by id: the one before it and the one after."""

    before: uuid.UUID | None
    after: uuid.UUID | None


Places = Mapping[uuid.UUID, Beside]

_KIN = "kin AS (SELECT * FROM unnest(%(sources)s::text[], %(domains)s::text[]) AS k (source, domain))"
# Ordered and bounded by both columns of the index, so that no plan walks all records by their ids to find the next of one form.
_BESIDE = f"""
WITH {_KIN},
mine AS (
  SELECT s.record_id, s.form_hash, (SELECT array_agg(o.source) FROM kin o WHERE o.domain = k.domain) AS sources
  FROM standard_record s JOIN kin k USING (source) WHERE s.record_id = ANY(%(ids)s))
SELECT mine.record_id, before.record_id, after.record_id FROM mine
LEFT JOIN LATERAL (
  SELECT b.record_id FROM standard_record b
  WHERE b.form_hash >= mine.form_hash AND (b.form_hash, b.record_id) < (mine.form_hash, mine.record_id)
    AND b.source = ANY(mine.sources) ORDER BY b.form_hash DESC, b.record_id DESC LIMIT 1) AS before ON true
LEFT JOIN LATERAL (
  SELECT b.record_id FROM standard_record b
  WHERE b.form_hash <= mine.form_hash AND (b.form_hash, b.record_id) > (mine.form_hash, mine.record_id)
    AND b.source = ANY(mine.sources) ORDER BY b.form_hash, b.record_id LIMIT 1) AS after ON true
WHERE before.record_id IS NOT NULL OR after.record_id IS NOT NULL"""
_FILED = "(SELECT s.record_id, (k.domain, s.form_hash) AS form_key FROM standard_record s JOIN kin k USING (source)) AS filed"
_ALL = f"WITH {_KIN} {COPIES_SQL.format(given=_FILED)}"
_SAME_FORM = """
SELECT s.record_id FROM standard_record s
WHERE s.form_hash = ANY(SELECT form_hash FROM standard_record WHERE record_id = ANY(%s))"""


def find(session: Session, of: VersionSet, record_ids: Collection[uuid.UUID]) -> Places:
    """Find the neighbours of the records that have copies. One statement."""
    if not record_ids:
        return {}
    found = sql.rows(session, _BESIDE, {**_kin(of), "ids": list(record_ids)})
    return {record_id: Beside(before, after) for record_id, before, after in found}


def pairs(places: Places) -> set[Pair]:
    """The pairs of records with their neighbours, ids ordered."""
    earlier = {(beside.before, one) for one, beside in places.items() if beside.before}
    return earlier | {(one, beside.after) for one, beside in places.items() if beside.after}


def every(session: Session, of: VersionSet) -> set[Pair]:
    """Read the whole chain of everybody. Sorts all records by form: for the bulk path and for figures."""
    return {(a, b) for a, b in sql.rows(session, _ALL, _kin(of))}


def same_form(session: Session, record_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Name all records of the forms of some, so that a long chain is read at once and not link by link."""
    return {row[0] for row in sql.rows(session, _SAME_FORM, [list(record_ids)])}


def redo(session: Session, of: VersionSet, places: Places, ended: Iterable[Pair], changed: Collection[uuid.UUID]) -> int:
    """Ask again for those whose neighbours a batch has changed, or others changed while it was at work; how many.

    `places` is where its records stood when they were read, `ended` the pairs that it ended, `changed` the records of which it
    wrote new pairs. Who stands new between two parts them; whoever lost a copy may be beside another now. A record whose own
    neighbours are no more what they were is asked for again itself. Ends of itself: a second look writes nothing new.
    """
    again = set(_parted(places, frozenset(changed)))
    ended = list(ended)
    now = find(session, of, places.keys() | {one for pair in ended for one in pair})
    again |= {one for pair in ended for one in _met(pair, now)} - places.keys()
    again |= {record_id for record_id, beside in places.items() if now.get(record_id) != beside}
    return pending.request(session, sorted(again), REASON, fresh=False)


def redo_changed(session: Session, of: VersionSet, known: Collection[Pair]) -> int:
    """Ask again for those whose chain is no more what it was when it was read."""
    moved = every(session, of) ^ set(known)
    return pending.request(session, sorted({one for pair in moved for one in pair}), REASON, fresh=False)


def _parted(places: Places, changed: AbstractSet[uuid.UUID]) -> Iterator[uuid.UUID]:
    """Yield the two on either side of a run of the batch's records of which one is new: they were beside each other before.

    A run at the end of its chain parts nobody, and so a load of copies asks for nobody again.
    """
    for first, beside in places.items():
        if beside.before is None or beside.before in places:
            continue
        run, after = [first], beside.after
        while after is not None and after in places:
            run.append(after)
            after = places[after].after
        if after is not None and not changed.isdisjoint(run):
            yield from (beside.before, after)


def _met(pair: Pair, now: Places) -> Iterable[uuid.UUID]:
    """Of a pair that ended, whoever has a copy beyond the other's place."""
    a, b = pair
    if a in now and (after := now[a].after) and after > b:
        yield a
    if b in now and (before := now[b].before) and before < a:
        yield b


def _kin(of: VersionSet) -> dict[str, Any]:
    sources = [source for source in of.policy.sources if of.merges(source)]
    return {"sources": sources, "domains": [of.domain(source) for source in sources]}
