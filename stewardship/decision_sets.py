"""Many decisions at once, such as the merges that a source knows of: looked at together, made together, taken back together.

What cannot be decided (an unknown record, a contradiction to a steward's word) is left out and named by its place.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlmodel import Session

from kernel import approvals, clock
from kernel.actor import Principal
from kernel.errors import Conflict, MdmError, NotFound
from mdm import decisions, steward_decisions, versions
from mdm.decisions import StewardDecision
from mdm.resolve import Resolver
from mdm.steward_decisions import Said, Supposed
from mdm.versions import VersionSet
from stewardship import seconding, settle, sides
from stewardship.settle import Looked, Wish

MOST_DECISIONS = 1_000
CONTRADICTS = "contradicts_decisions"
BLOCKED = "blocked_by_policy"
SOURCE_SAYS = "source_merged_them"
# Reads the decisions that are to be taken back, and hold still.
HeldOf = Callable[[Session], Sequence[StewardDecision]]


@dataclass(frozen=True, slots=True)
class Refused:
    """A wish, by its place from 0, that cannot be decided, and why; `decisions` are those that it contradicts."""

    index: int
    code: str
    decisions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LookedAtAll:
    """Decisions as they would be `made` together, by the places of their wishes, and the wishes left out.

    `looked` is None when nothing is left to decide.
    `asked`: the merges of sources that yield to what we know, by their places and why; a steward is asked about each.
    `known`: how many merges of sources are decided already and hold, so that one sent every night is decided once.
    """

    looked: Looked | None
    refused: tuple[Refused, ...]
    made: Mapping[int, StewardDecision] = field(default_factory=dict)
    asked: tuple[Refused, ...] = ()
    known: int = 0


class Made(NamedTuple):
    """A set that was made: how many decisions, which wishes were left out, about which a steward is asked, and how many were
    decided before. No `set_id` when all were."""

    set_id: uuid.UUID | None
    decisions: int
    refused: tuple[Refused, ...]
    asked: tuple[Refused, ...]
    known: int


def look(resolver: Resolver, caller: Principal, wishes: Sequence[Wish], beside: Sequence[StewardDecision] = ()) -> LookedAtAll:
    """See what many decisions would do together. Of decisions that contradict each other the later wish is left out.

    `beside`: decisions that are supposed as well, and were looked at before.
    """
    with resolver.steps() as session:
        of = versions.current(session)
        wanted, refused = _wanted(session, caller, of, wishes)
        known = _known(session, wanted)
    wanted = {index: one for index, one in wanted.items() if index not in known}
    looked = None
    while wanted:
        records = frozenset().union(*(one.records for one in wanted.values()))
        looked = settle.look_at(resolver, caller, of, Supposed(made=(*beside, *wanted.values())), records)
        out = _contradicting(looked, wanted) or _blocked(looked, wanted)
        if not out:
            break
        refused += out
        wanted = {index: one for index, one in wanted.items() if index not in {one.index for one in out}}
        looked = None
    made = {index: settle.across_those_met(looked, one) for index, one in wanted.items()} if looked else {}
    asked = _asked(looked, wanted) if looked else ()
    return LookedAtAll(looked, tuple(sorted(refused, key=lambda one: one.index)), made, asked, len(known))


def _known(session: Session, wanted: Mapping[int, StewardDecision]) -> set[int]:
    """The places of merges of sources that say again what is decided and holds, or what stands before them."""
    asserted = {index: one for index, one in wanted.items() if one.yields}
    named = frozenset[uuid.UUID]().union(*(one.records for one in asserted.values()))
    held = decisions.steward_rules(session, named).values() if named else ()
    told = {(one.verdict, one.left, one.right) for one in held if one.yields}
    known = set[int]()
    for index, one in asserted.items():
        said = (one.verdict, one.left, one.right)
        if said in told:
            known.add(index)
        told.add(said)
    return known


def _asked(looked: Looked, wanted: dict[int, StewardDecision]) -> tuple[Refused, ...]:
    because = {one.decision.decision_id: str(one.because) for unit, _ in looked.evaluated.units for one in unit.aside}
    return tuple(Refused(at, because[one.decision_id]) for at, one in wanted.items() if one.decision_id in because)


def _wanted(
    session: Session, caller: Principal, of: VersionSet, wishes: Sequence[Wish]
) -> tuple[dict[int, StewardDecision], list[Refused]]:
    wanted: dict[int, StewardDecision] = {}
    refused: list[Refused] = []
    for index, wish in enumerate(wishes):
        try:
            wanted[index] = settle.wished(session, caller, of, wish)
        except MdmError as error:
            refused.append(Refused(index, error.code))
    return wanted, refused


def _contradicting(looked: Looked, wanted: dict[int, StewardDecision]) -> list[Refused]:
    """Of each chain of contradicting decisions, the last that is only wished for; none of one that needs no wish: those beside
    have come to contradict what was said since they were looked at."""
    index_of = {one.decision_id: index for index, one in wanted.items()}
    out: dict[int, Refused] = {}
    for chain in settle.contradicted(looked):
        last = max((one for one in chain if one in index_of), key=index_of.__getitem__, default=None)
        if last is not None:
            out[index_of[last]] = Refused(index_of[last], CONTRADICTS, tuple(sorted(str(one) for one in chain - {last})))
    return list(out.values())


def _blocked(looked: Looked, wanted: dict[int, StewardDecision]) -> list[Refused]:
    """Of the matches by which records come together across a blocker, the last that is only wished for."""
    members = {known: standing.members for unit, _ in looked.evaluated.units for known, standing in unit.plan.standings.items()}
    out: dict[int, Refused] = {}
    for one in settle.blocked(looked):
        part = members[one.golden_id]
        last = max((i for i, wish in wanted.items() if wish.is_match and not wish.records.isdisjoint(part)), default=None)
        if last is not None:
            out[last] = Refused(last, BLOCKED)
    return list(out.values())


def make(
    resolver: Resolver,
    caller: Principal,
    wishes: Sequence[Wish],
    said: Said,
    token: str | None,
    also: settle.WithEnd = lambda _: None,
    waiting: settle.WithEnd = lambda _: None,
    is_confirmed: bool = False,
) -> Made:
    """Make decisions that were looked at.

    `said` names author and code; each wish has its own reason; `also` may refuse it all by raising, `waiting` is as for
    `settle.make`. `is_confirmed`: as part of something larger, for which a second steward was asked where that takes one.

    Raises: as `settle.make`; Conflict when nothing can be decided.
    """
    reasons = {index: settle.checked_reason(wish.reason) for index, wish in enumerate(wishes)}
    found = look(resolver, caller, wishes)
    if found.looked is None and found.known:
        return Made(None, 0, found.refused, (), found.known)
    if found.looked is None:
        extra = {"refused": [told(one) for one in found.refused]}
        raise Conflict("None of it can be decided", code="nothing_to_decide", extra=extra)
    set_id = said.set_id or clock.uuid7()
    with resolver.steps() as session:
        settle.hold(session, found.looked, token)
        of, preview = found.looked.of, found.looked.preview
        seen = (caller, of.policy, found.looked.token, preview, len(found.made))
        proposed = None if is_confirmed else seconding.wait(session, *seen)
        if proposed is None:
            for index, decision in found.made.items():
                settle.write(session, caller, of, decision, replace(said, reason=reasons[index], set_id=set_id))
            also(session)
        else:
            waiting(session)
    if proposed is not None:
        raise approvals.needed(proposed)
    return Made(set_id, len(found.made), found.refused, found.asked, found.known)


def told(one: Refused) -> dict[str, object]:
    """A wish that was left out, as JSON-ready data."""
    return {"index": one.index, "code": one.code, "decisions": list(one.decisions)}


def look_back(resolver: Resolver, caller: Principal, set_id: uuid.UUID) -> Looked:
    """See what taking a whole set back would do. Raises: NotFound when no decision of it holds, or one is beyond the scope."""
    return look_back_at(resolver, caller, lambda session: _held(session, caller, set_id))


def _held(session: Session, caller: Principal, set_id: uuid.UUID) -> list[StewardDecision]:
    held = steward_decisions.live_of_set(session, set_id)
    if not held or not all(sides.all_within(session, caller.scope, one.records) for one in held):
        raise NotFound("No decision of this set holds", code="unknown_decision_set", extra={"set_id": str(set_id)})
    return held


def take_back(
    resolver: Resolver,
    caller: Principal,
    set_id: uuid.UUID,
    reason: str,
    token: str | None,
    also: settle.WithEnd = lambda _: None,
) -> int:
    """Take a whole set back that was looked at: how many decisions ended. Raises: as `look_back` and `settle.make`."""
    return take_back_all(resolver, caller, lambda session: _held(session, caller, set_id), reason, token, also)


def look_back_at(resolver: Resolver, caller: Principal, held_of: HeldOf) -> Looked:
    """See what taking decisions back together would do. Raises: as `held_of` and `settle.look_at`."""
    with resolver.steps() as session:
        of = versions.current(session)
        held = held_of(session)
    records = frozenset[uuid.UUID]().union(*(one.resolved for one in held))
    return settle.look_at(resolver, caller, of, Supposed(undone=frozenset(one.decision_id for one in held)), records)


def take_back_all(
    resolver: Resolver, caller: Principal, held_of: HeldOf, reason: str, token: str | None, also: settle.WithEnd = lambda _: None
) -> int:
    """Take decisions back together that were looked at: how many ended. Raises: as `look_back_at` and `settle.make`."""
    said = settle.checked_reason(reason)
    looked = look_back_at(resolver, caller, held_of)
    with resolver.steps() as session:
        settle.hold(session, looked, token)
        held = [one for one in held_of(session) if one.decision_id in looked.supposed.undone]
        for decision in held:
            settle.unwrite(session, caller, decision, said)
        also(session)
    return len(held)
