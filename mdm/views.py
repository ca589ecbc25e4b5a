"""What is shown of a golden record: chosen attributes as plain values, or a view that the policy declares. Pure.

Reads the stored body (`mdm.drafts` made it) and the flags and activity that were read beside it. An attribute that nobody
supplied is absent: not known, which is never "none".
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from mdm.lookup import Held

# What the records of a golden record did: read beside the golden record, and only where it is shown.
ACTIVITY = "activity"


def show(held: Held, fields: Sequence[str]) -> dict[str, Any]:
    """Give the fields of a golden record: `golden_id`, `display_name`, `flags`, `activity`, an attribute, or `extras.<name>`."""
    body = orjson.loads(held.body)
    values = body.get("values", {})
    shown = ((field, _field(held, body, values, field)) for field in fields)
    return {field: value for field, value in shown if value is not None}


def _field(held: Held, body: Mapping[str, Any], values: Mapping[str, Any], field: str) -> Any:
    if field == "golden_id":
        return held.golden_id
    if field == ACTIVITY:
        return held.activity
    if field == "flags":
        return flags(held, body)
    if field == "display_name":
        return body.get("display_name")
    group, _, own = field.partition(".")
    value = values.get(group, {}).get("value")
    return value.get(own) if own and isinstance(value, Mapping) else None if own else value


def flags(held: Held, body: Mapping[str, Any]) -> list[str]:
    """Say what whoever stands at the till should know before trusting the answer."""
    found = {
        "merged": held.status == "merged",
        "ended": held.status == "ended",
        "split": bool(body.get("split_into")),
        "in_review": held.in_review,
        "settling": held.is_settling,
        "company": body.get("party") == "company",
    }
    return [name for name, holds in found.items() if holds]
