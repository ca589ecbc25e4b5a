"""What a steward may set by hand, how it is read, and which golden record it belongs to.

Pure. An override is a record of the reserved source `steward` that speaks of one attribute alone and is tied to others by a
steward's match. It is read by the standardizer whenever it is used, so it follows another standardizer as records do. It has no
blocking keys, is compared with nothing, founds no golden id and casts no vote.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from matching.record import ATTRIBUTES, AttributeKind, StandardRecord
from matching.standardize import Context, standardize
from matching.standardize.addresses import LINES, PARTS
from mdm.cards import mask_cards
from mdm.survivorship_values import MemberRecord, StewardAct, candidates

STEWARD_SOURCE = "steward"
REASON_CODE = "override"
# Numbers stay with the records that brought them: they would be found by no lookup, and are evidence where they come from.
NEVER = frozenset({"identifiers", "loyalty_accounts", "extras"})
OVERRIDABLE = tuple(one.name for one in ATTRIBUTES if one.name not in NEVER)
TEXTS = frozenset(one.name for one in ATTRIBUTES if one.kind in {AttributeKind.TEXT, AttributeKind.CATEGORY, AttributeKind.DATE})
CONTACTS = frozenset({"emails", "phones"})
NAME_PARTS = {
    "given": "given_name", "middle": "middle_name", "surname": "surname", "prefix": "name_prefix", "suffix": "name_suffix",
    "maiden": "maiden_name",
}  # fmt: skip
ADDRESS_PARTS = frozenset({*PARTS, "lines"})
# What standardization takes from a source with a note is not good enough for what is to beat every source.
REFUSED = frozenset(
    {"unreadable", "unparsed", "several_values", "ambiguous_order", "wrong_type", "too_long", "unknown_value", "placeholder"}
)
_ANY_TIME = datetime.fromtimestamp(0, UTC)
G = TypeVar("G", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Override:
    """One value that a steward set. `records`: those that it was said of, whose golden record it belongs to.

    `override_id` is the id of the steward's record and of the decision that ties it to those. `expires_at`: no longer in force
    from then on; None: until it is withdrawn.
    """

    override_id: UUID
    attribute: str
    value: Any
    author: str
    set_at: datetime
    expires_at: datetime | None
    records: frozenset[UUID]


class Unreadable(ValueError):
    """A value that is none of its attribute. `codes` say why, and hold nothing of the value."""

    def __init__(self, message: str, codes: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.codes = tuple(codes)


def overridable(extras: Iterable[str]) -> tuple[str, ...]:
    """Name the attributes that may be set by hand, where a policy declares these extras."""
    return (*OVERRIDABLE, *(f"extras.{name}" for name in sorted(extras)))


def check(attribute: str, value: Any, context: Context) -> None:
    """See that a value can be read as its attribute and holds no payment card's number. Raises: Unreadable."""
    if any(mask_cards(text) != text for text in _texts(value)):
        raise Unreadable("It holds a payment card's number, which is never stored", ["card_number"])
    standard = standardize(_input(attribute, value), context)
    of = "addresses" if attribute == "address" else attribute.partition(".")[0]
    codes = {note.code for note in standard.notes if note.attribute == of}
    faults = sorted(code for code in codes if code in REFUSED or code.startswith("invalid"))
    nobody = UUID(int=0)
    member = MemberRecord(nobody, STEWARD_SOURCE, "", _ANY_TIME, standard, None, StewardAct(attribute, "", nobody))
    read = candidates([member]).get(attribute, [])
    if faults or len(read) != 1:
        codes_told = faults or (["several_values"] if read else ["unreadable"])
        raise Unreadable(f"It cannot be read as one value of {attribute}", codes_told)


def _input(attribute: str, value: Any) -> dict[str, Any]:
    """Put a value where the standardizer reads its attribute. Raises: Unreadable for one of another shape."""
    if attribute == "name":
        parts = _parts(attribute, value, NAME_PARTS)
        return {NAME_PARTS[part]: text for part, text in parts.items()} | {"party": "person"}
    if attribute == "address":
        parts = _parts(attribute, value, ADDRESS_PARTS)
        lines = parts.pop("lines", [])
        if not isinstance(lines, list) or len(lines) > len(LINES):
            raise Unreadable(f"The lines of an address are a list of at most {len(LINES)}", ["wrong_type"])
        return {"addresses": [dict(zip(LINES, lines, strict=False)) | parts]}
    text = value.get("value") if attribute in CONTACTS and isinstance(value, Mapping) and value.keys() == {"value"} else value
    if not isinstance(text, str):
        raise Unreadable(f"{attribute} is set by a text", ["wrong_type"])
    if attribute in CONTACTS:
        return {attribute: [{"value": text}]}
    group, _, own = attribute.partition(".")
    if own:
        return {group: {own: text}}
    return {attribute: text} | ({"party": "company"} if attribute == "company_name" else {})


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def _parts(attribute: str, value: Any, known: Collection[str]) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not value:
        raise Unreadable(f"{attribute} is set whole, by an object of its parts: {', '.join(sorted(known))}", ["wrong_type"])
    strange = [part for part in value if part not in known]
    if strange or not all(isinstance(text, str | list) for text in value.values()):
        raise Unreadable(f"{attribute} has these parts, which are texts: {', '.join(sorted(known))}", ["unknown_part"])
    return dict(value)


def as_member(override: Override, context: Context) -> MemberRecord:
    """Read an override as a record that offers its one attribute, and nothing when the standardizer no longer reads it."""
    act = StewardAct(override.attribute, override.author, override.override_id)
    try:
        standard = standardize(_input(override.attribute, override.value), context)
    except Unreadable:
        standard = StandardRecord()
    key = str(override.override_id)
    return MemberRecord(override.override_id, STEWARD_SOURCE, key, override.set_at, standard, override.expires_at, act)


def home(records: Iterable[UUID], lives: Mapping[UUID, G], age: Mapping[UUID, Any]) -> G | None:
    """Find the golden record under which most of the records live (tie: that of the oldest of them); None when none lives."""
    counts: dict[G, int] = {}
    living = sorted((one for one in records if one in lives), key=age.__getitem__)
    for record in living:
        counts[lives[record]] = counts.get(lives[record], 0) + 1
    return max(counts, key=counts.__getitem__, default=None)  # The first of equals, and the oldest record came first.


def placed(overrides: Iterable[Override], lives: Mapping[UUID, G], age: Mapping[UUID, Any]) -> dict[G, tuple[Override, ...]]:
    """Give each override to the golden record it belongs to, in the order of ids."""
    found: dict[G, tuple[Override, ...]] = {}
    for one in sorted(overrides, key=lambda override: override.override_id):
        golden = home(one.records, lives, age)
        if golden is not None:
            found[golden] = (*found.get(golden, ()), one)
    return found
