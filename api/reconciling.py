"""Carries reconciliations from the wire to `mdm.reconciliations`. The API resolves nothing itself: it opens the job."""

import orjson
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api import idempotency, working
from api.refusals import require_whole_scope
from api.schemas.jobs import Reconcile
from kernel import db, jobs
from kernel.actor import Principal
from mdm import reconciliations
from mdm.parts import Part

ACCEPTED = 202


def begin(caller: Principal, body: Reconcile, request: Request, key: str | None) -> Response:
    """Open a reconciliation and answer its job. Blocks. Raises: Forbidden for a key of some brands or regions; Invalid, Conflict.

    Whom a record is one customer with does not stop at a brand, nor does what is told of it.
    """
    require_whole_scope(caller, "customers do not stop at one")
    part = Part(tuple(body.sources), tuple(body.brands))

    def act(session: Session) -> tuple[int, bytes]:
        job_id = reconciliations.begin(session, part, body.dry_run, caller)
        return ACCEPTED, orjson.dumps(working.shown(jobs.status(session, job_id)))

    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, key, hashed, act, db.Role.ENGINE)
