"""Tells which golden records prefer something else since acts were appended, as events. In the transaction of the acts.

What counts of preferences is computed over the members of a golden record, so a merge or a split can change it as well: of these
the events of the golden record tell.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from consent import preference_ledger, preferences
from consent.preferences import Key, Preference
from kernel import outbox
from kernel.outbox import Event
from mdm import consent_customers, sql
from mdm.consent_changes import GOLDENS, STANDING

CHANGED = "preference.changed"
Counting = Mapping[tuple[Key, str | None], Any]


def appended(session: Session, acts: Sequence[Preference], new: Collection[UUID]) -> None:
    """Emit the events of acts of which some were new; an act that changes nothing that counts is told by none."""
    records = sorted({record for one in acts if one.preference_id in new for record in one.records})
    goldens = {row[1] for row in sql.rows(session, GOLDENS, [records])} if records else set()
    if goldens:
        outbox.emit_all(session, _events(session, goldens, frozenset(new)))


def _events(session: Session, goldens: Collection[UUID], new: Collection[UUID]) -> list[Event]:
    members = consent_customers.members_of(session, goldens)
    known = preference_ledger.read(session, [one for of in members.values() for one in of])
    events = []
    for golden_id, version, brands, regions in sql.rows(session, STANDING, [sorted(goldens)]):
        of = [one for one in known if not one.records.isdisjoint(members[golden_id])]
        before, after = _counting(one for one in of if one.preference_id not in new), _counting(of)
        changed = [
            {"key": str(key), "brand": brand}
            for key, brand in sorted(before.keys() | after.keys(), key=str)
            if before.get((key, brand)) != after.get((key, brand))
        ]
        if changed:  # Never what is preferred now: whoever may read it asks.
            body = {"golden_id": str(golden_id), "changed": changed}
            events.append(Event(CHANGED, golden_id, version, body, tuple(brands), tuple(regions)))
    return events


def _counting(acts: Iterable[Preference]) -> Counting:
    return {(one.key, one.brand): one.value for one in preferences.effective(acts)}
