"""Holds answers to the limits of purposes: the caller's, by its key or else its role, and that of the view which it asks for.

A key that is for a purpose reaches only the routes whose answers are held to its limits (`deps.Requires.is_limited`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from fastapi.concurrency import run_in_threadpool

from kernel import db
from kernel.actor import Principal
from kernel.errors import Forbidden, Unavailable
from mdm import limited, purposes, rules
from mdm.lookup import NOT_FOR_PURPOSE, Held
from mdm.policy import Policy
from mdm.purposes import Limits

NO_POLICY = "no_policy"


async def for_role(caller: Principal) -> Principal:
    """Give a caller the purpose that the policy states for its role; a key for one keeps its own. Raises: Unavailable."""
    if caller.purpose is not None or caller.role is None:
        return caller
    try:
        stated = (await rules.current()).policy.role_purposes
    except Unavailable as missing:
        if missing.code != NO_POLICY:
            raise
        return caller  # Nothing is limited, and nobody is known, before the first policy.
    return replace(caller, purpose=stated[caller.role]) if caller.role in stated else caller


def limits_of(policy: Policy, caller: Principal, view: str | None = None) -> Limits:
    """What the policy keeps out of what this caller asks by a view. Raises: Invalid for a purpose that nobody knows."""
    return purposes.limits(policy, caller.purpose, policy.view_purposes.get(view or ""))


def closed() -> Forbidden:
    """What refuses whoever works for a purpose what is not held to its limits."""
    detail = "What this operation answers is not held to the limits of purposes: use a key, or a role, that is for none."
    return Forbidden("The key or role is for one purpose", code="key_is_for_a_purpose", detail=detail)


def refuse_past(caller: Principal) -> None:
    """Raises: Forbidden for a caller whose purpose has limits: what was answered then was held to none."""
    if caller.purpose is not None:
        raise Forbidden("The past is kept as it was, and held to no limits of purposes", code="key_is_for_a_purpose")


def told(limits: Limits) -> dict[str, Any]:
    """Say in an answer which attributes were kept out of it."""
    return {"withheld": sorted(limits.attributes)} if limits.attributes else {}


async def limit(caller: Principal, policy: Policy, held: Mapping[str, Held], limits: Limits) -> Mapping[str, Held]:
    """Give golden records under some limits, and without what is beyond the caller's scope; free where there is neither."""
    if not limits and all(one.is_whole for one in held.values()):
        return held
    return await run_in_threadpool(_limited, caller, policy, held, limits)


def _limited(caller: Principal, policy: Policy, held: Mapping[str, Held], limits: Limits) -> Mapping[str, Held]:
    bodies = {
        asked: orjson.loads(one.body) for asked, one in held.items() if one.golden_id is not None and (limits or not one.is_whole)
    }
    partial = [body for asked, body in bodies.items() if not held[asked].is_whole]
    hidden: frozenset[str] = frozenset()
    if partial:
        with db.read_only(db.Role.APP, caller.scope) as session:
            hidden = limited.beyond(session, partial)
    with db.read_only() as session:
        found = dict(zip(bodies, limited.under(session, policy, list(bodies.values()), limits, hidden), strict=True))
    return {asked: _as(one, found[asked], limits) if asked in found else one for asked, one in held.items()}


def _as(held: Held, body: limited.Body | None, limits: Limits) -> Held:
    if body is None:
        return Held(held.requested_id, held.timeline_id, NOT_FOR_PURPOSE) if limits else Held(held.requested_id, held.timeline_id)
    return replace(held, body=orjson.dumps(body).decode())
