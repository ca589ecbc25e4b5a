"""From canonical input to the standard record: each kind in turn, notes gathered, echoes and the shop's own values disarmed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

from matching.record import Address, BirthDate, Email, Extra, Identifier, LoyaltyAccount, Phone, StandardRecord
from matching.standardize import addresses, dates, emails, identifiers, phones, scalars
from matching.standardize.context import Context, ExtraRule
from matching.standardize.countries import country_code
from matching.standardize.parties import read_party
from matching.standardize.reader import Reader
from matching.standardize.text import clean

P = TypeVar("P", Email, Phone)
_LOYALTY_KNOWLEDGE = ("status", "tier", "balance", "as_of", "enrolled_on")
_CONSENT_FIELDS = ("purpose", "state", "at", "contact_point", "proof")


def standardize(data: Mapping[str, Any], context: Context) -> StandardRecord:
    """Turn canonical input into a standard record. Total: any JSON is taken, what cannot be used is noted.

    Pure, linear in the size of the input, and idempotent: `standardize(as_input(r), context)` is `r` again, notes apart.
    """
    reader = Reader(data)
    party = read_party(reader, context.default_country)
    postal = _addresses(reader, context)
    extras = _extras(reader, context)
    return StandardRecord(
        party=party.kind,
        name=party.name,
        company_name=party.company_name,
        company_key=party.company_key,
        company_form=party.company_form,
        birth_date=_birth_date(reader, context),
        gender=_scalar(reader, "gender", scalars.read_gender),
        language=_language(reader),
        preferred_store=reader.text("preferred_store"),
        emails=_emails(reader, context),
        phones=_phones(reader, context, postal),
        addresses=postal,
        identifiers=_identifiers(reader, context),
        loyalty_accounts=_loyalty_accounts(reader),
        extras=extras,
        consents=_consents(reader),
        asserted_golden_id=reader.text("asserted_golden_id"),
        parent=reader.text("parent"),
        notes=tuple(dict.fromkeys(reader.notes)),
        withheld=context.withheld,
    )


def _scalar(reader: Reader, attribute: str, read: Callable[[str], str | None]) -> str | None:
    text = reader.text(attribute)
    value = read(text) if text else None
    if text and value is None:
        reader.note(attribute, ("unreadable",))
    return value


def _language(reader: Reader) -> str | None:
    """A tag of no known code is kept: it may be a new one, and is evidence of nothing."""
    tag = _scalar(reader, "language", scalars.read_language)
    if tag and not scalars.is_known_language(tag):
        reader.note("language", ("unknown_code",))
    return tag


def _birth_date(reader: Reader, context: Context) -> BirthDate | None:
    text = reader.text("birth_date")
    if text:
        read, codes = dates.read_birth_date(text, context.date_order)
        alternative = reader.text("birth_date_alternative")
        if read and alternative and read.alternative is None:
            read = replace(read, alternative=dates.iso_date(alternative))
    else:
        parts = [reader.text(part) for part in ("birth_year", "birth_month", "birth_day")]
        if not any(parts):
            return None
        read, codes = dates.birth_date_of_parts(*parts)
    read, codes = dates.in_their_time(read, codes, context.earliest_birth_year)
    reader.note("birth_date", codes)
    return read


def _is_echo(item: Mapping[str, Any], attribute: str, context: Context) -> bool:
    return item.get("echo") is True or attribute in context.echo


def _interval(reader: Reader, item: Mapping[str, Any], attribute: str) -> tuple[bool, str | None, str | None]:
    start, end = reader.text_of(item.get("valid_from"), attribute), reader.text_of(item.get("valid_to"), attribute)
    return item.get("verified") is True, start, end


@lru_cache(maxsize=64)
def _shared_keys(values: frozenset[str], country: str | None) -> frozenset[str]:
    """The shop's own contact points as match keys, however they are written in the policy."""
    countries = (country,) if country else ()
    keys = {key for value in values for key in (emails.email_key(value), phones.phone_key(value, *countries)) if key}
    return frozenset(keys | {value.casefold() for value in values})


def _emails(reader: Reader, context: Context) -> tuple[Email, ...]:
    shared = _shared_keys(context.shared_values, context.default_country) if context.shared_values else frozenset()
    found: list[Email] = []
    for item in reader.items("emails"):
        text = reader.text_of(item.get("value"), "emails")
        if text is None:
            continue
        is_echo = _is_echo(item, "emails", context)
        verified, start, end = _interval(reader, item, "emails")
        read, codes = emails.read_emails(text)
        reader.note("emails", codes)
        for value, key, flags in read:
            is_shared = bool(shared) and (key in shared or value.casefold() in shared)
            marks = (*flags, "shared") if is_shared else flags
            found.append(Email(value, None if marks or is_echo else key, marks, verified, is_echo, start, end))
    return _distinct(found)


def _phones(reader: Reader, context: Context, postal: tuple[Address, ...]) -> tuple[Phone, ...]:
    shared = _shared_keys(context.shared_values, context.default_country) if context.shared_values else frozenset()
    of_address = next((address.country for address in postal if address.country), None)
    found: list[Phone] = []
    for item in reader.items("phones"):
        text = reader.text_of(item.get("value"), "phones")
        if text is None:
            continue
        named = country_code(clean(item["country"])) if "country" in item else None
        countries = tuple(dict.fromkeys(filter(None, (named, of_address, context.default_country))))
        is_echo = _is_echo(item, "phones", context)
        verified, start, end = _interval(reader, item, "phones")
        read, codes = phones.read_phones(text, countries)
        reader.note("phones", codes)
        for value, key, extension, country, kind, flags in read:
            marks = (*flags, "shared") if key in shared or value in shared else flags
            usable = None if "shared" in marks or is_echo else key
            found.append(Phone(value, usable, extension, country, kind, marks, verified, is_echo, start, end))
    return _distinct(found)


def _distinct(found: Sequence[P]) -> tuple[P, ...]:
    """Drop repetitions in the order received; what a source says itself wins over an echo, verified over unverified."""
    if len(found) < 2:
        return tuple(found)
    kept: dict[str, P] = {}
    for value in found:
        identity = value.key or value.value
        known = kept.get(identity)
        if known is None or (known.echo and not value.echo):
            kept[identity] = value
        elif value.verified and not known.verified and not value.echo:
            kept[identity] = replace(known, verified=True)
    return tuple(kept.values())


def _addresses(reader: Reader, context: Context) -> tuple[Address, ...]:
    found: list[Address] = []
    for item in reader.items("addresses"):
        parts = {name: text for name in addresses.PARTS if name in item and (text := reader.text_of(item[name], "addresses"))}
        if "value" in item and not parts and (text := reader.text_of(item["value"], "addresses")):
            parts["line1"] = text
        read, codes = addresses.read_address(parts, context.default_country, _read_lines(reader, item))
        reader.note("addresses", codes)
        if read is not None:
            verified, start, end = _interval(reader, item, "addresses")
            is_echo = _is_echo(item, "addresses", context)
            if verified or is_echo or start or end:
                read = replace(read, verified=verified, echo=is_echo, valid_from=start, valid_to=end)
            if read not in found:
                found.append(read)
    return tuple(found)


def _read_lines(reader: Reader, item: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The lines of an address that is a standard form already."""
    lines = item.get("lines")
    if not isinstance(lines, list | tuple):
        return None
    return tuple(text for line in lines[: len(addresses.LINES)] if (text := reader.text_of(line, "addresses")))


def _identifiers(reader: Reader, context: Context) -> tuple[Identifier, ...]:
    found: dict[tuple[str, str, str], Identifier] = {}
    for item in reader.items("identifiers"):
        kind = identifiers.standard_name(reader.text_of(item.get("type"), "identifiers") or "")
        issuer = identifiers.standard_name(reader.text_of(item.get("issuer"), "identifiers") or "")
        text = reader.text_of(item.get("value"), "identifiers")
        if text is None or not kind:
            if text:
                reader.note("identifiers", ("type_missing",))
            continue
        value, key, codes = identifiers.read_identifier(text, kind, issuer)
        reader.note("identifiers", codes)
        is_echo = _is_echo(item, "identifiers", context)
        known = found.get((kind, issuer, value or ""))
        if value and (known is None or (known.echo and not is_echo)):
            found[kind, issuer, value] = Identifier(kind, issuer, value, None if is_echo else key, codes, is_echo)
    return tuple(found.values())


def _loyalty_accounts(reader: Reader) -> tuple[LoyaltyAccount, ...]:
    found: dict[tuple[str, str], LoyaltyAccount] = {}
    for item in reader.items("loyalty_accounts"):
        programme = identifiers.standard_name(reader.text_of(item.get("programme"), "loyalty_accounts") or "")
        text = reader.text_of(item.get("number", item.get("value")), "loyalty_accounts")
        number, key, codes = identifiers.read_identifier(text) if text else (None, None, ())
        reader.note("loyalty_accounts", codes)
        if number is None:
            continue
        knowledge = [reader.text_of(item.get(name), "loyalty_accounts") for name in _LOYALTY_KNOWLEDGE]
        usable = None if _says_echo(item) or not programme else key
        found.setdefault((programme, number), LoyaltyAccount(programme, number, usable, *knowledge))
    return tuple(found.values())


def _says_echo(item: Mapping[str, Any]) -> bool:
    return item.get("echo") is True


def _extras(reader: Reader, context: Context) -> tuple[Extra, ...]:
    given = reader.data.get("extras")
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        reader.note("extras", ("wrong_type",))
        return ()
    found = []
    for raw_name, raw in given.items():
        name, text = clean(raw_name), reader.text_of(raw, "extras")
        if name is None or text is None or name in context.echo or f"extras.{name}" in context.echo:
            continue
        rule = context.extra_kinds.get(name, ExtraRule())
        value = _extra_value(rule.kind, text)
        if value is None:
            reader.note("extras", ("unreadable",))
        else:
            found.append(Extra(name, rule.kind, value, rule.match))
    return tuple(sorted(found, key=lambda extra: (extra.name, extra.value)))


def _extra_value(kind: str, text: str) -> str | None:
    """Canonical text of a kind; None when the text is not of it."""
    match kind:
        case "number":
            return scalars.read_number(text)
        case "date":
            return dates.iso_date(text)
        case "identifier":
            return identifiers.read_identifier(text)[0]
        case "category":
            return text.casefold()
    return text


def _consents(reader: Reader) -> tuple[Mapping[str, Any], ...]:
    """Kept as they came, field by field as text: they are interpreted elsewhere."""
    found = []
    for item in reader.items("consents"):
        kept = {name: text for name in _CONSENT_FIELDS if name in item and (text := reader.text_of(item[name], "consents"))}
        if kept:
            found.append(kept)
    return tuple(found)
