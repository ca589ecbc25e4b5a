"""What is kept of a record's quality beside it: what standardization noted, and what its mapping had to say. Pure.

A field that no rule reads is named, as far as its name is surely no value: a file without header has values for names.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from matching.appraisal import appraise, field_of
from matching.appraisal_tables import FAULTS
from matching.blocking import MOST_FILED, left_out
from matching.record import StandardRecord
from matching.standardize.known_names import is_given_name, is_surname
from matching.standardize.text import fold
from mdm.mapping_values import Problem

UNMAPPED = "unmapped_field"
OTHER_FIELDS = "(other fields)"
MOST_UNMAPPED = 20
SEPARATOR = "\x1f"
PARTLY_FILED = "too_many_to_file"
# The appraisals of records that are found by some of their values only.
PARTLY_FILED_CODES = tuple(f"{attribute}!{PARTLY_FILED}" for attribute in MOST_FILED)
_SAID_FOR_NOTHING = frozenset({"placeholder", "dummy", "empty_field", "same_as_above"})
_OF_MAPPING = frozenset({"nothing_mapped", "value_not_in_map", "unread_item", "wrong_type"})
# Not about quality: said of every record that has any.
_UNTOLD = frozenset({"consent_purpose_unknown", "consent_state_unknown"})
_SURELY_A_NAME = re.compile(r"(?!.*\d{4})(?!(?:.*\d){5})[^\W\d_][\w .\-/#]{0,59}")
_WORD = re.compile(r"[^\W\d_]+")


def appraisal(record: StandardRecord, notes: Sequence[Problem]) -> tuple[str, ...]:
    """Appraise a record: its attributes, the values that it is not found by, the fields and values that its mapping left over."""
    said = appraise(record) + tuple(f"{attribute}!{PARTLY_FILED}" for attribute in left_out(record))
    return said if not notes else said + _of_mapping(tuple(notes))


def faults(appraised: Sequence[str]) -> Iterator[Problem]:
    """The values that were said and are not what their attribute holds, as notes for their sender: not what somebody wrote for
    nothing, nor what the mapping has noted itself."""
    for said in appraised:
        attribute, mark, code = said.partition("!")
        if mark and code in FAULTS - _SAID_FOR_NOTHING - _OF_MAPPING:
            yield Problem(code, attribute)


def told(appraised: Sequence[str]) -> dict[str, Any]:
    """An appraisal for people and programs: per attribute its state and codes, and the fields that no rule reads."""
    fields: dict[str, dict[str, Any]] = {}
    unmapped: list[str] = []
    for said in appraised:
        if said.startswith(f"{UNMAPPED}:"):
            unmapped.append(said.partition(":")[2])
            continue
        name, mark, value = said.partition("=") if "=" in said else said.partition("!")
        of_field = fields.setdefault(name, {"state": None, "codes": []})
        if mark == "=":
            of_field["state"] = value
        else:
            of_field["codes"].append(value)
    return {"fields": fields, "unmapped": unmapped}


@lru_cache(maxsize=4_096)
def _of_mapping(notes: tuple[Problem, ...]) -> tuple[str, ...]:
    """Records of one source leave mostly the same fields over."""
    return tuple(dict.fromkeys(_told(notes)))


def _told(notes: Sequence[Problem]) -> Iterator[str]:
    unmapped = 0
    for note in notes:
        if note.code == UNMAPPED:
            unmapped += 1
            yield f"{UNMAPPED}:{_sayable(note.field) if unmapped <= MOST_UNMAPPED else OTHER_FIELDS}"
        elif note.code not in _UNTOLD:
            yield f"{field_of(note.field) or 'record'}!{note.code}"


def _sayable(name: str) -> str:
    return name if _SURELY_A_NAME.fullmatch(name) and not _names_a_person(name) else OTHER_FIELDS


def _names_a_person(name: str) -> bool:
    """Say whether two words of a field's name are people's: {"notes": {"Maria Garcia": "called"}}."""
    known = (word for word in map(fold, _WORD.findall(name)) if is_given_name(word) or is_surname(word))
    return next(known, None) is not None and next(known, None) is not None
