"""What the events about golden records say: ids, versions, cause, moved records, names of attributes. Never a value. Pure.

One event for each new version of a live or ended golden id. An id that is merged away has none of its own: the one it went to
tells of it (`retired_ids`), unless that one did not change, or a record that it had is nowhere now. Whoever applies `joined` and
`left` in the order of the event numbers holds the crosswalk.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kernel.outbox import Event
from mdm.changes import Cause, Status
from mdm.closure import RecordHead
from mdm.drafts import Draft
from mdm.evaluation import Evaluation
from mdm.lapsing import LAPSED
from mdm.overrides import EXPIRED
from mdm.steward_decisions import REDO_REASON

Id = uuid.UUID

CREATED = "golden.created"
UPDATED = "golden.updated"
MERGED = "golden.merged"
SPLIT = "golden.split"
RESTORED = "golden.restored"
REVIVED = "golden.revived"
ENDED = "golden.ended"
REDIRECTED = "golden.redirected"
ERASED = "golden.erased"
_OF_CAUSE = {
    Cause.CREATED: CREATED,
    Cause.REVIVED: REVIVED,
    Cause.ENDED: ENDED,
    Cause.RESTORED: RESTORED,
    Cause.SPLIT: SPLIT,
}

# Who or what brought a change about; of several the first of this list is named.
_BECAUSE = {
    "steward": frozenset({REDO_REASON, EXPIRED}),
    "policy": frozenset({"version_set", LAPSED}),
    "record": frozenset({"received", "rekeyed", "import_undone"}),
}
UPKEEP = "upkeep"


@dataclass(frozen=True, slots=True)
class Written:
    """A golden as it was written: its draft, its new version, why its standing or its values changed, which values did."""

    draft: Draft
    version: int
    cause: str
    changed: Sequence[str] = ()
    because: str = UPKEEP


@dataclass(slots=True)
class _Moves:
    """Who came to a golden id and who went, with the other side (None: nowhere)."""

    joined: list[tuple[RecordHead, Id | None]] = field(default_factory=list)
    left: list[tuple[RecordHead, Id | None]] = field(default_factory=list)

    def seen(self, name: str, known: Iterable[str]) -> tuple[str, ...]:
        """The sources, brands or regions of who moved, and those that are known already."""
        return tuple(sorted({*known, *(getattr(head, name) for head, _ in (*self.joined, *self.left))}))


def because(reasons: Iterable[str]) -> str:
    """Name who or what asked for the resolution of some records: steward, policy, record, or the service's own upkeep."""
    found = set(reasons)
    return next((name for name, known in _BECAUSE.items() if known & found), UPKEEP)


def about(written: Sequence[Written], evaluations: Iterable[Evaluation], load_id: Id | None = None) -> list[Event]:
    """Make the events of goldens that were written together, in their order."""
    moves = _moves(evaluations)
    living = {one.draft.golden_id for one in written if one.draft.status is not Status.MERGED}
    retired: dict[Id, list[Id]] = defaultdict(list)
    for one in written:
        if one.draft.redirect_to is not None:
            retired[one.draft.redirect_to].append(one.draft.golden_id)
    return [
        _event(one, moves[one.draft.golden_id], retired.get(one.draft.golden_id, ()), load_id)
        for one in written
        if one.draft.redirect_to not in living or any(after is None for _, after in moves[one.draft.golden_id].left)
    ]


def _moves(evaluations: Iterable[Evaluation]) -> Mapping[Id, _Moves]:
    moves: dict[Id, _Moves] = defaultdict(_Moves)
    for one in evaluations:
        for record_id, head in one.records.items():
            before, after = head.golden_id, one.plan.crosswalk.get(record_id)
            if before == after:
                continue
            if after is not None:
                moves[after].joined.append((head, before))
            if before is not None:
                moves[before].left.append((head, after))
    return moves


def _event(one: Written, moves: _Moves, retired: Sequence[Id], load_id: Id | None) -> Event:
    draft = one.draft
    body: dict[str, Any] = {
        "golden_id": str(draft.golden_id),
        "version": one.version,
        "status": str(draft.status),
        "cause": one.cause,
        "because": one.because,
        "changed": sorted(one.changed),
        "joined": _moved(moves.joined, "from"),
        "left": _moved(moves.left, "to"),
        "retired_ids": sorted(map(str, retired)),
        "split_into": [str(known) for known in draft.split_into],
        **({"redirect_to": str(draft.redirect_to)} if draft.redirect_to else {}),
    }
    return Event(
        _type(one, retired),
        draft.golden_id,
        one.version,
        body,
        moves.seen("brand", draft.brands),
        moves.seen("region", draft.regions),
        moves.seen("source", [member["source"] for member in draft.body.get("members", ())]),
        load_id,
    )


def _moved(moves: Sequence[tuple[RecordHead, Id | None]], side: str) -> list[dict[str, str | None]]:
    found = sorted((str(head.record_id), None if other is None else str(other)) for head, other in moves)
    return [{"record_id": record_id, side: other} for record_id, other in found]


def _type(one: Written, retired: Sequence[Id]) -> str:
    """What the event is called: an id's own coming and going first, then that others went into it, then that it lost some."""
    if one.draft.status is Status.MERGED:
        return REDIRECTED
    known = _OF_CAUSE.get(Cause(one.cause)) if one.cause in set(Cause) else None
    if retired and known in {None, SPLIT}:
        return MERGED
    return known or UPDATED
