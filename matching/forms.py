"""The comparison form: the part of a standard record that is compared, as folded columns that both engines read.

Owns which columns there are and how they come from a standard record. Compares nothing. A value that does not identify (a
placeholder, a shared address, our own echoed value) never gets in, nor one that is withheld from matching; every empty text or
list is None.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from matching.record import LOYALTY, Address, BirthDate, Name, PartyKind, Phone, StandardRecord
from matching.skeletons import abjad_skeletons, latin_skeleton, unread_script
from matching.standardize.forms import names_a_couple
from matching.standardize.genders import genders_of_name, titles_of
from matching.withheld import usable

MOST_VALUES = 32
SHORTEST_LOCAL_PART = 5
SHORTEST_NEAR_IDENTIFIER = 6
# "Ann" stands in hannover@ as well, so a short name counts only as a word of its own.
SHORTEST_WORD, SHORTEST_INSIDE = 3, 4
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\u3005 ]+")
_NO_LETTERS = re.compile("[^a-z]+")


@dataclass(frozen=True, slots=True)
class ComparisonForm:
    """One record as it is compared. Text columns that are compared by distance are ASCII; tuples are sorted, so that the order
    received never matters.

    At most 32 values of a multi-valued attribute are compared: the best pair is found among them, and a record with more says
    nothing more about who it is.
    """

    party: str | None = None
    given: str | None = None
    initial: str | None = None
    given_words: tuple[str, ...] | None = None
    givens: tuple[str, ...] | None = None
    nicknames: tuple[str, ...] | None = None
    given_phonetic: str | None = None
    middle: str | None = None
    middle_initial: str | None = None
    surname: str | None = None
    surnames: tuple[str, ...] | None = None
    surname_phonetic: str | None = None
    suffix: str | None = None
    script: str | None = None
    given_skeletons: tuple[str, ...] | None = None
    surname_skeletons: tuple[str, ...] | None = None
    han: str | None = None
    name_genders: tuple[str, ...] | None = None
    birth: str | None = None
    birth_sure: str | None = None
    birth_flipped: str | None = None
    birth_alternative: str | None = None
    birth_year: int | None = None
    birth_month: str | None = None
    birth_month_day: str | None = None
    birth_year_day: str | None = None
    gender: str | None = None
    emails: tuple[str, ...] | None = None
    own_emails: tuple[str, ...] | None = None
    email_texts: tuple[str, ...] | None = None
    email_locals: tuple[str, ...] | None = None
    phones: tuple[str, ...] | None = None
    phone_lines: tuple[str, ...] | None = None
    homes: tuple[str, ...] | None = None
    buildings: tuple[str, ...] | None = None
    house_postals: tuple[str, ...] | None = None
    streets: tuple[str, ...] | None = None
    postals: tuple[str, ...] | None = None
    cities: tuple[str, ...] | None = None
    identifiers: tuple[str, ...] | None = None
    identifier_texts: tuple[str, ...] | None = None
    identifier_types: tuple[str, ...] | None = None
    company: str | None = None
    company_words: tuple[str, ...] | None = None
    company_form: str | None = None
    extras: tuple[tuple[str, str], ...] | None = None


RECORD_ID = "record_id"  # Stands before them in a table of forms.
COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(ComparisonForm) if field.name != "extras")
LIST_COLUMNS = frozenset(field.name for field in fields(ComparisonForm) if "tuple[str, ...]" in str(field.type))
NUMBER_COLUMNS = frozenset({"birth_year"})


def comparison_form(record: StandardRecord) -> ComparisonForm:
    """Build the comparison form of a record."""
    return ComparisonForm(**columns_of(record))


def columns_of(record: StandardRecord) -> dict[str, Any]:
    """Give the columns of a record's comparison form by their names; one that is missing is None."""
    record = usable(record)
    name = _name_columns(record.name)
    return {
        "party": None if record.party is PartyKind.UNKNOWN else record.party.value,
        "gender": record.gender or None,
        "extras": tuple(sorted((extra.name, extra.value) for extra in record.extras if extra.match and extra.value)) or None,
        "name_genders": _name_genders(record),
        **name,
        **_birth_columns(record.birth_date),
        **(_company_columns(record) if record.company_key or record.company_form else {}),
        **(_phone_columns(record.phones) if record.phones else {}),
        **(_email_columns(record, name) if record.emails else {}),
        **(_address_columns(record.addresses) if record.addresses else {}),
        **(_identifier_columns(record) if record.identifiers or record.loyalty_accounts else {}),
    }


def _ascii(text: str | None) -> str | None:
    return text if text and text.isascii() else None


def _values(values: Iterable[str | None]) -> tuple[str, ...] | None:
    kept = set(values)
    kept.discard(None)
    kept.discard("")
    return tuple(sorted(cast(set[str], kept))[:MOST_VALUES]) if kept else None


def _company_columns(record: StandardRecord) -> dict[str, Any]:
    return {
        "company": _ascii(record.company_key),
        "company_words": _values(word for word in (record.company_key or "").split() if len(word) > 2),
        "company_form": _ascii(record.company_form),
    }


def _phone_columns(phones: Iterable[Phone]) -> dict[str, Any]:
    own = [phone for phone in phones if not phone.echo]
    lines = [f"{phone.key}|{phone.extension}" for phone in own if phone.key and phone.extension]
    return {"phones": _values([phone.key for phone in own]), "phone_lines": _values(lines)}


def _name_columns(name: Name | None) -> dict[str, Any]:
    if name is None or not name.identifying:
        return {}
    # The given name of "Mr & Mrs John Smith" is that of one of two: the couple's record is not John's.
    is_couple = names_a_couple(name)
    given, middle = (None, None) if is_couple else (_ascii(name.given_folded), _ascii(name.middle_folded))
    surname, maiden = _ascii(name.surname_folded), _ascii(name.maiden_folded)
    full = given if given and len(given) > 1 else None
    return {
        "given": full,
        "initial": given[0] if given else None,
        "given_words": _values([word for word in (given, *(given or "").split()) if word and len(word) > 2]),
        "givens": _values([word for text in (given, middle) if text for word in (text, *text.split()) if len(word) > 2]),
        "nicknames": None if is_couple else _values(name.nicknames),
        "given_phonetic": None if is_couple else name.given_phonetic or None,
        "middle": middle if middle and len(middle) > 1 else None,
        "middle_initial": middle[0] if middle else None,
        "surname": surname,
        "surnames": _values([word for text in (surname, maiden) if text for word in (text, *text.split()) if len(word) > 2]),
        "surname_phonetic": name.surname_phonetic or None,
        "suffix": _ascii(name.suffix_folded),
        **_script_columns(name, full, surname),
        "han": name.native if name.native and _HAN.fullmatch(name.native) else None,
    }


def _name_genders(record: StandardRecord) -> tuple[str, ...] | None:
    """The genders that fit the name and what stands around it: one, both for Sasha, None when nothing tells or two are named."""
    name = record.name
    if name is None or not name.identifying or names_a_couple(name):
        return None
    title = titles_of(name.prefix, name.surname)
    return genders_of_name(name.given_folded, name.middle_folded, name.surname_folded, title, record.gender) or None


def _script_columns(name: Name, given: str | None, surname: str | None) -> dict[str, Any]:
    """The script of the name when it does not tell the Latin reading, and the consonants by which it is compared all the same."""
    script = unread_script(name.native) if name.native else None
    if script == "abjad":
        return {
            "script": script,
            "given_skeletons": _values(abjad_skeletons(name.given or "")) if given else None,
            "surname_skeletons": _values(abjad_skeletons(name.surname or "")) if surname else None,
        }
    return (
        {"script": script}
        if script
        else {
            "given_skeletons": latin_skeleton(given) or None if given else None,
            "surname_skeletons": latin_skeleton(surname) or None if surname else None,
        }
    )


def _birth_columns(birth: BirthDate | None) -> dict[str, Any]:
    if birth is None or not birth.identifying:
        return {}
    columns: dict[str, Any] = {"birth_year": birth.year, "birth_alternative": birth.alternative}
    text = birth.written or birth.text
    # The first of January is what many systems write for "some day of that year": equal ones are weighed by their frequency, and
    # one of them beside another day of its year is a partial date, not a contradiction.
    placeholder_day = text.endswith("-01-01")
    if len(text) >= 7 and not placeholder_day:
        columns["birth_month"] = text[:7]
    if len(text) == 10:
        year, month, day = text.split("-")
        columns["birth"] = text
        columns["birth_flipped"] = f"{year}-{day}-{month}" if day <= "12" and day != month else None
        if not placeholder_day:
            columns |= {"birth_sure": text, "birth_month_day": text[5:], "birth_year_day": f"{year}-{day}"}
    return columns


def _email_columns(record: StandardRecord, name: Mapping[str, Any]) -> dict[str, Any]:
    keys = [email.key for email in record.emails if email.key and not email.echo]
    called = {*(name.get("given_words") or ()), *(key.lstrip("~") for key in name.get("nicknames") or ())}
    return {
        "emails": _values(keys),
        "own_emails": _values([key for key in keys if _is_called_after(key, called)]),
        "email_texts": _values([key for key in keys if key.isascii() and len(key) > 7]),
        "email_locals": _values([local for key in keys if len(local := key.rpartition("@")[0]) >= SHORTEST_LOCAL_PART]),
    }


def _is_called_after(key: str, called: Collection[str]) -> bool:
    """Say whether the part before the @ holds one of the names: benjamin57@ is Benjamin's own, family2010@ is anybody's."""
    local = key.rpartition("@")[0]
    words = _NO_LETTERS.split(local)
    return any((len(one) >= SHORTEST_INSIDE and one in local) or (len(one) >= SHORTEST_WORD and one in words) for one in called)


def _address_columns(addresses: Iterable[Address]) -> dict[str, Any]:
    usable = [address for address in addresses if not address.shared and not address.echo]
    homes, buildings, houses = [], [], []
    for address in usable:
        street, house = address.street_key or address.place_key, address.house_number
        if house and address.postal_key:
            houses.append(f"{house}|{address.postal_key}")
        if not street or not house:
            continue
        houses.append(f"{street}|{house}")
        for locality in (address.postal_key, address.city_key):
            if locality:
                buildings.append(f"{street}|{house}|{locality}")
                homes.append(f"{street}|{house}|{locality}|{address.unit or ''}")
    return {
        "homes": _values(homes),
        "buildings": _values(buildings),
        "house_postals": _values(houses),
        "streets": _values([_ascii(key) for address in usable for key in (address.street_key, address.place_key)]),
        "postals": _values([_ascii(address.postal_key) for address in usable]),
        "cities": _values([_ascii(address.city_key) for address in usable]),
    }


def _identifier_columns(record: StandardRecord) -> dict[str, Any]:
    held = [(f"{item.type}|{item.issuer}", item.key) for item in record.identifiers if item.key and not item.echo]
    held += [(f"{LOYALTY}|{account.programme}", account.key) for account in record.loyalty_accounts if account.key]
    texts = (f"{scope}|{key}" for scope, key in held if len(key) >= SHORTEST_NEAR_IDENTIFIER)
    return {
        "identifiers": _values(f"{scope}|{key}" for scope, key in held),
        "identifier_texts": _values(_ascii(text) for text in texts),
        "identifier_types": _values(scope for scope, _ in held),
    }
