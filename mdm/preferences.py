"""Takes preferences in and reads those of a golden record, with what forbids for all of it. In the caller's transaction.

A preference of a record is of that record; of a golden record, of all its members. What counts is computed over the members when
it is read: no merge and no split changes a row. After a split both sides keep what was said while they were one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from consent import ledger, preference_ledger, preferences
from consent.entries import GLOBAL, Entry, Method, Origin, State
from consent.preferences import Key, Preference
from consent.purposes import Rules
from kernel import clock
from kernel.actor import Principal
from kernel.errors import Invalid
from mdm import consent_customers, consent_gone, consents, preference_changes
from mdm.consent_acts import LATEST_AHEAD
from mdm.consent_gone import ERASED
from mdm.mapping_values import Problem

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Wish:
    """A preference as it is sent. Names a golden record or a record; no value takes back what was preferred."""

    key: Key
    value: Any
    golden_id: UUID | None = None
    record: tuple[str, str] | None = None
    brand: str | None = None
    occurred_at: datetime | None = None
    origin: Origin = Origin.SYSTEM
    method: Method = Method.API
    contact: None = None  # Nobody is named by a contact point here.


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it: created, same or rejected (then `problem` says why)."""

    status: str
    preference_id: UUID | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a customer prefers, and what forbids for all of the customer: entries of the ledger that no lift has ended."""

    preferences: Sequence[Preference]
    suppressions: Sequence[Entry]


def record(session: Session, wishes: Sequence[Wish], principal: Principal) -> list[Outcome]:
    """Append preferences; one outcome each, in order. Idempotent. What is outside the session's row scope is not known."""
    gone = consent_gone.among(session, wishes)
    keys = consents.records_of(session, [one.record for one in wishes if one.record])
    ids = [one.golden_id for one in wishes if one.golden_id]
    consent_customers.hold(session, ids, [row[0] for row in keys.values()])
    living = consents.living(session, ids)
    members = consent_customers.members_of(session, set(living.values()))
    now = clock.now()
    made: list[Preference | Problem] = []
    for one in wishes:
        refused = _refused(one, now)
        made.append(refused or _made(one, keys, {asked: members[of] for asked, of in living.items()}, gone, principal, now))
    new = _append(session, [one for one in made if isinstance(one, Preference)])
    return [_outcome(one, new) for one in made]


def _refused(wish: Wish, now: datetime) -> Problem | None:
    if (wish.golden_id is None) == (wish.record is None):
        return Problem("no_subject", "record")
    if not preferences.is_usable(wish.key, wish.value):
        return Problem("bad_value", "value")
    if wish.occurred_at is not None and wish.occurred_at > now + LATEST_AHEAD:
        return Problem("time_in_future", "occurred_at")
    return None


def _made(
    wish: Wish,
    keys: Mapping[tuple[str, str], tuple[UUID, UUID | None, str]],
    members: Mapping[UUID, Collection[UUID]],
    gone: consent_gone.Gone,
    principal: Principal,
    now: datetime,
) -> Preference | Problem:
    brand, records = wish.brand, frozenset[UUID]()
    if wish.record is not None:
        found = keys.get(wish.record)
        if found is None:
            return ERASED if wish.record in gone.keys else Problem("unknown_record", "record")
        brand, records = brand or found[2], frozenset({found[0]})
    if wish.golden_id is not None:
        if wish.golden_id not in members:
            return ERASED if wish.golden_id in gone.golden_ids else Problem("unknown_golden_id", "golden_id")
        records = frozenset(members[wish.golden_id])
    if principal.scope.brands is not None and brand not in principal.scope.brands:
        return Problem("outside_scope", "brand")
    source = wish.record[0] if wish.record else None
    act = Preference(
        _NOBODY, wish.key, wish.value, now, wish.occurred_at, brand, wish.origin, wish.method, source, principal.actor, records
    )  # fmt: skip
    return preference_ledger.named(act, wish.golden_id, wish.record)


def _outcome(one: Preference | Problem, new: Collection[UUID]) -> Outcome:
    if isinstance(one, Problem):
        return Outcome("rejected", problem=one)
    return Outcome("created" if one.preference_id in new else "same", one.preference_id)


def choose(
    session: Session, records: Collection[UUID], brand: str | None, chosen: Mapping[Key, Any], principal: Principal
) -> int:
    """Append what a customer chose on a page, as their own act of now; how many. Raises: Invalid for a value that is none."""
    now = clock.now()
    if any(not preferences.is_usable(key, value) for key, value in chosen.items()):
        raise Invalid("This cannot be chosen", code="bad_value")
    acts = [
        Preference(
            _NOBODY, key, value, now, now, brand, Origin.SUBJECT, Method.PREFERENCE_CENTRE, None, principal.actor,
            frozenset(records),
        )
        for key, value in chosen.items()
    ]  # fmt: skip
    return len(_append(session, [preference_ledger.named(one, sorted(records)) for one in acts]))


def _append(session: Session, acts: Sequence[Preference]) -> set[UUID]:
    """Append acts, and tell whose preferences they make others; the ids of those that were new."""
    new = preference_ledger.append(session, acts)
    preference_changes.appended(session, acts, new)
    return new


def read(session: Session, rules: Rules, golden_id: UUID, at: datetime, brands: Collection[str] | None) -> Told:
    """Read what a golden record prefers. `brands`: of which it is told; what forbids is told whatever its brand."""
    census = consent_customers.census(session, rules, [golden_id])
    known = of_records(session, census.records())
    shown = [one for one in known if brands is None or one.brand is None or one.brand in brands]
    entries = ledger.read(session, census.records(), census.contacts(), at)
    return Told(shown, _forbidding(entries, at))


def of_records(session: Session, records: Collection[UUID]) -> list[Preference]:
    """What counts of the preferences of records that are one customer."""
    return preferences.effective(preference_ledger.read(session, records))


def _forbidding(entries: Iterable[Entry], at: datetime) -> list[Entry]:
    known = [one for one in entries if one.recorded_at <= at]
    lifted = {one.lifts for one in known if one.state is State.LIFTED}
    found = (one for one in known if one.suppression in GLOBAL and one.entry_id not in lifted)
    return sorted(found, key=lambda one: (one.recorded_at, one.entry_id))
