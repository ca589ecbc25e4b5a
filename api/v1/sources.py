"""The sources of the policy, as far as a sender needs to know them."""

from starlette.responses import Response

from api import answers
from api.deps import Reading, RecordsReader
from api.routes import Route, resource
from api.schemas.sources import SourceList
from mdm import policy as policies

router = resource("sources", Route)


@router.get("/v1/sources", response_model=SourceList)
def list_all(caller: RecordsReader, session: Reading) -> Response:
    """List the sources that may send records, with what a sender must know of each."""
    policy = policies.current(session)
    brands = caller.scope.brands
    shown = [(name, source) for name, source in policy.sources.items() if brands is None or source.brand in brands]
    return answers.json_answer(
        {"policy_version": policy.version, "items": [answers.source_item(name, source) for name, source in shown]}
    )
