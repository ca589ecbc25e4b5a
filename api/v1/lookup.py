"""Who is this? One identifier, source key or golden id in, one view of one customer out."""

from starlette.responses import Response

from api import answers, finding
from api.deps import LimitedLookupCaller
from api.routes import HotRoute, resource
from api.schemas.lookup import Lookup, LookupAnswer
from mdm import rules

router = resource("lookup", HotRoute)


@router.post("/v1/lookup", response_model=LookupAnswer, response_model_exclude_none=True)
async def find(caller: LimitedLookupCaller, body: Lookup) -> Response:
    """Find one customer and show a view of it, for the till and the service desk.

    `ambiguous` shows nobody's data: ask for something else. `pending` is known but not resolved yet. Values that identify
    nobody (a role address, a placeholder) are answered `none` with the reason `not_identifying`.
    """
    ruling = await rules.current()
    return await finding.answer(caller, ruling, body, answers.view_fields(ruling.policy, body.view))
