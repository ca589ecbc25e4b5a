"""Exports: the crosswalk, golden values, or what changed, as a file that a job makes."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Request
from starlette.responses import Response

from api import answers, exporting
from api.deps import LimitedExporter, Reading
from api.idempotency import IdempotencyKey
from api.routes import Route, resource
from api.schemas.exports import Export, ExportWish
from mdm import export_registry

router = resource("exports", Route)
BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
A_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": dict.fromkeys(("application/octet-stream", *exporting.MEDIA.values()), BYTES)},
    304: {"description": "Unchanged."},
}


@router.post("/v1/exports", status_code=202, response_model=Export)
def begin(caller: LimitedExporter, request: Request, body: ExportWish, idempotency_key: IdempotencyKey = None) -> Response:
    """Begin an export.

    A job reads everything in one snapshot. The answer of `GET /v1/exports/{export_id}` names the cursor of the feed that the file
    is consistent with: load the file, follow the feed behind that cursor, and you hold what this service holds. The crosswalk
    needs the scope `lookup` besides, golden values `golden:read`. Reads in bulk are audited with their number of rows.
    """
    return exporting.begin(caller, request, body, idempotency_key)


@router.get("/v1/exports/{export_id}", response_model=Export)
def get(caller: LimitedExporter, session: Reading, export_id: UUID) -> Response:
    """Read how an export stands and what its file is."""
    return answers.json_answer(exporting.shown(*export_registry.find(session, export_id)))


@router.get("/v1/exports/{export_id}/content", response_class=Response, responses=A_FILE)
def content(caller: LimitedExporter, export_id: UUID, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Download the file of an export.

    `ETag` and `Repr-Digest` state its SHA-256. Files are kept for 24 hours by default (`MDM_EXPORT_KEPT_HOURS`), then it is 410;
    while the job is under way, or when it failed, it is 409.
    """
    return exporting.content(caller, export_id, if_none_match)


@router.delete("/v1/exports/{export_id}", status_code=204)
def remove(caller: LimitedExporter, export_id: UUID) -> Response:
    """Cancel an export, or remove its file.

    An export that is under way is cancelled. May be sent again.
    """
    return exporting.remove(caller, export_id)
