"""Carries alerts of access and figures of drift to the wire."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from starlette.responses import Response

from api import answers
from api.refusals import require_whole_scope
from api.schemas.alerts import AlertFilter, Seen
from kernel import db
from kernel.actor import Principal
from mdm import drift_measure
from mdm.drift import Moved
from stewardship import access_alerts

WHOLE = "what callers do is not of one brand"


def listed(caller: Principal, asked: AlertFilter) -> Response:
    """Answer alerts. Raises: Forbidden for a caller of some brands or regions."""
    require_whole_scope(caller, WHOLE)
    with db.read_only() as session:
        found = access_alerts.unseen(session)[: asked.limit] if asked.unseen else access_alerts.listed(session, asked.limit)
    return answers.json_answer({"items": [_shown(one) for one in found]})


def seen(caller: Principal, alert_id: UUID, body: Seen) -> Response:
    """Keep that somebody has looked, and answer the alert. Raises: as `access_alerts.see`; Forbidden."""
    require_whole_scope(caller, WHOLE)
    with db.transaction() as session:
        alert = access_alerts.see(session, alert_id, caller.actor, body.reason, is_usual=body.is_usual)
    return answers.json_answer(_shown(alert))


def _shown(alert: access_alerts.Alert) -> dict[str, Any]:
    return {**asdict(alert), "sentence": alert.sentence}


def drift(caller: Principal) -> Response:
    """Answer the figures of drift. Raises: Forbidden for a caller of some brands or regions."""
    require_whole_scope(caller, "drift is told of all sources")
    with db.read_only() as session:
        day, found = drift_measure.measured_on(session), drift_measure.latest(session)
    return answers.json_answer({"day": day, "items": [_figure(one) for one in found]})


def _figure(moved: Moved) -> dict[str, Any]:
    told = asdict(moved)
    return {"what": told.pop("what"), "of": told.pop("name"), **told}
