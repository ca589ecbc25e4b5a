"""What callers did that they do not usually do, and how far what comes has moved from what the model was made for."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from api import alerting
from api.deps import AuditReader, JobsReader
from api.routes import Route, resource
from api.schemas.alerts import Alert, AlertFilter, Alerts, Drift, Seen

router = resource("alerts", Route)


@router.get("/v1/alerts", response_model=Alerts)
def listed(caller: AuditReader, asked: Annotated[AlertFilter, Query()]) -> Response:
    """List unusual access, what nobody has looked at first. Needs a key of all brands and regions."""
    return alerting.listed(caller, asked)


@router.post("/v1/alerts/{alert_id}:seen", response_model=Alert)
def seen(caller: AuditReader, alert_id: UUID, body: Seen) -> Response:
    """Say that one has looked at an alert. Refused to whom it is about (403), and a second time (409)."""
    return alerting.seen(caller, alert_id, body)


@router.get("/v1/drift", response_model=Drift)
def drift(caller: JobsReader) -> Response:
    """Tell of drift, as measured daily: how far what comes now has moved from what the model was put in charge of."""
    return alerting.drift(caller)
