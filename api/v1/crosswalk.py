"""From source keys to golden ids."""

from starlette.responses import Response

from api import answers
from api.deps import LookupCaller
from api.routes import HotRoute, resource
from api.schemas.golden import CrosswalkAnswer, CrosswalkLookup
from mdm import lookup

router = resource("crosswalk", HotRoute)


@router.post("/v1/crosswalk:lookup", response_model=CrosswalkAnswer)
async def find(caller: LookupCaller, body: CrosswalkLookup) -> Response:
    """Find the golden ids of up to 1,000 source records. Keys are not repeated in the answer: items stand in the order asked."""
    timeline_id, found = await lookup.crosswalk(caller, [(record.source, record.key) for record in body.records])
    items = [
        {"index": index, "resolution": one.resolution, "record_id": one.record_id, "golden_id": one.golden_id}
        for index, one in enumerate(found)
    ]
    return answers.json_answer({"timeline_id": timeline_id, "items": items})
