"""Values that stewards set by hand on a golden record: looked at before they are set, told, and withdrawn."""

from functools import partial
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from api import idempotency, overriding
from api.deps import DecisionsReader, Settler
from api.idempotency import IdempotencyKey
from api.routes import Route, resource
from api.schemas.decisions import DecisionPreview, TakeBack
from api.schemas.overrides import Override, Overrides, SetOverride
from api.v1.decisions import LOOKED, DryRun

router = resource("overrides", Route)


@router.post("/v1/golden/{golden_id}/overrides", response_model=Override, status_code=201, responses=LOOKED)
def put(
    caller: Settler,
    golden_id: UUID,
    body: SetOverride,
    request: Request,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Set a value by hand. First with `dry_run=true`, which answers what would change.

    While it is in force it beats what every record says of its attribute, and of no other; an e-mail address or phone becomes the
    primary one and hides none. It goes along in a merge, and after a split it stays with most of the records it was said of.
    """
    return idempotency.act_once(caller, idempotency_key, request, body, lambda: overriding.put(caller, golden_id, body, dry_run))


@router.get("/v1/golden/{golden_id}/overrides", response_model=Overrides)
def listed(caller: DecisionsReader, golden_id: UUID) -> Response:
    """Read the values that stewards set on a golden record, with author, reason and expiry; also those that count no longer."""
    return overriding.listed(caller, golden_id)


@router.post("/v1/golden/{golden_id}/overrides/{override_id}:withdraw", response_model=Override | DecisionPreview)
def withdraw(
    caller: Settler,
    golden_id: UUID,
    override_id: UUID,
    body: TakeBack,
    request: Request,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Withdraw a value: the golden record stands as if it had never been set. Look first."""
    act = partial(overriding.withdraw, caller, golden_id, override_id, body, dry_run)
    return idempotency.act_once(caller, idempotency_key, request, body, act)
