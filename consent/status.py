"""What entries amount to at a time, for one query: allowed, denied or unknown, why, and by which entries. Pure.

Permission is built so that more entries of others, more members and more jurisdictions can only take it away: some consent in
force stands against every single entry that speaks against it, or nothing at all is recorded and every law that may apply
permits that. Each is decided pair by pair, so the order in which entries came never matters.
"""

import heapq
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from consent.entries import DENYING, GLOBAL, LIFTED_ONLY, Entry, Query, State
from consent.purposes import UNKNOWN_PLACE, Rules

MOST_TOLD = 20  # Entries named by an answer; a shared phone may have a hundred thousand.
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Answer(StrEnum):
    """What a check says, the strictest first. Only allowed permits."""

    DENIED = "denied"
    UNKNOWN = "unknown"
    ALLOWED = "allowed"

    @property
    def strictness(self) -> int:
        """The greater the stricter."""
        return len(tuple(Answer)) - tuple(Answer).index(self)


class Reason(StrEnum):
    """Why; of several the first that is found in the order of `fold`."""

    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    OBJECTED = "objected"
    DECEASED = "deceased"
    MINOR = "minor"
    DO_NOT_CALL = "do_not_call"
    GPC = "gpc"
    GIVEN = "given"
    IMPLIED = "implied"
    NOTHING_AGAINST = "nothing_against"
    NOT_ASKED_FOR = "not_asked_for"
    ENDED = "ended"
    EXPIRED = "expired"
    OWNER_UNCLEAR = "owner_unclear"
    NOT_ENOUGH_HERE = "not_enough_here"
    NOT_CONFIRMED = "not_confirmed"
    NOTHING_RECORDED = "nothing_recorded"
    NOT_HELD = "not_held"
    NOBODY_HOLDS = "nobody_holds"
    HELD_BY_MANY = "held_by_many"
    UNKNOWN_CUSTOMER = "unknown_customer"
    RESTRICTED = "use_restricted"
    NOT_FOR_PURPOSE = "not_for_purpose"


@dataclass(frozen=True, slots=True)
class Ruling:
    """An answer, why, which law was asked, and the entries that decided it, the latest first."""

    answer: Answer
    reason: Reason
    entries: tuple[UUID, ...] = ()
    jurisdictions: tuple[str, ...] = ()

    @property
    def permits(self) -> bool:
        """Whether it may be done."""
        return self.answer is Answer.ALLOWED


@dataclass(frozen=True, slots=True)
class Heard:
    """The entries that speak of one query: what may permit, what speaks against, and what only says why nothing permits.

    `blocked`: positives that do not count (any more), each with the reason. `inert`: entries that neither permit nor deny.
    """

    positives: Sequence[Entry] = ()
    against: Sequence[Entry] = ()
    blocked: Sequence[tuple[Entry, Reason]] = ()
    inert: Sequence[Entry] = ()


def fold(heard: Heard, query: Query, jurisdictions: AbstractSet[str], rules: Rules, at: datetime) -> Ruling:
    """Say what the entries amount to. `jurisdictions`: those that may apply; none is the default one."""
    laws = tuple(sorted(jurisdictions or {UNKNOWN_PLACE}))
    standing = [one for one in _standing(heard.positives, heard.against) if _why_not(one, query, laws, rules, at) is None]
    if standing:
        reason = Reason.IMPLIED if all(one.state is State.IMPLIED for one in standing) else Reason.GIVEN
        return Ruling(Answer.ALLOWED, reason, _told(standing), laws)
    once = [*heard.positives, *(one for one, _ in heard.blocked)]
    left = _unanswered(heard.against, once)
    if denying := [one for one in left if one.state in DENYING]:
        first = heapq.nlargest(MOST_TOLD, denying, key=_place)
        return Ruling(Answer.DENIED, _denied_by(denying, first[0]), tuple(one.entry_id for one in first), laws)
    if left:
        return Ruling(Answer.UNKNOWN, Reason.ENDED, _told(left), laws)
    if not heard.against and not once and (reason_unasked := _unasked(query, laws, rules)):
        return Ruling(Answer.ALLOWED, reason_unasked, (), laws)
    judged = ((one, _why_not(one, query, laws, rules, at)) for one in heard.positives)
    return _unknown([*((one, why) for one, why in judged if why), *heard.blocked], heard, laws)


def outweighs(given: Entry, against: Entry) -> bool:
    """Whether a consent stands against an entry that speaks against it: shown to be later, and plain enough for its width.

    The same time, or one that is not known, is not later. What a file or a source claims outweighs nothing.
    """
    given_at, against_at = given.counts_from, against.counts_from
    if given_at is None or against_at is None or given_at <= against_at:
        return False
    return is_plain_enough(given, against)


def is_plain_enough(given: Entry, against: Entry) -> bool:
    """Whether a consent outweighs an entry that speaks against it if it is later."""
    if against.suppression in LIFTED_ONLY or not given.is_shown_act:
        return False
    return given.is_explicit if against.suppression or is_wider(against, given) else True


def is_wider(against: Entry, given: Entry) -> bool:
    """Whether an entry speaks of more than a consent does, or of something else: contact point, channel, purpose or brand."""
    sides = (
        (against.contact, given.contact), (against.channel, given.channel), (against.purpose, given.purpose),
        (against.brand, given.brand),
    )  # fmt: skip
    return any(wide != narrow for wide, narrow in sides if narrow is not None)


_Scope = tuple[Any, ...]


def _scope(one: Entry) -> _Scope:
    return (one.contact, id(one.channel), one.purpose, one.brand)  # An enum hashes itself in Python.


def _standing(given: Sequence[Entry], against: Sequence[Entry]) -> list[Entry]:
    """Those that outweigh every entry that speaks against them; as `outweighs` says, in a time that grows with their sum."""
    if not against:
        return list(given)
    latest = _BEGINNING
    for one in against:
        at = one.occurred_at
        if at is None or (one.suppression is not None and one.suppression in LIFTED_ONLY):
            return []
        latest = max(latest, at)
    later = [one for one in given if (at := one.counts_from) is not None and at > latest and one.is_shown_act]
    # One of each width stands for the others: all of them are earlier.
    kinds = {(_scope(one), one.suppression is not None): one for one in against} if later else {}
    return [one for one in later if all(outweighs(one, other) for other in kinds.values())]


def _unanswered(against: Sequence[Entry], given: Sequence[Entry]) -> list[Entry]:
    """Those that no consent outweighs; as `outweighs` says, in a time that grows with their sum."""
    latest: dict[tuple[_Scope, bool], Entry] = {}  # Of consents of the same width and plainness, the latest does what any does.
    for one in given:
        if one.is_shown_act and (at := one.counts_from) is not None:
            kind = (_scope(one), one.is_explicit)
            known = latest.get(kind)
            if known is None or (known.counts_from or _BEGINNING) < at:
                latest[kind] = one
    last = max((one.counts_from or _BEGINNING for one in latest.values()), default=_BEGINNING)
    left: list[Entry] = []
    ends: dict[tuple[_Scope, int], datetime] = {}  # Until when a consent outweighs what speaks against in one width.
    for one in against:
        at = one.counts_from
        if at is None or at >= last:
            left.append(one)
            continue
        width = (_scope(one), id(one.suppression))
        if width not in ends:
            plain = (other.counts_from or _BEGINNING for other in latest.values() if is_plain_enough(other, one))
            ends[width] = max(plain, default=_BEGINNING)
        if at >= ends[width]:
            left.append(one)
    return left


def _why_not(given: Entry, query: Query, laws: Sequence[str], rules: Rules, at: datetime) -> Reason | None:
    """Why a consent is not in force at a time under every law that may apply; None when it is."""
    if given.expires_at is not None and given.expires_at <= at:
        return Reason.EXPIRED
    for law in dict.fromkeys((*laws, given.jurisdiction or laws[0])):
        regime = rules.regime(law, query.purpose, query.channel)
        if given.state is not State.IMPLIED:
            if not regime.accepts(given.strength):
                return Reason.NOT_ENOUGH_HERE
            continue
        began = given.occurred_at
        relation = given.implied_by or ""
        if began is None or relation not in regime.implied_months:
            return Reason.NOT_ENOUGH_HERE
        until = regime.implies_until(relation, began)
        if until is not None and until <= at:
            return Reason.EXPIRED
    return None


def _unasked(query: Query, laws: Sequence[str], rules: Rules) -> Reason | None:
    """Why nothing recorded permits, when it does under every law that may apply."""
    purpose = rules.purposes.get(query.purpose)
    if purpose is not None and not purpose.covers_all:
        return Reason.NOT_ASKED_FOR
    permits = all(rules.regime(law, query.purpose, query.channel).permits_unasked for law in laws)
    return Reason.NOTHING_AGAINST if permits else None


def _denied_by(denying: Sequence[Entry], latest: Entry) -> Reason:
    """Why it is denied: by a death or a minor before all, by another thing that only a lift ends, else by the latest."""
    hard = {one.suppression for one in denying if one.suppression is not None and one.suppression in LIFTED_ONLY}
    if hard:
        return next((Reason(one.value) for one in GLOBAL if one in hard), Reason.SUPPRESSED)
    if latest.suppression is not None:
        return Reason(latest.suppression.value) if latest.suppression in GLOBAL else Reason.OBJECTED
    return Reason.REFUSED if latest.state is State.REFUSED else Reason.WITHDRAWN


def _unknown(blocked: Sequence[tuple[Entry, Reason]], heard: Heard, laws: tuple[str, ...]) -> Ruling:
    """Nothing permits and nothing denies: tell what came nearest."""
    if blocked:
        latest = max(blocked, key=lambda one: _place(one[0]))
        return Ruling(Answer.UNKNOWN, latest[1], (latest[0].entry_id,), laws)
    asked = [one for one in heard.inert if one.state is State.REQUESTED]
    if asked:
        return Ruling(Answer.UNKNOWN, Reason.NOT_CONFIRMED, _told(asked), laws)
    return Ruling(Answer.UNKNOWN, Reason.NOTHING_RECORDED, _told(heard.inert), laws)


def _place(entry: Entry) -> tuple[bool, datetime, UUID]:
    """The later the greater; an unknown time is the latest, since nothing is known to be later."""
    at = entry.counts_from
    return (at is None, at or _BEGINNING, entry.entry_id)


def _told(entries: Iterable[Entry]) -> tuple[UUID, ...]:
    return tuple(one.entry_id for one in heapq.nlargest(MOST_TOLD, entries, key=_place))


def strictest(rulings: Iterable[Ruling]) -> Ruling | None:
    """The strictest of several answers; of equally strict ones the first by reason and entries."""
    return min(rulings, key=lambda one: (-one.answer.strictness, one.reason, one.entries), default=None)
