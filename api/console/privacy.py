"""The console's privacy requests: the list with its clock, one request with its members, and each act about it as a form.

Pages show ids, ties and codes; whoever must look at a member's values opens the customer, which is audited.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Security
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from api import requesting
from api.console.frame import PRIVATE, Page, Sent, SignedIn, field, page, to
from api.console.operations import OPERATIONS
from api.routes import resource
from kernel import clock, db
from kernel.actor import Principal
from kernel.errors import Invalid, MdmError
from kernel.settings import settings
from stewardship import privacy_confirming, privacy_requests, privacy_telling
from stewardship.accounts import Signed
from stewardship.privacy_requests import HOLDS, METHODS, REFUSALS, Wish

router = resource("privacy_pages", Page)
PRIVACY = f"{OPERATIONS}/privacy"
ONE = PRIVACY + "/{request_id}"
Officer = Annotated[Signed, Security(SignedIn("privacy:read"))]
Acting = Annotated[Signed, Security(SignedIn("privacy:write"))]
OfState = Annotated[str | None, Query(pattern="^(open|confirmed|done|refused|cancelled)$")]
CHOICES = {"methods": METHODS, "holds": HOLDS, "refusals": REFUSALS}
ANSWERS = {"yes": True, "no": False}
MEMBER = "member:"


@router.get(PRIVACY, include_in_schema=False)
def listed(request: Request, signed: Officer, state: OfState = None) -> Response:
    """List requests, the most urgent first."""
    with db.read_only(db.Role.APP, signed.user.principal.scope) as session:
        found = privacy_requests.listed(session, state)
        waiting = privacy_confirming.waiting(session, [one.request_id for one in found])
    may_act = signed.user.principal.may("privacy:write")
    return page(request, "privacy.html", requests=found, state=state, waiting=waiting, may_act=may_act)


@router.post(PRIVACY, include_in_schema=False)
def opened(request: Request, signed: Acting, sent: Sent) -> Response:
    """Open a request about a golden record."""
    wish = Wish(field(sent, "kind"), _id(field(sent, "golden_id")), None, field(sent, "reference") or None)
    with db.transaction() as session:
        request_id = privacy_requests.open_request(session, signed.user.principal, wish)
    return to(request, f"{PRIVACY}/{request_id}")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("This is no golden id", code="bad_golden_id", detail="Copy it from the customer's page.") from None


@router.get(ONE, include_in_schema=False)
def one(request: Request, signed: Officer, request_id: UUID) -> Response:
    """Show a request, its members and what may be done about it now."""
    with db.read_only(db.Role.APP, signed.user.principal.scope) as session:
        found = privacy_requests.find(session, request_id)
        waiting = privacy_confirming.waiting(session, [request_id]).get(request_id)
    with db.read_only() as every:  # Who was told is no row of a brand.
        told = privacy_telling.acknowledged(every, found)
    may_act = signed.user.principal.may("privacy:write")
    left = _days_left(found.due_at)
    return page(
        request, "privacy_request.html", asked=found, told=told, left=left, may_act=may_act, choices=CHOICES, waiting=waiting
    )


def _days_left(due_at: datetime) -> int:
    return (due_at - clock.now()).days


@router.post(f"{ONE}/look", include_in_schema=False)
def look(request: Request, signed: Acting, _sent: Sent, request_id: UUID) -> Response:
    """Show what an erasure would remove, and the form that confirms just that."""
    requesting.require_seen(signed.user.principal, request_id)
    with db.transaction() as session:
        seen = privacy_confirming.preview(session, signed.user.principal, request_id)
    return page(request, "privacy_preview.html", seen=seen, takes_two=settings().erasure_approvals > 1)


@router.post(f"{ONE}/export", include_in_schema=False)
def export(signed: Acting, _sent: Sent, request_id: UUID) -> Response:
    """Hand out everything held about the person, as a page to read and print."""
    made = requesting.exported(signed.user.principal, request_id, "html")
    made.headers.update(PRIVATE)
    return made


@router.post(f"{ONE}/{{act}}", include_in_schema=False)
def act(request: Request, signed: Acting, sent: Sent, request_id: UUID, act: str) -> Response:
    """Do one thing about a request."""
    if act not in ACTS:
        raise MdmError("There is no such page", code="no_such_page", status=404)
    requesting.require_seen(signed.user.principal, request_id)
    with db.transaction() as session:
        ACTS[act](session, signed.user.principal, request_id, sent)
    return to(request, f"{PRIVACY}/{request_id}")


def _answer(session: Session, caller: Principal, request_id: UUID, sent: FormData) -> None:
    said = {name.removeprefix(MEMBER): str(text) for name, text in sent.multi_items() if name.startswith(MEMBER)}
    answers = {_id(name): ANSWERS[text] for name, text in said.items() if text in ANSWERS}
    privacy_requests.answer(session, caller, request_id, answers)


Act = Callable[[Session, Principal, UUID, FormData], object]
ACTS: Mapping[str, Act] = {
    "members": _answer,
    "identity": lambda session, caller, request_id, sent: privacy_requests.identify(
        session, caller, request_id, field(sent, "outcome"), field(sent, "method")
    ),
    "hold": lambda session, caller, request_id, sent: privacy_requests.hold(
        session, caller, request_id, field(sent, "because") or None
    ),
    "extend": lambda session, caller, request_id, _: privacy_requests.extend(session, caller, request_id),
    "refuse": lambda session, caller, request_id, sent: privacy_requests.refuse(
        session, caller, request_id, field(sent, "because")
    ),
    "complete": lambda session, caller, request_id, _: privacy_requests.complete(session, caller, request_id),
    "lift": lambda session, caller, request_id, _: privacy_requests.lift(session, caller, request_id),
    "confirm": lambda session, caller, request_id, sent: privacy_confirming.confirm(
        session, caller, request_id, field(sent, "token")
    ),
}
