"""From something the customer says or shows (e-mail, phone, loyalty number, identifier) to the golden records that hold it.

The value is standardized as a record's would be, found by its blocking key, and compared exactly with what the records hold: a
hash alone, or the last digits of a phone, is nobody's identity.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from kernel.errors import Invalid
from kernel.settings import settings
from matching import blocking
from matching.record import Email, Phone, StandardRecord
from matching.standardize import standardize
from mdm.lookup import Connection
from mdm.policy import Policy

MOST_NAMED = 10
# Values that are well written and nobody's own; and numbers that have digits enough to be filed and no form we know.
NOBODYS = frozenset({"placeholder", "role", "relay", "disposable", "dummy", "service_number", "shared"})
MISTYPED = frozenset({"unparsed", "not_valid", "lost_digits"})

# One row more than is ever named; records that are shadow or deleted answer nobody.
HOLDERS = """
SELECT DISTINCT c.golden_id::text
FROM blocking_key k
JOIN standard_record s USING (record_id)
JOIN crosswalk c USING (record_id)
WHERE k.blocking_key = %s AND s.body @> %s::jsonb AND s.source <> ALL(%s::text[]) AND c.state IN ('resolved', 'pending')
LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the customer shows. `kind`: email, phone, loyalty, or an identifier type that the policy declares."""

    kind: str
    value: str
    issuer: str | None = None
    programme: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds a value: distinct golden ids (at most MOST_NAMED), and whether a record without one holds it as well."""

    golden_ids: tuple[str, ...]
    has_pending: bool


class Doubt(StrEnum):
    """Why a value finds nobody: read it again (UNREADABLE), ask for another (NOT_IDENTIFYING), or say its COUNTRY; or records are
    not filed by it, since the policy keeps it out of matching."""

    UNREADABLE = "unreadable"
    NOT_IDENTIFYING = "not_identifying"
    COUNTRY_NEEDED = "country_needed"
    NOT_FOR_MATCHING = "not_for_matching"


@dataclass(frozen=True, slots=True)
class Key:
    """Where a value is filed, and what a standard record that holds it contains; `doubt` tells why nobody may hold it."""

    blocking_key: int
    contained: Mapping[str, Any]
    doubt: Doubt | None = None


def key_of(policy: Policy, shown: Shown) -> Key | Doubt:
    """Say where a value is filed, or why it cannot identify anybody.

    Raises: Invalid for a kind or programme that the policy does not know.
    """
    record = standardize(_as_input(policy, shown), policy.asked_context(shown.country))
    found = _keyed(record)
    if found is None:
        return Doubt.UNREADABLE if NOBODYS.isdisjoint(_codes(record)) else Doubt.NOT_IDENTIFYING
    kind, parts, contained = found
    if not set(contained).isdisjoint(record.withheld):
        return Doubt.NOT_FOR_MATCHING
    return Key(blocking.lookup_key(kind, parts, settings().secret_for("blocking")), contained, _doubt(record))


def _codes(record: StandardRecord) -> set[str]:
    points: tuple[Email | Phone, ...] = (*record.emails, *record.phones)
    return {flag for point in points for flag in point.flags} | {note.code for note in record.notes}


def _doubt(record: StandardRecord) -> Doubt | None:
    if any(map(needs_country, record.phones)):
        return Doubt.COUNTRY_NEEDED
    return Doubt.UNREADABLE if any(MISTYPED & set(phone.flags) for phone in record.phones) else None


def needs_country(phone: Phone) -> bool:
    """Say whether a number was written as within its country, and no country was named to read it by."""
    return phone.country is None and "unparsed" in phone.flags and not phone.value.startswith(("+", "00"))


def _as_input(policy: Policy, shown: Shown) -> dict[str, Any]:
    match shown.kind:
        case "email":
            return {"emails": [shown.value]}
        case "phone":
            return {"phones": [{"value": shown.value, "country": shown.country}]}
        case "loyalty":
            return {"loyalty_accounts": [{"programme": _programme(policy, shown), "number": shown.value}]}
    if shown.kind not in policy.identifiers:
        known = ["email", "phone", "loyalty", *sorted(policy.identifiers)]
        detail = "Say one of those listed under kinds."
        raise Invalid(
            "There is no such kind of identifier", code="unknown_identifier_kind", detail=detail, extra={"kinds": known}
        )
    return {"identifiers": [{"type": shown.kind, "issuer": shown.issuer, "value": shown.value}]}


def _programme(policy: Policy, shown: Shown) -> str:
    known = sorted(policy.loyalty_programmes)
    if shown.programme in policy.loyalty_programmes:
        return shown.programme
    if shown.programme is None and len(known) == 1:
        return known[0]
    detail = "Say one of those listed under programmes; it may be left out when the policy knows only one."
    raise Invalid("Which loyalty programme?", code="unknown_programme", detail=detail, extra={"programmes": known})


def _keyed(record: StandardRecord) -> tuple[str, tuple[str, ...], dict[str, Any]] | None:
    for email in record.emails:
        if email.key:
            return "email", (email.key,), {"emails": [{"key": email.key}]}
    for phone in record.phones:
        if phone.key:
            return "phone", (phone.key,), {"phones": [{"key": phone.key}]}
    for account in record.loyalty_accounts:
        if account.key:
            held = {"programme": account.programme, "key": account.key}
            return "loyalty", (account.programme, account.key), {"loyalty_accounts": [held]}
    for one in record.identifiers:
        if one.key:
            return "identifier", (one.type, one.issuer, one.key), {"identifiers": [_identifier(one.type, one.issuer, one.key)]}
    return None


def _identifier(type_: str, issuer: str, key: str) -> dict[str, str]:
    return {"type": type_, "key": key, **({"issuer": issuer} if issuer else {})}


async def holders(connection: Connection, key: Key, without: Collection[str] = ()) -> Holders:
    """Find who holds a value, within the connection's row scope, by a record of no source in `without`. One statement."""
    parameters = [key.blocking_key, orjson.dumps(key.contained).decode(), list(without), MOST_NAMED + 1]
    rows = await (await connection.execute(HOLDERS, parameters)).fetchall()
    golden_ids = sorted(row[0] for row in rows if row[0] is not None)
    return Holders(tuple(golden_ids[:MOST_NAMED]), len(golden_ids) < len(rows))
