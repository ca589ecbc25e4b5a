"""Certificates: how a source's full extract compares with what is stored of it, signed; and healing what was found."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Header, Query, Request
from starlette.responses import Response

from api import certifying
from api.deps import Reading, RecordsReader, RecordsWriter
from api.idempotency import IdempotencyKey
from api.routes import Route, StreamRoute, resource
from api.schemas.certificates import Certificate, Heal, HealPlan
from api.schemas.records import SourceName
from api.schemas.times import Time

streams = resource("certificates", StreamRoute)
router = resource("certificates", Route)
Format = Annotated[Literal["keys", "csv", "ndjson", "parquet"], Query(alias="format", description="`keys`: one key a line.")]
TakenAt = Annotated[Time, Query(description="When the source took the extract; what came or went here since is no finding.")]
AllowEmpty = Annotated[bool, Query(description="Let an extract without a row say that the source holds nothing.")]
DryRun = Annotated[bool, Query(description="Only say what it would do.")]
AN_EXTRACT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Every key that the source holds, one a row: `key`, and perhaps `version`, `updated_at`, `deleted` and"
        " `merged_into`; or the source's own fields, as its policy reads them.",
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": '{"key": "example-1", "version": 7}\n',
            }
        },
    }
}
BYTES = {"application/x-ndjson": {"schema": {"type": "string", "format": "binary"}}}
A_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "One finding a line.", "content": BYTES},
    304: {"description": "Unchanged."},
}


@streams.post("/v1/sources/{source}/certificates", status_code=202, response_model=Certificate, openapi_extra=AN_EXTRACT)
async def begin(
    caller: RecordsWriter,
    request: Request,
    source: SourceName,
    file_format: Format,
    taken_at: TakenAt,
    allow_empty: AllowEmpty = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Compare a source's full extract.

    A job answers which keys are missing here, which are ghosts (here, not in the source), which are stale, and which the source
    has merged and we hold apart: counted, with examples, in a signed report, and in full at `…/lists`.
    """
    wish = certifying.wish(source, file_format, taken_at, allow_empty)
    return await certifying.take(caller, request, wish, idempotency_key)


@router.get("/v1/sources/{source}/certificates/{certificate_id}", response_model=Certificate)
def get(caller: RecordsReader, session: Reading, source: SourceName, certificate_id: UUID) -> Response:
    """Read a certificate.

    `signature` is over `report` as canonical JSON (members sorted by name, no white space, UTF-8; RFC 8785).
    """
    return certifying.read(session, source, certificate_id)


@router.get("/v1/sources/{source}/certificates/{certificate_id}/lists", response_class=Response, responses=A_FILE)
def lists(
    caller: RecordsReader, source: SourceName, certificate_id: UUID, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Download a certificate's full lists.

    NDJSON, one finding a line, in the order of findings and keys; kept as exports are. The report holds its SHA-256.
    """
    return certifying.lists(caller, source, certificate_id, if_none_match)


@router.post("/v1/sources/{source}/certificates/{certificate_id}:heal", status_code=202, response_model=HealPlan,
             responses={200: {"model": HealPlan, "description": "What it would do."}})  # fmt: skip
def heal(
    caller: RecordsWriter,
    request: Request,
    source: SourceName,
    certificate_id: UUID,
    body: Heal,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Heal what a certificate found.

    Deletes ghosts, decides what the source merged natively (that needs the scope `decisions:write`). Look first with `dry_run`.
    What would delete more than 5 % of the source's records is refused without `confirm`. What it deleted comes back by
    `mdm imports undo` with its job's id.
    """
    return certifying.heal(caller, source, certificate_id, request, body, dry_run, idempotency_key)
