"""Imports: files of records, sent whole and read by a worker."""

from typing import Annotated, Any, Literal

from fastapi import Query, Request
from starlette.responses import Response

from api import uploading
from api.deps import RecordsWriter
from api.idempotency import IdempotencyKey
from api.routes import StreamRoute, resource
from api.schemas.golden import Name
from api.schemas.jobs import Job

router = resource("imports", StreamRoute)
Source = Annotated[Name, Query(description="A source of the policy.", examples=["pos"])]
Format = Annotated[Literal["csv", "ndjson", "parquet"], Query(alias="format", description="What the file is.")]
A_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file as it is, neither in a form nor compressed: CSV as the source's policy says it is written,"
        " NDJSON (one record a line) or Parquet.",
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": '{"id": "example-4", "given_name": "Ada", "surname": "Byron"}\n',
            }
        },
    }
}


@router.post("/v1/imports", status_code=202, response_model=Job, openapi_extra=A_FILE)
async def begin(
    caller: RecordsWriter,
    request: Request,
    source: Source,
    file_format: Format,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Import a file: it is stored, and a job reads it row by row, as `mdm import` does.

    How far it is: `GET /v1/jobs/{job_id}`, whose checkpoint counts rows by outcome and rejects by reason. A file that cannot be
    read at all fails its job with a code; what was stored before stays. Up to 1 GB by default (`MDM_IMPORT_MAX_BYTES`).
    """
    return await uploading.take(caller, request, source, file_format, idempotency_key)
