"""Search before create."""

from starlette.responses import Response

from api import answers, matches
from api.deps import LimitedMatchCaller
from api.routes import HotRoute, resource
from api.schemas.match import Match, MatchAnswer
from mdm import rules

router = resource("match", HotRoute)


@router.post("/v1/match", response_model=MatchAnswer, response_model_exclude_none=True)
async def find(caller: LimitedMatchCaller, body: Match) -> Response:
    """Find who a new record might be, before it is created. Nothing is stored.

    The certainty says what would happen if it were stored: `exact` and `strong` would be merged, `possible` would be asked.
    `none` with a `reason` says that nothing could be searched for; `notes` name the fields that were not understood.
    """
    matches.may_explain(caller, body)
    ruling = await rules.current()
    versions = ruling.matching()
    fields = None if body.view is None else answers.view_fields(versions.policy, body.view)
    found = await matches.answer(caller, versions, body, matches.asked(caller, versions, body), fields)
    return answers.json_answer(matches.with_missed(found, ruling))
