"""Links by which customers say themselves what they want."""

from fastapi import Request
from starlette.responses import Response

from api import idempotency, linking
from api.deps import ConsentsWriter
from api.idempotency import IdempotencyKey
from api.routes import Route, resource
from api.schemas.consent_links import LinkIn, LinkOut, RevocationIn, RevocationOut

router = resource("consent_links", Route)


@router.post("/v1/consent-links", response_model=LinkOut, status_code=201)
def make(caller: ConsentsWriter, body: LinkIn, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Make a link for a customer.

    `unsubscribe` and `preferences` change nothing until they are followed. `confirm` records that the customer was asked, which
    permits nothing; it holds for seven days and once. The pages for customers, a process of its own, answer links without a key.
    """
    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, idempotency_key, hashed, lambda session: linking.make(session, caller, body))


@router.post("/v1/consent-links:revoke", response_model=RevocationOut)
def revoke(caller: ConsentsWriter, body: RevocationIn, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Let links be followed no more: one by its `link_id`, or all of a customer that were made until now.

    Links made afterwards are good. Of a customer, links to unsubscribe stay unless `kinds` names them: they only take away.
    """
    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, idempotency_key, hashed, lambda session: linking.revoke(session, caller, body))
