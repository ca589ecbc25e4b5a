"""How golden records stand to each other besides being one customer: households and accounts, each with its reasons. Pure.

Derived from what records say now, at reading time; it merges nobody and is no evidence for anything. A pair of records says the
same whichever is asked about, so that a household is mutual; nobody is related to himself.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from matching.record import Address, PartyKind, StandardRecord
from matching.standardize.name_tables import PARTICLES

SHORTEST_WORD = 3  # Of a surname; shorter ones are initials and particles.
Key = tuple[str, str]


class Kind(StrEnum):
    """What the other golden record is to the one asked about."""

    HOUSEHOLD = "household"
    CONTACT = "contact"
    CONTACT_OF = "contact_of"
    SUBSIDIARY = "subsidiary"
    PARENT_COMPANY = "parent_company"
    SUB_ACCOUNT = "sub_account"
    ACCOUNT_OF = "account_of"


class Code(StrEnum):
    """Why: what two records have in common, or what one says of the other."""

    SAME_SURNAME = "same_address_and_surname"
    SAME_PHONE = "same_address_and_phone"
    NAMES_PARENT = "names_it_as_parent"
    NAMED_AS_PARENT = "is_named_as_parent"


WORDS: Mapping[Code, str] = {
    Code.SAME_SURNAME: "Both records give one address, and a surname that one family may bear.",
    Code.SAME_PHONE: "Both records give one address and one phone number.",
    Code.NAMES_PARENT: "The record names the other one as the account that it belongs to.",
    Code.NAMED_AS_PARENT: "The other record names this one as the account that it belongs to.",
}


@dataclass(frozen=True, slots=True)
class Held:
    """A living record and the golden id that it stands under. `parent`: the record that it names as the account above it."""

    golden_id: uuid.UUID
    record_id: uuid.UUID
    key: Key
    record: StandardRecord
    parent: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """A code, the record of the one asked about, and the other's."""

    code: Code
    record: Key
    beside: Key


@dataclass(frozen=True, slots=True)
class Related:
    """Another golden record, what it is to the one asked about, and why."""

    kind: Kind
    golden_id: uuid.UUID
    reasons: tuple[Reason, ...]


def relationships(own: Sequence[Held], others: Iterable[Held]) -> list[Related]:
    """Name who stands in what relationship to the golden record of `own`, ordered by kind and id."""
    found: dict[tuple[Kind, uuid.UUID], set[Reason]] = {}
    for mine, theirs in product(own, others):
        if mine.golden_id == theirs.golden_id:
            continue
        for kind, code in (*_household(mine.record, theirs.record), *_account(mine, theirs)):
            found.setdefault((kind, theirs.golden_id), set()).add(Reason(code, mine.key, theirs.key))
    order = list(Kind)
    ordered = sorted(found, key=lambda one: (order.index(one[0]), one[1]))
    return [Related(kind, golden_id, tuple(sorted(found[kind, golden_id]))) for kind, golden_id in ordered]


def _household(a: StandardRecord, b: StandardRecord) -> Iterable[tuple[Kind, Code]]:
    if PartyKind.COMPANY in {a.party, b.party} or not any(_one_home(*pair) for pair in product(a.addresses, b.addresses)):
        return
    if _one_family(a, b):
        yield Kind.HOUSEHOLD, Code.SAME_SURNAME
    if {phone.key for phone in a.phones if phone.key} & {phone.key for phone in b.phones if phone.key}:
        yield Kind.HOUSEHOLD, Code.SAME_PHONE


def _one_home(a: Address, b: Address) -> bool:
    """One house of one street and place, and no two flats of it. What many share (a PO box, a store) is nobody's home."""
    if a.shared or b.shared or not a.house_number or a.house_number != b.house_number:
        return False
    if (a.unit and b.unit and a.unit != b.unit) or not _agree(a.country, b.country):
        return False
    if a.postal_key and a.postal_key == b.postal_key:
        return _agree(a.street_key, b.street_key)
    same_street = a.street_key is not None and a.street_key == b.street_key
    return same_street and a.city_key is not None and a.city_key == b.city_key and _agree(a.postal_key, b.postal_key)


def _agree(one: str | None, other: str | None) -> bool:
    return not one or not other or one == other


def _one_family(a: StandardRecord, b: StandardRecord) -> bool:
    return not _surnames(a).isdisjoint(_surnames(b))


def _surnames(record: StandardRecord) -> set[str]:
    """The words of the surnames that a record gives, each as a father and a daughter of one family may bear it."""
    name = record.name
    said = (name.surname_folded, name.maiden_folded) if name and name.identifying else ()
    words = {word for text in said for word in (text or "").split() if len(word) >= SHORTEST_WORD and word not in PARTICLES}
    return words | {form for word in words for form in _of_a_father(word)}


def _of_a_father(word: str) -> Iterable[str]:
    """A man's forms of a Slavic surname that may be a woman's: Nováková, Ivanova, Kowalska."""
    if word.endswith("ova") and len(word) > 5:
        yield word[:-3]
    if word.endswith(("ova", "eva", "ina")):
        yield word[:-1]
    if word.endswith(("ska", "cka")):
        yield word[:-1] + "i"


def _account(mine: Held, theirs: Held) -> Iterable[tuple[Kind, Code]]:
    if mine.parent == theirs.record_id:
        yield _above(mine.record.party, theirs.record.party), Code.NAMES_PARENT
    if theirs.parent == mine.record_id:
        yield _below(mine.record.party, theirs.record.party), Code.NAMED_AS_PARENT


def _above(child: PartyKind, parent: PartyKind) -> Kind:
    if parent is not PartyKind.COMPANY:
        return Kind.ACCOUNT_OF
    return Kind.PARENT_COMPANY if child is PartyKind.COMPANY else Kind.CONTACT_OF


def _below(parent: PartyKind, child: PartyKind) -> Kind:
    if parent is not PartyKind.COMPANY:
        return Kind.SUB_ACCOUNT
    return Kind.SUBSIDIARY if child is PartyKind.COMPANY else Kind.CONTACT
