"""Answers about the past of a golden record: what it was at a time, and what happened to it since."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session
from starlette.responses import Response

from api import answers
from consent.entries import Entry
from kernel import audit, db
from kernel.actor import Principal
from mdm import consent_history, history
from mdm.history import Key, Reason, Step, Version
from mdm.override_history import Shown
from mdm.undone_imports import UndoneImport
from stewardship.consents_affected import NEEDS as CONSENTS
from stewardship.consents_affected import Told


def as_of(caller: Principal, golden_id: UUID, when: datetime) -> Response:
    """Answer what an id answered at a time, in the form in which it answers now. Blocks. Raises: MdmError."""
    _seen(caller, golden_id, "golden.read_past", {"as_of": when.isoformat()})
    asked, lived = versions_at(caller, golden_id, when)
    with db.transaction() as session:
        timeline_id = history.timeline(session)
    chain = [asked.golden_id] if lived is asked else [asked.golden_id, lived.golden_id]
    body = {
        "requested_id": golden_id,
        "status": asked.status,
        "golden_id": lived.golden_id,
        "redirect_chain": chain,
        "split_into": asked.body.get("split_into", []),
        "timeline_id": timeline_id,
        "as_of": when,
        "golden": lived.body,
    }
    return answers.json_answer(body)


def versions_at(caller: Principal, golden_id: UUID, when: datetime) -> tuple[Version, Version]:
    """What an id answered at a time, and what the id that it lived by answered, which must be the caller's to see as well.

    Raises: as `history.at` and `history.visible`.
    """
    with db.transaction() as session:
        asked, lived = history.at(session, golden_id, when)
    with db.read_only(db.Role.APP, caller.scope) as session:
        history.visible(session, lived.golden_id)
        require_within(session, caller, asked, lived)
    return asked, lived


def require_within(session: Session, caller: Principal, *versions: Version | None) -> None:
    """Refuse what was told of records beyond the caller's scope as well. Raises: Forbidden."""
    if caller.scope != db.Scope():
        history.require_within(session, frozenset[UUID]().union(*(one.members for one in versions if one is not None)))


def told(caller: Principal, golden_id: UUID, after: int, most: int) -> Response:
    """Answer what happened to an id, step by step. Blocks. Raises: MdmError."""
    _seen(caller, golden_id, "golden.read_history", {"after": after})
    is_told = caller.may(CONSENTS)
    with db.transaction() as session:
        steps = history.steps(session, golden_id, after, most)
    with db.read_only(db.Role.APP, caller.scope) as session:
        require_within(session, caller, *(one for step in steps for one in (step.before, step.version)))
    with db.transaction() as session:
        consents = consent_history.of_steps(session, steps, caller.scope.brands) if is_told else [[] for _ in steps]
        if any(consents):
            audit.record(session, caller.actor, "golden.read_consents", "golden", str(golden_id))
    following = steps[-1].version.version if len(steps) == most else None
    items = [{**_step(one), "consents": [_consent(entry) for entry in said]} for one, said in zip(steps, consents, strict=True)]
    told = Told.ALL if is_told else Told.NEEDS_SCOPE
    return answers.json_answer({"golden_id": golden_id, "items": items, "next_after": following, "consents_told": told})


def _seen(caller: Principal, golden_id: UUID, action: str, detail: Mapping[str, Any]) -> None:
    """Hold the golden record against the caller's row scope, and audit that its past is read, before any of it is."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        history.visible(session, golden_id)
        audit.record(session, caller.actor, action, "golden", str(golden_id), detail=detail)


def _consent(entry: Entry) -> dict[str, Any]:
    return {
        "entry_id": entry.entry_id,
        "state": entry.state,
        "purpose": entry.purpose,
        "channel": entry.channel,
        "brand": entry.brand,
        "origin": entry.origin,
        "suppression": entry.suppression,
        "recorded_at": entry.recorded_at,
    }


def _step(step: Step) -> dict[str, Any]:
    version = step.version
    return {
        "version": version.version,
        "at": version.computed_at,
        "cause": version.cause,
        "status": version.status,
        **({"redirect_to": version.redirect_to} if version.redirect_to else {}),
        "joined": [_key(one) for one in step.joined],
        "left": [_key(one) for one in step.left],
        "because": [_reason(one) for one in step.because],
        "values": {name: {"before": was, "after": becomes} for name, (was, becomes) in step.values.items()},
        "overrides": [_shown(one) for one in step.overrides],
        "undone_imports": [_undone(one) for one in step.undone],
        "version_set": version.body.get("version_set"),
    }


def _shown(one: Shown) -> dict[str, Any]:
    return {
        "override_id": one.override_id,
        "change": one.change,
        "attribute": one.attribute,
        "author": one.author,
        "reason": one.reason,
        "expires_at": one.expires_at,
    }


def _undone(one: UndoneImport) -> dict[str, Any]:
    return {
        "import_id": one.import_id,
        "file": one.file,
        "source": one.source,
        "author": one.author,
        "reason": one.reason,
        "undone_at": one.undone_at,
        "records": one.records,
    }


def _key(key: Key) -> dict[str, str]:
    return {"source": key[0], "key": key[1]}


def _reason(one: Reason) -> dict[str, Any]:
    return {
        "record": _key(one.record),
        "beside": _key(one.beside),
        "author": one.author,
        "reason_code": one.reason_code,
        **({"weight": one.weight} if one.weight is not None else {}),
        "decision_id": one.decision_id,
    }
