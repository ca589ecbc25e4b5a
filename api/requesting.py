"""Carries requests about people's data from the wire to `stewardship.privacy_requests` and back."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session
from starlette.responses import Response

from api import answers
from api.pages import render
from api.schemas.privacy import PrivacyWish
from kernel import clock, db
from kernel.actor import Principal
from kernel.errors import Conflict
from stewardship import privacy_access, privacy_confirming, privacy_gate, privacy_requests, privacy_telling
from stewardship.privacy_confirming import Preview
from stewardship.privacy_requests import Request, Wish

OK, CREATED, ACCEPTED = 200, 201, 202
OPEN = ("open", "confirmed")


def opened(caller: Principal, body: PrivacyWish) -> tuple[int, bytes]:
    """Open a request. The status and the body of the answer. Raises: MdmError."""
    anchor = (body.anchor.source, body.anchor.key) if body.anchor else None
    wish = Wish(body.kind, body.golden_id, anchor, body.reference, body.received_at)
    with db.transaction() as session:
        request_id = privacy_requests.open_request(session, caller, wish)
        return CREATED, orjson.dumps(shown(privacy_requests.find(session, request_id)))


def act(caller: Principal, request_id: UUID, do: Callable[[Session], Any], status: int = OK) -> tuple[int, bytes]:
    """Do something about a request that the caller may see; the request as it then stands. Raises: MdmError."""
    require_seen(caller, request_id)
    with db.transaction() as session:
        do(session)
        return status, orjson.dumps(shown(privacy_requests.find(session, request_id)))


def require_seen(caller: Principal, request_id: UUID) -> None:
    """Refuse a request that the caller may not see. Raises: NotFound."""
    with db.read_only(db.Role.APP, caller.scope) as session:
        privacy_requests.find(session, request_id)


def previewed(caller: Principal, request_id: UUID) -> tuple[int, bytes]:
    """Look at what an erasure would remove. Raises: MdmError."""
    require_seen(caller, request_id)
    with db.transaction() as session:
        return OK, orjson.dumps(_preview(privacy_confirming.preview(session, caller, request_id)))


def _preview(seen: Preview) -> dict[str, Any]:
    return {
        "request": shown(seen.request),
        "rows": seen.rows,
        "golden_ids": seen.golden_ids,
        "withheld": seen.withheld,
        "blocked": seen.blocked,
        "preview_token": seen.token,
    }


def exported(caller: Principal, request_id: UUID, shape: str) -> Response:
    """Answer everything held about the person of a request, as JSON or as a page. Blocks. Raises: MdmError."""
    require_seen(caller, request_id)
    with db.transaction() as session:
        said = privacy_access.export(session, caller, request_id)
    if shape == "json":
        return answers.json_answer(said)
    plain = orjson.loads(orjson.dumps(said))  # Times and ids as they are written on the wire.
    page = render.page("person.html", said=plain)
    headers = {**render.SAFE, "cache-control": "no-store", "content-disposition": 'attachment; filename="your-data.html"'}
    return Response(page, 200, headers, "text/html; charset=utf-8")


def missing() -> list[str]:
    """The code of what the health route lacks when the database is older than the erasure ledger."""
    return [] if privacy_gate.passes() else ["erasures"]


def listed(session: Session, state: str | None, limit: int) -> Response:
    """Answer requests without their members."""
    found = privacy_requests.listed(session, state, limit)
    return answers.json_answer({"items": [{**shown(one), "members": None} for one in found]})


def corrected(caller: Principal, request_id: UUID, attribute: str) -> tuple[int, bytes]:
    """Tell the sources that hold a wrong value, and close the request. Raises: MdmError."""

    def do(session: Session) -> None:
        found = privacy_requests.held_open(session, request_id)
        if found.kind != "correction":
            raise Conflict("The request is no correction", code="not_a_correction")
        privacy_requests.complete(session, caller, request_id)
        records = privacy_telling.correct(session, privacy_requests.find(session, request_id), attribute)
        privacy_requests.note(session, request_id, {"attribute": attribute, "records": [str(one) for one in records]})

    return act(caller, request_id, do)


def read(session: Session, request_id: UUID) -> Response:
    """Answer a request, with how far subscribers are with an erasure."""
    found = privacy_requests.find(session, request_id)
    with db.read_only() as every:  # Who was told is no row of a brand.
        acknowledged = privacy_telling.acknowledged(every, found)
    return answers.json_answer({**shown(found), "acknowledged": asdict(acknowledged) if acknowledged else None})


def shown(request: Request) -> dict[str, Any]:
    """Show a request as JSON-ready data."""
    said = {name: value for name, value in asdict(request).items() if name not in {"anchor", "brands", "regions"}}
    return {**said, "is_overdue": request.state in OPEN and request.due_at < clock.now()}
