"""How good what a source sends is: figures for its owner, never a customer's value unmasked."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from api import answers
from api.deps import RecordsReader, Writing
from api.refusals import require_visible
from api.routes import Route, resource
from api.schemas.quality import Quality
from api.schemas.records import SourceName
from mdm import policy as policies
from mdm import quality_examples, quality_reading

router = resource("sources", Route)
Days = Annotated[int, Query(ge=1, le=400, description="How many measured days the trend goes back.")]
Examples = Annotated[bool, Query(description="Show masked examples of the worst faults. Each record opened for one is audited.")]


@router.get("/v1/sources/{source}/quality", response_model=Quality)
def get(caller: RecordsReader, source: SourceName, session: Writing, days: Days = 30, examples: Examples = False) -> Response:
    """Read the quality of a source: completeness, validity, uniqueness and timeliness as last measured, the worst field first.

    Figures are of the whole source, also for a key that sees a part of its regions; examples are within the key's scope.
    """
    ruling = policies.current(session)
    require_visible(ruling, source, caller)
    shown = quality_reading.read(session, ruling, source, days)
    if examples:
        shown = quality_examples.add(session, ruling, shown, caller.actor)
    return answers.json_answer(shown)
