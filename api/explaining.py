"""Carries an explanation from `stewardship.explain` to the wire."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from starlette.responses import Response

from api import answers
from api.deciding import side_of
from api.schemas.decisions import Why
from kernel import db
from kernel.actor import Principal
from mdm.resolve import Resolver
from stewardship import explain
from stewardship.explain import Joined, Key, PairExplained


def why(caller: Principal, body: Why) -> Response:
    """Answer why two sides are one customer, or are not. Blocks. Raises: MdmError."""
    found = explain.why(db.transaction, caller, side_of(body.left), side_of(body.right))
    shown = {
        "together": found.together,
        "pairs": found.pairs,
        "average_weight": found.average,
        "merge_line": found.merge_line,
        "guard_line": found.guard_line,
        "strongest": _pair(found.strongest),
    }
    return answers.json_answer(shown)


def how(caller: Principal, golden_id: UUID) -> Response:
    """Answer how a golden record came together. Blocks. Raises: MdmError."""
    found = explain.how(Resolver(db.transaction), caller, golden_id)
    weakest = {"weakest": _step(found.weakest)} if found.weakest else {}
    return answers.json_answer({"golden_id": found.golden_id, "steps": [_step(one) for one in found.steps], **weakest})


def _pair(one: PairExplained) -> dict[str, Any]:
    return {
        "records": [_key(one.one), _key(one.other)],
        "match_weight": one.weight,
        "verdict": one.verdict,
        "reason_code": one.reason_code,
        "sentence": one.sentence,
        "said": [said._asdict() for said in one.said],
        "unsaid": [unsaid._asdict() for unsaid in one.unsaid],
        "stored": [_told(asdict(stored)) for stored in one.stored],
    }


def _step(step: Joined) -> dict[str, Any]:
    return _told({"parts": [[_key(key) for key in part] for part in step.parts], "kind": step.kind, "weight": step.weight})


def _told(of: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in of.items() if value is not None}


def _key(key: Key) -> dict[str, str]:
    return {"source": key[0], "key": key[1]}
