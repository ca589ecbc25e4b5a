"""What one standard record and its notes say of the quality of each attribute; summed up, they are a source's figures. Pure.

An appraisal is a short text: `emails=good`, `emails!role`. It holds attribute names and codes, never a value. An attribute that
the record says nothing of has no appraisal.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from matching.appraisal_tables import FAULTS, FAULTY_BEGINNINGS, PARTS_OF
from matching.record import Address, Note, StandardRecord

APPRAISED = (
    "name", "company_name", "birth_date", "gender", "language", "preferred_store", "emails", "phones", "addresses",
    "identifiers", "loyalty_accounts", "extras",
)  # fmt: skip
# Attributes whose values have keys, which should be one record's within a source.
KEYED = ("emails", "phones", "identifiers", "loyalty_accounts")
Codes = tuple[str, ...]


class State(StrEnum):
    """How what a record says of an attribute stands: all of it sound, some of it, none of it."""

    GOOD = "good"
    FAULTY = "faulty"
    REFUSED = "refused"


# What a record holds of an attribute; plain numbers, since a load hashes millions of them.
_NOTHING, _UNSOUND, _SOUND = 0, 1, 2


def appraise(record: StandardRecord) -> tuple[str, ...]:
    """Appraise every attribute that the record speaks of: its state (`=`), then the codes of its notes (`!`)."""
    return _appraisals(_held(record), record.notes)


def is_fault(code: str) -> bool:
    """Say whether a code speaks against the value itself, and not of how it was read or whose it is."""
    return code in FAULTS or code.startswith(FAULTY_BEGINNINGS)


def field_of(attribute: str) -> str:
    """The attribute that a note counts for: `given_name` is a part of the name."""
    head = attribute.partition(".")[0]
    return PARTS_OF.get(head, head)


def _held(record: StandardRecord) -> tuple[int, ...]:
    """What the record holds of each attribute, in the order of APPRAISED."""
    name, born = record.name, record.birth_date
    return (
        _NOTHING if name is None else _SOUND if name.identifying else _UNSOUND,
        _NOTHING if record.company_name is None else _SOUND,
        _NOTHING if born is None else _SOUND if born.identifying else _UNSOUND,
        _NOTHING if record.gender is None else _SOUND,
        _NOTHING if record.language is None else _SOUND,
        _NOTHING if record.preferred_store is None else _SOUND,
        _many([email.flags for email in record.emails]) if record.emails else _NOTHING,
        _many([phone.flags for phone in record.phones]) if record.phones else _NOTHING,
        _where(record.addresses),
        _many([identifier.flags for identifier in record.identifiers]) if record.identifiers else _NOTHING,
        _NOTHING if not record.loyalty_accounts else _SOUND if any(one.key for one in record.loyalty_accounts) else _UNSOUND,
        _SOUND if record.extras else _NOTHING,
    )


def _many(flags: Iterable[Codes]) -> int:
    """Of a list: one value without fault is enough."""
    return _SOUND if any(not one or not any(map(is_fault, one)) for one in flags) else _UNSOUND


def _where(addresses: tuple[Address, ...]) -> int:
    """Of addresses: one that says a street, a place, a town or a postal code. `N/A` says none."""
    if not addresses:
        return _NOTHING
    placed = [one.flags for one in addresses if one.street_key or one.place_key or one.city_key or one.postal_key]
    return _many(placed)


@lru_cache(maxsize=16_384)
def _appraisals(held: tuple[int, ...], notes: tuple[Note, ...]) -> tuple[str, ...]:
    codes = dict.fromkeys((field_of(note.attribute), note.code) for note in notes)
    faulty = {attribute for attribute, code in codes if is_fault(code)}
    states = (
        f"{attribute}={state}"
        for attribute, one in zip(APPRAISED, held, strict=True)
        if (state := _state(one, attribute in faulty)) is not None
    )
    return (*states, *(f"{attribute}!{code}" for attribute, code in codes))


def _state(held: int, is_faulty: bool) -> State | None:
    if not is_faulty:
        return State.GOOD if held else None
    return State.FAULTY if held == _SOUND else State.REFUSED
