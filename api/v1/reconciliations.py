"""Reconciliations: everybody or a part resolved anew by a worker, or only planned."""

from fastapi import Request
from starlette.responses import Response

from api import reconciling
from api.deps import JobsWriter
from api.idempotency import IdempotencyKey
from api.routes import Route, resource
from api.schemas.jobs import Job, Reconcile

router = resource("reconciliations", Route)


@router.post("/v1/reconciliations", status_code=202, response_model=Job)
def begin(caller: JobsWriter, body: Reconcile, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Reconcile all records or a part: each is resolved anew, by a worker in a process of its own.

    How far it is and what came of it: `GET /v1/jobs/{job_id}`. With `dry_run` its `result` is a plan (golden ids that would
    answer otherwise, by cause, source and brand, those of most records by name) and nothing changes; else a report. One at a
    time: while one is under way the next is refused (409, `reconciliation_under_way`, with its `job_id`). The key must be of all
    brands and regions.
    """
    return reconciling.begin(caller, body, request, idempotency_key)
