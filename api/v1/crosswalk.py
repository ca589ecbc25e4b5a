"""From source keys to golden ids."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from api import answers, quotas
from api.deps import LookupCaller
from api.routes import HotRoute, resource
from api.schemas.golden import CrosswalkAnswer, CrosswalkLookup
from api.schemas.times import Time
from mdm import crosswalk_history, lookup
from mdm.crosswalk_history import CrossedThen
from mdm.lookup import Crossed

router = resource("crosswalk", HotRoute)


AsOf = Annotated[Time | None, Query(description="A time with its zone: under which golden id each record lived then.")]


@router.post("/v1/crosswalk:lookup", response_model=CrosswalkAnswer)
async def find(caller: LookupCaller, body: CrosswalkLookup, as_of: AsOf = None) -> Response:
    """Find the golden ids of up to 1,000 source records. Keys are not repeated in the answer: items stand in the order asked.

    With `as_of` it says under which golden id each record lived then, and since when; a record whose key was given up for another
    is found by either. A record within the key's scope now is seen with all its past, one outside it with none.
    """
    keys = [(record.source, record.key) for record in body.records]
    await quotas.spend(caller, map(repr, keys))
    if as_of is not None:
        timeline_id, then = await crosswalk_history.as_of(caller, keys, as_of)
        past = [{"index": index, **_item(one), "since": one.since} for index, one in enumerate(then)]
        return answers.json_answer({"timeline_id": timeline_id, "as_of": as_of, "items": past})
    timeline_id, found = await lookup.crosswalk(caller, keys)
    return answers.json_answer({"timeline_id": timeline_id, "items": [{"index": i, **_item(one)} for i, one in enumerate(found)]})


def _item(one: Crossed | CrossedThen) -> dict[str, str | None]:
    return {"resolution": one.resolution, "record_id": one.record_id, "golden_id": one.golden_id}
