"""What rules: model versions with what they weigh and how a shadow differs, policy versions with what they say otherwise.

Training reads every record and is begun where the service runs. A policy version is stored here, planned for by a worker, and let
rule, as a stored model is; whoever may do it confirms it on the page that shows what changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from sqlmodel import Session
from starlette.responses import Response

from api.console.frame import Administrator, Operator, Page, Sent, field, page, to
from api.console.operations import JOBS, OPERATIONS
from api.routes import resource
from kernel import approvals, audit, db
from kernel.actor import Principal
from kernel.errors import Conflict, Forbidden, Invalid, MdmError
from matching.model import Model
from matching.model_changes import model_changes
from mdm import models, policy_changes, reconciliations, ruling, shadows, sources, versions
from mdm import policy as policies
from mdm.policy import Policy
from mdm.policy_changes import Difference
from stewardship.accounts import Signed

router = resource("console_versions", Page)
MODELS, POLICIES = f"{OPERATIONS}/models", f"{OPERATIONS}/policies"
# A bar of as many bits reaches the edge of its chart.
WIDEST_BITS = 20.0
NOT_TOLD = frozenset({"weights", "calibration", "thresholds"})


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a comparison: what it weighs, and the bar that shows it, in hundredths of the chart's width."""

    name: str
    bits: float
    start: float
    width: float


@router.get(MODELS, include_in_schema=False)
def models_(request: Request, _signed: Operator) -> Response:
    """List the models, and tell how the shadow differs from the one that rules."""
    with db.read_only() as session:
        stored, shadow = models.listed(session), shadows.report(session)
    counts = sorted(shadow.counts.items(), key=lambda one: -one[1]) if shadow else []
    return page(request, "models.html", models=stored, shadow=shadow, counts=counts)


@router.get(f"{MODELS}/{{fingerprint}}", include_in_schema=False)
def model(request: Request, signed: Operator, fingerprint: str) -> Response:
    """Show what a model weighs, how it was made, and what it says otherwise than the one that rules."""
    with db.read_only() as session:
        found, stored = models.load(session, fingerprint), models.about(session, fingerprint)
        current = versions.stored(session)
    changes = model_changes(current.model, found) if current and current.model.fingerprint != found.fingerprint else None
    told = {name: value for name, value in found.report.items() if name not in NOT_TOLD and not isinstance(value, Mapping)}
    ruling_model = current.model.fingerprint if current else ""
    may_act = signed.user.principal.may("admin") and stored is not None and found.fingerprint != ruling_model
    return page(
        request, "model.html", model=found, stored=stored, changes=changes, weights=_weights(found), told=told,
        ruling=ruling_model, may_act=may_act,
    )  # fmt: skip


@router.post(f"{MODELS}/{{fingerprint}}/use", include_in_schema=False)
def use(request: Request, signed: Administrator, sent: Sent, fingerprint: str) -> Response:
    """Let a stored model rule. Records are resolved again by the workers."""
    _refuse_part(signed.user.principal, "A model")
    with db.transaction() as session:
        waiting = _promote(session, signed.user.principal.actor, fingerprint, field(sent, "instead_of"))
    if waiting is not None:
        raise approvals.needed(waiting)
    return to(request, f"{MODELS}/{fingerprint}")


def _promote(session: Session, actor: str, fingerprint: str, instead_of: str) -> approvals.Proposal | None:
    """Raises: Conflict when another model rules than the page compared it with."""
    versions.hold(session)
    found, current = models.load(session, fingerprint), versions.current(session)
    if instead_of != current.model.fingerprint:
        detail = f"{current.model.name} ({current.model.fingerprint[:12]}) rules by now: look again."
        raise Conflict("Another model rules than the page showed", code="model_replaced", detail=detail)
    waiting = ruling.adopt(session, actor, model=found)
    if waiting is None:
        audit.record(session, actor, "model.adopted", "model", fingerprint, detail={"instead_of": instead_of})
    return waiting


def _weights(of: Model) -> list[tuple[str, list[Level]]]:
    """The levels of each comparison with a bar from zero bits, for or against."""
    pairs = zip(of.comparisons, of.parameters, strict=True)
    return [
        (one.name, [_level(level.name, held.weight) for level, held in zip(one.levels, parameters, strict=True)])
        for one, parameters in pairs
    ]


def _level(name: str, bits: float) -> Level:
    width = min(abs(bits), WIDEST_BITS) * 50 / WIDEST_BITS
    return Level(name, bits, 50 - width if bits < 0 else 50.0, width)


@router.get(POLICIES, include_in_schema=False)
def policies_(request: Request, signed: Operator) -> Response:
    """List the policy versions, the latest first."""
    return _policies(request, signed)


def _policies(request: Request, signed: Signed, error: MdmError | None = None, text: str = "") -> Response:
    with db.read_only() as session:
        stored = policies.listed(session)
    may_act, status = signed.user.principal.may("admin"), error.status if error else 200
    return page(request, "policies.html", status, policies=stored, error=error, text=text, may_act=may_act)


@router.post(POLICIES, include_in_schema=False)
def store(request: Request, signed: Administrator, sent: Sent) -> Response:
    """Store a policy document, which rules nothing yet. What was typed is kept when it cannot be read."""
    caller, text = signed.user.principal, str(sent.get("text", ""))
    _refuse_part(caller)
    try:
        with db.transaction() as session:
            stored = policies.store(session, policies.parse(text), caller.actor)
            audit.record(session, caller.actor, "policy.stored", "policy", str(stored.version))
    except MdmError as error:
        return _policies(request, signed, error, text)
    return to(request, f"{POLICIES}/{stored.version}")


@router.post(f"{POLICIES}/{{version}}/plan", include_in_schema=False)
def plan(request: Request, signed: Administrator, _sent: Sent, version: int) -> Response:
    """Have a worker find what a policy version would make of every golden record."""
    _refuse_part(signed.user.principal)
    with db.transaction() as session:
        job_id = reconciliations.begin_plan(session, version, signed.user.principal)
    return to(request, f"{JOBS}/{job_id}")


@router.get(f"{POLICIES}/{{version}}", include_in_schema=False)
def policy(request: Request, signed: Operator, version: int) -> Response:
    """Show a policy version as it was written, and what would change if it ruled."""
    _refuse_part(signed.user.principal)
    with db.read_only() as session:
        before, wanted, changed = _compared(session, version)
        plan = reconciliations.latest_plan(session, version)
    may_act = signed.user.principal.may("admin")
    return page(request, "policy.html", policy=wanted, ruling=before, changed=changed, may_act=may_act, plan=plan)


def _refuse_part(caller: Principal, what: str = "A policy") -> None:
    """A policy and a model speak of every brand. Raises: Forbidden for whoever sees some of them only."""
    if caller.scope.brands is not None or caller.scope.regions is not None:
        raise Forbidden(f"{what} speaks of every brand, and your account does not see all of them", code="outside_scope")


def _compared(session: Session, version: int) -> tuple[Policy, Policy, Difference]:
    before, wanted = policies.current(session), policies.by_version(session, version)
    # Records are counted of the sources that the document speaks of otherwise: of a million it took half a second.
    told = {
        name for name in before.sources.keys() | wanted.sources.keys() if before.sources.get(name) != wanted.sources.get(name)
    }
    records = {source: one.records for source, one in sources.figures(session, told).items()}
    return before, wanted, policy_changes.difference(before, wanted, records)


@router.post(f"{POLICIES}/{{version}}/rule", include_in_schema=False)
def rule(request: Request, signed: Administrator, sent: Sent, version: int) -> Response:
    """Let a policy version rule. Records are resolved again by the workers."""
    _refuse_part(signed.user.principal)
    with db.transaction() as session:
        versions.hold(session)
        before, wanted, changed = _compared(session, version)
        if field(sent, "instead_of") != str(before.version):
            detail = f"Version {before.version} rules by now: look again."
            raise Conflict("Another policy rules than the page showed", code="policy_replaced", detail=detail)
        if changed.losses and not field(sent, "lose"):
            raise Invalid("Say that you let go of what would be lost", code="policy_loses", detail="; ".join(changed.losses))
        actor = signed.user.principal.actor
        waiting = ruling.adopt(session, actor, wanted)
        if waiting is None:
            audit.record(session, actor, "policy.adopted", "policy", str(version), detail={"instead_of": before.version})
    if waiting is not None:
        raise approvals.needed(waiting)
    return to(request, f"{POLICIES}/{version}")
