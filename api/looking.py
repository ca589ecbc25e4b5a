"""Carries second looks from the wire to `stewardship` and back. Who answers second is not told the first answer."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from kernel import db
from kernel.actor import Principal
from stewardship import phrasing, second_looks
from stewardship.second_looks import Look

HIDDEN = ("first_by", "first_verdict", "second_by", "second_verdict")


def listed(caller: Principal, state: str, most: int) -> list[dict[str, Any]]:
    """What a caller may answer or settle, as JSON-ready data."""
    with db.read_only() as session:
        return [shown(one) for one in second_looks.listed(session, caller, state, most)]


def shown(look: Look) -> dict[str, Any]:
    """Show one as JSON-ready data; both answers once they differ."""
    hidden = {} if look.differs else dict.fromkeys(HIDDEN)
    records = len(look.left_records) + len(look.right_records)
    told = {name: value for name, value in asdict(look).items() if name not in {"task_id", "reason_code", "kept_by"}}
    return {**told, **hidden, "question": phrasing.question(look.kind, look.reason_code, 2, records)}


def answer(caller: Principal, decision_id: UUID, verdict: str) -> dict[str, Any]:
    """Answer for the second time."""
    with db.transaction() as session:
        agrees = second_looks.answer(session, caller, decision_id, verdict)
    return {"decision_id": decision_id, "result": "same" if agrees else "differs"}


def keep(caller: Principal, decision_id: UUID) -> dict[str, Any]:
    """Keep the first answer."""
    with db.transaction() as session:
        second_looks.keep(session, caller, decision_id)
    return {"decision_id": decision_id, "result": "kept"}
