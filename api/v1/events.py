"""The feed of events: pull, in order, without gaps."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from api import answers
from api.deps import EventsReader, Reading
from api.routes import Route, resource
from api.schemas.events import EventPage
from mdm import published

router = resource("events", Route)

After = Annotated[
    str | None,
    Query(max_length=64, description="A cursor: `next` of a page, `id` of an event, or `latest`. Without: from the oldest kept."),
]
Types = Annotated[list[str] | None, Query(max_length=64, description="Only these types; may be given several times.")]
Limit = Annotated[int, Query(ge=1, le=1_000)]


@router.get("/v1/events", response_model=EventPage)
def read(caller: EventsReader, session: Reading, after: After = None, types: Types = None, limit: Limit = 1_000) -> Response:
    """Read the events behind a cursor: numbered densely in the order in which they were committed, kept for 30 days and more.

    Events carry ids, versions and cause, never personal values. A cursor of the time before a restore is answered 409, one whose
    next event is not kept any more 410; both say how to go on.
    """
    return answers.json_answer(published.page(session, after, types or (), limit))
