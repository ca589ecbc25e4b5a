"""The sources of the policy, as far as a sender needs to know them."""

from starlette.responses import Response

from api import answers
from api.deps import Reading, RecordsReader
from api.refusals import visible_sources
from api.routes import Route, resource
from api.schemas.sources import SourceList
from mdm import policy as policies

router = resource("sources", Route)


@router.get("/v1/sources", response_model=SourceList)
def list_all(caller: RecordsReader, session: Reading) -> Response:
    """List the sources that may send records, with what a sender must know of each."""
    policy = policies.current(session)
    items = [answers.source_item(name, policy.sources[name]) for name in visible_sources(policy, caller)]
    return answers.json_answer({"policy_version": policy.version, "items": items})
