"""Carries audiences from the wire to their job, and whom to drop since to whoever sends by a list."""

from typing import Any
from uuid import UUID

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api import answers, exporting, uploading
from consent.entries import Channel
from consent.purposes import shipped
from kernel import audit, clock, db
from kernel.actor import Principal
from kernel.errors import Invalid, NotFound
from mdm import audiences, denials, export_registry
from mdm.audiences import Wish
from mdm.consent_files import Default
from mdm.denials import Named, Sending


def wish(file_format: str, purpose: str | None, channel: Channel | None, brand: str | None) -> Wish:
    """What is wanted."""
    return Wish(file_format, Default(purpose, channel, brand))


async def take(caller: Principal, request: Request, wanted: Wish, key: str | None) -> Response:
    """Take an audience in and open its job. Raises: as `uploading.receive` and `audiences.check`."""

    def begin(session: Session, upload: UUID) -> dict[str, Any]:
        made = audiences.begin(session, wanted, str(upload), caller)
        return exporting.shown(*export_registry.find(session, made))

    taking = uploading.Taking(lambda _: audiences.check(shipped(), wanted), begin)
    return await uploading.receive(caller, request, wanted.format, key, taking)


def read(session: Session, audience_id: UUID) -> Response:
    """Answer how an audience stands. Raises: NotFound."""
    _require(session, audience_id)
    return answers.json_answer(exporting.shown(*export_registry.find(session, audience_id)))


def content(caller: Principal, audience_id: UUID, if_none_match: str | None) -> Response:
    """Hand out the file. Blocks. Raises: NotFound, and as `exporting.content`."""
    with db.read_only(db.Role.APP, caller.scope) as session:
        _require(session, audience_id)
    return exporting.content(caller, audience_id, if_none_match)


def _require(session: Session, audience_id: UUID) -> None:
    entry, _ = export_registry.find(session, audience_id)
    if entry.kind != audiences.KIND:
        raise NotFound("There is no such audience within the key's scope", code="unknown_audience")


def dropped(caller: Principal, sending: Sending, after: str, limit: int) -> Response:
    """Answer whom to drop behind a cursor. Audited. Blocks. Raises: Invalid; and as `denials.since`."""
    purpose = shipped().purposes.get(sending.purpose)
    if purpose is None:
        raise Invalid("No such purpose is known", code="unknown_purpose", extra={"known": sorted(shipped().purposes)})
    if purpose.reaches and sending.channel is None:
        raise Invalid("This purpose reaches somebody: by which channel?", code="channel_missing")
    with db.transaction(db.Role.APP, caller.scope) as session:
        page = denials.since(session, shipped(), sending, after, clock.now(), limit)
        audit.record(session, caller.actor, "consent.check", "consent", "", detail={"asked": len(page.named)})
    return answers.json_answer({"items": [_named(one) for one in page.named], "next": page.next, "has_more": page.has_more})


def _named(one: Named) -> dict[str, Any]:
    ruling = one.now.ruling
    return {
        "golden_id": one.golden_id, "now_golden_id": one.now.golden_id, "seq": one.seq, "drop": not ruling.permits,
        "answer": ruling.answer, "reason": ruling.reason, "contact_points": one.now.contact_points,
    }  # fmt: skip
