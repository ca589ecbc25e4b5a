"""Carries consent between the wire and `mdm`: acts in, checks and what is known out."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session
from starlette.responses import Response

from api import answers, quotas
from api.refusals import told
from api.schemas.consents import ActIn, Acts, CheckIn, Checks, Point
from consent import ledger, receipts
from consent.entries import Query
from consent.ledger import Kept
from consent.purposes import shipped
from consent.status import Ruling
from kernel import audit, clock, db
from kernel.actor import Principal
from kernel.errors import Invalid, NotFound
from kernel.settings import settings
from mdm import consent_checks, consent_reading, consents, contact_points, history, rules
from mdm.consent_acts import Act
from mdm.consent_checks import Check, Checked
from mdm.consents import Outcome
from mdm.contact_points import ContactPoint
from mdm.mapping_values import Problem

CREATED = 201
BAD_POINT = Problem("bad_contact_point", "contact_point")
PLAIN = (
    "state", "purpose", "channel", "brand", "golden_id", "occurred_at", "asked_at", "expires_at", "jurisdiction", "basis",
    "origin", "strength", "method", "suppression", "implied_by", "lifts", "notice", "evidence", "reason",
)  # fmt: skip
SHOWN = (
    "entry_id", "state", "purpose", "channel", "brand", "occurred_at", "recorded_at", "expires_at", "suppression", "implied_by",
    "origin", "strength", "jurisdiction", "lifts", "parted_at",
)  # fmt: skip


def record(session: Session, caller: Principal, body: Acts) -> tuple[int, bytes]:
    """Record acts in the caller's transaction; the status and the body of the answer."""
    read = [_act(one) for one in body.acts]
    usable = [one for one in read if isinstance(one, Act)]
    outcomes = iter(consents.record(session, shipped(), usable, caller))
    found = [Outcome("rejected", problem=one) if isinstance(one, Problem) else next(outcomes) for one in read]
    created = sum(one.status == "created" for one in found)
    audit.record(session, caller.actor, "consent.recorded", "consent", "", detail={"sent": len(found), "created": created})
    return CREATED, orjson.dumps({"items": [_outcome(index, one) for index, one in enumerate(found)]})


def _act(sent: ActIn) -> Act | Problem:
    point = _point(sent.contact_point)
    if isinstance(point, Problem):
        return point
    record_ = (sent.record.source, sent.record.key) if sent.record else None
    return Act(**{name: getattr(sent, name) for name in PLAIN}, record=record_, contact=point)


def _point(sent: Point | None) -> ContactPoint | Problem | None:
    return None if sent is None else contact_points.read(sent.kind, sent.value, sent.country) or BAD_POINT


def _outcome(index: int, one: Outcome) -> dict[str, Any]:
    problem = {"problem": told(one.problem)} if one.problem else {}
    known = {"entry_id": one.entry_id, "owner": one.owner} if one.entry_id else {}
    notes = {"notes": [told(note) for note in one.notes]} if one.notes else {}
    return {"index": index, "status": one.status, **known, **problem, **notes}


async def check(caller: Principal, body: Checks) -> Response:
    """Answer checks. Raises: Invalid for a purpose or contact point that is none, or a time to come; TooMany; Unavailable."""
    now = clock.now()
    if body.at is not None and body.at > now:
        raise Invalid("That time is still to come", code="as_of_in_future")
    asked = [_check(index, one) for index, one in enumerate(body.checks)]
    # What is answered tells who is known, of a record under which golden id: it costs what looking them up does.
    await quotas.spend(caller, (repr(one.record or one.golden_id or one.contact) for one in asked))
    limits_of = consent_checks.limits_by((await rules.current()).policy)
    found = await consent_checks.check(caller, shipped(), asked, body.at or now, limits_of)
    written = await run_in_threadpool(_written, body.at or now, found)
    return answers.JsonBytes(written)


def _check(index: int, sent: CheckIn) -> Check:
    if sent.purpose not in shipped().purposes:
        raise Invalid(
            "No such purpose is known", code="unknown_purpose", extra={"index": index, "known": sorted(shipped().purposes)}
        )
    if shipped().purposes[sent.purpose].reaches and sent.channel is None:
        raise Invalid("This purpose reaches somebody: by which channel?", code="channel_missing", extra={"index": index})
    point = _point(sent.contact_point)
    if isinstance(point, Problem):
        raise Invalid("The contact point cannot be read", code=point.code, extra={"index": index})
    record_ = (sent.record.source, sent.record.key) if sent.record else None
    return Check(sent.purpose, sent.channel, sent.brand, sent.golden_id, record_, point)


def _written(at: datetime, found: Sequence[Checked]) -> bytes:
    return orjson.dumps({"checked_at": at, "items": [_checked(index, one) for index, one in enumerate(found)]})


def _checked(index: int, one: Checked) -> dict[str, Any]:
    known = {"golden_id": one.golden_id} if one.golden_id else {}
    points = {"contact_points": one.contact_points} if one.contact_points else {}
    return {"index": index, **_ruling(one.ruling), **known, **points}


def _ruling(ruling: Ruling) -> dict[str, Any]:
    about = {"entries": ruling.entries, "jurisdictions": ruling.jurisdictions}
    return {"answer": ruling.answer, "reason": ruling.reason, **about}


def read(caller: Principal, golden_id: UUID, as_of: datetime | None) -> Response:
    """Answer the consents of a golden record, now or as at a past time. Blocks. Raises: MdmError."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        live_id, status = history.living(session, golden_id)
        detail = {"as_of": as_of.isoformat()} if as_of else {}
        audit.record(session, caller.actor, "golden.read_consents", "golden", str(live_id), detail=detail)
    at = as_of or clock.now()
    with db.read_only(db.Role.ENGINE) as session:
        if as_of is None:
            told_ = consent_reading.read(session, shipped(), live_id, at, caller.scope.brands)
        else:
            told_ = consent_reading.read_past(session, shipped(), golden_id, at, caller.scope.brands)
    rulings = [_effective(told_, query, ruling) for query, ruling in told_.effective.items()]
    entries = [_entry(told_, one) for one in told_.entries]
    about = {"requested_id": golden_id, "golden_id": live_id, "status": status, "as_of": at}
    return answers.json_answer({**about, "effective": rulings, "entries": entries, "cut": told_.is_cut})


def receipt(session: Session, caller: Principal, entry_id: UUID) -> Response:
    """Answer the receipt of an entry within the caller's scope. Raises: NotFound."""
    found = ledger.kept(session, [entry_id])
    if not found:
        raise NotFound("There is no such entry within the key's scope", code="unknown_consent_entry")
    kept = found[0]
    subject = sorted(kept.entry.records)
    made = receipts.make(kept, shipped(), str(subject[0]) if subject else "", kept.contact_point, settings().controller)
    with db.transaction(db.Role.APP, caller.scope) as audited:
        audit.record(audited, caller.actor, "consent.read_receipt", "consent", str(entry_id))
    public, value = (base64.b64encode(one).decode() for one in (receipts.public_key(), made.signature))
    about = {"algorithm": receipts.ALGORITHM, "public_key": public, "value": value}
    return answers.json_answer({"receipt": made.document, "signature": about})


def _effective(known: consent_reading.Told, query: Query, ruling: Ruling) -> dict[str, Any]:
    point = consent_reading.point_of(known.points, query.contact)
    about = {"purpose": query.purpose, "channel": query.channel, "brand": query.brand, "contact_point": point}
    return {**about, **_ruling(ruling)}


def _entry(known: consent_reading.Told, kept: Kept) -> dict[str, Any]:
    entry = kept.entry
    return {
        **{name: getattr(entry, name) for name in SHOWN},
        "contact_point": consent_reading.point_of(known.points, entry.contact) or kept.contact_point,
        "basis": kept.basis,
        "method": kept.method,
        "notice": kept.notice,
        "source": kept.source,
        "recorded_by": kept.recorded_by,
        "records": sorted(entry.records),
        **consent_reading.evidence_of(kept),
        "reason": kept.reason,
    }
