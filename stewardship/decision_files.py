"""Decisions made elsewhere, from a file: source, key, source, key, verdict, reason, by, at. Read, looked at, made as one set.

Each row has an id of its own that follows from what it says, so that a file which is sent again, or taken up where it was cut
off, makes nothing twice. What cannot be read or decided is named by its line.
"""

import hashlib
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from kernel.actor import Principal
from kernel.clock import now
from kernel.errors import Invalid, MdmError
from mdm import files, steward_decisions
from mdm.decisions import StewardDecision
from mdm.resolve import Resolver
from mdm.steward_decisions import Said
from stewardship import decision_sets, settle
from stewardship.decision_sets import CONTRADICTS, LookedAtAll
from stewardship.settle import OUTDATED, Verdict, Wish
from stewardship.sides import Side

COLUMNS = ("left_source", "left_key", "right_source", "right_key", "verdict", "reason", "by", "at")
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
IMPORTED = "imported"
LONGEST_NAME = 200
PORTION = 200
# What the database cannot hold as text: NUL, and bytes of a file that are no characters.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be read. `wish` bears the id that its decision gets."""

    line_no: int
    wish: Wish
    author: str
    said_at: datetime

    @property
    def decision_id(self) -> uuid.UUID:
        """What the row says, as an id in the order of time."""
        if self.wish.decision_id is None:
            raise AssertionError("every row is read with an id")
        return self.wish.decision_id


@dataclass(slots=True)
class Outcome:
    """What a file came to, or would. `rejects` are line and code; so are `asked`, matches that stewards here have said otherwise
    of. `known` rows were made before and hold; the decisions of `taken_back` ones were taken back, and stay so. `causes`: golden
    ids that change, by why."""

    set_id: uuid.UUID
    rows: int = 0
    made: int = 0
    known: int = 0
    taken_back: int = 0
    rejects: list[tuple[int, str]] = field(default_factory=list)
    asked: list[tuple[int, str]] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)
    questions: int = 0


def run(resolver: Resolver, caller: Principal, path: Path, dry_run: bool) -> Outcome:
    """Make the decisions of a file, or only say what they would do. Blocks; portions are made one after another.

    Raises: Invalid for a file that cannot be opened or lacks a column.
    """
    outcome = Outcome(uuid.UUID(files.fingerprint(path, "decisions")))
    beside: list[StewardDecision] = []
    rows = _rows(path, outcome)
    while portion := list(islice(rows, PORTION)):
        look = partial(_look, resolver, caller, portion, tuple(beside))
        if dry_run:
            seen = look()
            beside += seen.found.made.values()
        else:
            seen = settle.on_what_is_seen(look, partial(_make, resolver, caller, outcome.set_id))
        _count(outcome, seen)
    return outcome


@dataclass(frozen=True, slots=True)
class _Seen:
    """A portion as it was looked at: what is to be made; of the rest, how much was made before and holds, or was taken back."""

    fresh: Sequence[Row]
    before: Counter[bool]
    found: LookedAtAll


def _look(resolver: Resolver, caller: Principal, portion: Sequence[Row], beside: Sequence[StewardDecision]) -> _Seen:
    """Look at what was not decided before: by somebody else who imports the same, even since the last look."""
    with resolver.steps() as session:
        stored = steward_decisions.known(session, [row.decision_id for row in portion])
    known = stored | dict.fromkeys((one.decision_id for one in beside), True)
    fresh: dict[uuid.UUID, Row] = {}
    before: Counter[bool] = Counter()
    for row in portion:
        if row.decision_id in fresh or row.decision_id in known:
            before[known.get(row.decision_id, True)] += 1
        else:
            fresh[row.decision_id] = row
    return _Seen(list(fresh.values()), before, _looked(resolver, caller, [row.wish for row in fresh.values()], beside))


def _looked(resolver: Resolver, caller: Principal, wishes: Sequence[Wish], beside: Sequence[StewardDecision]) -> LookedAtAll:
    """Look at wishes; a match that contradicts a steward's word here yields to it, and is asked about."""
    found = decision_sets.look(resolver, caller, wishes, beside)
    against = {one.index for one in found.refused if one.code == CONTRADICTS and wishes[one.index].verdict == settle.MATCH}
    if not against:
        return found
    yielding = [replace(wish, yields=True) if at in against else wish for at, wish in enumerate(wishes)]
    return decision_sets.look(resolver, caller, yielding, beside)


def _make(resolver: Resolver, caller: Principal, set_id: uuid.UUID, seen: _Seen) -> None:
    found = seen.found
    if found.looked is None:
        return
    of_row = {row.decision_id: row for row in seen.fresh}
    with resolver.steps() as session:
        settle.hold(session, found.looked, found.looked.token)
        if steward_decisions.known(session, [one.decision_id for one in found.made.values()]):
            raise MdmError("Somebody else has made these decisions meanwhile", code="preview_outdated", status=OUTDATED)
        for decision in found.made.values():
            row = of_row[decision.decision_id]
            said = Said(row.author, IMPORTED, row.wish.reason, set_id, row.said_at)
            settle.write(session, caller, found.looked.of, decision, said)


def _count(outcome: Outcome, seen: _Seen) -> None:
    found = seen.found
    outcome.made += len(found.made)
    outcome.known += seen.before[True] + found.known
    outcome.taken_back += seen.before[False]
    outcome.rejects += [(seen.fresh[one.index].line_no, one.code) for one in found.refused]
    outcome.rejects.sort()
    outcome.asked += [(seen.fresh[one.index].line_no, one.code) for one in found.asked]
    if found.looked is not None:
        outcome.causes.update(one.cause for one in found.looked.preview.changed)
        outcome.questions += found.looked.preview.questions


def _rows(path: Path, outcome: Outcome) -> Iterator[Row]:
    opened = files.open_rows(path)
    if missing := sorted(set(COLUMNS) - set(opened.columns)) if opened.columns else []:
        raise Invalid(f"{path.name} lacks the columns {', '.join(missing)}", code="missing_columns")
    for line in opened.rows():
        outcome.rows += 1
        row = line.problem.code if line.problem else _row(line.line_no, line.values or {})
        if isinstance(row, Row):
            yield row
        else:
            outcome.rejects.append((line.line_no, row))


def _row(line_no: int, values: dict[str, Any]) -> Row | str:
    """Read a row, or say by a code what is wrong with it."""
    said = {name: str(values[name]).strip() for name in COLUMNS if values.get(name) is not None}
    if absent := next((name for name in COLUMNS if not said.get(name)), None):
        return f"missing_{absent}"
    if any(UNSTORABLE.search(text) for text in said.values()):
        return "unusable_character"
    left, right = ((said[f"{side}_source"], said[f"{side}_key"]) for side in ("left", "right"))
    at = _time(said["at"])
    if said["verdict"] not in VERDICTS:
        return "unknown_verdict"
    if at is None or at > now():
        return "unreadable_time" if at is None else "time_in_future"
    if len(said["reason"]) > settle.LONGEST_REASON or len(said["by"]) > LONGEST_NAME:
        return "too_long"
    wish = Wish(said["verdict"], Side(records=(left,)), Side(records=(right,)), said["reason"])
    author = f"{IMPORTED}:{said['by']}"
    return Row(line_no, replace(wish, decision_id=_id(wish, author, at)), author, at)


def _time(text: str) -> datetime | None:
    """Read a time; one without an offset is UTC."""
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):  # The latter of a time that in UTC is before the first year or after the last.
        return None


def _id(wish: Wish, author: str, at: datetime) -> uuid.UUID:
    """Make an id of version 7 whose random part is a hash of what is said; the sides count in either order."""
    said = (wish.verdict, sorted((wish.left.records, wish.right.records)), wish.reason, author, at.isoformat())
    tail = int.from_bytes(hashlib.blake2b(repr(said).encode(), digest_size=10).digest())
    milliseconds = max(0, int(at.timestamp() * 1000)) & (1 << 48) - 1
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | (tail >> 62 & 0xFFF) << 64 | 0b10 << 62 | tail & (1 << 62) - 1)
