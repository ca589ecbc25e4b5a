"""The console's first page: what needs the steward, how the queue fares, how right the merges are, and how the master fares."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import Response

from api.console import fares
from api.console.frame import ROOT, Anybody, Page, own_page, page, to
from api.console.words import KINDS
from api.routes import resource
from kernel import approvals, clock, db
from mdm import merge_holds
from stewardship import customers, precision, queue, second_looks
from stewardship.accounts import Signed
from stewardship.queue import Wanted

router = resource("console", Page)
ANSWERED, LOOKS = 5, 50


@router.get(ROOT, include_in_schema=False)
def home(request: Request, signed: Anybody, done: UUID | None = None) -> Response:
    """Say what needs the steward, and how the queue fares; whoever is no steward is led to what is theirs."""
    caller = signed.user.principal
    if not caller.may("decisions:settle") or caller.purpose is not None:
        return to(request, own_page(caller))
    with db.transaction(db.Role.APP, caller.scope) as session:
        mine = queue.page(session, Wanted(holder=caller.actor), limit=5)
        urgent = queue.page(session, Wanted(free_for=caller.actor, unheld=True), limit=5)
        answered = queue.answered_by(session, caller.actor, ANSWERED)
        today = queue.answers_since(session, caller.actor, _midnight(signed))
        seconds = approvals.listed(session, limit=ANSWERED)
        asked = {one.approval_id: [UUID(text) for text in one.about.get("golden_ids", ())[:2]] for one in seconds}
        shown = {one for task in (*mine, *urgent, *answered) for one in task.golden_ids[:2]}
        names = customers.names(session, caller, shown.union(*asked.values()))
    with db.read_only() as session:
        figures, measured = queue.figures(session, caller.scope), precision.read(session, caller.scope)
        holds = merge_holds.in_force(session)
        looks = second_looks.listed(session, caller, second_looks.WAITING, LOOKS)
    return page(
        request, "home.html", figures=figures, measured=measured, holds=holds, mine=mine, urgent=urgent, kinds=KINDS,
        names=names, done=done, answered=answered, seconds=seconds, looks=looks, today=today, fares=fares.read(caller),
        place=fares.place, lasting=fares.lasting, ticks=fares.TICKS, asked=asked,
    )  # fmt: skip


def _midnight(signed: Signed) -> datetime:
    """When the steward's day began, in their zone."""
    return clock.now().astimezone(ZoneInfo(signed.user.timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
