"""Carries holds of automatic merging from `mdm.merge_holds` to the wire."""

from dataclasses import asdict
from uuid import UUID

from sqlmodel import Session
from starlette.responses import Response

from api import answers
from api.refusals import require_whole_scope
from api.schemas.merge_holds import HoldMerges
from kernel import approvals, db
from kernel.actor import Principal
from kernel.approvals import Proposal
from kernel.errors import Invalid
from mdm import merge_holds
from mdm import policy as policies
from stewardship import merge_budget

CREATED = 201
MERGES = "merges do not stop at one"


def listed(caller: Principal) -> Response:
    """Answer the latest holds. Raises: Forbidden for a caller of some brands or regions."""
    require_whole_scope(caller, MERGES)
    with db.read_only() as session:
        items = [asdict(one) for one in merge_holds.listed(session)]
        return answers.json_answer({"items": items, "waiting": merge_holds.waiting(session)})


def begin(caller: Principal, body: HoldMerges) -> Response:
    """Put merges on hold. Raises: Forbidden; Invalid for a source that the policy does not name; Conflict."""
    require_whole_scope(caller, MERGES)
    with db.transaction() as session:
        _require_sources(session, body.sources)
        held = merge_holds.begin(session, caller.actor, body.reason, body.sources)
        return answers.json_answer(asdict(held), CREATED)


def lift(caller: Principal, hold_id: UUID, reason: str) -> Response:
    """Let merging go on. Raises: Forbidden; NotFound; Conflict, also where it takes a second person."""
    require_whole_scope(caller, MERGES)
    with db.transaction() as session:
        done = merge_budget.resume(session, hold_id, caller.actor, reason)
    if isinstance(done, Proposal):
        raise approvals.needed(done)
    return answers.json_answer({"records": done})


def _require_sources(session: Session, sources: list[str] | None) -> None:
    ruling = policies.current(session)
    if unknown := sorted(set(sources or ()) - ruling.sources.keys()):
        raise Invalid(f"The policy names no source {', '.join(unknown)}", code="unknown_source")
