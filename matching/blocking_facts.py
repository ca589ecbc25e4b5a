"""The facts of one record that blocking rules combine: only what identifies, each value a text, equal for people who may be one.

Sounds stand for names, streets and cities; spaces lost or gained in typing do not change them. Given and surname are not told
apart, because sources swap them.
"""

import re
from collections.abc import Iterable, Sequence

from matching.record import Address, BirthDate, Name, PartyKind, StandardRecord
from matching.standardize.sounds import sound
from matching.standardize.street_tables import TYPE_FIRST, TYPE_LAST

PHONE_TAIL = 8  # Digits of a phone number that stay when the country or the trunk prefix is missing.
SEPARATOR = "\x1f"  # Standard values hold no control characters, so parts cannot run into each other.
LOYALTY = "loyalty"
SHORTEST_WORD = 3  # Shorter words of a name are particles and initials.
Facts = dict[str, Sequence[str]]
STREET_TYPES = frozenset({*TYPE_LAST.values(), *TYPE_FIRST.values()})
_DIGITS = re.compile(r"\d+")


def read_facts(record: StandardRecord) -> Facts:
    """Gather the facts that rules file by; a fact that is not known has no values."""
    homes = [address for address in record.addresses if not address.shared and not address.echo]
    births = _births(record.birth_date)
    return _name_facts(record.name if record.name and record.name.identifying else None) | {
        "emails": _distinct(email.key for email in record.emails if email.key),
        "phones": _distinct(phone.key[-PHONE_TAIL:] for phone in record.phones if phone.key),
        "identifiers": _identifiers(record),
        "births": births,
        "years": _years(record.birth_date, births),
        "postal_codes": _distinct(home.postal_key for home in homes),
        "cities": _distinct(sound(home.city_key) for home in homes if home.city_key),
        "streets": _distinct(street for home in homes for street in _streets(home)),
        "house_numbers": _distinct(_house_number(home.house_number) for home in homes),
        "companies": (record.company_key,) if record.company_key and record.party is not PartyKind.PERSON else (),
    }


def _distinct(values: Iterable[str | None]) -> Sequence[str]:
    return tuple(dict.fromkeys(value for value in values if value))


def _name_facts(name: Name | None) -> Facts:
    """Sounds and initials of given name and surname, and of their single words when there are several."""
    given = _spellings(name.given_folded) if name else ()
    surnames = tuple(dict.fromkeys((*_spellings(name.surname_folded), *_spellings(name.maiden_folded)))) if name else ()
    pairs = [SEPARATOR.join(sorted((one, two))) for one in given or ("",) for two in surnames or ("",) if one or two]
    initials = _distinct(text[0] for text in (name.given_folded, name.surname_folded, name.maiden_folded) if text) if name else ()
    both = (name.given_folded, name.surname_folded) if name else (None, None)
    return {
        "name_sounds": _distinct((*given, *surnames)),
        "name_pairs": _distinct(pairs),
        "initials": initials,
        "initial_pairs": ("".join(sorted((both[0][0], both[1][0]))),) if both[0] and both[1] else (),
    }


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


def _years(birth: BirthDate | None, births: Sequence[str]) -> Sequence[str]:
    if birth is None or not birth.identifying:
        return ()
    return _distinct((f"{birth.year:04}", *(date[:4] for date in births)))


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


def _identifiers(record: StandardRecord) -> Sequence[str]:
    named = [SEPARATOR.join((item.type, item.issuer, item.key)) for item in record.identifiers if item.key]
    cards = [SEPARATOR.join((LOYALTY, account.programme, account.key)) for account in record.loyalty_accounts if account.key]
    return _distinct((*named, *cards))
