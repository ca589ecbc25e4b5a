"""Audiences: files of customers answered row by row by a job; and whom to drop of a list that was taken before."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Header, Query, Request
from starlette.responses import Response

from api import audiences
from api.deps import ConsentChecker, Reading
from api.idempotency import IdempotencyKey
from api.routes import Route, StreamRoute, resource
from api.schemas.audiences import DroppedPage
from api.schemas.consents import Purpose
from api.schemas.exports import Export
from api.schemas.golden import Name
from api.v1.exports import A_FILE
from consent.entries import Channel
from mdm.denials import LIMIT, Sending

streams = resource("audiences", StreamRoute)
router = resource("audiences", Route)
Format = Annotated[Literal["csv", "ndjson", "parquet"], Query(alias="format")]
ForPurpose = Annotated[Purpose | None, Query(description="Where a row does not say so in a column of that name.")]
ByChannel = Annotated[Channel | None, Query(description="The same.")]
OfBrand = Annotated[Name | None, Query(description="The same.")]
After = Annotated[str, Query(max_length=64, description="`cursor` of an audience or an export, or `next` of the last answer.")]
AN_AUDIENCE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A row for each question: `golden_id`, or `source` and `key`, and perhaps `email`, `phone` or `device`"
        " (alone: whoever holds it); `purpose`, `channel` and `brand` where rows differ.",
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": '{"email": "ada@example.org", "purpose": "marketing", "channel": "email"}\n',
            }
        },
    }
}


@streams.post("/v1/audiences", status_code=202, response_model=Export, openapi_extra=AN_AUDIENCE)
async def begin(
    caller: ConsentChecker,
    request: Request,
    file_format: Format,
    purpose: ForPurpose = None,
    channel: ByChannel = None,
    brand: OfBrand = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Check every row of a file.

    A job answers each with `allowed`, `denied` or `unknown`, the reason and the golden id, in a file of the same format. Only
    `allowed` permits; a row that cannot be read is `unreadable`. `cursor` is where `GET /v1/consent-denials` goes on.
    """
    return await audiences.take(caller, request, audiences.wish(file_format, purpose, channel, brand), idempotency_key)


@router.get("/v1/audiences/{audience_id}", response_model=Export)
def get(_caller: ConsentChecker, session: Reading, audience_id: UUID) -> Response:
    """Read how an audience stands and what its file is."""
    return audiences.read(session, audience_id)


@router.get("/v1/audiences/{audience_id}/content", response_class=Response, responses=A_FILE)
def content(caller: ConsentChecker, audience_id: UUID, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Download the answers of an audience; kept as exports are."""
    return audiences.content(caller, audience_id, if_none_match)


@router.get("/v1/consent-denials", response_model=DroppedPage)
def dropped(
    caller: ConsentChecker,
    after: After,
    purpose: Purpose,
    channel: ByChannel = None,
    brand: OfBrand = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT)] = LIMIT,
) -> Response:
    """Ask whom to drop of a list that was taken before.

    Everybody whom an event behind `after` names, with how it stands now: `drop`, or to which contact points something may be sent
    still. Ask again behind `next`; before each sending is often enough.
    """
    return audiences.dropped(caller, Sending(purpose, channel, brand), after, limit)
