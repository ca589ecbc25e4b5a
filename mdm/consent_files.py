"""Legacy consents from a CSV file with a mapping, and audiences: CSV in, the same rows with their answers out. Reads rows only.

A mapping says for each field of an act which column or constant it is, in the words of policies (path, const, join, first, map).
Words for purposes and states are those of sources. What cannot be used is named by its line and code, never by its value.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import yaml
from pydantic import BeforeValidator, ValidationError

from consent.entries import Basis, Channel, Method, Origin, Strength
from consent.purposes import Rules
from kernel.errors import Invalid
from mdm import contact_points
from mdm.consent_acts import Act
from mdm.consent_checks import Check
from mdm.contact_points import ContactPoint
from mdm.mapping_schema import Expression, Literally, Strict
from mdm.mapping_schema import Path as PathOrText
from mdm.mapping_values import Problem, Reader, reader

PERSON = ("golden_id", "source", "key", "email", "phone", "device", "country")
AUDIENCE = (*PERSON, "purpose", "channel", "brand")
UNREADABLE = Problem("unreadable_value", "")


def _as_literal(value: Any) -> Any:
    return {"const": value} if isinstance(value, str) else value


class ConsentMapping(Strict):
    """Which column is which. A text for a purpose, channel, brand, source, origin, method, basis or strength is itself; say
    {path: …} to read a column."""

    golden_id: PathOrText | None = None
    source: Literally | None = None
    key: PathOrText | None = None
    email: PathOrText | None = None
    phone: PathOrText | None = None
    device: PathOrText | None = None
    country: Literally | None = None
    purpose: Annotated[Expression, BeforeValidator(_as_literal)] | None = None
    state: PathOrText
    channel: Literally | None = None
    brand: Literally | None = None
    occurred_at: PathOrText | None = None
    expires_at: PathOrText | None = None
    proof: PathOrText | None = None
    notice: PathOrText | None = None
    reason: PathOrText | None = None
    origin: Literally | None = None
    method: Literally | None = None
    basis: Literally | None = None
    strength: Literally | None = None
    jurisdiction: Literally | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: the line on which it starts, its columns, and what it says, or what is wrong with it."""

    line_no: int
    columns: Mapping[str, str]
    said: Act | Check | Problem


def load_mapping(path: Path) -> ConsentMapping:
    """Read a mapping document. Raises: Invalid, naming fields and never values."""
    try:
        return ConsentMapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        spots = sorted({".".join(map(str, one["loc"])) for one in error.errors()})
        raise Invalid("The mapping cannot be used", code="bad_mapping", extra={"fields": spots}) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise Invalid("The mapping is no YAML document", code="bad_mapping") from None


def _rows(path: Path, delimiter: str) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file, delimiter=delimiter, strict=True)
        try:
            for columns in lines:
                yield (
                    lines.line_num,
                    {name: value for name, value in columns.items() if isinstance(name, str) and isinstance(value, str)},
                )
        except (csv.Error, UnicodeDecodeError):  # What stands there is not told: it may be anybody's.
            raise Invalid(f"The file cannot be read after line {lines.line_num}", code="unreadable_file") from None


def acts(path: Path, mapping: ConsentMapping, rules: Rules, delimiter: str = ",") -> Iterator[Row]:
    """Read the acts of a file."""
    readers = _readers(mapping)
    for line_no, columns in _rows(path, delimiter):
        yield Row(line_no, columns, _act(columns, readers, rules))


def _readers(mapping: ConsentMapping) -> dict[str, Reader]:
    declared = ((name, getattr(mapping, name)) for name in ConsentMapping.model_fields)
    return {name: reader(one, name, frozenset(), False) for name, one in declared if one is not None}


def _act(columns: Mapping[str, str], readers: Mapping[str, Reader], rules: Rules) -> Act | Problem:
    said: dict[str, str] = {}
    for name, read in readers.items():
        value = read(columns, [])
        if isinstance(value, str):
            said[name] = value
    state, word = rules.state(said.get("state", "")), rules.word(said["purpose"]) if "purpose" in said else None
    if state is None:
        return Problem("consent_state_unknown", "state")
    if word is None and "purpose" in said:
        return Problem("consent_purpose_unknown", "purpose")
    try:
        return Act(
            state.state,
            word.purpose if word else None,
            Channel(said["channel"]) if "channel" in said else word.channel if word else None,
            said.get("brand"),
            **_who(said),
            occurred_at=_time(said.get("occurred_at")),
            expires_at=_time(said.get("expires_at")),
            jurisdiction=said.get("jurisdiction"),
            basis=Basis(said.get("basis", "consent")),
            origin=Origin(said.get("origin", "import")),
            strength=Strength(said.get("strength", "express")),
            method=Method(said.get("method", "import")),
            suppression=state.suppression,
            implied_by=state.implied_by,
            notice=said.get("notice"),
            evidence={"proof": said["proof"]} if "proof" in said else None,
            reason=said.get("reason"),
        )
    except ValueError:
        return UNREADABLE


def _who(said: Mapping[str, str]) -> dict[str, Any]:
    """Whom a row names. Raises: ValueError."""
    record = (said["source"], said["key"]) if {"source", "key"} <= said.keys() else None
    golden_id = UUID(said["golden_id"]) if "golden_id" in said else None
    return {"record": record, "golden_id": golden_id, "contact": _point(said)}


def _point(said: Mapping[str, str]) -> ContactPoint | None:
    for kind in contact_points.KINDS:
        if kind in said:
            point = contact_points.read(kind, said[kind], said.get("country"))
            if point is None:
                raise ValueError(kind)
            return point
    return None


def _time(text: str | None) -> datetime | None:
    """A time in ISO form; without a zone it is UTC. Raises: ValueError."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError as beyond:  # The first and the last day of the calendar, in UTC.
        raise ValueError("beyond the calendar") from beyond


@dataclass(frozen=True, slots=True)
class Default:
    """What rows of an audience are asked for that do not say so themselves in columns of these names."""

    purpose: str | None = None
    channel: Channel | None = None
    brand: str | None = None


def audience(path: Path, default: Default, rules: Rules, delimiter: str = ",") -> Iterator[Row]:
    """Read the checks of a file, whose columns are some of golden_id, source, key, email, phone, device and country, and may be
    purpose, channel and brand."""
    for line_no, columns in _rows(path, delimiter):
        yield Row(line_no, columns, check_of(texts(columns), default, rules))


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """What a row says of those fields that an audience knows, as texts; what is empty is not said."""
    found = {name: str(values[name]).strip() for name in AUDIENCE if values.get(name) is not None}
    return {name: text for name, text in found.items() if text}


def for_row(said: Mapping[str, str], default: Default) -> Default:
    """What a row is asked for. A channel that is none is left out here, and refused by `check_of`."""
    channel = Channel(said["channel"]) if said.get("channel") in set(Channel) else default.channel
    return Default(said.get("purpose", default.purpose), channel, said.get("brand", default.brand))


def check_of(said: Mapping[str, str], default: Default, rules: Rules) -> Check | Problem:
    """Make the check of a row, or say what is wrong with it."""
    what = for_row(said, default)
    problem = next(_problems(said, what, rules), None)
    if problem is not None or what.purpose is None:
        return problem or Problem("purpose_missing", "purpose")
    try:
        who = _who({name: text for name, text in said.items() if name in PERSON})
    except ValueError:
        return UNREADABLE
    return Check(what.purpose, what.channel, what.brand, **who)


def _problems(said: Mapping[str, str], what: Default, rules: Rules) -> Iterator[Problem]:
    if what.purpose is not None and what.purpose not in rules.purposes:
        yield Problem("unknown_purpose", "purpose")
    elif what.purpose is not None and rules.purposes[what.purpose].reaches and what.channel is None:
        yield Problem("channel_missing", "channel")
    if said.get("channel", what.channel) != what.channel:
        yield Problem("unknown_channel", "channel")
    if "golden_id" in said and {"source", "key"} <= said.keys():
        yield Problem("two_subjects", "record")
    if said.keys().isdisjoint({"golden_id", *contact_points.KINDS}) and not {"source", "key"} <= said.keys():
        yield Problem("no_subject", "")


def columns_of(path: Path, delimiter: str = ",") -> Sequence[str]:
    """The columns of a file. Raises: Invalid when it has none."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file, delimiter=delimiter, strict=True), None)
    if not header:
        raise Invalid("The file is empty", code="empty_file")
    return header
