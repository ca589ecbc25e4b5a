"""The standard record: what one source record says about one customer, after standardization.

This is the one place where an attribute is declared: its name, its kind, whether it is personal, how it survives.
`docs/canonical-model.md` is generated from ATTRIBUTES. Values here are frozen; nothing in this module standardizes,
compares or stores.
"""

import dataclasses
import functools
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
LOYALTY = "loyalty"  # The type under which a loyalty account counts among identifiers: "loyalty|<programme>".


class PartyKind(StrEnum):
    """What the record speaks of. UNKNOWN when the evidence does not tell; never guessed."""

    PERSON = "person"
    COMPANY = "company"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Note:
    """Something standardization changed or refused: a stable code, never the personal value itself."""

    attribute: str
    code: str


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name: display parts as received (trimmed), and ASCII-folded lower-case parts for matching.

    Every folded part is None rather than empty. `nicknames` are the nickname-group keys that the given name belongs to
    (many-to-many, sorted). `native` keeps a non-Latin spelling. A placeholder (GUEST, N/A) has `identifying` False and
    no folded parts.
    """

    given: str | None = None
    middle: str | None = None
    surname: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    maiden: str | None = None
    native: str | None = None
    given_folded: str | None = None
    middle_folded: str | None = None
    surname_folded: str | None = None
    maiden_folded: str | None = None
    suffix_folded: str | None = None
    nicknames: tuple[str, ...] = ()
    given_phonetic: str | None = None
    surname_phonetic: str | None = None
    identifying: bool = True


@dataclass(frozen=True, slots=True)
class BirthDate:
    """A birth date of full or partial precision. `alternative` is the other reading (ISO) when day and month are ambiguous.

    `text` is the longest ISO prefix known: YYYY, YYYY-MM or YYYY-MM-DD. `written` is what the source wrote, as YYYY-MM-DD, when
    no calendar has that day (1945-02-30): for comparing typing errors only.
    """

    text: str
    year: int
    month: int | None = None
    day: int | None = None
    alternative: str | None = None
    identifying: bool = True
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail address as displayed, and its match key (None when not identifying: role, relay, disposable, placeholder)."""

    value: str
    key: str | None = None
    flags: tuple[str, ...] = ()
    verified: bool = False
    echo: bool = False
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number: E.164 in `value` when it parses (else the digits), `key` for matching (None when not identifying)."""

    value: str
    key: str | None = None
    extension: str | None = None
    country: str | None = None
    type: str | None = None
    flags: tuple[str, ...] = ()
    verified: bool = False
    echo: bool = False
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address: display lines as received, and derived parts for matching (ASCII-folded keys, None when unknown).

    `place` is what the lines say besides the street: the name of a house, an estate, a locality. `shared` marks PO boxes, pickup
    points and stores: kept and shown, never evidence that two people are one.
    """

    lines: tuple[str, ...] = ()
    house_number: str | None = None
    unit: str | None = None
    street: str | None = None
    place: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    street_key: str | None = None
    place_key: str | None = None
    city_key: str | None = None
    postal_key: str | None = None
    shared: bool = False
    flags: tuple[str, ...] = ()
    verified: bool = False
    echo: bool = False
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier of a declared type. `value` is the standard form; `key` is None for a placeholder or a failed check."""

    type: str
    issuer: str
    value: str
    key: str | None = None
    flags: tuple[str, ...] = ()
    echo: bool = False


@dataclass(frozen=True, slots=True)
class LoyaltyAccount:
    """A loyalty account. Only programme + number identifies; the rest is knowledge, never identity evidence.

    `key` is the number for matching, None when it is a placeholder.
    """

    programme: str
    number: str
    key: str | None = None
    status: str | None = None
    tier: str | None = None
    balance: str | None = None
    as_of: str | None = None
    enrolled_on: str | None = None


@dataclass(frozen=True, slots=True)
class Extra:
    """A user-declared attribute. `value` is canonical text of its kind: text, category, number, date or identifier."""

    name: str
    kind: str
    value: str
    match: bool = False


@dataclass(frozen=True, slots=True)
class StandardRecord:
    """One source record after standardization. Tuples keep the order received; duplicates by key are removed.

    `withheld` names attributes that may not be used for matching (`matching.withheld` leaves them out): held and shown, and never
    compared nor filed.
    """

    party: PartyKind = PartyKind.UNKNOWN
    name: Name | None = None
    company_name: str | None = None
    company_key: str | None = None
    company_form: str | None = None
    birth_date: BirthDate | None = None
    gender: str | None = None
    language: str | None = None
    preferred_store: str | None = None
    emails: tuple[Email, ...] = ()
    phones: tuple[Phone, ...] = ()
    addresses: tuple[Address, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    loyalty_accounts: tuple[LoyaltyAccount, ...] = ()
    extras: tuple[Extra, ...] = ()
    consents: tuple[Mapping[str, Any], ...] = ()
    asserted_golden_id: str | None = None
    parent: str | None = None
    notes: tuple[Note, ...] = ()
    withheld: tuple[str, ...] = ()


class AttributeKind(StrEnum):
    """How an attribute holds its value; survivorship rules are validated against it."""

    TEXT = "text"
    CATEGORY = "category"
    DATE = "date"
    GROUP = "group"
    CONTACT_POINTS = "contact points"
    ACCOUNTS = "accounts"
    IDENTIFIERS = "identifiers"


@dataclass(frozen=True, slots=True)
class Attribute:
    """The declaration of one golden attribute: what a golden record may hold and where a standard record holds it."""

    name: str
    kind: AttributeKind
    personal: bool
    evidence: bool
    description: str


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("party", AttributeKind.CATEGORY, False, True, "person, company or unknown"),
    Attribute("name", AttributeKind.GROUP, True, True, "given, middle, surname, prefix, suffix, maiden, native; survives whole"),
    Attribute("company_name", AttributeKind.TEXT, True, True, "the legal or trading name of a company"),
    Attribute("birth_date", AttributeKind.DATE, True, True, "full or partial (YYYY, YYYY-MM, YYYY-MM-DD)"),
    Attribute("gender", AttributeKind.CATEGORY, True, True, "female, male, other; absent when not said"),
    Attribute("language", AttributeKind.CATEGORY, False, False, "preferred language, BCP 47"),
    Attribute("preferred_store", AttributeKind.TEXT, False, False, "the store the customer prefers"),
    Attribute("emails", AttributeKind.CONTACT_POINTS, True, True, "all e-mail addresses, the primary first"),
    Attribute("phones", AttributeKind.CONTACT_POINTS, True, True, "all phone numbers, the primary first"),
    Attribute("address", AttributeKind.GROUP, True, True, "the postal address; survives whole, never mixed from two records"),
    Attribute("identifiers", AttributeKind.IDENTIFIERS, True, True, "identifiers by type and issuer"),
    Attribute("loyalty_accounts", AttributeKind.ACCOUNTS, True, True, "programmes and numbers; tier and balance as of a time"),
    Attribute("extras", AttributeKind.GROUP, True, False, "the user's own attributes; evidence only when they say match"),
)


def to_json(value: Any) -> Any:
    """Turn a standard record (or any of its parts) into JSON-ready data; absent, empty and default fields are left out."""
    return _writer(type(value))(value)


def _made_writer(kind: Any) -> Callable[[Any], Any]:
    if issubclass(kind, tuple | list):
        return lambda items: [to_json(item) for item in items]
    if issubclass(kind, Mapping):
        return lambda items: {key: to_json(item) for key, item in items.items()}
    if not dataclasses.is_dataclass(kind):
        return lambda value: value
    fields = dataclasses.fields(kind)
    names, defaults = tuple(one.name for one in fields), tuple(one.default for one in fields)
    values_of: Callable[[Any], tuple[Any, ...]] = attrgetter(*names)

    def write(value: Any) -> dict[str, Any]:
        given = zip(names, values_of(value), defaults, strict=True)
        return {
            name: item if type(item) is str else _writer(type(item))(item)
            for name, item, default in given
            if item is not default and item != default
        }

    return write


# How values of a type are written is worked out once: a load writes millions.
_writer: Callable[[Any], Callable[[Any], Any]] = functools.cache(_made_writer)


def from_json(kind: type[T], data: Mapping[str, Any]) -> T:
    """Build a value of one of this module's dataclasses from what `to_json` made of it. The inverse of `to_json`."""
    return cast(T, _builder(cast(Hashable, kind))(data))


@functools.cache
def _builder(kind: Any) -> Callable[[Mapping[str, Any]], Any]:
    """Work out once how a dataclass is built: only tuples, dataclasses and enums need anything done to them."""
    hints = get_type_hints(kind)
    told = ((field.name, _decoder(hints[field.name])) for field in dataclasses.fields(kind))
    decoders = [(name, decode) for name, decode in told if decode is not None]

    def build(data: Mapping[str, Any]) -> Any:
        given = dict(data)
        for name, decode in decoders:
            if name in given:
                given[name] = decode(given[name])
        return kind(**given)

    return build


def _decoder(hint: Any) -> Callable[[Any], Any] | None:
    members = [member for member in get_args(hint) if member not in (type(None), Ellipsis)]
    inner = members[0] if members else hint
    if dataclasses.is_dataclass(inner):
        one = _builder(cast(Hashable, inner))
        return (lambda items: tuple(map(one, items))) if get_origin(hint) is tuple else one
    if get_origin(hint) is tuple:
        return tuple
    return inner if isinstance(inner, type) and issubclass(inner, StrEnum) else None
