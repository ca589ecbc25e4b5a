"""Appends statements to the consent ledger and emits what they change, in the transaction of whoever has them.

What speaks against something about a person is said of all records that are that person at the time.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from consent import ledger
from consent.entries import POSITIVE, Entry
from consent.ledger import Statement
from consent.purposes import Rules
from kernel import outbox
from mdm import consent_changes, consent_crowds, consent_customers, contact_points, sql
from mdm.consent_customers import MOST_HOLDERS
from mdm.contact_points import ContactPoint

_COMPANIONS = "SELECT record_id, companion FROM consent_companions(%s::uuid[])"
_GOLDENS = "SELECT record_id, golden_id FROM consent_goldens(%s::uuid[])"


def append(session: Session, statements: Sequence[Statement]) -> set[UUID]:
    """Append statements; one that speaks against something about a person is said of all who are that person now."""
    spreading = sorted({record for one in statements if _spreads(one.entry) for record in one.entry.records})
    together: dict[UUID, set[UUID]] = {}
    for record_id, companion in sql.rows(session, _COMPANIONS, [spreading]) if spreading else ():
        together.setdefault(record_id, set()).add(companion)
    return ledger.append(session, [_spread(one, together) for one in statements])


def _spreads(entry: Entry) -> bool:
    return entry.contact is None and entry.state not in POSITIVE


def _spread(one: Statement, together: Mapping[UUID, AbstractSet[UUID]]) -> Statement:
    if not _spreads(one.entry):
        return one
    return one.about(one.entry.records.union(*(together.get(record, ()) for record in one.entry.records)))


def tell(session: Session, rules: Rules, added: Sequence[Statement], now: datetime) -> None:
    """Emit what entries change for the customers that they may speak of: those of their records, and who holds what they deny.

    Those who hold a crowd's contact point are told by a job (`mdm.consent_crowds`); what counts for them does so at once.
    """
    points = {one.entry.entry_id: point for one in added if (point := _denied(one))}
    held = consent_customers.holders(session, points.values())
    crowds = {term for term, of in held.items() if len(of) > MOST_HOLDERS}
    near = [one for one in added if one.entry.entry_id not in points or points[one.entry.entry_id].term not in crowds]
    records = {record for one in near for record in one.entry.records}
    records.update(*(of for term, of in held.items() if term not in crowds))
    found: Mapping[UUID, Any] = dict(sql.rows(session, _GOLDENS, [sorted(records)])) if records else {}
    new = {one.entry.entry_id for one in near}
    events = consent_changes.appended(session, rules, set(found.values()), new, now) if found else []
    outbox.emit_all(session, events)
    later = {one.entry.contact for one in added if one.entry.entry_id not in new and one.entry.contact}
    consent_crowds.later(session, later, now)


def _denied(one: Statement) -> ContactPoint | None:
    """The contact point that an entry speaks against, as far as its holders can be found by it."""
    if one.entry.state in POSITIVE or not one.kind or not one.contact_point:
        return None
    point = contact_points.read(one.kind, one.contact_point)
    return point if point is not None and point.term else None
