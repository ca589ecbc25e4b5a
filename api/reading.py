"""Reads golden records for an answer: within the scope of the caller, under limits of purposes, with what their records did."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson

from api import limiting
from kernel.actor import Principal
from mdm import activity_reading, lookup, rules
from mdm.golden_search import Page
from mdm.lookup import Held
from mdm.policy import Policy
from mdm.purposes import Limits


async def one(caller: Principal, golden_id: str) -> Held:
    """Read one golden record as its caller may use it. Raises: Unavailable."""
    held = await lookup.golden(caller, golden_id)
    if caller.purpose is None and held.is_whole:
        return held
    ruling = (await rules.current()).policy
    return (await limiting.limit(caller, ruling, {golden_id: held}, limiting.limits_of(ruling, caller)))[golden_id]


async def several(
    caller: Principal, golden_ids: Sequence[str], fields: Sequence[str] | None, view: str | None
) -> Mapping[str, Held]:
    """Read golden records to show fields of them, by a view where one is named. Raises: Unavailable."""
    read = await lookup.goldens(caller, golden_ids, "golden.batch_get", with_flags="flags" in (fields or ()))
    if caller.purpose is None and view is None and all(one.is_whole for one in read.values()):
        return await activity_reading.beside(caller, read, fields)
    ruling = (await rules.current()).policy
    return await shown(caller, ruling, read, fields, limiting.limits_of(ruling, caller, view))


async def named(caller: Principal, page: Page) -> Page:
    """Give customers that were found in part the name that is left of them. Raises: Unavailable."""
    partial = [str(one.golden_id) for one in page.hits if not one.is_whole]
    if not partial:
        return page
    held = await several(caller, partial, None, None)
    names = {golden_id: orjson.loads(one.body).get("display_name") for golden_id, one in held.items()}
    hits = (one if one.is_whole else replace(one, display_name=names[str(one.golden_id)]) for one in page.hits)
    return replace(page, hits=tuple(hits))


async def shown(
    caller: Principal, ruling: Policy, read: Mapping[str, Held], fields: Sequence[str] | None, limits: Limits
) -> Mapping[str, Held]:
    """Give golden records as some limits leave them, with what their records did where the fields name it."""
    held = await limiting.limit(caller, ruling, read, limits)
    return await activity_reading.beside(caller, held, fields, limits.sources)
