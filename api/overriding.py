"""Carries values that stewards set by hand from the wire to `stewardship.overriding` and back."""

from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

from api import answers
from api.deciding import CREATED, OK, preview, resolver
from api.schemas.decisions import TakeBack
from api.schemas.overrides import SetOverride
from kernel import clock, db
from kernel.actor import Principal
from mdm.overrides import KeptOverride
from stewardship import overriding
from stewardship.overriding import OverrideWish


def put(caller: Principal, golden_id: UUID, body: SetOverride, dry_run: bool) -> tuple[int, bytes]:
    """Set a value, or only look. The status and the body of the answer. Raises: MdmError."""
    wish = OverrideWish(golden_id, body.attribute, body.value, body.reason, body.expires_at)
    if dry_run:
        return OK, preview(caller, overriding.look(resolver(), caller, wish))
    override_id = overriding.make(resolver(), caller, wish, body.preview_token)
    return CREATED, _one(caller, golden_id, override_id)


def withdraw(caller: Principal, golden_id: UUID, override_id: UUID, body: TakeBack, dry_run: bool) -> tuple[int, bytes]:
    """Withdraw a value, or only look. Raises: MdmError."""
    if dry_run:
        return OK, preview(caller, overriding.look_back(resolver(), caller, golden_id, override_id))
    overriding.withdraw(resolver(), caller, golden_id, override_id, body.reason, body.preview_token)
    return OK, _one(caller, golden_id, override_id)


def listed(caller: Principal, golden_id: UUID) -> Response:
    """Answer the values set on a golden record. Blocks. Raises: MdmError."""
    stands, found = overriding.of_golden(db.transaction, caller, golden_id)
    about = {"requested_id": golden_id, "status": stands.status, "golden_id": stands.golden_id}
    return answers.json_answer({**about, "items": [_kept(one) for one in found]})


def _one(caller: Principal, golden_id: UUID, override_id: UUID) -> bytes:
    return orjson.dumps(_kept(overriding.read(db.transaction, caller, golden_id, override_id)))


def _kept(kept: KeptOverride) -> dict[str, Any]:
    override = kept.override
    return {
        "override_id": override.override_id,
        "attribute": override.attribute,
        "value": override.value,
        "state": kept.state(clock.now()),
        "author": override.author,
        "reason": kept.reason,
        "set_at": override.set_at,
        "expires_at": override.expires_at,
        "withdrawn_at": kept.withdrawn_at,
        "records": sorted(override.records),
    }
