"""What a golden record's consents amount to and the entries that say so, now or as at a past time. Only reads.

As at a past time: who was a member then and what had been recorded by then; what members hold and where they live is as they say
now. Read past the application's row scope: whoever asks must be allowed to see the golden record (`mdm.history.visible`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from consent import effective, ledger
from consent.entries import Contact, Query
from consent.ledger import Kept
from consent.purposes import Rules
from consent.status import Ruling
from mdm import consent_customers, history
from mdm.contact_points import ContactPoint

MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Told:
    """A golden record's consents. `points`: the contact points that its members hold, by the hash that entries name."""

    effective: dict[Query, Ruling]
    entries: Sequence[Kept]
    points: dict[Contact, ContactPoint]
    is_cut: bool


def read(session: Session, rules: Rules, golden_id: UUID, at: datetime, brands: Collection[str] | None) -> Told:
    """Read the consents of a golden record as they are known now. `brands`: of which it is told; entries of all decide."""
    return _told(session, rules, consent_customers.census(session, rules, [golden_id]), at, brands)


def read_past(session: Session, rules: Rules, golden_id: UUID, at: datetime, brands: Collection[str] | None) -> Told:
    """Read what was known at a time. Raises: as `mdm.history.at`."""
    _, lived = history.at(session, golden_id, at)
    return _told(session, rules, consent_customers.census_of(session, rules, lived.golden_id, lived.members), at, brands)


def _told(session: Session, rules: Rules, census: consent_customers.Census, at: datetime, brands: Collection[str] | None) -> Told:
    held = census.records(), census.contacts()
    found = census.customers(ledger.read(session, *held, at), at)
    (customer,) = found.values() or [effective.Customer((), ())]
    shown = ledger.listed(session, *held, at, brands, MOST_LISTED + 1)
    kept = ledger.kept(session, shown[:MOST_LISTED])
    rulings = {one: ruling for one, ruling in effective.effective(customer, rules, at).items() if _is_of(brands, one.brand)}
    return Told(rulings, kept, census.points, len(shown) > MOST_LISTED)


def _is_of(brands: Collection[str] | None, brand: str | None) -> bool:
    return brands is None or brand is None or brand in brands


def point_of(points: dict[Contact, ContactPoint], contact: Contact | None) -> str | None:
    """A contact point as it is shown."""
    found = points.get(contact or "")
    return found.shown if found else None


def evidence_of(kept: Kept) -> dict[str, Any]:
    """The evidence of an entry, and whether it is what it was."""
    return {"evidence": kept.evidence, "evidence_intact": kept.is_intact}
