"""Carries the relationships of a golden record from `mdm.related` to the wire."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from api import answers
from kernel import audit, db
from kernel.actor import Principal
from mdm import related
from mdm.related import Shown
from mdm.relationships import WORDS, Key, Reason


def answer(caller: Principal, golden_id: UUID) -> Response:
    """Answer who stands to a golden record how, within the caller's scope. Blocks. Raises: MdmError."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        found = related.read(session, golden_id)
        told = {"related": len(found.shown), "brands": len(found.brands)}
        audit.record(session, caller.actor, "golden.read_relationships", "golden", str(found.golden_id), detail=told)
    shown = {
        "requested_id": golden_id,
        "status": found.status,
        "golden_id": found.golden_id,
        "items": [_item(one) for one in found.shown],
        "brands": [{"brand": brand, "records": [_key(one) for one in records]} for brand, records in found.brands.items()],
        "cut": found.cut,
    }
    return answers.json_answer(shown)


def _item(one: Shown) -> dict[str, Any]:
    reasons = [_reason(reason) for reason in one.related.reasons]
    about = {"display_name": one.display_name, "party": one.party}
    return {"kind": one.related.kind, "golden_id": one.related.golden_id, **about, "reasons": reasons}


def _reason(reason: Reason) -> dict[str, Any]:
    words = {"code": reason.code, "words": WORDS[reason.code]}
    return {**words, "record": _key(reason.record), "beside": _key(reason.beside)}


def _key(key: Key) -> dict[str, str]:
    return {"source": key[0], "key": key[1]}
