"""Golden values as a steward reads them: attributes in one order, a line a value, differences marked and said in words."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from mdm.override_values import STEWARD_SOURCE

# In the order in which people look: who it is, how to reach them, what they are known by.
LABELS = {
    "name": "Name", "birth_date": "Born", "gender": "Gender", "party": "Kind", "company_name": "Company", "emails": "E-mail",
    "phones": "Phone", "address": "Address", "identifiers": "Identifiers", "loyalty_accounts": "Loyalty", "language": "Language",
    "preferred_store": "Store",
}  # fmt: skip
BY_HAND = "set by hand"
SAME, DIFFERS, ONE_SIDED = "same", "differs", "one says nothing"
MOST_SHOWN = 600  # Characters of a value that are set side by side; the customer's page shows all of it.
MOST_MARKED = 400  # Characters of a value that are compared one by one.
LEAST_COMMON = 0.6  # Of two values: a slip of the pen leaves 0.8 and more, two e-mail addresses of one provider 0.5.
_PARTS_OF_NAME = ("title", "given", "middle", "prefix", "surname", "second_surname", "suffix")


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute of several customers. `cells`: the lines of each, in their order; `state`: how they stand to each other."""

    name: str
    label: str
    cells: tuple[tuple[Markup, ...], ...]
    state: str


def label(name: str) -> str:
    """What an attribute is called on a page."""
    return LABELS.get(name) or name.removeprefix("extras.").replace("_", " ").capitalize()


def lines(name: str, value: Any) -> list[str]:
    """Write a value as lines of text."""
    if value is None:
        return []
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [line for one in value for line in lines(name, one)]
    if isinstance(value, Mapping):
        return _of_parts(name, value)
    return [str(value)]


def _of_parts(name: str, value: Mapping[str, Any]) -> list[str]:
    if name == "name":
        parts = [str(value[part]) for part in _PARTS_OF_NAME if value.get(part)]
        return [" ".join(parts) or str(value.get("full", ""))]
    if name == "address":
        place = " ".join(str(value[part]) for part in ("postal_code", "city") if value.get(part))
        return [str(line) for line in (*value.get("lines", ()), place, value.get("region"), value.get("country")) if line]
    shown = value.get("value") or value.get("number")
    kind = value.get("type") or value.get("programme")
    if shown is not None and name in {"identifiers", "loyalty_accounts"} and kind:
        return [f"{shown} ({kind})"]
    if shown is not None:
        return [str(shown)]
    return [f"{label(part)}: {line}" for part, held in sorted(value.items()) for line in lines(part, held)]


def flat(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """All values of a customer as lines, by attribute in the order of the page; one's own attributes last."""
    extras = {f"extras.{name}": held for name, held in sorted((values.get("extras") or {}).items())}
    others = sorted(name for name in values if name not in LABELS and name != "extras")
    found = {name: values[name] for name in (*LABELS, *others) if name in values} | extras
    return {name: told for name, value in found.items() if (told := lines(name, value))}


def origins(values: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Name the sources that each attribute comes from, by the names that `flat` gives. `values`: with their provenance."""
    found: dict[str, str] = {}
    for name, held in values.items():
        told = held.get("provenance") or {}
        parts = {f"extras.{extra}": one for extra, one in told.items()} if name == "extras" else {name: told}
        found |= {part: source_names(one) for part, one in parts.items()}
    return found


def source_names(provenance: Any) -> str:
    """The sources of a value or of a list of values, each once."""
    told = provenance if isinstance(provenance, list) else [provenance]
    return ", ".join(
        dict.fromkeys(BY_HAND if one["source"] == STEWARD_SOURCE else str(one["source"]) for one in told if "source" in one)
    )


def compare(columns: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Set customers side by side. With two, what differs within a value is marked."""
    told = [flat(one) for one in columns]
    names = [*dict.fromkeys(name for name in LABELS if any(name in one for one in told)), *_others(told)]
    return [_row(name, [one.get(name, []) for one in told]) for name in names]


def _others(told: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({name for one in told for name in one if name not in LABELS})


def _row(name: str, cells: Sequence[Sequence[str]]) -> Row:
    said = [cell for cell in cells if cell]
    if len(said) < len(cells):
        state = ONE_SIDED
    else:
        state = SAME if len({tuple(sorted(one.casefold() for one in cell)) for cell in said}) == 1 else DIFFERS
    pairs = len(cells) == 2 and state == DIFFERS
    shown = tuple(tuple(_line(line, cells[1 - at] if pairs else ()) for line in cell) for at, cell in enumerate(cells))
    return Row(name, label(name), shown, state)


def short(text: str) -> str:
    """What of a line is set side by side, and how much more there is."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} … and {len(text) - MOST_SHOWN:,} characters more"


def _line(text: str, others: Sequence[str]) -> Markup:
    """Escape a line, shortened; mark where it differs from the nearest line of the other side, which may hold it as it is."""
    if not others or text in others:
        return escape(short(text))
    nearest = max(others, key=lambda one: difflib.SequenceMatcher(None, text[:MOST_MARKED], one[:MOST_MARKED]).ratio())
    return marked(short(text), nearest)


def marked(text: str, other: str) -> Markup:
    """Mark the characters of a text that another does not have at their place; all of it where little is common: marks of single
    characters would say nothing there."""
    short = text[:MOST_MARKED]
    found = difflib.SequenceMatcher(None, short, other[:MOST_MARKED], autojunk=False)
    if found.ratio() < LEAST_COMMON and short not in other and other not in short:
        return Markup("<mark>{}</mark>").format(text)
    made = Markup("")
    for kind, start, end, *_ in found.get_opcodes():
        piece = escape(short[start:end])
        made += Markup("<mark>{}</mark>").format(piece) if kind != "equal" and start < end else piece
    return made + escape(text[MOST_MARKED:])
