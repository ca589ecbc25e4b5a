"""What each record of a cluster offers for each golden attribute: candidates with what the criteria look at.

Reads standard records only; picks nothing (`mdm.survivorship`). Echoes, and contact points that reach nobody (placeholders,
dummies, invalid addresses), are no candidates: they stay with their record and never vote.
"""

import contextlib
import dataclasses
import functools
import operator
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, cast
from uuid import UUID

from matching.record import Address, Email, Name, PartyKind, Phone, StandardRecord

NOBODYS = {"placeholder", "dummy", "invalid"}


@dataclass(frozen=True, slots=True)
class StewardAct:
    """What a record says that a steward made by hand: of one attribute, and nothing of any other."""

    attribute: str
    author: str
    override_id: UUID


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A record of a cluster as survivorship sees it. `observed_at` is aware; (source, source_key) is unique in a cluster.

    `expires_at`: a steward's correction that holds until then. `act`: it is one, and offers its attribute alone.
    """

    record_id: UUID
    source: str
    source_key: str
    observed_at: datetime
    standard: StandardRecord
    expires_at: datetime | None = None
    act: StewardAct | None = None
    # Of `observed_at`, worked out once: each is asked for with every value that the record offers.
    observed_seconds: float = field(init=False, compare=False, repr=False)
    origin: Mapping[str, Any] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Work out when it was observed in seconds, and what provenance says of it."""
        at = self.observed_at.astimezone(UTC)
        said: dict[str, Any] = {"record_id": str(self.record_id), "source": self.source, "at": at.isoformat()}
        if self.act is not None:
            expires_at = self.expires_at and self.expires_at.astimezone(UTC).isoformat()
            said |= {"author": self.act.author, "override_id": str(self.act.override_id), "expires_at": expires_at}
        object.__setattr__(self, "observed_seconds", at.timestamp())
        object.__setattr__(self, "origin", said)

    def offers(self, attribute: str) -> bool:
        """Say whether it has anything to say of an attribute."""
        return self.act is None or self.act.attribute == attribute


class Candidate(NamedTuple):
    """One value that one record offers. Candidates with equal `same` say the same thing, and `value` is JSON-ready.

    `rank`: 2 usable, 1 of limited use (relay and role addresses, numbers that do not parse, pickup points).
    `complete` counts known parts; `order` is the place of a date or number among its like, None when it has none.
    """

    same: Hashable
    value: Any
    member: MemberRecord
    verified: bool = False
    rank: int = 2
    complete: float = 0
    order: float | None = None
    valid_to: str | None = None
    as_of: float = float("-inf")


def candidates(members: Sequence[MemberRecord]) -> dict[str, list[Candidate]]:
    """Collect the candidates of every attribute that some record has a value of; a user's own attribute is `extras.<name>`."""
    found: dict[str, list[Candidate]] = {}
    for member in members:
        for attribute, read in _READERS:
            if (member.act is None or member.offers(attribute)) and (offered := read(member)):
                found.setdefault(attribute, []).extend(offered)
        for extra in member.standard.extras:
            if not member.offers(f"extras.{extra.name}"):
                continue
            order = _order_of(extra.kind, extra.value)
            one = Candidate(extra.value, extra.value, member, complete=len(extra.value), order=order)
            found.setdefault(f"extras.{extra.name}", []).append(one)
    return found


def shown(value: Any, *fields: str) -> dict[str, Any]:
    """Take the fields that have a value; tuples become lists."""
    names, values_of = _fields(cast(Hashable, type(value)), fields)
    return {name: list(item) if type(item) is tuple else item for name, item in zip(names, values_of(value)) if item}  # noqa: B905 - made for each other; strict costs a tenth.


@functools.cache
def _fields(kind: Any, names: tuple[str, ...]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """Those of the names that a kind of value has, and what reads them all at once; looked up once for each kind."""
    held = tuple(field.name for field in dataclasses.fields(kind) if field.name in names)
    ordered = tuple(name for name in names if name in held)
    return ordered, operator.attrgetter(*ordered)


def parts_in_one_case(value: Any) -> int:
    """Count the parts of a value that are ALL CAPITALS or all small letters; initials and scripts without case do not count."""
    if isinstance(value, Mapping):
        return sum(parts_in_one_case(part) for part in value.values())
    if not isinstance(value, str):
        return sum(parts_in_one_case(part) for part in value)
    letters = [character for character in value if character.isalpha()]
    has_case = len(letters) > 1 and value.upper() != value.lower()
    return int(has_case and value in (value.upper(), value.lower()))


def _party(member: MemberRecord) -> Sequence[Candidate]:
    party = member.standard.party
    return () if party is PartyKind.UNKNOWN else (Candidate(party.value, party.value, member),)


def _name(member: MemberRecord) -> Sequence[Candidate]:
    name = member.standard.name
    if name is None or not name.identifying:
        return ()
    value = shown(name, "given", "middle", "surname", "prefix", "suffix", "maiden", "native")
    return (Candidate(_same_name(name), value, member, complete=_name_parts(name)),) if value else ()


def _same_name(name: Name) -> Hashable:
    folded = (name.given_folded, name.middle_folded, name.surname_folded, name.suffix_folded, name.maiden_folded)
    return folded if any(folded) else (name.native or "", name.given or "", name.surname or "")


def _name_parts(name: Name) -> float:
    """Count given name and surname: 2 for a word, 1 for an initial. Titles and middle names make no name more complete."""
    return sum(2 if len(part.strip(".")) > 1 else 1 for part in (name.given, name.surname) if part) or (4 if name.native else 0)


def _company_name(member: MemberRecord) -> Sequence[Candidate]:
    company = member.standard.company_name
    if not company:
        return ()
    return (Candidate(member.standard.company_key or company.casefold(), company, member, complete=len(company)),)


def _birth_date(member: MemberRecord) -> Sequence[Candidate]:
    birth = member.standard.birth_date
    if birth is None or not birth.identifying:
        return ()
    complete = len(birth.text) - (0.5 if birth.alternative else 0)
    return (Candidate(birth.text, birth.text, member, complete=complete, order=_order_of("date", birth.text)),)


def _text(attribute: str) -> Callable[[MemberRecord], Sequence[Candidate]]:
    def read(member: MemberRecord) -> Sequence[Candidate]:
        value = getattr(member.standard, attribute)
        return (Candidate(value.casefold(), value, member, complete=len(value)),) if value else ()

    return read


def _contacts(attribute: str) -> Callable[[MemberRecord], Sequence[Candidate]]:
    fields = ("value", "extension", "country", "type", "flags", "valid_from", "valid_to")  # An e-mail has some of them.

    def offered(member: MemberRecord, point: Email | Phone) -> Candidate:
        same = (point.key or point.value.casefold(), getattr(point, "extension", None))
        return Candidate(same, shown(point, *fields), member, point.verified, 2 if point.key else 1, valid_to=point.valid_to)

    def read(member: MemberRecord) -> Sequence[Candidate]:
        points: Sequence[Email | Phone] = getattr(member.standard, attribute)
        return [offered(member, point) for point in points if not point.echo and NOBODYS.isdisjoint(point.flags)]

    return read


ADDRESS_FIELDS = ("lines", "house_number", "unit", "street", "place", "city", "region", "postal_code", "country")


def _addresses(member: MemberRecord) -> Sequence[Candidate]:
    return [*_placed(member)] if member.standard.addresses else ()


def _placed(member: MemberRecord) -> Iterator[Candidate]:
    for address in member.standard.addresses:
        value = shown(address, *ADDRESS_FIELDS, "flags", "valid_from", "valid_to")
        complete = sum(name in value for name in ADDRESS_FIELDS)
        if complete and not address.echo:
            rank = 1 if address.shared else 2
            same = _same_address(address)
            yield Candidate(same, value, member, address.verified, rank, complete, valid_to=address.valid_to)


def _same_address(address: Address) -> Hashable:
    keys = (address.street_key, address.place_key, address.city_key, address.postal_key)
    if any(keys):
        return (address.house_number, address.unit, *keys)
    return tuple(line.casefold() for line in address.lines)


def _identifiers(member: MemberRecord) -> Sequence[Candidate]:
    return [
        Candidate((one.type, one.issuer, one.key), shown(one, "type", "issuer", "value"), member)
        for one in member.standard.identifiers
        if one.key is not None and not one.echo
    ]


def _loyalty_accounts(member: MemberRecord) -> Sequence[Candidate]:
    return [*_accounts(member)] if member.standard.loyalty_accounts else ()


def _accounts(member: MemberRecord) -> Iterator[Candidate]:
    for account in member.standard.loyalty_accounts:
        if account.key is not None:
            value = shown(account, "programme", "number", "status", "tier", "balance", "as_of", "enrolled_on")
            same = (account.programme, account.key)
            yield Candidate(same, value, member, complete=len(value), as_of=_instant(account.as_of))


def _order_of(kind: str, text: str) -> float | None:
    """Give a date (of whatever precision) or a number its place among its like."""
    with contextlib.suppress(ValueError, InvalidOperation, OverflowError):
        if kind == "date":
            return float(date.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text[:10]).toordinal())
        if kind == "number":
            return float(Decimal(text))
    return None


def _instant(text: str | None) -> float:
    """Seconds since the epoch of an ISO time (UTC when it names no offset); minus infinity when there is none to read."""
    with contextlib.suppress(ValueError, OverflowError):
        if text:
            read = datetime.fromisoformat(text)
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    return float("-inf")


_READERS: tuple[tuple[str, Callable[[MemberRecord], Sequence[Candidate]]], ...] = (
    ("party", _party),
    ("name", _name),
    ("company_name", _company_name),
    ("birth_date", _birth_date),
    ("gender", _text("gender")),
    ("language", _text("language")),
    ("preferred_store", _text("preferred_store")),
    ("emails", _contacts("emails")),
    ("phones", _contacts("phones")),
    ("address", _addresses),
    ("identifiers", _identifiers),
    ("loyalty_accounts", _loyalty_accounts),
)
