"""What an import would do, without storing anything: the first rows mapped, rejects by reason, keys that stand twice."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kernel import clock
from matching.standardize import standardize
from mdm.files import FileRow
from mdm.imports import Tally, deliveries
from mdm.incoming import Incoming, Prepared, SourceRules, prepare
from mdm.policy import Policy

SHOWN_ROWS = 20
MOST_REJECTS_SHOWN = 1_000


@dataclass(slots=True)
class Preview:
    """A dry run. `shown` are line, key, mapped input and standardization's notes; `rejects` line, code and field."""

    tally: Tally = field(default_factory=Tally)
    shown: list[tuple[int, str, dict[str, Any], tuple[str, ...]]] = field(default_factory=list)
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
                found.shown.append((row.line_no, made.key, dict(made.input), _notes(rules, made)))
        else:
            found.tally.add("rejected", made)
            if len(found.rejects) < MOST_REJECTS_SHOWN:
                found.rejects.append((row.line_no, made.code, made.field))
    return found


def _notes(rules: SourceRules, made: Prepared) -> tuple[str, ...]:
    notes = standardize(made.input, rules.context).notes
    return tuple(f"{note.attribute}: {note.code}" for note in notes)
