"""Answers that are asked for a second time, on pages that do not tell the first; and what is to be settled where two differ."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from api import looking
from api.console.frame import ROOT, BulkSteward, Page, Sent, Steward, field, page, to
from api.console.values import compare
from api.console.words import KINDS
from api.routes import resource
from kernel import db
from kernel.errors import Invalid
from stewardship import second_looks
from stewardship.second_looks import DIFFERS, WAITING, Shown
from stewardship.settle import MATCH, NO_MATCH

router = resource("console_looks", Page)
LOOKS = f"{ROOT}/second-looks"
MOST = 50
NOT_SHOWN = frozenset({"birth_date", "addresses", "asserted_golden_id"})  # The last says what the first answer may be.


@router.get(LOOKS, include_in_schema=False)
def listed(request: Request, signed: Steward, said: str | None = None) -> Response:
    """List what is to be answered again; for seniors what two have answered differently."""
    caller = signed.user.principal
    waiting = looking.listed(caller, WAITING, MOST)
    differing = looking.listed(caller, DIFFERS, MOST) if caller.may("decisions:write") else []
    return page(request, "second_looks.html", waiting=waiting, differing=differing, kinds=KINDS, said=said)


@router.get(f"{LOOKS}/{{look_id}}", include_in_schema=False)
def one(request: Request, signed: Steward, look_id: UUID) -> Response:
    """Set the records of both sides beside each other."""
    caller = signed.user.principal
    with db.transaction() as session:
        look = second_looks.find(session, caller, look_id)
        records = second_looks.records(session, caller, look)
    told = looking.shown(look)
    more = len(look.left_records) + len(look.right_records) - len(records)
    shown: dict[str, Any] = {"look": look, "told": told, "records": records, "rows": compare(_values(records)), "more": more}
    return page(request, "second_look.html", kinds=KINDS, **shown)


def _values(records: Sequence[Shown]) -> list[dict[str, Any]]:
    """What each record says, in the shapes of golden values."""
    return [_as_golden(one.values) for one in records]


def _as_golden(said: Mapping[str, Any]) -> dict[str, Any]:
    born = (said.get("birth_date") or {}).get("text")
    others = {name: value for name, value in said.items() if name not in NOT_SHOWN}
    return {**others, "birth_date": born, "address": said.get("addresses")}


@router.post(f"{LOOKS}/{{look_id}}/answer", include_in_schema=False)
def answer(request: Request, signed: Steward, sent: Sent, look_id: UUID) -> Response:
    """Answer for the second time; what the first said is not told then either."""
    verdict = field(sent, "verdict")
    if verdict not in {MATCH, NO_MATCH}:
        raise Invalid("Say whether they are one customer", code="verdict_needed")
    looking.answer(signed.user.principal, look_id, verdict)
    return to(request, f"{LOOKS}?said=yes")


@router.post(f"{LOOKS}/{{look_id}}/keep", include_in_schema=False)
def keep(request: Request, signed: BulkSteward, sent: Sent, look_id: UUID) -> Response:
    """Keep the first answer where two differ."""
    looking.keep(signed.user.principal, look_id)
    return to(request, LOOKS)
