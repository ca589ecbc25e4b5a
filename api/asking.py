"""Which one question best tells candidates apart whom the caller may not see: part of a birth date or of a postal code, no name.

The till asks the customer, and sends the answer with the record in another search; what is stored is not told.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from mdm.lookup import Held


def _birth(start: int, end: int) -> Callable[[Mapping[str, Any]], str | None]:
    return lambda values: str((values.get("birth_date") or {}).get("value", ""))[start:end] or None


def _postal_code(values: Mapping[str, Any]) -> str | None:
    value = (values.get("address") or {}).get("value") or {}
    return str(value.get("postal_code") or "")[:3] or None


# In the order in which people mind them least; of two that tell as many apart the first is asked.
QUESTIONS: dict[tuple[str, str], tuple[str, Callable[[Mapping[str, Any]], str | None]]] = {
    ("birth_date", "month"): ("In which month is the customer's birthday?", _birth(5, 7)),
    ("birth_date", "day"): ("On which day of the month is the customer's birthday?", _birth(8, 10)),
    ("address", "postal_code"): ("With which three signs does the customer's postal code begin?", _postal_code),
}


def best(candidates: Sequence[Held], sent: Mapping[str, Any]) -> dict[str, str] | None:
    """Choose what to ask; None where nothing that was not `sent` already is known of anybody."""
    known = [orjson.loads(one.body).get("values", {}) for one in candidates]
    tells = {
        asked: len({part for values in known if (part := part_of(values)) is not None})
        for asked, (_, part_of) in QUESTIONS.items()
        if asked[0] not in sent and f"{asked[0]}es" not in sent
    }
    if not any(tells.values()):
        return None
    of, part = max(tells, key=lambda asked: tells[asked])
    return {"of": of, "part": part, "words": QUESTIONS[of, part][0]}
