"""The evidence of a standard record: its hash, and the canonical input that gives the same record again."""

import hashlib
import re
from typing import Any

import orjson

from matching.record import Address, Name, Phone, StandardRecord, to_json
from matching.standardize.genders import gender_of_title, genders_of_given, titles_of
from matching.withheld import usable

FORM_HASH_BYTES = 16
_COUPLE = re.compile(r"[&+]|\b(?:and|und|et|en|og|och|y|e|i|ja)\b", re.IGNORECASE)  # Between the titles of two people.


def form_hash(record: StandardRecord) -> bytes:
    """Return 16 bytes that are equal when two records hold the same evidence.

    Left out: echoes, notes, consents, validity, verification, balances and tiers, display spellings that fold alike, and the
    user's own attributes that are not evidence.
    """
    content = orjson.dumps(evidence(record), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=FORM_HASH_BYTES).digest()


def evidence(record: StandardRecord) -> list[Any]:
    """The part of a record that comparison may look at, as JSON-ready lists in a fixed order; lists of values are sorted."""
    record = usable(record)
    name, birth = record.name, record.birth_date
    return [
        record.party,
        _name_evidence(name) if name else None,
        record.company_key,
        record.company_form,
        [birth.text, birth.alternative, birth.identifying, birth.written] if birth else None,
        record.gender,
        sorted({email.key or email.value for email in record.emails if not email.echo}),
        sorted({_line(phone) for phone in record.phones if not phone.echo}),
        sorted(_address_evidence(address) for address in record.addresses if not address.echo),
        sorted([i.type, i.issuer, i.value] for i in record.identifiers if not i.echo),
        sorted([account.programme, account.number] for account in record.loyalty_accounts if account.key),
        [[extra.name, extra.kind, extra.value] for extra in record.extras if extra.match],
    ]


def _line(phone: Phone) -> str:
    number = phone.key or phone.value
    return f"{number}x{phone.extension}" if phone.extension else number


def _name_evidence(name: Name) -> list[Any]:
    folded = [name.given_folded, name.middle_folded, name.surname_folded, name.maiden_folded, name.suffix_folded]
    title = "couple" if names_a_couple(name) else _telling_title(name)
    return [*folded, name.native, list(name.nicknames), name.identifying, *([title] if title else [])]


def _telling_title(name: Name) -> str | None:
    """The gender that a title adds to a name that leaves it open: Herr Toni is not Frau Toni, and Mr John is John."""
    return None if len(genders_of_given(name.given_folded or "")) == 1 else gender_of_title(titles_of(name.prefix, name.surname))


def names_a_couple(name: Name) -> bool:
    """Say whether the titles are two people's (Mr & Mrs): the given name is then one of theirs, and not the other's."""
    return name.prefix is not None and _COUPLE.search(name.prefix) is not None


def _address_evidence(address: Address) -> list[Any]:
    keys = (address.street_key, address.place_key, address.city_key, address.postal_key)
    parts = (address.house_number, address.unit, *keys, address.region, address.country)
    return [*(part or "" for part in parts), address.shared]


def as_input(record: StandardRecord) -> dict[str, Any]:
    """Return the canonical input that standardizes to the same record (notes apart)."""
    data: dict[str, Any] = {
        "company_name": record.company_name,
        "gender": record.gender,
        "language": record.language,
        "preferred_store": record.preferred_store,
        "asserted_golden_id": record.asserted_golden_id,
        "parent": record.parent,
        "extras": {extra.name: extra.value for extra in record.extras},
        "consents": [dict(consent) for consent in record.consents],
        "identifiers": [to_json(identifier) for identifier in record.identifiers],
        "loyalty_accounts": [to_json(account) for account in record.loyalty_accounts],
        "emails": [to_json(email) for email in record.emails],
        "phones": [_phone_input(to_json(phone)) for phone in record.phones],
        "addresses": [_address_input(to_json(address)) for address in record.addresses],
        "party": None if record.party == "unknown" else str(record.party),
    }
    if name := record.name:
        data |= {"given_name": name.given, "middle_name": name.middle, "surname": name.surname}
        data |= {"name_prefix": name.prefix, "name_suffix": name.suffix, "maiden_name": name.maiden}
    if birth := record.birth_date:
        data |= {"birth_date": birth.written or birth.text, "birth_date_alternative": birth.alternative}
    return {key: value for key, value in data.items() if value}


def _phone_input(phone: dict[str, Any]) -> dict[str, Any]:
    extension = phone.get("extension")
    return phone | {"value": f"{phone['value']};ext={extension}" if extension else phone["value"]}


def _address_input(address: dict[str, Any]) -> dict[str, Any]:
    return address | {"lines": address.get("lines", [])}
