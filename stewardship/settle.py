"""Stewards' decisions: looked at before they are made, made on what was looked at, and taken back.

A decision carries the token of the preview that the steward saw. When anything that the outcome hangs on has changed since, the
token no longer fits, and nobody decides about what they have not seen. A worker then writes what comes of it.
"""

import hashlib
import uuid
from dataclasses import dataclass

from sqlmodel import Session

from kernel import audit, clock
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Conflict, Invalid, MdmError, NotFound
from matching.closure import StewardRule, contradictions
from mdm import closure, steward_decisions, versions
from mdm.decisions import StewardDecision
from mdm.resolve import Evaluated, Resolver
from mdm.steward_decisions import Kept, Supposed
from mdm.versions import VersionSet
from stewardship import previews, sides
from stewardship.previews import Preview
from stewardship.sides import Side

STEWARD = "steward"
TAKEN_BACK = "taken_back"
LONGEST_REASON = 1_000
MATCH = "match"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a steward wants to decide, and why."""

    verdict: str
    left: Side
    right: Side
    reason: str


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
    decision_id = clock.uuid7()
    with resolver.steps() as session:
        of = versions.current(session)
        left, right = sides.read(session, caller.scope, wish.left, wish.right)
    decision = StewardDecision(decision_id, wish.verdict, left, right)
    return _look(resolver, caller, of, decision.records, Supposed(made=(decision,)))


def look_back(resolver: Resolver, caller: Principal, decision_id: uuid.UUID) -> Looked:
    """See what taking a decision back would do. Raises: NotFound; Conflict when that was done already."""
    with resolver.steps() as session:
        of = versions.current(session)
        kept = read(session, caller.scope, decision_id)
    if kept.superseded_at is not None:
        raise Conflict("The decision was taken back before", code="already_taken_back", extra={"decision_id": str(decision_id)})
    return _look(resolver, caller, of, kept.decision.records, Supposed(undone=frozenset({decision_id})))


def _look(resolver: Resolver, caller: Principal, of: VersionSet, records: frozenset[uuid.UUID], supposed: Supposed) -> Looked:
    evaluated = resolver.evaluate_around(of, records, lambda: None, supposed)
    if evaluated.waited_for:
        raise Conflict("A record of it cannot be used at present", code="record_unusable")
    _refuse_contradiction(evaluated, supposed)
    with resolver.steps() as session:
        preview = previews.preview(session, caller.scope, evaluated)
        for golden_id in preview.golden_ids:
            audit.record(session, caller.actor, "decision.preview", "golden", str(golden_id))
    return Looked(of, supposed, evaluated, _token(of, supposed, evaluated), preview)


def _refuse_contradiction(evaluated: Evaluated, supposed: Supposed) -> None:
    """Raises: Conflict with the decisions that a new one contradicts, those between them included."""
    mine = {one.decision_id for one in supposed.made}
    rules = [
        StewardRule(one.left, one.right, "match" if one.verdict == MATCH else "no_match", one.decision_id)
        for one in {rule.decision_id: rule for unit, _ in evaluated.units for rule in unit.closure.rules}.values()
    ]
    matches, no_matches = ([one for one in rules if (one.verdict == MATCH) is wanted] for wanted in (True, False))
    for contested in contradictions(matches, no_matches):
        chain = {rule.decision_id for rule in (contested.no_match, *contested.chain)}
        if chain & mine:
            detail = "Stewards have said otherwise: take one of these decisions back first."
            raise Conflict(
                "The decision contradicts earlier ones", code="contradicts_decisions", detail=detail,
                extra={"decisions": sorted(str(one) for one in chain - mine)},
            )  # fmt: skip


def _token(of: VersionSet, supposed: Supposed, evaluated: Evaluated) -> str:
    """Stand for the decision and for everything that what comes of it hangs on; the id that it would get does not count."""
    said = [(one.verdict, sorted(map(str, one.left)), sorted(map(str, one.right))) for one in supposed.made]
    told = (of.version_set_id, said, sorted(map(str, supposed.undone)), sorted((str(k), v) for k, v in evaluated.digests.items()))
    return hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()


def make(resolver: Resolver, caller: Principal, wish: Wish, token: str | None) -> uuid.UUID:
    """Make a decision that was looked at; its id. The records are resolved by a worker.

    Raises: as `look`; MdmError 428 without a token, 412 when what was looked at has changed.
    """
    reason = wish.reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise Invalid(f"Give a reason of at most {LONGEST_REASON:,} characters", code="reason_needed")
    looked = look(resolver, caller, wish)
    (decision,) = looked.supposed.made
    with resolver.steps() as session:
        _hold(session, looked, token)
        steward_decisions.make(session, looked.of, decision, f"{STEWARD}:{caller.actor}", STEWARD, reason)
        _audit(session, caller, f"decision.{decision.verdict}", decision, reason)
    return decision.decision_id


def take_back(resolver: Resolver, caller: Principal, decision_id: uuid.UUID, reason: str, token: str | None) -> None:
    """Take a decision back that was looked at. Raises: as `look_back` and `make`."""
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid(f"Give a reason of at most {LONGEST_REASON:,} characters", code="reason_needed")
    looked = look_back(resolver, caller, decision_id)
    with resolver.steps() as session:
        _hold(session, looked, token)
        kept = read(session, caller.scope, decision_id)
        steward_decisions.take_back(session, kept.decision, TAKEN_BACK)
        _audit(session, caller, "decision.take_back", kept.decision, reason)


def _hold(session: Session, looked: Looked, token: str | None) -> None:
    """Keep what was looked at as it is until the transaction ends. Raises: MdmError when it has changed since the preview."""
    if token is None:
        detail = "Look first: send the same with dry_run=true, and the preview_token of its answer with the decision."
        raise MdmError("A decision needs the token of its preview", code="preview_needed", status=428, detail=detail)
    versions.still(session, looked.of)
    records = list(looked.evaluated.digests)
    closure.lock(session, records)
    if token != looked.token or closure.digests(session, records) != looked.evaluated.digests:
        detail = "Something that the outcome hangs on has changed since the preview; look again."
        extra = {"goldens": [str(golden_id) for golden_id in looked.preview.golden_ids]}
        raise MdmError("The preview is out of date", code="preview_outdated", status=412, detail=detail, extra=extra)


def _audit(session: Session, caller: Principal, action: str, decision: StewardDecision, reason: str) -> None:
    audit.record(session, caller.actor, action, "decision", str(decision.decision_id), purpose=None, after=reason)


def read(session: Session, scope: Scope, decision_id: uuid.UUID) -> Kept:
    """Read a steward's decision. Raises: NotFound, also when it names records outside the scope."""
    kept = steward_decisions.find(session, decision_id)
    if kept is None or not sides.all_within(session, scope, kept.decision.records):
        raise NotFound("There is no such decision", code="unknown_decision", extra={"decision_id": str(decision_id)})
    return kept
