"""What happened: events as subscribers are told of them, who read or changed what, what became of imported files, the report of a
month. Only reads."""

import re
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from api import working
from api.console.frame import Auditor, Listener, Operator, Page, Sent, field, page, require_whole_scope, to
from api.console.operations import OPERATIONS
from api.routes import resource
from api.schemas.decisions import NO_NUL
from kernel import audit, clock, db
from kernel.errors import Invalid
from mdm import imports, published
from mdm.events import TYPES
from stewardship import governance, kept_reports
from webhooks import feed

router = resource("console_trail", Page)
EVENTS, AUDIT, IMPORTS = f"{OPERATIONS}/events", f"{OPERATIONS}/audit", f"{OPERATIONS}/imports"
REPORT = f"{OPERATIONS}/report"
MOST = 50
# Rare events lie far apart: a page of one type looks at so many numbers, and says so.
LOOKED_AT = 5_000
DAYS = 90
MONTH = r"^(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])$"
Word = Annotated[str | None, Query(max_length=200, pattern=NO_NUL)]
Number = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get(IMPORTS, include_in_schema=False)
def imports_(request: Request, signed: Operator) -> Response:
    """List the latest imports: rows, what became of them, and how many were rejected."""
    with db.read_only(db.Role.APP, signed.user.principal.scope) as session:
        found = working.recent(session, signed.user.principal, imports.KIND, MOST)
    told = [(job, imports.Tally.of(dict(job.result or job.checkpoint or {}))) for job in found]
    return page(request, "imports.html", imports=told)


@router.get(EVENTS, include_in_schema=False)
def events(request: Request, signed: Listener, before: Number = None, kind: Word = None) -> Response:
    """List events, the latest first."""
    types = [kind] if kind and kind in TYPES else []
    span = LOOKED_AT if types else MOST
    with db.read_only(db.Role.APP, signed.user.principal.scope) as session:
        log = feed.log(session)
        last = min(before - 1, log.last_seq) if before else log.last_seq
        first = max(last - span, log.first_seq - 1)
        found = [one for one in feed.read(session, log, first, types, span).events if one.seq <= last][-MOST:]
        shown = published.shown(session, log, found)[::-1]
    earlier = found[0].seq if len(found) == MOST else first + 1
    following = earlier if earlier > log.first_seq else None
    return page(request, "events.html", events=shown, types=TYPES, kind=kind, following=following, looked_at=span)


@router.get(AUDIT, include_in_schema=False)
def audited(
    request: Request,
    signed: Auditor,
    actor: Word = None,
    action: Word = None,
    object_id: Word = None,
    before: Number = None,
) -> Response:
    """Search the audit log of the last ninety days, the latest first. That somebody looked is audited as well."""
    caller, asked = signed.user.principal, {"actor": actor, "action": action, "object_id": object_id}
    require_whole_scope(caller, "The audit log")
    named: dict[str, Any] = {name: text.strip() for name, text in asked.items() if text and text.strip()}
    with db.transaction() as session:
        found = audit.search(session, named, clock.now() - timedelta(days=DAYS), before, MOST)
        audit.record(session, caller.actor, "audit.searched", "audit", "", detail={"by": sorted(named)})
    following = found[-1].audit_id if len(found) == MOST else None
    return page(request, "audit.html", rows=found, asked=asked, following=following, days=DAYS)


@router.get(REPORT, include_in_schema=False)
def report(request: Request, signed: Auditor, month: Annotated[str | None, Query(pattern=MONTH)] = None) -> Response:
    """Show a month, as it was last told, to those who answer for the data; without one, this month so far."""
    require_whole_scope(signed.user.principal, "The report")
    chosen = _month(month)
    with db.read_only() as session:
        kept = kept_reports.read(session, chosen)
    return page(request, "report.html", month=chosen, kept=kept, shown=governance.shown)


@router.post(REPORT, include_in_schema=False)
def tell(request: Request, signed: Auditor, sent: Sent) -> Response:
    """Tell a month anew. It reads every record, and whoever asks waits for it."""
    require_whole_scope(signed.user.principal, "The report")
    said = field(sent, "month")
    if not re.fullmatch(MONTH, said) or _month(said).since > clock.now():
        raise Invalid("Name a month that has begun, such as 2026-11", code="bad_month")
    kept_reports.keep(db.transaction, _month(said))
    return to(request, f"{REPORT}?month={said}")


def _month(said: str | None) -> governance.Month:
    year, number = map(int, (said or f"{clock.now():%Y-%m}").split("-"))
    return governance.Month.of(year, number)
