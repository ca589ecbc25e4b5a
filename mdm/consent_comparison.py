"""What customers consented to side by side, and what one customer of all their records would have. Only reads.

By the ledger's own algebra over other members, so that what is told before a merge or a split is what holds after it. Read past
the application's row scope: whoever asks must be allowed to see the golden records.
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from consent import ledger
from consent.effective import Customer, are_parted, combinations, judge
from consent.entries import POSITIVE, Contact, Entry, Query
from consent.purposes import Rules
from consent.status import Ruling
from mdm import consent_customers
from mdm.contact_points import ContactPoint

_TOGETHER = UUID(int=0)  # No record has it.
# So many times an entry is held against a query, a microsecond each; a contact point of a crowd has a hundred thousand entries.
MOST_HELD = 400_000


@dataclass(frozen=True, slots=True)
class Line:
    """One query: what each customer is answered, in their order, and what all of them as one would be."""

    query: Query
    apart: tuple[Ruling, ...]
    together: Ruling

    @property
    def is_lost(self) -> bool:
        """Whether some of them may be asked for it now, and all as one may not."""
        return not self.together.permits and any(one.permits for one in self.apart)

    @property
    def is_same(self) -> bool:
        """Whether all of them are answered alike, apart and as one."""
        return {one.answer for one in self.apart} == {self.together.answer}


@dataclass(frozen=True, slots=True)
class Compared:
    """The lines, what is lost first, then what differs. `points`: contact points by their hash; `said`: when entries were.

    `is_beyond`: so much was recorded that nothing was compared.
    """

    lines: tuple[Line, ...]
    points: Mapping[Contact, ContactPoint]
    said: Mapping[UUID, datetime]
    is_beyond: bool = False


def read(
    session: Session, rules: Rules, customers: Sequence[AbstractSet[UUID]], at: datetime, brands: Collection[str] | None
) -> Compared:
    """Compare customers that hold these records, each in one of them. `brands`: of which it is told; entries of all decide."""
    everybody = frozenset[UUID]().union(*customers)
    census = consent_customers.census_of_records(session, rules, everybody)
    entries = ledger.read(session, everybody, census.contacts(), at)
    (one,) = census.regrouped({_TOGETHER: everybody}).customers(entries, at).values()
    held = {UUID(int=place): records for place, records in enumerate(customers, start=1)}
    parts = list(census.regrouped(held).customers(_parted(entries, held, at), at).values())
    asked = dict.fromkeys(query for of in (one, *parts) for query in combinations(of, at))
    asked_of = [query for query in asked if brands is None or query.brand in {None, *brands}]
    if len(asked_of) * sum(len(of.entries) for of in (one, *parts)) > MOST_HELD:
        return Compared((), {}, {}, is_beyond=True)
    lines = [_line(query, parts, one, rules, at) for query in asked_of]
    lines.sort(key=lambda line: (not line.is_lost, line.is_same))
    return Compared(tuple(lines), census.points, {one.entry_id: one.occurred_at or one.recorded_at for one in entries})


def _parted(entries: Sequence[Entry], held: Mapping[UUID, AbstractSet[UUID]], at: datetime) -> list[Entry]:
    """The entries as they are where the customers are apart: a consent of records of several of them is nobody's."""
    owner: dict[UUID, object] = {record: customer for customer, records in held.items() for record in records}
    return [one.parted(at) if one.state in POSITIVE and are_parted(one.records, owner) else one for one in entries]


def _line(query: Query, parts: Sequence[Customer], one: Customer, rules: Rules, at: datetime) -> Line:
    return Line(query, tuple(judge(part, query, rules, at) for part in parts), judge(one, query, rules, at))
