"""What a decision that was looked at would change of what customers consented to, by the very steps that will note it.

Told before a merge, a split or an undo to whoever may read consents: what is not told is said to be so, never shown as none.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlmodel import Session

from consent.entries import Query
from consent.purposes import shipped
from consent.status import Ruling
from kernel import audit, clock
from kernel.actor import Principal
from mdm import consent_changes, consent_reading, golden
from mdm.consent_customers import Census
from stewardship.settle import Looked

NEEDS = "consents:read"


class Told(StrEnum):
    """Whether all that changes is told: all; not to this caller; not here, since too much was recorded to look at."""

    ALL = "all"
    NEEDS_SCOPE = "needs_scope"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Affected:
    """What would be answered otherwise of a golden record. `before`: the widest answer of those that it comes from; None: nothing
    spoke of it."""

    query: Query
    contact_point: str | None
    before: Ruling | None
    after: Ruling | None


@dataclass(frozen=True, slots=True)
class Consents:
    """What changes, by golden id, and whether that is all."""

    told: Told
    affected: Mapping[uuid.UUID, Sequence[Affected]] = field(default_factory=dict)


def read(session: Session, caller: Principal, looked: Looked) -> Consents:
    """Foresee what becomes of consents, audited as a read of each golden record that is told of. Needs the engine's session."""
    if not caller.may(NEEDS):
        return Consents(Told.NEEDS_SCOPE)
    moves = golden.moves(unit for unit, _ in looked.evaluated.units)
    foreseen = consent_changes.foresee(session, shipped(), moves, clock.now())
    if foreseen is None:
        return Consents(Told.TOO_MANY)
    changes, census = foreseen
    brands = caller.scope.brands
    found = {
        one.golden_id: [
            _affected(census, query, *rulings)
            for query, *rulings in one.answered
            if brands is None or query.brand is None or query.brand in brands
        ]
        for one in changes
    }
    audit.record_alike(session, caller.actor, "golden.read_consents", "golden", sorted(map(str, found)))
    return Consents(Told.ALL, found)


def _affected(census: Census, query: Query, before: Ruling | None, after: Ruling | None) -> Affected:
    return Affected(query, consent_reading.point_of(census.points, query.contact), before, after)
