"""What is stored of a record's current version: its standard record as written, its form, its keys, what it is searched by. Pure.

Made apart from the transaction that stores it, by another process in a large import.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from matching import blocking, form_text
from matching.record import StandardRecord, to_json
from matching.standardize import Context, form_hash, standardize
from mdm import key_rows
from mdm.appraisal import appraisal
from mdm.mapping_values import Problem
from mdm.search_terms import terms


@dataclass(frozen=True, slots=True)
class Standardized:
    """A standard record as it is stored: `body` is its JSON, `form` its comparison form when one can be made, `keys` its blocking
    keys as rows of nobody (mdm.key_rows)."""

    form_hash: bytes
    body: str
    form: str | None
    asserted: uuid.UUID | None
    keys: bytes
    appraisal: tuple[str, ...] = ()
    terms: frozenset[str] = frozenset()


def standardized(given: Mapping[str, Any], context: Context, secret: bytes, notes: Sequence[Problem]) -> Standardized:
    """Standardize mapped input; `notes` are what its mapping had to say, `secret` that of the blocking keys."""
    record = standardize(given, context)
    return Standardized(
        form_hash(record),
        orjson.dumps(to_json(record)).decode(),
        form_text.of(record),
        asserted(record),
        key_rows.packed(blocking.keys(record, secret)),
        appraisal(record, notes),
        terms(record),
    )


def asserted(record: StandardRecord) -> uuid.UUID | None:
    """The golden id that a record's source says its customer confirmed; None when what was sent is no id."""
    try:
        return uuid.UUID(record.asserted_golden_id) if record.asserted_golden_id else None
    except ValueError:
        return None
