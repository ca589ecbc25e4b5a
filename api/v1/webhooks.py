"""Webhook endpoints: where events are delivered, and what became of each delivery."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from api import answers, hooking
from api.deps import WebhooksWriter, Writing
from api.idempotency import IdempotencyKey
from api.routes import Route, resource
from api.schemas.webhooks import (
    Applied,
    Deliveries,
    Endpoint,
    Endpoints,
    EndpointWish,
    EndpointWithLag,
    EndpointWithSecret,
    Redelivered,
    Redelivery,
    Rotation,
)
from webhooks import endpoints

router = resource("webhooks", Route)
State = Annotated[Literal["due", "delivered", "dead"] | None, Query(description="Only deliveries in this state.")]
Before = Annotated[int | None, Query(ge=1, le=2**62, description="`next` of the page before.")]


@router.post("/v1/webhooks", response_model=EndpointWithSecret, status_code=201)
def create(caller: WebhooksWriter, request: Request, body: EndpointWish, idempotency_key: IdempotencyKey = None) -> Response:
    """Make an endpoint that hears of what happens from now on.

    The secret is shown this once: under the same idempotency key the same endpoint is answered again, without it. Deliveries
    are signed as Standard Webhooks says (`webhook-id`, `webhook-timestamp`, `webhook-signature`); a delivery that is not
    answered 2xx is tried again, ten times over 75 hours. It hears of the brands and regions of the key that makes it.
    """
    return hooking.create(caller, idempotency_key, request, body)


@router.get("/v1/webhooks", response_model=Endpoints)
def listed(caller: WebhooksWriter, session: Writing) -> Response:
    """List the endpoints within the key's scope, the oldest first."""
    return answers.json_answer({"items": [hooking.shown(one) for one in endpoints.every(session)]})


@router.get("/v1/webhooks/{endpoint_id}", response_model=EndpointWithLag)
def get(caller: WebhooksWriter, session: Writing, endpoint_id: UUID) -> Response:
    """Read an endpoint: how it fares, what was delivered, what it has applied, and what waits there that must not."""
    return hooking.with_lag(session, endpoint_id)


@router.put("/v1/webhooks/{endpoint_id}", response_model=Endpoint)
def change(caller: WebhooksWriter, session: Writing, endpoint_id: UUID, body: EndpointWish) -> Response:
    """Change an endpoint; it keeps its id, its secret, and what is due to it."""
    return hooking.one(endpoints.change(session, caller, endpoint_id, hooking.wish(session, caller, body)))


@router.delete("/v1/webhooks/{endpoint_id}", status_code=204)
def delete(caller: WebhooksWriter, session: Writing, endpoint_id: UUID) -> Response:
    """Delete an endpoint and what was due to it."""
    endpoints.delete(session, caller, endpoint_id)
    return Response(status_code=204)


@router.post("/v1/webhooks/{endpoint_id}:disable", response_model=Endpoint)
def disable(caller: WebhooksWriter, session: Writing, endpoint_id: UUID) -> Response:
    """Stop delivering to an endpoint; events wait for it in the log."""
    return hooking.one(endpoints.disable(session, caller, endpoint_id))


@router.post("/v1/webhooks/{endpoint_id}:enable", response_model=Endpoint)
def enable(caller: WebhooksWriter, session: Writing, endpoint_id: UUID) -> Response:
    """Deliver again, beginning with what happened meanwhile and was not confirmed as applied; 410 when that is not kept any more.

    Then apply an export of the crosswalk, confirm its cursor by `:applied`, and enable again.
    """
    return hooking.one(endpoints.enable(session, caller, endpoint_id))


@router.post("/v1/webhooks/{endpoint_id}:rotate-secret", response_model=EndpointWithSecret)
def rotate(caller: WebhooksWriter, session: Writing, endpoint_id: UUID, body: Rotation) -> Response:
    """Give an endpoint a new secret, shown this once; the one before signs as well while they overlap.

    While two overlap another rotation is refused (409), lest a repeated request end the secret in use; without an overlap
    (`overlap_hours: 0`) the new one alone signs from now on.
    """
    return hooking.rotate(session, caller, endpoint_id, body.overlap_hours)


@router.post("/v1/webhooks/{endpoint_id}:test", response_model=Endpoint)
def test(caller: WebhooksWriter, session: Writing, endpoint_id: UUID) -> Response:
    """Send an `endpoint.test` event, on the way that all events take."""
    return hooking.test(session, caller, endpoint_id)


@router.post("/v1/webhooks/{endpoint_id}:applied", response_model=Endpoint)
def applied(caller: WebhooksWriter, session: Writing, endpoint_id: UUID, body: Applied) -> Response:
    """Confirm that everything up to an event was applied. What was delivered and what was applied are told apart."""
    return hooking.one(endpoints.applied(session, endpoint_id, body.cursor))


@router.post("/v1/webhooks/{endpoint_id}:redeliver", response_model=Redelivered)
def redeliver(caller: WebhooksWriter, session: Writing, endpoint_id: UUID, body: Redelivery) -> Response:
    """Deliver a range of events once more, under the same ids and at the endpoint's own rate."""
    return hooking.redeliver(session, caller, endpoint_id, body)


@router.get("/v1/webhooks/{endpoint_id}/deliveries", response_model=Deliveries)
def deliveries(
    caller: WebhooksWriter,
    session: Writing,
    endpoint_id: UUID,
    state: State = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """Read deliveries with every attempt, those of the latest events first; kept for 30 days."""
    return hooking.told(session, endpoint_id, state, before, limit)
