"""Requests of people about their data: to see it, to have it erased, restricted or corrected."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from api import answers, idempotency, requesting
from api.deps import PrivacyReader, PrivacyWriter, Reading
from api.idempotency import IdempotencyKey
from api.routes import Route, resource
from api.schemas.privacy import (
    Confirmation,
    CorrectionWish,
    ErasurePreview,
    HoldWish,
    IdentityCheck,
    MemberAnswers,
    PersonExport,
    PrivacyFilter,
    PrivacyRequest,
    PrivacyRequests,
    PrivacyWish,
    RefusalWish,
)
from stewardship import privacy_confirming, privacy_requests

router = resource("privacy", Route)
PATH = "/v1/privacy-requests"
ONE = PATH + "/{request_id}"
Format = Literal["json", "html"]
A_PAGE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


@router.post(PATH, status_code=201, response_model=PrivacyRequest)
def opened(caller: PrivacyWriter, request: Request, body: PrivacyWish, idempotency_key: IdempotencyKey = None) -> Response:
    """Open a request about somebody's data.

    Its members are the records of the golden record. One that does not match the anchor directly needs a yes or a no, for a false
    merge would disclose or erase somebody else's data. The clock of one month begins when the person asked.
    """
    return idempotency.act_once(caller, idempotency_key, request, body, partial(requesting.opened, caller, body))


@router.get(PATH, response_model=PrivacyRequests)
def listed(_caller: PrivacyReader, session: Reading, asked: Annotated[PrivacyFilter, Query()]) -> Response:
    """List requests, the most urgent first."""
    return requesting.listed(session, asked.state, asked.limit)


@router.get(ONE, response_model=PrivacyRequest)
def get(_caller: PrivacyReader, session: Reading, request_id: UUID) -> Response:
    """Read a request and its members."""
    return requesting.read(session, request_id)


@router.get(ONE + "/export", response_model=PersonExport, responses=A_PAGE)
def export(caller: PrivacyWriter, request_id: UUID, format: Format = "json") -> Response:
    """Read everything held about the person.

    As JSON, or as a page to read and print. A value that another's record brought is left out, and whoever shares a contact
    point; 409 until the identity is checked and every member answered. Audited.
    """
    return requesting.exported(caller, request_id, format)


@router.post(ONE + ":complete", response_model=PrivacyRequest)
def complete(caller: PrivacyWriter, request_id: UUID) -> Response:
    """Close a request that was carried out.

    A restriction begins by this: until it is lifted, lookups, matches and exports of golden records leave the customer out. An
    erasure closes by itself.
    """
    do = partial(privacy_requests.complete, caller=caller, request_id=request_id)
    _, told = requesting.act(caller, request_id, do)
    return answers.JsonBytes(told)


@router.post(ONE + ":correct", response_model=PrivacyRequest)
def correct(
    caller: PrivacyWriter, request: Request, request_id: UUID, body: CorrectionWish, idempotency_key: IdempotencyKey = None
) -> Response:
    """Tell the sources that hold a wrong value.

    Set the right value on the golden record first. Each record of the person that says something else of the attribute is told of
    by `record.correction_wanted`, without the value; then the request is closed.
    """
    act = partial(requesting.corrected, caller, request_id, body.attribute)
    return idempotency.act_once(caller, idempotency_key, request, body, act)


@router.post(ONE + ":lift", response_model=PrivacyRequest)
def lift(caller: PrivacyWriter, request_id: UUID) -> Response:
    """Let data be used again whose use was restricted."""
    do = partial(privacy_requests.lift, caller=caller, request_id=request_id)
    _, told = requesting.act(caller, request_id, do)
    return answers.JsonBytes(told)


@router.post(ONE + ":check-identity", response_model=PrivacyRequest)
def check_identity(
    caller: PrivacyWriter, request: Request, request_id: UUID, body: IdentityCheck, idempotency_key: IdempotencyKey = None
) -> Response:
    """Note whether the person is who they say."""
    do = partial(privacy_requests.identify, caller=caller, request_id=request_id, outcome=body.outcome, method=body.method)
    return idempotency.act_once(caller, idempotency_key, request, body, partial(requesting.act, caller, request_id, do))


@router.post(ONE + ":answer", response_model=PrivacyRequest)
def answer(
    caller: PrivacyWriter, request: Request, request_id: UUID, body: MemberAnswers, idempotency_key: IdempotencyKey = None
) -> Response:
    """Say of members whether they are the person's.

    A record that is not is split off before anything is erased, and nothing of it is shown in an export.
    """
    said = {one.record_id: one.belongs for one in body.members}
    do = partial(privacy_requests.answer, caller=caller, request_id=request_id, answers=said)
    return idempotency.act_once(caller, idempotency_key, request, body, partial(requesting.act, caller, request_id, do))


@router.post(ONE + ":hold", response_model=PrivacyRequest)
def hold(
    caller: PrivacyWriter, request: Request, request_id: UUID, body: HoldWish, idempotency_key: IdempotencyKey = None
) -> Response:
    """Hold a request for a legal reason, or let it go on."""
    do = partial(privacy_requests.hold, caller=caller, request_id=request_id, because=body.because)
    return idempotency.act_once(caller, idempotency_key, request, body, partial(requesting.act, caller, request_id, do))


@router.post(ONE + ":extend", response_model=PrivacyRequest)
def extend(caller: PrivacyWriter, request_id: UUID) -> Response:
    """Take the two months more that the law allows."""
    do = partial(privacy_requests.extend, caller=caller, request_id=request_id)
    _, told = requesting.act(caller, request_id, do)
    return answers.JsonBytes(told)


@router.post(ONE + ":refuse", response_model=PrivacyRequest)
def refuse(
    caller: PrivacyWriter, request: Request, request_id: UUID, body: RefusalWish, idempotency_key: IdempotencyKey = None
) -> Response:
    """Close a request without doing what it asks."""
    do = partial(privacy_requests.refuse, caller=caller, request_id=request_id, because=body.because)
    return idempotency.act_once(caller, idempotency_key, request, body, partial(requesting.act, caller, request_id, do))


@router.post(ONE + ":preview", response_model=ErasurePreview)
def preview(caller: PrivacyWriter, request_id: UUID) -> Response:
    """See what an erasure would remove.

    Counts by table, the golden ids that will answer 410, and what bars it still. `preview_token` stands for all that was seen.
    """
    _, told = requesting.previewed(caller, request_id)
    return answers.JsonBytes(told)


@router.post(ONE + ":confirm", status_code=202, response_model=PrivacyRequest)
def confirm(
    caller: PrivacyWriter, request: Request, request_id: UUID, body: Confirmation, idempotency_key: IdempotencyKey = None
) -> Response:
    """Have a person erased, as the preview showed.

    428 without the token of a preview, 412 when what it showed has changed, 409 while something bars it. Where two persons must
    confirm (`MDM_ERASURE_APPROVALS=2`), the second one's confirmation begins it. It cannot be undone.
    """
    do = partial(privacy_confirming.confirm, caller=caller, request_id=request_id, token=body.preview_token)
    act = partial(requesting.act, caller, request_id, do, requesting.ACCEPTED)
    return idempotency.act_once(caller, idempotency_key, request, body, act)
