"""Values that a steward types to set them by hand: what may be set, the fields that a form asks for, and what it sent. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from api.console.frame import field
from api.console.values import label, lines
from kernel.errors import Invalid
from mdm.override_values import OVERRIDABLE
from stewardship.accounts import Signed

ATTRIBUTES = tuple(name for name in OVERRIDABLE if name != "party")
PARTS: Mapping[str, Sequence[str]] = {
    "name": ("given", "middle", "prefix", "surname", "suffix"), "address": ("lines", "postal_code", "city", "region", "country"),
}  # fmt: skip
LEAST_LINES, MOST_LINES = 2, 4
PART, LINES = "part:", "lines"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form that sets a value, with what stands in it at first."""

    name: str
    label: str
    text: str


def is_settable(name: str) -> bool:
    """Whether an attribute of a golden record may be set by hand, as far as can be told without the policy."""
    return name in ATTRIBUTES or name.startswith("extras.")


def fields(name: str, held: Any) -> list[Field]:
    """The fields that set an attribute: one for each part of what is set whole, else one; filled with the value that is held."""
    if name in PARTS:
        parts = held if isinstance(held, Mapping) else {}
        return [one for part in PARTS[name] for one in _of_part(part, parts.get(part))]
    said = lines(name, held)
    return [Field("value", "Value", said[0] if said else "")]


def _of_part(part: str, held: Any) -> list[Field]:
    if part != LINES:
        return [Field(f"{PART}{part}", label(part), str(held or ""))]
    told = [str(line) for line in held or ()][:MOST_LINES]
    padded = told + [""] * (LEAST_LINES - len(told))
    return [Field(f"{PART}{part}", f"Line {at}", line) for at, line in enumerate(padded, start=1)]


def typed(sent: FormData, of: Sequence[Field]) -> list[Field]:
    """The same fields as a form sent them: what was typed is kept when it is refused."""
    said = {name: [str(text) for text in sent.getlist(name)] for name in dict.fromkeys(one.name for one in of)}
    return [Field(one.name, one.label, said[one.name].pop(0) if said[one.name] else "") for one in of]


def value(sent: FormData) -> Any:
    """The value that a form sets: by its parts, as one line of a name or an address, or the text."""
    parts = {name.removeprefix(PART): field(sent, name) for name in sent if name.startswith(PART)}
    if parts:
        told = [text for text in (str(one).strip() for one in sent.getlist(f"{PART}{LINES}")) if text]
        return {name: text for name, text in parts.items() if text and name != LINES} | ({LINES: told} if told else {})
    return _of_line(field(sent, "attribute"), field(sent, "value"))


def _of_line(attribute: str, text: str) -> Any:
    if attribute == "name":
        given, _, surname = text.rpartition(" ") if "," not in text else (text.partition(",")[2], "", text.partition(",")[0])
        return {part: value.strip() for part, value in (("given", given), ("surname", surname)) if value.strip()}
    if attribute == "address":
        parts = [part.strip() for part in text.split(",") if part.strip()]
        names = ("postal_code", "city", "country")
        return {"lines": parts[:1], **dict(zip(names, parts[1:], strict=False))}
    return text


def moment(text: str | None, signed: Signed) -> datetime | None:
    """Read what a date field sent, in the zone in which the page shows times. Raises: Invalid."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo else found.replace(tzinfo=ZoneInfo(signed.user.timezone))
        found.astimezone(UTC)  # The first and the last hours of all are none elsewhere.
    except (ValueError, OverflowError) as error:
        raise Invalid("That is no time, such as 2026-11-29T08:00", code="bad_time") from error
    return found
