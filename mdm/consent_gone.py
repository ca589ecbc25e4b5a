"""Whom consent acts name that was erased: such acts are refused and counted, as a delivery of an erased person is.

An erasure waits for whoever asks here, and whoever asks waits for an erasure: no act is written to a tombstone. What speaks
against a contact point is taken all the same, by its keyed hash alone, for somebody else may come to hold it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlmodel import Session

from consent.effective import EMAIL, PHONE
from matching.standardize import emails, phones
from mdm import refusing, sql, suppression
from mdm.consent_acts import Act
from mdm.contact_points import ContactPoint

ERASED = refusing.ERASED
BY_ID = "(by golden id)"  # In place of a source, where refusals are counted.
ALONE = "(by contact point)"
_ERASED = "SELECT golden_id FROM golden WHERE golden_id = ANY(%s) AND status = 'erased'"


@dataclass(frozen=True, slots=True)
class Gone:
    """Keys of records, golden ids and contact points of people who were erased."""

    keys: frozenset[tuple[str, str]] = frozenset()
    golden_ids: frozenset[UUID] = frozenset()
    points: frozenset[ContactPoint] = frozenset()


class Naming(Protocol):
    """Whoever an act names."""

    @property
    def golden_id(self) -> UUID | None: ...

    @property
    def record(self) -> tuple[str, str] | None: ...

    @property
    def contact(self) -> ContactPoint | None: ...


def among(session: Session, acts: Sequence[Naming]) -> Gone:
    """Find whom acts name that was erased, and count the acts. Until the transaction ends nobody more is erased."""
    if not suppression.any_erased(session):
        return Gone()
    keys = frozenset(refusing.erased_keys(session, {one.record for one in acts if one.record}))
    ids = [one.golden_id for one in acts if one.golden_id]
    golden_ids = frozenset(row[0] for row in sql.rows(session, _ERASED, [ids])) if ids else frozenset[UUID]()
    points = _points(session, [one.contact for one in acts if one.contact and not (one.record or one.golden_id)])
    refused = [(BY_ID, suppression.KEY) for one in ids if one in golden_ids]
    suppression.count(session, refused)
    return Gone(keys, golden_ids, points)


def count_points(session: Session, refused: Iterable[Act]) -> None:
    """Count those refused acts that name a contact point alone; the others were counted when they were found."""
    alone = [one for one in refused if one.record is None and one.golden_id is None]
    suppression.count(session, [(ALONE, suppression.CONTACT) for _ in alone])


def _points(session: Session, points: Sequence[ContactPoint]) -> frozenset[ContactPoint]:
    """Those by which somebody erased is recognised, whoever else may hold them."""
    asked = list(dict.fromkeys(points))
    hasher = suppression.Hasher()
    marks = [hasher.contact(one.kind, key) if (key := _key(one)) else None for one in asked]
    known = [(one, mark) for one, mark in zip(asked, marks, strict=True) if mark]
    kinds = suppression.recognised(session, hasher, [mark for _, mark in known]) if known else []
    return frozenset(one for (one, _), kind in zip(known, kinds, strict=True) if kind is not None)


def _key(point: ContactPoint) -> str | None:
    """The key by which records are matched on a contact point, which is what is kept of erased people."""
    if point.kind == EMAIL:
        return emails.email_key(point.shown)
    numbers = phones.read_phones(point.shown)[0] if point.kind == PHONE else ()
    return numbers[0][1] if numbers else None
