"""Carries what a golden record's records did from `mdm.activity_reading` to the wire."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from api import answers
from kernel import audit, db
from kernel.actor import Principal
from mdm import activity_reading, history, sql
from mdm import policy as policies
from mdm.activity_reading import text_of
from mdm.policy import Policy

SHOWN = ("source", "key", "record_key", "kind", "status", "at", "store", "amount", "currency", "updated_at")


def answer(caller: Principal, golden_id: UUID, limit: int) -> Response:
    """Answer the activities of whatever a golden id lives by now, within the caller's scope. Blocks. Raises: MdmError."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        live_id, status = history.living(session, golden_id)
        policy = policies.current(session)
        found = activity_reading.read(session, live_id, limit, lambda source: _channel(policy, source))
        told = {"listed": len(found.latest)}
        audit.record(session, caller.actor, "golden.read_activities", "golden", str(live_id), detail=told)
    shown = {
        "requested_id": golden_id,
        "status": status,
        "golden_id": live_id,
        **found.total.told(),
        "channels": [{"channel_kind": kind or None, **found.channels[kind].told()} for kind in sorted(found.channels)],
        "items": [_item(row) for row in found.latest],
        "cut": found.cut,
    }
    return answers.json_answer(shown)


def _channel(policy: Policy, source: str) -> str:
    known = policy.sources.get(source)
    return known.channel_kind if known else ""


def _item(row: sql.Row) -> dict[str, Any]:
    item = dict(zip(SHOWN, row, strict=True))
    return {**item, "amount": text_of(item["amount"])}
