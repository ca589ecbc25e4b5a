"""The demo's story of two golden ids: a steward merges them, the retired id goes on answering, and an undo gives both back.

Told by a client like any other; every line is what the service answered.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from cli.demo_client import Api
from kernel.errors import MdmError
from sampledata.retailer import SimulatedRecord

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.1
TOLD = 6  # The last signs of an id: the first ones are its time, alike in ids that were issued together.
REASON = "They are one customer: the demo knows the truth."


def true_question(
    records: Sequence[SimulatedRecord], golden_ids: Sequence[str | None], asked: Sequence[Sequence[str]]
) -> tuple[str, str] | None:
    """The first question about two golden records, the elder first, that the truth says yes to; None when there is none."""
    truths: dict[str, set[str]] = {}
    for record, golden_id in zip(records, golden_ids, strict=True):
        if golden_id is not None:
            truths.setdefault(golden_id, set()).add(record.truth)
    for pair in asked:
        held = [truths.get(golden_id, set()) for golden_id in pair]
        if len(pair) == 2 and held[0] == held[1] and len(held[0]) == 1:
            elder, younger = sorted(pair)
            return elder, younger
    return None


def tell(api: Api, elder: str, younger: str) -> Iterator[str]:
    """Merge, look up the retired id, undo, and compare. Raises: MdmError when the service does otherwise than it promises."""
    before = [_golden(api, one) for one in (elder, younger)]
    yield f"{_named(elder, before[0])} and {_named(younger, before[1])} are asked about: are they one customer?"
    sides: dict[str, Any] = {"left": {"golden_id": elder}, "right": {"golden_id": younger}}
    why = api.ask("/v1/explain:why", sides)
    yield f"Why it is asked: {why['strongest']['sentence']}" + (f" {why['apart']}" if "apart" in why else "")
    decided = _acted(api, "/v1/decisions", {**sides, "verdict": "match", "reason": REASON})
    merged = _until(api, younger, "merged")
    lives = _short(merged["golden_id"])
    yield f"A steward says yes. The retired id {_short(younger)} goes on answering: {merged['status']}, and leads to {lives}."
    kept = merged["golden"]
    yield f"{lives} holds {len(kept['members'])} records now, from {_sources(kept)}."
    _acted(api, f"/v1/decisions/{decided['decision_id']}:undo", {"reason": REASON})
    _until(api, younger, "live")  # Written together with the elder, which never ceased to live.
    after = [_golden(api, one) for one in (elder, younger)]
    same = [_content(was) == _content(now) for was, now in zip(before, after, strict=True)]
    if not all(same):
        raise MdmError("An undone merge left other values behind", code="demo_story_failed")
    yield f"The steward takes it back: {_short(elder)} and {_short(younger)} both live again, with the same records and values."


def _acted(api: Api, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Look first, then act on what was seen."""
    seen = api.ask(f"{path}?dry_run=true", body)
    return api.ask(path, {**body, "preview_token": seen["preview_token"]})


def _golden(api: Api, golden_id: str) -> dict[str, Any]:
    return api.read(f"/v1/golden/{golden_id}")


def _until(api: Api, golden_id: str, status: str) -> dict[str, Any]:
    """Ask until a worker has written what was decided."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := _golden(api, golden_id))["status"] != status:
        if time.monotonic() > deadline:
            raise MdmError(f"No worker made {golden_id} {status}", code="demo_story_failed")
        time.sleep(POLL_SECONDS)
    return found


def _content(answer: dict[str, Any]) -> Any:
    golden = answer["golden"]
    return golden["members"], {name: held["value"] for name, held in golden["values"].items()}


def _named(golden_id: str, answer: dict[str, Any]) -> str:
    return f"{_short(golden_id)} ({answer['golden']['display_name']}, from {_sources(answer['golden'])})"


def _short(golden_id: str) -> str:
    return f"…{golden_id[-TOLD:]}"


def _sources(golden: dict[str, Any]) -> str:
    return ", ".join(sorted({member["source"] for member in golden["members"]}))
