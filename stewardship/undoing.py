"""Many decisions taken back at once: of a set, or of what somebody decided in a day. Looked at, then ended portion by portion.

Where it is cut off, what is ended is ended and the rest holds: running it again ends the rest.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from sqlmodel import Session

from kernel import actor
from kernel.actor import Principal
from kernel.errors import Invalid, NotFound
from mdm import steward_decisions, versions
from mdm.decisions import StewardDecision
from mdm.resolve import Resolver
from mdm.steward_decisions import Supposed
from stewardship import decision_sets, settle, sides
from stewardship.settle import STEWARD

PORTION = 200


@dataclass(slots=True)
class Undone:
    """What taking decisions back comes to: how many end, and the golden ids that answer otherwise, by why."""

    decisions: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    questions: int = 0


def authors_named(session: Session, name: str) -> list[str]:
    """Name the authors that somebody decides under: as the log has it, by the name of their keys, or by their name here."""
    keys = [f"{STEWARD}:key:{one.key_id}" for one in actor.list_keys(session) if one.name == name]
    return [name, f"{STEWARD}:{name}", f"{STEWARD}:local:{name}", *keys]


def of_day(session: Session, name: str, day_starts_at: datetime) -> list[StewardDecision]:
    """Read what somebody decided within a day and what holds still. Raises: NotFound when there is nothing."""
    found = steward_decisions.live_of_authors(
        session, authors_named(session, name), day_starts_at, day_starts_at + timedelta(days=1)
    )
    if not found:
        raise _nothing(name)
    return found


def look_back_day(resolver: Resolver, caller: Principal, name: str, day: date) -> settle.Looked:
    """See what taking back all that somebody decided on a day (UTC) would do.

    Raises: NotFound when nothing holds, or some of it is beyond the scope; Invalid when it is too much to be looked at as one.
    """
    return decision_sets.look_back_at(resolver, caller, partial(_within_scope, caller=caller, name=name, day=day))


def take_back_day(resolver: Resolver, caller: Principal, name: str, day: date, reason: str, token: str | None) -> int:
    """Take back a day that was looked at: how many decisions ended. Raises: as `look_back_day` and `settle.make`."""
    held_of = partial(_within_scope, caller=caller, name=name, day=day)
    return decision_sets.take_back_all(resolver, caller, held_of, reason, token)


def _within_scope(session: Session, caller: Principal, name: str, day: date) -> list[StewardDecision]:
    held = of_day(session, name, datetime.combine(day, time.min, UTC))
    if not all(sides.all_within(session, caller.scope, one.resolved) for one in held):
        raise _nothing(name)
    if len(held) > decision_sets.MOST_DECISIONS:
        detail = "`mdm decisions undo --by … --day …` takes them back portion by portion."
        raise Invalid(f"That day has {len(held):,} decisions", code="too_many_decisions", detail=detail)
    return held


def _nothing(name: str) -> NotFound:
    nothing = f"Nothing that {name} decided that day holds"
    rest = "Days begin at midnight UTC; whoever decides is named by the name of their key, or as the log names the author."
    return NotFound(nothing, code="nothing_decided", detail=f"{nothing}. {rest}")


def of_set(session: Session, set_id: uuid.UUID) -> list[StewardDecision]:
    """Read the decisions of a set that hold still. Raises: NotFound when there is none."""
    found = steward_decisions.live_of_set(session, set_id)
    if not found:
        raise NotFound("No decision of this set holds", code="unknown_decision_set", extra={"set_id": str(set_id)})
    return found


def take_back(resolver: Resolver, caller: Principal, held: Sequence[StewardDecision], reason: str, dry_run: bool) -> Undone:
    """Take decisions back, or only say what that would do. Raises: Invalid without a reason; as `settle.look_at`."""
    said, undone = settle.checked_reason(reason), Undone()
    ended: set[uuid.UUID] = set()
    for start in range(0, len(held), PORTION):
        portion = held[start : start + PORTION]
        ended = {*(ended if dry_run else ()), *(one.decision_id for one in portion)}
        look = partial(_look, resolver, caller, portion, frozenset(ended))
        if dry_run:
            _count(undone, look(), len(portion))
        else:
            settle.on_what_is_seen(look, partial(_end, resolver, caller, portion, said, undone))
    return undone


def _look(
    resolver: Resolver, caller: Principal, portion: Sequence[StewardDecision], ended: frozenset[uuid.UUID]
) -> settle.Looked:
    with resolver.steps() as session:
        of = versions.current(session)
    records: frozenset[uuid.UUID] = frozenset().union(*(one.resolved for one in portion))
    return settle.look_at(resolver, caller, of, Supposed(undone=ended), records)


def _end(
    resolver: Resolver,
    caller: Principal,
    portion: Sequence[StewardDecision],
    reason: str,
    undone: Undone,
    looked: settle.Looked,
) -> None:
    """End what of a portion holds still: somebody else may take the same back."""
    with resolver.steps() as session:
        settle.hold(session, looked, looked.token)
        holds = steward_decisions.known(session, [one.decision_id for one in portion])
        live = [one for one in portion if holds[one.decision_id]]
        for decision in live:
            settle.unwrite(session, caller, decision, reason)
    if live:
        _count(undone, looked, len(live))


def _count(undone: Undone, looked: settle.Looked, decisions: int) -> None:
    undone.decisions += decisions
    undone.causes.update(one.cause for one in looked.preview.changed)
    undone.questions += looked.preview.questions
