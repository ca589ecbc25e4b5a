"""Carries preferences between the wire and `mdm`."""

from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session
from starlette.responses import Response

from api import answers
from api.refusals import told
from api.schemas.preferences import PreferenceIn, PreferencesIn
from consent.purposes import shipped
from kernel import audit, clock, db
from kernel.actor import Principal
from mdm import history, preferences
from mdm.preferences import Outcome, Wish

SHOWN = (
    "preference_id", "key", "value", "brand", "occurred_at", "recorded_at", "origin", "method", "source", "recorded_by",
)  # fmt: skip
FORBIDS = ("entry_id", "suppression", "channel", "brand", "occurred_at", "recorded_at")


def record(session: Session, caller: Principal, body: PreferencesIn) -> tuple[int, bytes]:
    """Record preferences in the caller's transaction; the status and the body of the answer."""
    found = preferences.record(session, [_wish(one) for one in body.preferences], caller)
    created = sum(one.status == "created" for one in found)
    detail = {"sent": len(found), "created": created}
    audit.record(session, caller.actor, "preference.recorded", "consent", "", detail=detail)
    return 201, orjson.dumps({"items": [_outcome(index, one) for index, one in enumerate(found)]})


def _wish(sent: PreferenceIn) -> Wish:
    record_ = (sent.record.source, sent.record.key) if sent.record else None
    return Wish(sent.key, sent.value, sent.golden_id, record_, sent.brand, sent.occurred_at, sent.origin, sent.method)


def _outcome(index: int, one: Outcome) -> dict[str, Any]:
    problem = {"problem": told(one.problem)} if one.problem else {}
    known = {"preference_id": one.preference_id} if one.preference_id else {}
    return {"index": index, "status": one.status, **known, **problem}


def read(caller: Principal, golden_id: UUID) -> Response:
    """Answer what a golden record prefers. Audited. Blocks. Raises: MdmError."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        live_id, _ = history.living(session, golden_id)
        audit.record(session, caller.actor, "golden.read_preferences", "golden", str(live_id))
    with db.read_only(db.Role.ENGINE) as session:
        found = preferences.read(session, shipped(), live_id, clock.now(), caller.scope.brands)
    return answers.json_answer(
        {
            "requested_id": golden_id,
            "golden_id": live_id,
            "preferences": [{name: getattr(one, name) for name in SHOWN} for one in found.preferences],
            "suppressions": [{name: getattr(one, name) for name in FORBIDS} for one in found.suppressions],
        }
    )
