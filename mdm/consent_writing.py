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
from mdm import consent_changes, consent_customers, contact_points, sql

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
    """Emit what entries change for the customers that they may speak of: those of their records, and who holds what they deny."""
    records = {record for one in added for record in one.entry.records}
    against = [one for one in added if one.entry.state not in POSITIVE and one.kind and one.contact_point]
    points = {contact_points.read(one.kind or "", one.contact_point or "") for one in against}
    held = consent_customers.holders(session, [one for one in points if one is not None and one.term]) if points else {}
    records.update(*held.values())
    found: Mapping[UUID, Any] = dict(sql.rows(session, _GOLDENS, [sorted(records)])) if records else {}
    new = {one.entry.entry_id for one in added}
    events = consent_changes.appended(session, rules, set(found.values()), new, now) if found else []
    outbox.emit_all(session, events)
