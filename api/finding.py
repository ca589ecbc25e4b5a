"""Carries a lookup from its question to its answer: to a golden id by whatever was shown, then to the view of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from api import answers, limiting, quotas, reading
from api.schemas.lookup import Identifier, Lookup
from kernel import db
from kernel.actor import Principal
from kernel.audit import Entry
from kernel.errors import MdmError
from mdm import identify, lookup, views
from mdm.purposes import Limits
from mdm.rules import Rules

NOBODY = identify.Holders((), has_pending=False)
# Some records still stand under the keys of an older program or policy: nobody was found, and somebody may be there.
RENEWING = "records_being_renewed"
# Some stand under old keys for good: the policy in force refuses what their source sent.
REFUSED = "records_refused"
# They are here, and asked that nothing be done with it.
RESTRICTED = "use_restricted"


@dataclass(frozen=True, slots=True)
class _Wish:
    """Who asks, what of a customer is to be shown, and what may not be used for it."""

    caller: Principal
    ruling: Rules
    fields: Sequence[str]
    limits: Limits


async def answer(caller: Principal, ruling: Rules, body: Lookup, fields: Sequence[str]) -> Response:
    """Answer a lookup. Raises: MdmError for what the policy does not know; TooMany."""
    wish = _Wish(caller, ruling, fields, limiting.limits_of(ruling.policy, caller, body.view))
    if caller.identifiers_per_hour is not None:
        await quotas.spend(caller, [body.model_dump_json(exclude={"view"})])
    if body.golden_id is not None:
        return await _found(wish, str(body.golden_id))
    if body.source_key is not None:
        if body.source_key.source in wish.limits.sources:
            return await _not_for_purpose(wish, "source_key")
        timeline_id, (crossed,) = await lookup.crosswalk(caller, [(body.source_key.source, body.source_key.key)])
        if crossed.golden_id is not None:
            return await _found(wish, crossed.golden_id)
        waits = crossed.resolution in {"pending", "quarantined"}
        return _nobody("pending" if waits else "none", timeline_id)
    assert body.identifier is not None  # noqa: S101 - the schema asks for exactly one of the three.
    return await _by_identifier(wish, body.identifier)


async def _not_for_purpose(wish: _Wish, by: str) -> Response:
    """Answer one who asks by what may not be used for the purpose; nobody was looked for."""
    async with db.hot_connection(wish.caller.scope) as connection:
        await lookup.audited(connection, [Entry(wish.caller.actor, "lookup", "lookup", "", detail={"by": by, "found": 0})])
        return _nobody("none", await lookup.timeline(connection), lookup.NOT_FOR_PURPOSE)


async def _by_identifier(wish: _Wish, shown: Identifier) -> Response:
    caller, ruling = wish.caller, wish.ruling
    key = identify.key_of(ruling.policy, identify.Shown(shown.kind, shown.value, shown.issuer, shown.programme, shown.country))
    if isinstance(key, identify.Key) and any(map(wish.limits.bars, key.contained)):
        return await _not_for_purpose(wish, shown.kind)
    async with db.hot_connection(caller.scope) as connection:
        held = await identify.holders(connection, key, wish.limits.sources) if isinstance(key, identify.Key) else NOBODY
        if len(held.golden_ids) != 1:
            timeline_id = await lookup.timeline(connection)
            detail = {"by": shown.kind, "found": len(held.golden_ids)}
            await lookup.audited(connection, [Entry(caller.actor, "lookup", "lookup", "", detail=detail)])
    if len(held.golden_ids) == 1:
        return await _found(wish, held.golden_ids[0])
    if held.golden_ids:
        return answers.json_answer({"result": "ambiguous", "timeline_id": timeline_id, "golden_ids": held.golden_ids})
    if held.has_pending:
        return _nobody("pending", timeline_id)
    reason = key.doubt if isinstance(key, identify.Key) else key
    missed = RENEWING if ruling.stale_records else REFUSED if ruling.refused_records else None
    return _nobody("none", timeline_id, reason or missed)


def _nobody(result: str, timeline_id: str, reason: str | None = None) -> Response:
    return answers.json_answer({"result": result, "timeline_id": timeline_id, **({"reason": reason} if reason else {})})


async def _found(wish: _Wish, golden_id: str) -> Response:
    read = await lookup.golden(wish.caller, golden_id, "lookup", with_flags="flags" in wish.fields)
    fields = () if read.is_restricted else wish.fields  # Nobody needs to count what their records did.
    held = (await reading.shown(wish.caller, wish.ruling.policy, {golden_id: read}, fields, wish.limits))[golden_id]
    try:
        answers.refuse_missing(held)
    except MdmError as missing:
        return _nobody("none", held.timeline_id, missing.code)
    if held.is_restricted:
        return _nobody("none", held.timeline_id, RESTRICTED)
    shown: dict[str, Any] = {
        "result": "found",
        "timeline_id": held.timeline_id,
        "requested_id": held.requested_id,
        "status": held.status,
        "golden_id": held.golden_id,
        "version": held.version,
        "view": views.show(held, wish.fields),
        **limiting.told(wish.limits),
    }
    return answers.json_answer(shown)
