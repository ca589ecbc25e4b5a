"""Blocking rules, once: the keys under which a record is filed and found, in the online index and in bulk alike.

A key is a signed 64-bit hash, keyed with the deployment's secret, so that the index tells nobody's values. Every rule uses identifying
values only, and names its refinements: longer keys that stand in for a key which too many records share. Nothing is truncated here.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from matching.record import Address, BirthDate, Name, PartyKind, StandardRecord

BLOCKING_VERSION = "1"
HOT_LIMIT = 200  # Records of one key beyond which only its refined keys yield candidates.
KEY_BYTES = 8
PHONE_TAIL = 8  # Digits of a phone number that stay when the country or the trunk prefix is missing.
REFINED_STEP = 100  # Rule r is refined by the rules r + 100, r + 200, …
LOYALTY = "loyalty"


@dataclass(frozen=True, slots=True)
class Rule:
    """A blocking rule: its number in the index, what it files by, and what each of its refinements adds."""

    number: int
    name: str
    refined_by: tuple[str, ...]


RULES: tuple[Rule, ...] = (
    Rule(1, "e-mail key", ("given initial", "birth date")),
    Rule(2, "phone tail", ("given initial", "birth date")),
    Rule(3, "identifier or loyalty number", ("given initial", "birth date")),
    Rule(4, "surname sound + birth date", ("given initial", "postal code")),
    Rule(5, "given initial + birth date", ("surname initial", "postal code")),
    Rule(6, "birth date + postal code", ("given initial", "surname initial")),
    Rule(7, "surname sound + postal code", ("given initial", "house number")),
    Rule(8, "both name sounds, in any order + birth year", ("postal code", "birth month and day")),
    Rule(9, "street + house number", ("given initial", "postal code")),
    Rule(10, "both names, in any order", ("birth date", "postal code")),
    Rule(11, "company", ("postal code", "city")),
)
_RULES = {rule.number: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class BlockingKey:
    """A key of a record under a rule, with the keys that refine it for this record."""

    rule: int
    key: int
    refined: tuple[tuple[int, int], ...]


def refined_rule(rule: int) -> tuple[int, ...]:
    """Return the numbers of the rules that refine a rule; empty for a refined one."""
    return tuple(rule + REFINED_STEP * step for step, _ in enumerate(_RULES[rule].refined_by, 1)) if rule in _RULES else ()


def keys(record: StandardRecord, secret: bytes) -> list[tuple[int, int]]:
    """Return (rule, key) for every blocking key of a record, the refined ones among them, without repetition."""
    found: dict[tuple[int, int], None] = {}
    for blocking_key in blocking_keys(record, secret):
        found[blocking_key.rule, blocking_key.key] = None
        found.update(dict.fromkeys(blocking_key.refined))
    return list(found)


def blocking_keys(record: StandardRecord, secret: bytes) -> Iterator[BlockingKey]:
    """Yield the keys of a record, each with its refinements, so that refined keys can be kept for hot keys only."""
    facts = _Facts(record)
    for rule, parts in _filed(record, facts):
        texts = ("", str(rule), *parts)
        refined = tuple(
            (rule + REFINED_STEP * step, _hash((str(rule + REFINED_STEP * step), *parts, more), secret))
            for step, attribute in enumerate(_RULES[rule].refined_by, 1)
            for more in facts.second(attribute)
        )
        yield BlockingKey(rule, _hash(texts[1:], secret), refined)


def lookup_key(kind: str, parts: Sequence[str], secret: bytes) -> int:
    """Return the key under which records holding a match key are filed.

    `kind` and parts: "email" (match key), "phone" (match key), "identifier" (type, issuer, match key), "loyalty" (programme, match key).
    A phone key files by the last digits only: compare the match keys of what is found.
    """
    match kind:
        case "email":
            return _hash(("1", *parts), secret)
        case "phone":
            return _hash(("2", parts[0][-PHONE_TAIL:]), secret)
        case "identifier":
            return _hash(("3", *parts), secret)
        case "loyalty":
            return _hash(("3", LOYALTY, *parts), secret)
    raise ValueError("kind must be email, phone, identifier or loyalty")


def _hash(parts: Iterable[str], secret: bytes) -> int:
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=KEY_BYTES, key=secret[:64]).digest()
    return int.from_bytes(digest, "big", signed=True)


class _Facts:
    """The values of one record that rules combine: each list holds only what identifies."""

    __slots__ = ("births", "cities", "given", "houses", "initials", "places", "sounds", "surnames", "years")

    def __init__(self, record: StandardRecord) -> None:
        name = record.name if record.name and record.name.identifying else None
        birth = record.birth_date if record.birth_date and record.birth_date.identifying else None
        homes = [address for address in record.addresses if not address.shared and not address.echo]
        self.given = _given_names(name)
        self.surnames = _surnames(name)
        self.initials = sorted({given[0] for given in self.given})
        self.sounds = name
        self.births = _full_dates(birth)
        self.years = sorted({date[:4] for date in self.births} or ({f"{birth.year:04}"} if birth else set()))
        self.places = sorted({home.postal_key for home in homes if home.postal_key})
        self.cities = sorted({home.city_key for home in homes if home.city_key})
        self.houses = sorted({home.house_number for home in homes if home.house_number})

    def second(self, attribute: str) -> Sequence[str]:
        """The values by which a refinement lengthens a key."""
        match attribute:
            case "given initial":
                return self.initials
            case "surname initial":
                return sorted({surname[0] for surname in self.surnames})
            case "birth date":
                return self.births
            case "birth month and day":
                return sorted({date[5:] for date in self.births})
            case "postal code":
                return self.places
            case "house number":
                return self.houses
        return self.cities


def _given_names(name: Name | None) -> list[str]:
    return [name.given_folded] if name and name.given_folded else []


def _surnames(name: Name | None) -> list[str]:
    return sorted({part for part in (name.surname_folded, name.maiden_folded) if part}) if name else []


def _full_dates(birth: BirthDate | None) -> list[str]:
    if birth is None or birth.day is None:
        return []
    return sorted({birth.text, *((birth.alternative,) if birth.alternative else ())})


def _filed(record: StandardRecord, facts: _Facts) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each rule with the parts of each of its keys."""
    yield from _contact_keys(record)
    yield from _birth_keys(record, facts)
    yield from _name_keys(record, facts)
    yield from _address_keys(record, facts)


def _contact_keys(record: StandardRecord) -> Iterator[tuple[int, tuple[str, ...]]]:
    yield from ((1, (email.key,)) for email in record.emails if email.key)
    yield from ((2, (phone.key[-PHONE_TAIL:],)) for phone in record.phones if phone.key)
    yield from ((3, (i.type, i.issuer, i.key)) for i in record.identifiers if i.key)
    yield from ((3, (LOYALTY, account.programme, account.key)) for account in record.loyalty_accounts if account.key)


def _sounds(name: Name | None) -> tuple[str | None, str | None]:
    if name is None or not name.identifying:
        return None, None
    return name.given_phonetic or name.given_folded, name.surname_phonetic or name.surname_folded


def _birth_keys(record: StandardRecord, facts: _Facts) -> Iterator[tuple[int, tuple[str, ...]]]:
    given, surname = _sounds(record.name)
    for date in facts.births:
        if surname:
            yield 4, (surname, date)
        yield from ((5, (initial, date)) for initial in facts.initials)
        yield from ((6, (date, place)) for place in facts.places)
    if given and surname:
        yield from ((8, (*sorted((given, surname)), year)) for year in facts.years)


def _name_keys(record: StandardRecord, facts: _Facts) -> Iterator[tuple[int, tuple[str, ...]]]:
    _, surname = _sounds(record.name)
    if surname:
        yield from ((7, (surname, place)) for place in facts.places)
    names = sorted((*facts.given, *facts.surnames[:1]))
    if names:
        yield 10, tuple(names)
    if record.company_key and record.party is not PartyKind.PERSON:
        yield 11, (record.company_key,)


def _address_keys(record: StandardRecord, facts: _Facts) -> Iterator[tuple[int, tuple[str, ...]]]:
    for home in record.addresses:
        if home.street_key and home.house_number and not home.shared and not home.echo:
            yield 9, (home.street_key, home.house_number)
