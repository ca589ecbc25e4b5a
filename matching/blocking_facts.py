"""The facts of one record that blocking rules combine: only what identifies, each value a text, equal for people who may be one.

Sounds stand for names, streets and cities; spaces lost or gained in typing do not change them. Given and surname are not told
apart, because sources swap them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from matching.record import LOYALTY, Address, BirthDate, Identifier, LoyaltyAccount, Name, PartyKind, StandardRecord
from matching.standardize.sounds import sound
from matching.standardize.street_tables import TYPE_FIRST, TYPE_LAST
from matching.withheld import usable

PHONE_TAIL = 8  # Digits of a phone number that stay when the country or the trunk prefix is missing.
SEPARATOR = "\x1f"  # Standard values hold no control characters, so parts cannot run into each other.
PHONE_PART = 5  # Digits of the tail's beginning and of its end: one slip leaves one of them, wherever it is but in the middle.
SHORTEST_MAILBOX = 4
MOST_NICKNAMES = 6
SHORTEST_WORD = 3  # Shorter words of a name are particles and initials.
# Values of one attribute by which a record is filed. A person has fewer; a list of contacts or an attack would be filed under
# hundreds of thousands of keys. An account of many contacts keeps those that it is looked up by.
MOST_FILED: Mapping[str, int] = {"emails": 32, "phones": 32, "addresses": 8, "identifiers": 32, "loyalty_accounts": 32}
STREET_TYPES = frozenset({*TYPE_LAST.values(), *TYPE_FIRST.values()})
_DIGITS = re.compile(r"\d+")
Values = Mapping[str, Sequence[str]]


class Home(NamedTuple):
    """What one home is filed by; a home with nothing of it is filed nowhere."""

    postal_codes: tuple[str, ...]
    cities: tuple[str, ...]
    streets: tuple[str, ...]
    house_numbers: tuple[str, ...]


NO_HOME = Home((), (), (), ())
F = TypeVar("F", str, Home)


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that rules file by; one that is not known has no values.

    `whole` holds those of all homes; each of `homes` the same with the place of one, since the street of one and the city of
    another are nobody's. `left_out` names attributes with more values than are filed.
    """

    whole: Values
    homes: tuple[Values, ...]
    left_out: tuple[str, ...] = ()


def read_facts(record: StandardRecord) -> Facts:
    """Gather the facts of a record: of each attribute at most MOST_FILED values, the same in whatever order they came."""
    record = usable(record)
    left_out: list[str] = []
    births = _births(record.birth_date)
    emails = _filed("emails", record.emails, lambda email: email.key, left_out)
    phones = _filed("phones", record.phones, lambda phone: phone.key and phone.key[-PHONE_TAIL:], left_out)
    person = _name_facts(record.name if record.name and record.name.identifying else None) | {
        "emails": emails,
        "mailboxes": _distinct(box for email in emails if len(box := email.rpartition("@")[0]) >= SHORTEST_MAILBOX),
        "phones": phones,
        "phone_parts": _phone_parts(phones),
        "identifiers": (
            *_filed("identifiers", record.identifiers, _identifier, left_out),
            *_filed("loyalty_accounts", record.loyalty_accounts, _card, left_out),
        ),
        "births": births,
        "years": _years(record.birth_date, births),
        "companies": (record.company_key,) if record.company_key and record.party is not PartyKind.PERSON else (),
    }
    homes = _filed("addresses", record.addresses, _home, left_out)
    by_home = tuple([person | dict(zip(Home._fields, home, strict=True)) for home in homes])
    whole = by_home[0] if len(by_home) == 1 else person | _whole(homes)._asdict()
    return Facts(whole, by_home, tuple(left_out))


def left_out(record: StandardRecord) -> tuple[str, ...]:
    """Name the attributes of which a record holds more values than it is filed by. Nearly free for an ordinary record."""
    if all(len(getattr(record, attribute)) <= most for attribute, most in MOST_FILED.items()):
        return ()
    return read_facts(record).left_out


def _filed(attribute: str, items: Sequence[Any], fact_of: Callable[[Any], F | None], left_out: list[str]) -> tuple[F, ...]:
    """The distinct facts of some values; when they are too many, those of verified values first, then of the newest."""
    if not items:
        return ()
    read = [(fact, item) for item in items if (fact := fact_of(item))]
    most = MOST_FILED[attribute]
    if len(read) > most:
        read.sort(key=lambda one: one[0])
        read.sort(key=lambda one: _preference(one[1]), reverse=True)
    facts = tuple(dict.fromkeys(fact for fact, _ in read))
    if len(facts) > most:
        left_out.append(attribute)
    return facts[:most]


def _preference(item: Any) -> tuple[bool, bool, str, str]:
    """Verified, in use still, ended or begun late. Identifiers and cards say nothing of it."""
    end, start = getattr(item, "valid_to", None), getattr(item, "valid_from", None)
    return getattr(item, "verified", False), end is None, end or "", start or ""


def _distinct(values: Iterable[str | None]) -> Sequence[str]:
    return tuple(dict.fromkeys([value for value in values if value]))


def _name_facts(name: Name | None) -> dict[str, Sequence[str]]:
    """Sounds and initials of given name and surname, and of their single words when there are several."""
    given = _spellings(name.given_folded) if name else ()
    called = tuple(dict.fromkeys((*given, *_nicknames(name)))) if name else ()
    surnames = tuple(dict.fromkeys((*_spellings(name.surname_folded), *_spellings(name.maiden_folded)))) if name else ()
    pairs = [SEPARATOR.join(sorted((one, two))) for one in called or ("",) for two in surnames or ("",) if one or two]
    initials = _distinct(text[0] for text in (name.given_folded, name.surname_folded, name.maiden_folded) if text) if name else ()
    both = (name.given_folded, name.surname_folded) if name else (None, None)
    return {
        "name_sounds": _distinct((*given, *surnames)),
        "sound_initials": _sound_initials(name, given, surnames) if name else (),
        "name_pairs": _distinct(pairs),
        "initials": initials,
        "initial_pairs": ("".join(sorted((both[0][0], both[1][0]))),) if both[0] and both[1] else (),
    }


def _sound_initials(name: Name, given: Sequence[str], surnames: Sequence[str]) -> Sequence[str]:
    """The sound of either name with the initial of the other: Anna S. and A. Schmidt both find Anna Schmidt."""
    sides = ((given, name.surname_folded), (surnames, name.given_folded))
    return _distinct(SEPARATOR.join((one, other[0])) for sounds, other in sides if other for one in sounds)


def _nicknames(name: Name) -> tuple[str, ...]:
    """The sounds of the full forms that the given name may stand for; of a name that may stand for a dozen, the first six."""
    return tuple(dict.fromkeys(sound(key.removeprefix("~")) for key in name.nicknames))[:MOST_NICKNAMES]


def _spellings(folded: str | None) -> tuple[str, ...]:
    """The sound of a name written as one word, and of its first and last word."""
    if not folded:
        return ()
    words = [word for word in folded.split() if len(word) >= SHORTEST_WORD]
    several = (words[0], words[-1]) if len(words) > 1 else ()
    return tuple(dict.fromkeys(sound(text) for text in (folded, *several)))


def _births(birth: BirthDate | None) -> Sequence[str]:
    """Both readings of a full date; also a day that no calendar has, which two records may share through one typing error."""
    if birth is None or not birth.identifying:
        return ()
    return _distinct((birth.text if birth.day else birth.written, birth.alternative))


def _phone_parts(tails: Iterable[str]) -> Sequence[str]:
    """The beginning and the end of each phone's tail, told apart."""
    whole = [tail for tail in tails if len(tail) == PHONE_TAIL]
    return _distinct(part for tail in whole for part in (f"{tail[:PHONE_PART]}-", f"-{tail[-PHONE_PART:]}"))


def _years(birth: BirthDate | None, births: Sequence[str]) -> Sequence[str]:
    if birth is None or not birth.identifying:
        return ()
    return _distinct((f"{birth.year:04}", *(date[:4] for date in births)))


def _home(address: Address) -> Home | None:
    if address.shared or address.echo:
        return None
    number = _house_number(address.house_number)
    home = Home(
        (address.postal_key,) if address.postal_key else (),
        (sound(address.city_key),) if address.city_key else (),
        tuple(dict.fromkeys(street for street in _streets(address) if street)),
        (number,) if number else (),
    )
    return home if home != NO_HOME else None


def _whole(homes: Sequence[Home]) -> Home:
    return Home(*(tuple(dict.fromkeys(chain(*parts))) for parts in zip(*homes, strict=True))) if homes else NO_HOME


def _streets(home: Address) -> Iterable[str]:
    """The sound of the street without its type, and of the place: sources put one in the field of the other."""
    if home.street_key:
        name, _, kind = home.street_key.rpartition(" ")
        yield sound(name if name and kind in STREET_TYPES else home.street_key)
    if home.place_key:
        yield sound(home.place_key)


def _house_number(text: str | None) -> str | None:
    """The first number in it: 12, 12a, 12-14 and 12/3 are filed together."""
    match = _DIGITS.search(text) if text else None
    return match[0] if match else text


def _identifier(item: Identifier) -> str | None:
    return SEPARATOR.join((item.type, item.issuer, item.key)) if item.key else None


def _card(account: LoyaltyAccount) -> str | None:
    return SEPARATOR.join((LOYALTY, account.programme, account.key)) if account.key else None
