"""Golden records by id: one, or up to a thousand."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Query
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import answers, limiting, past, reading, relating, searching
from api.deps import GoldenReader, LimitedGoldenReader, LimitedLookupCaller, Revealer
from api.routes import HotRoute, Route, resource
from api.schemas.golden import BatchGet, BatchGetAnswer, Golden, History, ResolveIds, ResolveIdsAnswer
from api.schemas.relationships import Relationships
from api.schemas.reveals import Reveal, RevealedValues
from api.schemas.search import Search, SearchAnswer
from api.schemas.times import Time
from mdm import lookup, rules
from stewardship import revealing

router = resource("golden", HotRoute)
stories = resource("golden", Route)
AsOf = Annotated[Time | None, Query(description="A time with its zone: what was answered then, and is kept.")]


@router.get("/v1/golden/{golden_id}", response_model=Golden, responses={304: {"description": "Unchanged."}})
async def get(
    caller: LimitedGoldenReader, golden_id: UUID, as_of: AsOf = None, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Read one golden record.

    Every id ever issued answers: a merged one with the record it was merged into, an ended one with status `ended`, an erased
    one with 410. The answer carries an ETag; with If-None-Match an unchanged one costs no body. With `as_of` it answers what it
    answered then.
    """
    if as_of is not None:
        limiting.refuse_past(caller)
        return await run_in_threadpool(past.as_of, caller, golden_id, as_of)
    held = await reading.one(caller, str(golden_id))
    return answers.golden_answer(held, if_none_match)


@stories.get("/v1/golden/{golden_id}/history", response_model=History)
def history(
    caller: GoldenReader,
    golden_id: UUID,
    after: Annotated[int, Query(ge=0, description="The version to go on after: `next_after` of the answer before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Response:
    """What happened to a golden record, the earliest first: who joined and why, who left, which values became others."""
    return past.told(caller, golden_id, after, limit)


@stories.get("/v1/golden/{golden_id}/relationships", response_model=Relationships)
def relationships(caller: GoldenReader, golden_id: UUID) -> Response:
    """Who stands to a golden record how, and why: its household, the accounts above and below it, the brands it belongs to.

    Derived from what records within the key's scope say now. Relationships merge nobody.
    """
    return relating.answer(caller, golden_id)


@stories.post("/v1/golden/{golden_id}:reveal", response_model=RevealedValues)
def reveal(caller: Revealer, golden_id: UUID, body: Reveal) -> Response:
    """Show values as they are to somebody who sees them masked.

    The reason is kept in the audit log. So many in an hour: 429 says when to ask again.
    """
    found = revealing.reveal(caller, golden_id, body.attributes, body.reason)
    return answers.json_answer({"golden_id": found.golden_id, "values": found.values})


@router.post("/v1/golden:batch-get", response_model=BatchGetAnswer)
async def batch_get(caller: LimitedGoldenReader, body: BatchGet) -> Response:
    """Read up to 1,000 golden records: whole, chosen fields (plain values), or a view of the policy."""
    fields = body.fields if body.view is None else answers.view_fields((await rules.current()).policy, body.view)
    ids = [str(golden_id) for golden_id in body.ids]
    held = await reading.several(caller, ids, fields, body.view)
    items = [answers.item(held[golden_id], fields) for golden_id in ids]
    return answers.json_answer({"timeline_id": held[ids[0]].timeline_id, "items": items})


@router.post("/v1/golden:resolve-ids", response_model=ResolveIdsAnswer)
async def resolve_ids(caller: LimitedLookupCaller, body: ResolveIds) -> Response:
    """Say what became of up to 1,000 golden ids: live, merged (and into which), ended, erased or unknown. Shows nobody's data."""
    ids = [str(golden_id) for golden_id in body.ids]
    held = await lookup.resolve_ids(caller, ids)
    return answers.json_answer({"timeline_id": held[ids[0]].timeline_id, "items": [answers.standing(held[one]) for one in ids]})


@router.post("/v1/golden:search", response_model=SearchAnswer)
async def search(caller: GoldenReader, body: Search) -> Response:
    """Find golden records by what is known of a customer: part of a name, e-mail, phone, identifier, postal code, a record's key.

    All criteria that are given must be met, by values of records within the key's brands and regions; each hit names the records
    that met them. A page costs the same however much there is: one that ended early says so, and `next` goes on.
    """
    return await searching.answer(caller, await rules.current(), body)
