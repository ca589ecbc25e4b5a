"""Reads golden records for an answer: held to the limits of purposes, with what their records did where a view shows it."""

from collections.abc import Mapping, Sequence

from api import limiting
from kernel.actor import Principal
from mdm import activity_reading, lookup, rules
from mdm.lookup import Held
from mdm.policy import Policy
from mdm.purposes import Limits


async def one(caller: Principal, golden_id: str) -> Held:
    """Read one golden record as its caller may use it. Raises: Unavailable."""
    held = await lookup.golden(caller, golden_id)
    if caller.purpose is None:
        return held
    ruling = (await rules.current()).policy
    return (await limiting.limit(ruling, {golden_id: held}, limiting.limits_of(ruling, caller)))[golden_id]


async def several(
    caller: Principal, golden_ids: Sequence[str], fields: Sequence[str] | None, view: str | None
) -> Mapping[str, Held]:
    """Read golden records to show fields of them, by a view where one is named. Raises: Unavailable."""
    read = await lookup.goldens(caller, golden_ids, "golden.batch_get", with_flags="flags" in (fields or ()))
    if caller.purpose is None and view is None:
        return await activity_reading.beside(caller, read, fields)
    ruling = (await rules.current()).policy
    return await shown(caller, ruling, read, fields, limiting.limits_of(ruling, caller, view))


async def shown(
    caller: Principal, ruling: Policy, read: Mapping[str, Held], fields: Sequence[str] | None, limits: Limits
) -> Mapping[str, Held]:
    """Give golden records as some limits leave them, with what their records did where the fields name it."""
    held = await limiting.limit(ruling, read, limits)
    return await activity_reading.beside(caller, held, fields, limits.sources)
