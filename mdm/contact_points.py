"""Contact points as consent compares them: one canonical text each, with the term by which searches find who holds it. Pure.

An e-mail address is itself in lower case, not the mailbox that it may lead to: consent for one spelling says nothing of another.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from consent.effective import DEVICE, EMAIL, PHONE, Holding, Member
from consent.entries import Channel
from consent.purposes import Rules
from matching.standardize import emails, phones
from mdm.search_terms import LONGEST_TERM

KINDS = (EMAIL, PHONE, DEVICE)
LONGEST = 320
Hasher = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """A contact point: of which kind, as it is compared, and as it is shown."""

    kind: str
    canonical: str
    shown: str

    @property
    def term(self) -> str:
        """By which term of searches its holders are found; nothing for a device, which is not searched for."""
        begins = {EMAIL: "e" + self.canonical, PHONE: "p" + self.canonical[::-1]}
        return begins.get(self.kind, "")[:LONGEST_TERM]


def read(kind: str, text: str, country: str | None = None) -> ContactPoint | None:
    """Read a contact point as standardization would; None for what is none."""
    if kind == EMAIL:
        found = [value for value, _, _ in emails.read_emails(text)[0] if "@" in value]
        return _email(found[0]) if len(found) == 1 else None
    if kind == PHONE:
        numbers = phones.read_phones(text, (country,) if country else ())[0]
        return _phone(numbers[0][0]) if len(numbers) == 1 else None
    trimmed = text.strip()
    return ContactPoint(DEVICE, trimmed, trimmed) if kind == DEVICE and trimmed else None


def _email(value: str) -> ContactPoint:
    # ASCII letters only, as the index of searches folds them.
    return ContactPoint(EMAIL, value.lower() if value.isascii() else value.encode().lower().decode(), value)


def _phone(value: str) -> ContactPoint | None:
    digits = value.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        digits = "".join(filter(str.isdigit, value))
    return ContactPoint(PHONE, digits, value) if digits else None


@dataclass(frozen=True, slots=True)
class Row:
    """What is stored of a member: the parts of its standard record that say what it holds and where it is, as JSON."""

    record_id: UUID
    emails: str | None = None
    phones: str | None = None
    addresses: str | None = None
    consents: str | None = None

    def points(self, rules: Rules, kinds: Collection[str] = KINDS) -> Iterator[tuple[ContactPoint, Mapping[str, Any]]]:
        """The contact points of some kinds that the record holds, each with what more is said of it."""
        if EMAIL in kinds:
            yield from ((_email(one["value"]), one) for one in _items(self.emails) if "@" in one.get("value", ""))
        if PHONE in kinds:
            yield from ((point, one) for one in _items(self.phones) if (point := _phone(one.get("value", ""))))
        if DEVICE in kinds:
            yield from ((point, {}) for one in _items(self.consents) if (point := device_of(one, rules)))

    def held(
        self, rules: Rules, hash_of: Callable[[ContactPoint], str], kinds: Collection[str] = KINDS
    ) -> tuple[Member, dict[str, ContactPoint]]:
        """The record as consent sees it, and the points of some kinds that it holds by their hashes.

        Where no address says which law applies, the countries of its phones do.
        """
        named = [(hash_of(point), point, more) for point, more in self.points(rules, kinds)]
        holdings = tuple(
            Holding(hashed, point.kind, _time(more.get("valid_from")), _time(more.get("valid_to")))
            for hashed, point, more in named
        )
        countries = _countries(_items(self.addresses)) or _countries(_items(self.phones)) or {None}
        member = Member(self.record_id, holdings, frozenset(map(rules.jurisdiction, countries)))
        return member, {hashed: point for hashed, point, _ in named}


def device_of(item: Mapping[str, Any], rules: Rules) -> ContactPoint | None:
    """The device that a consent of a record names: sources say of devices nowhere else that they are contact points."""
    word = rules.word(item.get("purpose", ""))
    return read(DEVICE, item.get("contact_point", "")) if word and word.channel is Channel.PUSH else None


def _items(text: str | None) -> Iterable[Mapping[str, Any]]:
    return orjson.loads(text) or () if text else ()


def _countries(items: Iterable[Mapping[str, Any]]) -> set[str | None]:
    return {one["country"] for one in items if one.get("country")}


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
