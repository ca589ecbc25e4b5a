"""A comparison form as one line of text, as it is stored beside its record and read for scoring.

Reading it takes a twelfth of the time of making the form from the record's JSON again. The text says by which columns it was
written: one of another version of this program is not read, and its form is made from the record.
"""

import hashlib
from dataclasses import fields, make_dataclass
from operator import attrgetter
from typing import Any, cast

import orjson

from matching.forms import ComparisonForm, columns_of
from matching.record import StandardRecord

_NAMES = tuple(field.name for field in fields(ComparisonForm))
_VALUES = attrgetter(*_NAMES)
# The first of the text's values.
LAYOUT = hashlib.blake2b(" ".join(_NAMES).encode(), digest_size=6).hexdigest()
# A form before it is frozen, laid out as one: what is frozen sets each field past itself, which takes as long as reading all.
_Open: Any = make_dataclass("_Open", [(name, Any, None) for name in _NAMES], slots=True)


def dump(form: ComparisonForm) -> str:
    """Write a form: a JSON array of the layout and the columns in order, those at the end that are None left out."""
    return _dump(list(_VALUES(form)))


def _dump(values: list[Any]) -> str:
    while values and values[-1] is None:
        values.pop()
    return orjson.dumps([LAYOUT, *values]).decode()


def of(record: StandardRecord) -> str | None:
    """Write the form of a record; None for one of which none can be made: its own resolution will say so."""
    try:
        return _dump(list(map(columns_of(record).get, _NAMES)))
    except Exception:  # noqa: BLE001 - whatever one record provokes must not stop the others of its batch.
        return None


def load(text: str | bytes) -> ComparisonForm | None:
    """Read a form; None for a text of another layout. The inverse of `dump`.

    Raises: ValueError, TypeError for what is no form.
    """
    values: list[Any]
    layout, *values = orjson.loads(text)
    if layout != LAYOUT:
        return None
    if len(values) == len(_NAMES):  # Extras are pairs, and the last of the columns; all other lists hold texts.
        values[-1] = tuple(map(tuple, values[-1]))
    form = _Open(*[tuple(value) if type(value) is list else value for value in values])
    form.__class__ = ComparisonForm
    return cast(ComparisonForm, form)
