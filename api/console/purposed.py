"""Customers as somebody sees them whose role works for a purpose: under its limits, and only what these are applied to.

Values alone, for records, story, household, consents and what was told before are held to none. Nobody is found by what is kept
out, nor by records of a source that is.
"""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

import orjson

from api import answers, limiting, reading
from api.console import customer_page
from api.console.customer_page import CustomerPage
from kernel.actor import Principal
from kernel.errors import Invalid
from mdm.golden_search import Hit, Page
from mdm.lookup import Held
from mdm.policy import Policy

# What of a customer each criterion of the search looks at.
LOOKS_AT: Mapping[str, tuple[str, ...]] = {
    "name": ("display_name",), "email": ("emails",), "phone": ("phones",), "identifier": ("identifiers", "loyalty_accounts"),
    "postal_code": ("address",),
}  # fmt: skip


def refuse_barred(caller: Principal, policy: Policy, said: Mapping[str, str]) -> None:
    """Raises: Invalid for a search by what the policy keeps out of the caller's purpose."""
    limits = limiting.limits_of(policy, caller)
    if barred := [name for name, text in said.items() if text and any(map(limits.bars, LOOKS_AT.get(name, ())))]:
        named = ", ".join(barred).replace("_", " ")
        raise Invalid("Nobody is found by that for your purpose", code="not_for_purpose", detail=f"Leave out: {named}.")


async def found(caller: Principal, policy: Policy, page: Page) -> Page:
    """A page of a search with whoever may be found so, each by the name that is left. Raises: Unavailable."""
    barred = limiting.limits_of(policy, caller).sources
    kept = [(hit, tuple(one for one in hit.members if one.source not in barred)) for hit in page.hits]
    usable = {hit.golden_id: replace(hit, members=left) for hit, left in kept if hit.golden_id and _meet_all(hit, left)}
    held = await reading.several(caller, [str(one) for one in usable], None, None) if usable else {}
    shown = (
        replace(hit, display_name=_name(held[str(golden_id)])) for golden_id, hit in usable.items() if _is_there(held, golden_id)
    )
    return replace(page, hits=tuple(shown))


def _meet_all(hit: Hit, left: tuple[object, ...]) -> bool:
    """Whether the records that may be used meet all that was asked, as those of the hit do together."""
    asked = {name for one in hit.members for name in one.by}
    return asked == {name for one in hit.members if one in left for name in one.by}


def _is_there(held: Mapping[str, Held], golden_id: UUID) -> bool:
    return held[str(golden_id)].golden_id is not None


def _name(held: Held) -> str | None:
    name: str | None = orjson.loads(held.body).get("display_name")
    return name


async def customer(caller: Principal, golden_id: UUID) -> CustomerPage:
    """Read a customer, audited. Raises: Forbidden when nothing is left; NotFound, Gone; Unavailable."""
    held = await reading.one(caller, str(golden_id))
    answers.refuse_missing(held)
    return customer_page.under_limits(caller, held, golden_id)
