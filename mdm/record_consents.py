"""The consents that records bring: from a standard record to statements of the ledger. Pure.

What a source says without evidence is its claim: it may permit, and outweighs no withdrawal. A purpose, state or time that nobody
knows is a problem with a code, told and counted; it is never guessed at.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from consent import ledger
from consent.effective import DEVICE, EMAIL, KIND_OF, PHONE
from consent.entries import Channel, Entry, Method, Origin, State
from consent.ledger import Statement
from consent.purposes import Rules, StateWord, Word
from mdm import contact_points
from mdm.consent_acts import LATEST_AHEAD
from mdm.contact_points import ContactPoint, Hasher
from mdm.mapping_values import Problem

PURPOSE_UNKNOWN = Problem("consent_purpose_unknown", "consents")
STATE_UNKNOWN = Problem("consent_state_unknown", "consents")
TIME_UNREADABLE = Problem("consent_time_unreadable", "consents")
POINT_UNREADABLE = Problem("consent_point_unreadable", "consents")
EARLIEST_YEAR = 1900
MILLISECONDS = 10**11  # A number of seconds that large would be of the year 5138.
Items = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Bringer:
    """The record that brings consents, in which version, and who sent it."""

    record_id: UUID
    version_no: int
    source: str
    brand: str
    timezone: str
    sent_by: str


def problems(items: Iterable[Any], rules: Rules) -> Iterator[Problem]:
    """What is wrong with the consents of a delivery, as far as that can be told before it is standardized."""
    for one in items:
        if isinstance(one, Mapping):
            yield from _unknown_words(one, rules)


def _unknown_words(one: Mapping[str, Any], rules: Rules) -> Iterator[Problem]:
    if rules.word(str(one.get("purpose", ""))) is None:
        yield PURPOSE_UNKNOWN
    if rules.state(str(one.get("state", ""))) is None:
        yield STATE_UNKNOWN


def statements(
    bringer: Bringer, body: Mapping[str, Any], rules: Rules, hashed: Hasher, now: datetime
) -> tuple[list[Statement], list[Problem]]:
    """Make statements of the consents of a standard record's JSON; and what is wrong with some of them."""
    found: list[Statement] = []
    wrong: list[Problem] = []
    for one in body.get("consents", ()):
        word, state = rules.word(one.get("purpose", "")), rules.state(one.get("state", ""))
        wrong += _unknown_words(one, rules)
        if word is not None and state is not None:
            found.append(_statement(bringer, one, word, state, _point(one, word.channel, body, wrong), hashed, now, wrong))
    return found, wrong


def _statement(
    bringer: Bringer,
    item: Mapping[str, Any],
    word: Word,
    state: StateWord,
    point: ContactPoint | None,
    hashed: Hasher,
    now: datetime,
    wrong: list[Problem],
) -> Statement:
    at = _time(item.get("at"), bringer.timezone, now, wrong)
    proof = item.get("proof")
    contact = hashed(point.kind, point.canonical) if point else None
    said = (bringer.record_id, contact, state.state, state.suppression, word.channel, word.purpose, bringer.brand, at, proof)
    entry = Entry(
        ledger.entry_id("record", *said),
        state.state,
        now,
        at,
        contact,
        word.channel,
        word.purpose if state.state is not State.SUPPRESSED else None,
        bringer.brand if state.state is not State.SUPPRESSED else None,
        origin=Origin.SUBJECT if proof else Origin.IMPORT,
        is_evidenced=bool(proof),
        suppression=state.suppression,
        implied_by=state.implied_by or ("purchase" if state.state is State.IMPLIED else None),
        records=frozenset({bringer.record_id}),
    )
    return Statement(
        entry,
        bringer.sent_by,
        method=Method.IMPORT,
        kind=point.kind if point else None,
        contact_point=point.shown if point else None,
        evidence={"proof": proof} if proof else None,
        source=bringer.source,
        brought_by=bringer.record_id,
        version_no=bringer.version_no,
    )


def _point(
    item: Mapping[str, Any], channel: Channel | None, body: Mapping[str, Any], wrong: list[Problem]
) -> ContactPoint | None:
    """Whose consent it is: of the contact point that it names, else of the only one of its kind that the record holds."""
    kind = KIND_OF.get(channel) if channel else None
    if kind is None:
        return None
    held = list(_held(kind, body))
    country = next((one["country"] for name in ("phones", "addresses") for one in body.get(name, ()) if one.get("country")), None)
    named = item.get("contact_point")
    found = contact_points.read(kind, named, country) if named else held[0] if len(held) == 1 else None
    if found is None:
        wrong.append(POINT_UNREADABLE)
    return found


def _held(kind: str, body: Mapping[str, Any]) -> Iterator[ContactPoint]:
    names = {EMAIL: "emails", PHONE: "phones", DEVICE: ""}
    for one in body.get(names[kind], ()):
        if (point := contact_points.read(kind, one["value"])) is not None:
            yield point


def _time(text: str | None, timezone: str, now: datetime, wrong: list[Problem]) -> datetime | None:
    """When the customer acted; None when nothing is said, or nothing that can be used."""
    if text is None:
        return None
    try:
        at = _moment(text)
        at = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        wrong.append(TIME_UNREADABLE)
        return None
    if at.year < EARLIEST_YEAR or at > now + LATEST_AHEAD:
        wrong.append(TIME_UNREADABLE)
        return None
    return at


def _moment(text: str) -> datetime:
    """A time in ISO form, or seconds or milliseconds since 1970. Raises: ValueError."""
    if text.isascii() and text.isdecimal() and len(text) > 8:
        number = int(text)
        return datetime.fromtimestamp(number / 1000 if number > MILLISECONDS else number, UTC)
    return datetime.fromisoformat(text)
