"""Carries proposals that wait for a second person from `kernel.approvals` to the wire."""

from dataclasses import asdict
from uuid import UUID

from sqlmodel import Session
from starlette.responses import Response

from api import answers
from kernel import approvals, db
from kernel.actor import Principal
from kernel.errors import NotFound
from mdm import ruling

ANY = "any"


def listed(session: Session, state: str, limit: int) -> Response:
    """Answer the proposals of a state, within the session's row scope."""
    found = approvals.listed(session, None if state == ANY else state, limit)
    return answers.json_answer({"items": [asdict(one) for one in found]})


def decide(caller: Principal, approval_id: UUID, state: str, reason: str) -> Response:
    """Approve or reject. Raises: NotFound, also for one beyond the caller's scope; as `approvals.decide`."""
    with db.read_only(db.Role.APP, caller.scope) as session:
        if approvals.one(session, approval_id) is None:
            raise NotFound("There is no such proposal", code="unknown_approval")
    with db.transaction() as session:
        decided = approvals.decide(session, approval_id, caller.actor, state, reason, frozenset({ruling.KIND}))
        return answers.json_answer(asdict(decided))
