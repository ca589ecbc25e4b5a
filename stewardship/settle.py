"""Stewards' decisions: looked at before they are made, made on what was looked at, and taken back.

A decision carries the token of the preview that the steward saw. When anything that the outcome hangs on has changed since, or a
consent of whom it moves, the token no longer fits, and nobody decides about what they have not seen. A worker then writes what
comes of it.
"""

import hashlib
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Literal, TypeVar, cast

from sqlmodel import Session

from consent.purposes import shipped
from kernel import approvals, audit, clock
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Conflict, Invalid, MdmError, NotFound
from matching.closure import contradictions
from mdm import closure, consent_changes, golden, sql, steward_decisions, versions
from mdm.around import Evaluated
from mdm.decisions import StewardDecision
from mdm.resolve import Resolver
from mdm.steward_decisions import Kept, Said, Supposed
from mdm.versions import VersionSet
from stewardship import previews, seconding, sides
from stewardship.previews import CrossedBlocker, Preview
from stewardship.sides import Side

STEWARD = "steward"
TAKEN_BACK = "taken_back"
LONGEST_REASON = 1_000
# What a steward may say; a model may also say `review` (matching.decide).
Verdict = Literal["match", "no_match"]
MATCH: Verdict = "match"
NO_MATCH: Verdict = "no_match"
OUTDATED = 412
# What a token stands for, in the order of its parts: the records with all that decides about them, and what was consented to.
PARTS = ("records", "consents")
BETWEEN = "."
NOTHING_TOLD: Mapping[str, object] = {}
# For what nobody waits to confirm: whoever looked may be too late for a worker, hardly five times.
MOST_ATTEMPTS = 5
Seen = TypeVar("Seen")
# What else is written in the transaction of a decision, or of its end.
WithDecision = Callable[[Session, StewardDecision], None]
WithEnd = Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a steward wants to decide, and why. `across`: the merge blockers, by name, that are known and overridden;
    `decision_id`: the id that the decision gets, where it follows from what is said; `yields`: as of a `StewardDecision`."""

    verdict: str
    left: Side
    right: Side
    reason: str
    across: frozenset[str] = frozenset()
    decision_id: uuid.UUID | None = None
    yields: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """A decision as it would be made, what comes of it, and all that it hangs on."""

    of: VersionSet
    supposed: Supposed
    evaluated: Evaluated
    token: str
    preview: Preview


def look(resolver: Resolver, caller: Principal, wish: Wish) -> Looked:
    """See what a decision would do, storing nothing but the audit row. Blocks for as long as its components take to be weighed.

    Raises: what `sides.read` does; Conflict (contradicts_decisions) with the chain when stewards said otherwise.
    """
    with resolver.steps() as session:
        of = versions.current(session)
        decision = wished(session, caller, of, wish)
    return _uncontradicted(look_at(resolver, caller, of, Supposed(made=(decision,)), decision.records))


def look_each(resolver: Resolver, caller: Principal, wishes: Sequence[Wish]) -> list[Looked | MdmError]:
    """See what each of some decisions about the same records would do, all as of one moment; in its place what refuses one.

    As `look`, at less than half its statements where there are two. Raises: what `sides.read` does.
    """
    with resolver.steps() as session:
        of = versions.current(session)
        with sql.remembering(session):
            supposed = [Supposed(made=(wished(session, caller, of, one),)) for one in wishes]
    found = resolver.evaluate_each(of, frozenset().union(*(one.made[0].records for one in supposed)), supposed)
    with resolver.steps() as session:
        return [
            tried(partial(_seen, session, caller, of, one, evaluated)) for one, evaluated in zip(supposed, found, strict=True)
        ]


def tried(look: Callable[[], Seen]) -> Seen | MdmError:
    """What is seen, or what refuses it."""
    try:
        return look()
    except MdmError as error:
        return error


def _seen(session: Session, caller: Principal, of: VersionSet, supposed: Supposed, evaluated: Evaluated) -> Looked:
    return _uncontradicted(_looked(session, caller, of, supposed, evaluated))


def _uncontradicted(looked: Looked) -> Looked:
    (decision,) = looked.supposed.made
    for chain in contradicted(looked):
        detail = "Stewards have said otherwise: take one of these decisions back first."
        extra = {"decisions": sorted(str(one) for one in chain - {decision.decision_id})}
        raise Conflict("The decision contradicts earlier ones", code="contradicts_decisions", detail=detail, extra=extra)
    return looked


def wished(session: Session, caller: Principal, of: VersionSet, wish: Wish) -> StewardDecision:
    """Make a decision of a wish, of whatever records its sides name now.

    Raises: what `sides.read` does; Invalid for a blocker that the policy does not name.
    """
    declared = of.policy.merge_blockers
    if unknown := sorted(wish.across - declared.keys()):
        extra = {"unknown": unknown, "blockers": sorted(declared)}
        raise Invalid("The policy names no such merge blocker", code="unknown_blocker", extra=extra)
    left, right = sides.read(session, caller.scope, wish.left, wish.right)
    across = frozenset(name for name in wish.across if declared[name].may_be_overridden and wish.verdict == MATCH)
    return StewardDecision(wish.decision_id or clock.uuid7(), wish.verdict, left, right, across, wish.yields, clock.now())


def look_back(resolver: Resolver, caller: Principal, decision_id: uuid.UUID) -> Looked:
    """See what taking a decision back would do. Raises: NotFound; Conflict when that was done already."""
    with resolver.steps() as session:
        of = versions.current(session)
        kept = read(session, caller.scope, decision_id)
    if kept.superseded_at is not None:
        raise Conflict("The decision was taken back before", code="already_taken_back", extra={"decision_id": str(decision_id)})
    return look_at(resolver, caller, of, Supposed(undone=frozenset({decision_id})), kept.decision.resolved)


def look_at(resolver: Resolver, caller: Principal, of: VersionSet, supposed: Supposed, records: Collection[uuid.UUID]) -> Looked:
    """See what comes of supposed decisions. Raises: Conflict when a record cannot be used; Forbidden beyond the scope."""
    evaluated = resolver.evaluate_around(of, records, lambda: None, supposed)
    with resolver.steps() as session:
        return _looked(session, caller, of, supposed, evaluated)


def _looked(session: Session, caller: Principal, of: VersionSet, supposed: Supposed, evaluated: Evaluated) -> Looked:
    if evaluated.waited_for:
        raise Conflict("A record of it cannot be used at present", code="record_unusable")
    joined = frozenset().union(*(one.records for one in supposed.made if one.is_match))
    blockers = previews.crossed(of.policy, evaluated, joined)
    preview = previews.preview(session, caller.scope, evaluated, blockers)
    audit.record_alike(session, caller.actor, "decision.preview", "golden", [str(one) for one in preview.golden_ids])
    return Looked(of, supposed, evaluated, _token(of, supposed, evaluated) + BETWEEN + _consents(session, evaluated), preview)


def _consents(session: Session, evaluated: Evaluated) -> str:
    """Stand for what was consented to by whom it moves. Each caller's alike: two stewards must be able to say the same."""
    return consent_changes.recorded(session, shipped(), golden.moves(unit for unit, _ in evaluated.units), clock.now())


def contradicted(looked: Looked) -> list[frozenset[uuid.UUID]]:
    """The chains of decisions that contradict each other and hold one that is only supposed. What yields contradicts nothing."""
    mine = {one.decision_id for one in looked.supposed.made}
    known = {rule.decision_id: rule for unit, _ in looked.evaluated.units for rule in unit.closure.rules if not rule.yields}
    matches, no_matches = ([one.as_rule for one in known.values() if one.is_match is wanted] for wanted in (True, False))
    found = contradictions(matches, no_matches)
    chains = (frozenset(cast(uuid.UUID, rule.decision_id) for rule in (one.no_match, *one.chain)) for one in found)
    return [chain for chain in chains if not mine.isdisjoint(chain)]


def _token(of: VersionSet, supposed: Supposed, evaluated: Evaluated) -> str:
    """Stand for the decision and for everything that what comes of it hangs on; the id that it would get does not count."""
    said: list[object] = [
        (one.verdict, sorted(map(str, one.left)), sorted(map(str, one.right)), sorted(one.across), one.yields)
        for one in supposed.made
    ]
    said += [(one.attribute, one.value, _instant(one.expires_at), sorted(map(str, one.records))) for one in supposed.overrides]
    told = (of.version_set_id, said, sorted(map(str, supposed.undone)), sorted((str(k), v) for k, v in evaluated.digests.items()))
    return hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()


def _instant(at: datetime | None) -> str:
    """One moment, in whatever zone it was said: of two persons one may sit in another."""
    return at.astimezone(UTC).isoformat() if at else ""


def make(
    resolver: Resolver,
    caller: Principal,
    wish: Wish,
    token: str | None,
    also: WithDecision = lambda *_: None,
    waiting: WithEnd = lambda _: None,
) -> uuid.UUID:
    """Make a decision that was looked at; its id. The records are resolved by a worker. `also` may refuse it by raising.

    One that by policy takes two stewards is kept as a proposal, with what `waiting` writes, until another makes the same.

    Raises: as `look`; MdmError 428 without a token, 412 when what was looked at has changed; Conflict (blocked_by_policy,
    second_person_needed).
    """
    said = Said(f"{STEWARD}:{caller.actor}", STEWARD, checked_reason(wish.reason))
    looked = look(resolver, caller, wish)
    (decision,) = looked.supposed.made
    with resolver.steps() as session:
        hold(session, looked, token)
        _refuse_blocked(looked)
        proposed = seconding.wait(session, caller, looked.of.policy, looked.token, looked.preview)
        if proposed is None:
            write(session, caller, looked.of, across_those_met(looked, decision), said)
            also(session, decision)
        else:
            waiting(session)
    if proposed is not None:
        raise approvals.needed(proposed)
    return decision.decision_id


def across_those_met(looked: Looked, decision: StewardDecision) -> StewardDecision:
    """Leave out the blockers that a decision was ready to cross and did not meet: what comes later is asked about."""
    return replace(decision, across=decision.across & {one.name for one in looked.preview.blockers})


def blocked(looked: Looked) -> list[CrossedBlocker]:
    """The blockers that what was looked at crosses though nobody may, or nobody has said that they know of it."""
    return [one for one in looked.preview.blockers if not one.overridden]


def _refuse_blocked(looked: Looked) -> None:
    if met := blocked(looked):
        free = all(one.may_be_overridden for one in met)
        detail = (
            "Name them in override_blockers, and say why in the reason, to match in spite of them."
            if free
            else "The policy lets nobody override them: what the records say has to change first."
        )
        extra = {"blockers": [told(one) for one in met]}
        raise Conflict("The policy blocks this merge", code="blocked_by_policy", detail=detail, extra=extra)


def told(one: CrossedBlocker) -> dict[str, object]:
    """A blocker that would be crossed, as JSON-ready data."""
    return {
        "blocker": one.name,
        "title": one.title,
        "may_be_overridden": one.may_be_overridden,
        "overridden": one.overridden,
        "records": [{"source": source, "key": key, "says": says} for source, key, says in one.records],
    }


def checked_reason(text: str) -> str:
    """Accept a reason. Raises: Invalid when it is blank or too long."""
    if not text.strip() or len(text) > LONGEST_REASON:
        raise Invalid(f"Give a reason of at most {LONGEST_REASON:,} characters", code="reason_needed")
    return text.strip()


def write(session: Session, caller: Principal, of: VersionSet, decision: StewardDecision, said: Said) -> None:
    """Store a decision that was looked at, and audit it."""
    steward_decisions.make(session, of, decision, said)
    _audit(session, caller, f"decision.{decision.verdict}", decision, said.reason)


def take_back(
    resolver: Resolver, caller: Principal, decision_id: uuid.UUID, reason: str, token: str | None, also: WithEnd = lambda _: None
) -> None:
    """Take a decision back that was looked at. Raises: as `look_back` and `make`."""
    said = checked_reason(reason)
    looked = look_back(resolver, caller, decision_id)
    with resolver.steps() as session:
        hold(session, looked, token)
        unwrite(session, caller, read(session, caller.scope, decision_id).decision, said)
        also(session)


def unwrite(session: Session, caller: Principal, decision: StewardDecision, reason: str) -> None:
    """End a decision, and audit it."""
    steward_decisions.take_back(session, decision, TAKEN_BACK)
    _audit(session, caller, "decision.take_back", decision, reason)


def hold(session: Session, looked: Looked, token: str | None) -> None:
    """Keep what was looked at as it is until the transaction ends; who records consents waits for the same locks.

    Raises: MdmError when it has changed since the preview, with what changed.
    """
    extra = {"goldens": [str(golden_id) for golden_id in looked.preview.golden_ids]}
    refuse_unseen(token, token, extra)
    versions.still(session, looked.of)
    records = list(looked.evaluated.digests)
    closure.lock(session, records)
    outcome = looked.token.partition(BETWEEN)[0] if closure.digests(session, records) == looked.evaluated.digests else ""
    now = outcome + BETWEEN + _consents(session, looked.evaluated)
    refuse_unseen(token, now, {"changed": _otherwise(token or "", now), **extra})


def _otherwise(seen: str, now: str) -> list[str]:
    """Name what of a preview is otherwise now; of a token that is none, all."""
    pairs = zip(PARTS, seen.split(BETWEEN), now.split(BETWEEN), strict=False)
    return [name for name, was, stands in pairs if was != stands] if seen.count(BETWEEN) == 1 else list(PARTS)


def refuse_unseen(token: str | None, expected: str | None, extra: Mapping[str, object] = NOTHING_TOLD) -> None:
    """Raises: MdmError 428 without the token of a preview; 412 when another one would be given now."""
    if token is None:
        detail = "Look first: send the same with dry_run=true, and the preview_token of its answer with the decision."
        raise MdmError("A decision needs the token of its preview", code="preview_needed", status=428, detail=detail)
    if token != expected:
        detail = "Something that the outcome hangs on has changed since the preview; look again."
        raise MdmError("The preview is out of date", code="preview_outdated", status=OUTDATED, detail=detail, extra=dict(extra))


def on_what_is_seen(look: Callable[[], Seen], act: Callable[[Seen], object]) -> Seen:
    """Look and act on it, both again when something changed in between; what was acted on. Raises: as the last attempt does."""
    for left in reversed(range(MOST_ATTEMPTS)):
        seen = look()
        try:
            act(seen)
        except MdmError as error:
            if not left or error.status != OUTDATED:
                raise
        else:
            return seen
    raise AssertionError("the last attempt returns or raises")


def _audit(session: Session, caller: Principal, action: str, decision: StewardDecision, reason: str | None) -> None:
    audit.record(session, caller.actor, action, "decision", str(decision.decision_id), purpose=None, after=reason)


def read(session: Session, scope: Scope, decision_id: uuid.UUID) -> Kept:
    """Read a steward's decision. Raises: NotFound, also when it names records outside the scope."""
    kept = steward_decisions.find(session, decision_id)
    if kept is None or not sides.all_within(session, scope, kept.decision.records):
        raise NotFound("There is no such decision", code="unknown_decision", extra={"decision_id": str(decision_id)})
    return kept
