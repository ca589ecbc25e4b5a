"""Consents side by side on a task: what each customer is answered now, what all as one would be, and what of it would end."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from consent.purposes import shipped
from consent.status import Ruling
from kernel import audit, clock
from kernel.actor import Principal
from mdm import consent_comparison, consent_customers, consent_reading
from mdm.consent_comparison import Compared, Line
from stewardship.customers import Customer

NEEDS = "consents:read"
MOST_OPEN = 8  # Of more lines than these the table is folded.
ENDS, SAME, DIFFERS = "ends", "same", "differs"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one customer is answered, why, and when that was said."""

    answer: str
    reason: str
    said_at: datetime | None


@dataclass(frozen=True, slots=True)
class Row:
    """What may be done, by which way (empty: any), for which brand, at which contact point; `state`: what a merge makes of it."""

    purpose: str
    channel: str
    brand: str
    contact_point: str
    together: Cell
    cells: tuple[Cell, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Consents:
    """The table. `is_whole`: whether all that are asked about stand in it, so that it can tell what all as one would have;
    `is_beyond`: whether too much was recorded to compare it here."""

    rows: Sequence[Row]
    is_whole: bool
    is_beyond: bool = False

    @property
    def is_folded(self) -> bool:
        """Whether it is too long to stand open."""
        return len(self.rows) > MOST_OPEN

    @property
    def ending(self) -> int:
        """How many permissions a merge would end."""
        return sum(one.state == ENDS for one in self.rows)

    @property
    def differing(self) -> int:
        """How many answers differ between them, those that would end among them."""
        return sum(one.state != SAME for one in self.rows)


def read(session: Session, caller: Principal, customers: Sequence[Customer], is_parted: bool, is_whole: bool) -> Consents | None:
    """Compare the consents of customers, audited as a read of each; None for whoever may read none. Needs the engine's session.

    `is_parted`: they are what a golden record would be parted into, and hold the records that they name.
    """
    if not caller.may(NEEDS) or not customers:
        return None
    golden_ids = sorted({one.golden_id for one in customers})
    audit.record_alike(session, caller.actor, "golden.read_consents", "golden", [str(one) for one in golden_ids])
    named = [frozenset(member.record_id for member in one.members) for one in customers]
    of = named if is_parted else _members(consent_customers.members_of(session, golden_ids), customers)
    found = consent_comparison.read(session, shipped(), of, clock.now(), caller.scope.brands)
    return Consents([_row(line, found) for line in found.lines], is_whole, found.is_beyond)


def _members(of: Mapping[uuid.UUID, Collection[uuid.UUID]], customers: Sequence[Customer]) -> list[frozenset[uuid.UUID]]:
    return [frozenset(of[one.golden_id]) for one in customers]


def _row(line: Line, of: Compared) -> Row:
    query = line.query
    state = ENDS if line.is_lost else SAME if line.is_same else DIFFERS
    return Row(
        query.purpose, str(query.channel or ""), query.brand or "every brand",
        consent_reading.point_of(dict(of.points), query.contact) or "", _cell(line.together, of),
        tuple(_cell(one, of) for one in line.apart), state,
    )  # fmt: skip


def _cell(ruling: Ruling, of: Compared) -> Cell:
    said_at = next((of.said[one] for one in ruling.entries if one in of.said), None)
    return Cell(str(ruling.answer), str(ruling.reason), said_at)
