"""Search before create."""

from starlette.responses import Response

from api import answers, matches
from api.deps import MatchCaller
from api.routes import HotRoute, resource
from api.schemas.match import Match, MatchAnswer
from mdm import rules, search

router = resource("match", HotRoute)


@router.post("/v1/match", response_model=MatchAnswer, response_model_exclude_none=True)
async def find(caller: MatchCaller, body: Match) -> Response:
    """Find who a new record might be, before it is created. Nothing is stored.

    The certainty says what would happen if it were stored: `exact` and `strong` would be merged, `possible` would be asked.
    """
    matches.may_explain(caller, body)
    versions = (await rules.current()).matching()
    fields = None if body.view is None else answers.view_fields(versions.policy, body.view)
    found = await search.search(caller, versions, matches.asked(versions, body), body.limit)
    return answers.json_answer(await matches.answer(caller, versions, body, found, fields))
