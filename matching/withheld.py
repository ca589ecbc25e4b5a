"""What of a standard record may be used for matching: all of it but the attributes that its `withheld` names.

The one place where they are left out. Comparison forms, blocking keys and the hash of the evidence are made of what `usable`
gives, for both engines; what is shown of a record, and what survives of it, is never asked of here.
"""

from dataclasses import fields, replace
from typing import Any

from matching.record import ATTRIBUTES, StandardRecord

# What a record is of (a person, a company) is no value that could be left out: not to know it is a value as well.
_NEVER = frozenset({"party"})
# Attributes of which matching can do without, the user's own among them.
WITHHOLDABLE = tuple(one.name for one in ATTRIBUTES if one.name not in _NEVER)
# Where a standard record holds an attribute, where not under its own name alone.
_FIELDS = {"company_name": ("company_name", "company_key", "company_form"), "address": ("addresses",)}
_EMPTY: dict[str, Any] = {field.name: field.default for field in fields(StandardRecord)}


def usable(record: StandardRecord) -> StandardRecord:
    """Give the record as matching may see it; the same object when nothing of it is withheld."""
    if not record.withheld:
        return record
    emptied = {field: _EMPTY[field] for name in record.withheld for field in fields_of(name)}
    return replace(record, **emptied)


def fields_of(attribute: str) -> tuple[str, ...]:
    """The fields of a standard record that hold an attribute."""
    return _FIELDS.get(attribute, (attribute,))


def left_unused(record: StandardRecord) -> tuple[str, ...]:
    """Name the fields that hold something which matching may not use."""
    held = (field for name in record.withheld for field in fields_of(name)[:1])
    return tuple(field for field in held if getattr(record, field) != _EMPTY[field])
