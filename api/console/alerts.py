"""What callers did that they do not usually do, and who has looked at it."""

from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from api.console.frame import Auditor, Page, Sent, field, page, require_whole_scope, to
from api.console.operations import OPERATIONS
from api.routes import resource
from kernel import db
from kernel.errors import Invalid
from stewardship import access_alerts

router = resource("console_alerts", Page)
ALERTS = f"{OPERATIONS}/alerts"
MOST = 50


@router.get(ALERTS, include_in_schema=False)
def alerts(request: Request, signed: Auditor) -> Response:
    """List the latest, what nobody has looked at first."""
    require_whole_scope(signed.user.principal, "An alert")
    with db.read_only() as session:
        found = access_alerts.listed(session, MOST)
    return page(request, "alerts.html", alerts=found)


@router.post(f"{ALERTS}/{{alert_id}}/seen", include_in_schema=False)
def seen(request: Request, signed: Auditor, sent: Sent, alert_id: UUID) -> Response:
    """Say that one has looked at it."""
    require_whole_scope(signed.user.principal, "An alert")
    reason = field(sent, "reason")[:500]
    if not reason:
        raise Invalid("Say what it was", code="reason_needed")
    with db.transaction() as session:
        access_alerts.see(session, alert_id, signed.user.principal.actor, reason, is_usual=field(sent, "usual") == "yes")
    return to(request, ALERTS)
