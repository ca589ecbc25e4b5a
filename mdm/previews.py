"""What an import would do, without storing anything: how the first rows are read, rejects by reason, keys that stand twice."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kernel import clock
from matching.record import StandardRecord
from matching.standardize import standardize
from mdm.files import FileRow
from mdm.imports import Tally, deliveries
from mdm.incoming import Incoming, Prepared, SourceRules, prepare
from mdm.policy import Policy
from mdm.readings import Reading, readings

SHOWN_ROWS = 20
MOST_REJECTS_SHOWN = 1_000
# A note that only asks for what the source has declared is no news.
SETTLED_BY_ORDER = "ambiguous_order"


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row as it would be read; `notes` are standardization's, attribute and code."""

    line_no: int
    key: str
    readings: tuple[Reading, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Preview:
    """A dry run. `rejects` are line, code and field."""

    tally: Tally = field(default_factory=Tally)
    shown: list[ShownRow] = field(default_factory=list)
    rejects: list[tuple[int, str, str]] = field(default_factory=list)
    duplicate_keys: int = 0


def preview(policy: Policy, source: str, rows: Iterable[FileRow]) -> Preview:
    """Read all rows as an import would. Holds one hash a key in memory. Raises: NotFound for an unknown source."""
    rules = SourceRules.of(policy, source, b"preview")
    read, now = deliveries(rules.source), clock.now()
    found = Preview()
    seen: set[int] = set()
    for row in rows:
        item = read(row)
        made = prepare(rules, item, now) if isinstance(item, Incoming) else item
        if isinstance(made, Prepared):
            found.tally.add("usable", None, made.notes)
            found.duplicate_keys += hash(made.key) in seen
            seen.add(hash(made.key))
            if len(found.shown) < SHOWN_ROWS:
                found.shown.append(_shown(rules, row.line_no, made))
        else:
            found.tally.add("rejected", made)
            if len(found.rejects) < MOST_REJECTS_SHOWN:
                found.rejects.append((row.line_no, made.code, made.field))
    return found


def _shown(rules: SourceRules, line_no: int, made: Prepared) -> ShownRow:
    record = standardize(made.input, rules.context)
    return ShownRow(line_no, made.key, tuple(readings(made.input, record)), _notes(rules, record))


def _notes(rules: SourceRules, record: StandardRecord) -> tuple[str, ...]:
    declared = rules.source.date_order is not None
    return tuple(f"{note.attribute}: {note.code}" for note in record.notes if not (declared and note.code == SETTLED_BY_ORDER))
