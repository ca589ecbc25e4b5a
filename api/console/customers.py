"""The console's customers: found, read with the reason for every value, parted, merged, and values set by hand.

What a search is by stands in the body alone, never in an address. What changes a customer is looked at on a page of its own.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from api import deciding, limiting, reading, searching
from api.console import by_hand, customer_page, purposed
from api.console.frame import ROOT, LimitedReader, Page, Revealer, Sent, Steward, confirmation, field, page, to
from api.console.words import KINDS
from api.routes import resource
from api.schemas.search import Search
from kernel.actor import Principal
from kernel.errors import Forbidden, Invalid, MdmError
from mdm import golden_search, history, masking, rules
from mdm.policy import Policy
from stewardship import overriding, revealing, settle
from stewardship.accounts import Signed
from stewardship.overriding import OverrideWish
from stewardship.settle import MATCH, NO_MATCH, Looked, Wish
from stewardship.sides import Side

router = resource("console_customers", Page)
CUSTOMERS = f"{ROOT}/customers"
CRITERIA = ("name", "email", "phone", "identifier", "postal_code", "source_key")
HITS = 20
NOTHING_SAID: dict[str, str] = dict.fromkeys(CRITERIA, "")


@router.get(CUSTOMERS, include_in_schema=False)
def form(request: Request, _signed: LimitedReader) -> Response:
    """Show the form of the search."""
    return page(request, "customers.html", said=NOTHING_SAID, found=None, error=None, following=None)


@router.post(CUSTOMERS, include_in_schema=False)
async def search(request: Request, signed: LimitedReader, sent: Sent) -> Response:
    """Find customers by what is known of them."""
    said = {name: field(sent, name) for name in CRITERIA}
    try:
        found, following = await _found(signed.user.principal, said, field(sent, "cursor") or None)
    except MdmError as error:
        return await run_in_threadpool(
            page, request, "customers.html", error.status, said=said, found=None, error=error, following=None
        )
    return await run_in_threadpool(page, request, "customers.html", said=said, found=found, error=None, following=following)


async def _found(caller: Principal, said: dict[str, str], cursor: str | None) -> tuple[golden_search.Page, str | None]:
    """A page of a search, and the cursor of the next."""
    body, policy = _search(said, cursor), (await rules.current()).policy
    question = searching.question(caller, policy, body)
    if caller.purpose is not None:
        purposed.refuse_barred(caller, policy, said)
    found = await golden_search.search(caller, question, golden_search.opened(question, cursor) if cursor else None, HITS)
    found = await (reading.named(caller, found) if caller.purpose is None else purposed.found(caller, policy, found))
    return _shown_to(caller, policy, found), golden_search.sealed(question, found.following) if found.following else None


def _shown_to(caller: Principal, policy: Policy, found: golden_search.Page) -> golden_search.Page:
    if caller.sees_clear:
        return found
    private = {name for name, source in policy.sources.items() if source.key_is_personal}
    return replace(found, hits=tuple(_masked(hit, private) for hit in found.hits))


def _masked(hit: golden_search.Hit, private: Collection[str]) -> golden_search.Hit:
    members = tuple(replace(one, key=masking.key(one.source, one.key, private)) for one in hit.members)
    return replace(hit, display_name=hit.display_name and masking.name(hit.display_name), members=members)


def _search(said: dict[str, str], cursor: str | None) -> Search:
    given: dict[str, Any] = {name: text for name, text in said.items() if text and name != "source_key"}
    if said["source_key"]:
        given["source_key"] = {"key": said["source_key"]}
    try:
        return Search(**given, limit=HITS, cursor=cursor)
    except ValidationError as error:
        raise Invalid("Say at least one thing that is known, in at most 256 characters", code="nothing_to_search_by") from error


@router.get(f"{CUSTOMERS}/{{golden_id}}", include_in_schema=False)
async def one(
    request: Request, signed: LimitedReader, golden_id: UUID, as_of: Annotated[str | None, Query(max_length=40)] = None
) -> Response:
    """Show a customer: values and why, records, story, who belongs together. With `as_of` as they stood then."""
    caller = signed.user.principal
    if caller.purpose is None:
        try:
            return await run_in_threadpool(_shown, request, signed, golden_id, as_of)
        except Forbidden as refused:
            if refused.code != history.OUTSIDE_SCOPE or as_of is not None:
                raise  # The past is kept whole; of the present, what their own records say is computed.
    elif as_of is not None:
        limiting.refuse_past(caller)
    found = await purposed.customer(caller, golden_id)
    return await run_in_threadpool(_page, request, found)


def _shown(
    request: Request, signed: Signed, golden_id: UUID, as_of: str | None, error: MdmError | None = None, revealed: bool = False
) -> Response:
    caller = revealing.as_clear(signed.user.principal) if revealed else signed.user.principal
    return _page(request, customer_page.at(caller, golden_id, by_hand.moment(as_of, signed)), as_of, error, revealed)


def _page(
    request: Request,
    found: customer_page.CustomerPage,
    as_of: str | None = None,
    error: MdmError | None = None,
    revealed: bool = False,
) -> Response:
    about = {"attributes": by_hand.ATTRIBUTES, "as_of": as_of, "kinds": KINDS, "error": error, "revealed": revealed}
    return page(request, "customer.html", error.status if error else 200, found=found, **about)


@router.post(f"{CUSTOMERS}/{{golden_id}}/reveal", include_in_schema=False)
def reveal(request: Request, signed: Revealer, sent: Sent, golden_id: UUID) -> Response:
    """Show a customer's values as they are, this once, for a reason that is kept."""
    try:
        revealing.reveal(signed.user.principal, golden_id, (), field(sent, "reason"))
    except MdmError as error:
        return _shown(request, signed, golden_id, None, error)
    return _shown(request, signed, golden_id, None, revealed=True)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that changes a customer: how to look at it, and how to do it with the token of the look."""

    title: str
    look: Callable[[], Looked]
    make: Callable[[str], Any]


@router.post(f"{CUSTOMERS}/{{golden_id}}/{{act}}", include_in_schema=False)
def act(request: Request, signed: Steward, sent: Sent, golden_id: UUID, act: str) -> Response:
    """Show what splitting, merging or setting a value would do; with the token of that page, do it."""
    try:
        wanted = _act(signed, sent, golden_id, act)
        token = field(sent, "token")
        if token:
            wanted.make(token)
            return to(request, f"{CUSTOMERS}/{golden_id}")
        looked = wanted.look()
    except MdmError as error:
        return _shown(request, signed, golden_id, None, error)
    return confirmation(request, wanted.title, looked, sent, f"{CUSTOMERS}/{golden_id}")


def _act(signed: Signed, sent: FormData, golden_id: UUID, act: str) -> Act:
    caller, reason = signed.user.principal, field(sent, "reason")
    settle.checked_reason(reason)
    if act == "override":
        until = by_hand.moment(field(sent, "expires_at"), signed)
        value = OverrideWish(golden_id, field(sent, "attribute"), by_hand.value(sent), reason, until)
        return Act(
            f"Set {value.attribute.replace('_', ' ')} by hand",
            lambda: overriding.look(deciding.resolver(), caller, value),
            lambda token: overriding.make(deciding.resolver(), caller, value, token),
        )
    if act == "withdraw":
        return _withdrawal(caller, golden_id, field(sent, "override_id"), reason)
    wish = _wish(sent, golden_id, act, reason)
    return Act(
        "Split this customer" if act == "split" else "Merge two customers",
        lambda: settle.look(deciding.resolver(), caller, wish),
        lambda token: settle.make(deciding.resolver(), caller, wish, token),
    )


def _withdrawal(caller: Principal, golden_id: UUID, text: str, reason: str) -> Act:
    try:
        override_id = UUID(text)
    except ValueError as error:
        raise Invalid("That is no value set by hand", code="bad_override_id") from error
    return Act(
        "Let a value set by hand go",
        lambda: overriding.look_back(deciding.resolver(), caller, golden_id, override_id),
        lambda token: overriding.withdraw(deciding.resolver(), caller, golden_id, override_id, reason, token),
    )


def _wish(sent: FormData, golden_id: UUID, act: str, reason: str) -> Wish:
    across = frozenset(str(name) for name in sent.getlist("across"))
    if act == "split":
        keys = [str(one).partition(":") for one in sent.getlist("record")]
        if not keys:
            raise Invalid("Choose the records that go", code="no_record_chosen")
        named = tuple((source, key) for source, _, key in keys)
        return Wish(NO_MATCH, Side(golden_id, named), Side(golden_id), reason)
    if act != "merge":
        raise MdmError("There is no such page", code="no_such_page", status=404)
    try:
        other = UUID(field(sent, "other"))
    except ValueError as error:
        raise Invalid("That is no golden id", code="bad_golden_id") from error
    return Wish(MATCH, Side(golden_id), Side(other), reason, across)
