"""Carries an explanation from `stewardship.explain`, `formed` and `value_why` to the wire."""

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
from stewardship import explain, formed, value_why
from stewardship.explain import Key, PairExplained, StoredWord
from stewardship.formed import Across, Joined
from stewardship.value_why import SENTENCES, ValueKept, ValueLost


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
        **({"apart": found.apart} if found.apart else {}),
    }
    return answers.json_answer(shown)


def how(caller: Principal, golden_id: UUID) -> Response:
    """Answer how a golden record came together. Blocks. Raises: MdmError."""
    found = formed.how(Resolver(db.transaction), caller, golden_id)
    weakest = {"weakest": _step(found.weakest)} if found.weakest else {}
    about = {"requested_id": golden_id, "status": found.status, "golden_id": found.golden_id}
    return answers.json_answer({**about, "steps": [_step(one) for one in found.steps], **weakest})


def attribute_why(caller: Principal, golden_id: UUID, name: str) -> Response:
    """Answer why a golden record shows a value. Blocks. Raises: MdmError."""
    found = value_why.value_why(caller, golden_id, name)
    shown = {
        "golden_id": found.golden_id,
        "version": found.version,
        "computed_at": found.computed_at,
        "attribute": found.attribute,
        "settled": found.settled,
        "values": [_kept(one) for one in found.values],
        "runners_up": [_lost(one) for one in found.runners_up],
        "runners_up_left_out": found.runners_up_left_out,
    }
    return answers.json_answer(shown)


def _kept(one: ValueKept) -> dict[str, Any]:
    told = {"value": one.value, "rule": one.rule, "sentence": SENTENCES[one.rule], "said_by": _told(asdict(one.said))}
    return _told({**told, "also_said_by": [_told(asdict(said)) for said in one.also_said_by], "behind": one.behind})


def _lost(one: ValueLost) -> dict[str, Any]:
    sentence = SENTENCES[one.lost_by] if one.lost_by else None
    return _told({"value": one.value, "said_by": _told(asdict(one.said)), "lost_by": one.lost_by, "sentence": sentence})


def _pair(one: PairExplained) -> dict[str, Any]:
    return {
        "records": [_key(one.one), _key(one.other)],
        "match_weight": one.weight,
        "verdict": one.verdict,
        "reason_code": one.reason_code,
        "sentence": one.sentence,
        "said": [said._asdict() for said in one.said],
        "unsaid": [unsaid._asdict() for unsaid in one.unsaid],
        "stored": [{**_word(stored), "levels": [level._asdict() for level in stored.levels]} for stored in one.stored],
    }


def _step(step: Joined) -> dict[str, Any]:
    told = _told({"parts": [[_key(key) for key in part] for part in step.parts], "kind": step.kind, "weight": step.weight})
    return {**told, "stored": [_across(one) for one in step.stored]}


def _across(one: Across) -> dict[str, Any]:
    return {"records": [_key(one.one), _key(one.other)], **_word(one.word)}


def _word(word: StoredWord) -> dict[str, Any]:
    return {name: value for name, value in _told(asdict(word)).items() if name != "levels"}


def _told(of: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in of.items() if value is not None}


def _key(key: Key) -> dict[str, str]:
    return {"source": key[0], "key": key[1]}
