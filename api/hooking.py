"""Carries webhook endpoints and their deliveries from the wire to `webhooks` and back."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api import answers, idempotency
from api.schemas.webhooks import EndpointWish, Redelivery
from kernel import audit, clock
from kernel.actor import Principal
from mdm import subscribing
from webhooks import deliveries, endpoints, lag
from webhooks.endpoints import Endpoint, Wish

Act = Callable[[Session, Principal, UUID], Endpoint]


def wish(session: Session, caller: Principal, body: EndpointWish) -> Wish:
    """Read what is wished for. Raises: what `subscribing.checked` raises."""
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in body.model_dump().items()
    }
    return subscribing.checked(session, Wish(**given), caller.scope)


def create(caller: Principal, key: str | None, request: Request, body: EndpointWish) -> Response:
    """Make an endpoint, once for a key; the answer is the one time its secret is shown. Raises: as `once`, Invalid."""

    def act(session: Session) -> tuple[int, bytes]:
        made, secret = endpoints.create(session, caller, wish(session, caller, body))
        return 201, bytes(answers.json_answer({**shown(made), "secret": secret}, 201).body)

    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, key, hashed, act, kept=_without_secret)


def _without_secret(body: bytes) -> bytes:
    """Leave the secret out of what is kept: it is shown once, and stored nowhere but sealed."""
    return orjson.dumps({**orjson.loads(body), "secret": None})


def rotate(session: Session, caller: Principal, endpoint_id: UUID, overlap_hours: int) -> Response:
    """Give an endpoint another secret. Raises: NotFound."""
    made, secret = endpoints.rotate(session, caller, endpoint_id, timedelta(hours=overlap_hours))
    return answers.json_answer({**shown(made), "secret": secret})


def one(found: Endpoint) -> Response:
    """Answer one endpoint."""
    return answers.json_answer(shown(found))


def with_lag(session: Session, endpoint_id: UUID) -> Response:
    """Answer one endpoint with what waits there. Raises: NotFound."""
    found = endpoints.get(session, endpoint_id)
    left = [{"type": one.type, "seq": one.seq, "seconds": one.seconds} for one in lag.waiting(session, endpoint_id)]
    return answers.json_answer({**shown(found), "waiting": left})


def shown(found: Endpoint) -> dict[str, Any]:
    """Show an endpoint as JSON-ready data."""
    return {**asdict(found), "state": found.state_at(clock.now())}


def test(session: Session, caller: Principal, endpoint_id: UUID) -> Response:
    """Send a test event. Raises: NotFound; Invalid while the endpoint is disabled."""
    found = endpoints.get(session, endpoint_id)
    deliveries.test(session, found)
    audit.record(session, caller.actor, "webhook.tested", "webhook", str(endpoint_id))
    return one(found)


def redeliver(session: Session, caller: Principal, endpoint_id: UUID, body: Redelivery) -> Response:
    """Deliver a range of events once more. Raises: NotFound, Invalid."""
    endpoints.get(session, endpoint_id)
    count = deliveries.again(session, endpoint_id, body.first_seq, body.last_seq, body.only_dead)
    detail = {"first_seq": body.first_seq, "last_seq": body.last_seq, "deliveries": count}
    audit.record(session, caller.actor, "webhook.redelivered", "webhook", str(endpoint_id), detail=detail)
    return answers.json_answer({"deliveries": count})


def told(session: Session, endpoint_id: UUID, state: str | None, before: int | None, limit: int) -> Response:
    """Answer a page of deliveries. Raises: NotFound."""
    endpoints.get(session, endpoint_id)
    found = deliveries.told(session, endpoint_id, state, before, limit)
    following = found[-1].seq if len(found) == limit else None
    return answers.json_answer({"items": [asdict(one) for one in found], "next": following})
