"""What standardization made of a mapped row, attribute by attribute, for a human to check before anything is stored. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from matching.record import StandardRecord
from matching.standardize import as_input

NAMES = ("name", "name_prefix", "given_name", "middle_name", "surname", "name_suffix", "maiden_name")
BIRTH = ("birth_date", "birth_day", "birth_month", "birth_year")
ADDRESS = ("lines", "line1", "line2", "line3", "house_number", "unit", "street", "postal_code", "city", "region", "country")
TEXTS = {"addresses": ADDRESS, "identifiers": ("type", "value"), "loyalty_accounts": ("programme", "number")}
GROUPS = {**dict.fromkeys(NAMES, "name"), **dict.fromkeys(BIRTH, "birth_date")}


@dataclass(frozen=True, slots=True)
class Reading:
    """One attribute: what the row says, and how it is understood; None when nothing of it can be used."""

    attribute: str
    written: str
    understood: str | None


def readings(mapped: Mapping[str, Any], record: StandardRecord) -> list[Reading]:
    """Set a row's mapped input against its standard record, in the order of the mapping; parts of a name are one attribute."""
    understood = as_input(record)
    if record.birth_date is not None:
        understood["birth_date"] = record.birth_date.text
    said = _by_attribute(mapped)
    heard = _by_attribute(understood)
    return [Reading(attribute, text, heard.get(attribute)) for attribute, text in said.items() if text]


def _by_attribute(data: Mapping[str, Any]) -> dict[str, str]:
    """Each attribute as one text; the parts of a group in the order in which people write them."""
    found: dict[str, str] = {}
    for name, value in data.items():
        group = GROUPS.get(name, name)
        if group not in found:
            parts = [one for one in (*NAMES, *BIRTH) if GROUPS[one] == group]
            found[group] = _text(name, value) if not parts else _joined(_text(one, data.get(one)) for one in parts)
    return found


def _text(attribute: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        names = TEXTS.get(attribute, tuple(value) if attribute in {"extras", "consents"} else ("value",))
        return _joined((_text("", value.get(name)) for name in names), ", " if attribute == "addresses" else " ")
    if isinstance(value, list | tuple):
        return _joined((_text(attribute, one) for one in value), "; " if attribute else ", ")
    return str(value)


def _joined(texts: Iterable[str], glue: str = " ") -> str:
    return glue.join(text for text in texts if text)
