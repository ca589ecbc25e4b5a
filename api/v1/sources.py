"""The sources of the policy, as far as a sender needs to know them."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Query
from starlette.responses import Response

from api import answers, duplicating
from api.deps import GoldenReader, Reading, RecordsReader
from api.refusals import visible_sources
from api.routes import Route, resource
from api.schemas.records import SourceName
from api.schemas.sources import Duplicates, SourceList
from mdm import policy as policies

router = resource("sources", Route)


@router.get("/v1/sources", response_model=SourceList)
def list_all(caller: RecordsReader, session: Reading) -> Response:
    """List the sources that may send records, with what a sender must know of each."""
    policy = policies.current(session)
    items = [answers.source_item(name, policy.sources[name]) for name in visible_sources(policy, caller)]
    return answers.json_answer({"policy_version": policy.version, "items": items})


After = Annotated[UUID | None, Query(description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Groups of a page.")]
AS_CSV: dict[int | str, dict[str, object]] = {
    200: {"content": {duplicating.CSV: {"schema": {"type": "string"}}}, "description": "One line a record with Accept: text/csv."}
}


@router.get("/v1/sources/{source}/duplicates", response_model=Duplicates, responses=AS_CSV)
def duplicates(
    caller: GoldenReader,
    source: SourceName,
    after: After = None,
    limit: Limit = 100,
    accept: Annotated[str | None, Header()] = None,
) -> Response:
    """List a source's own duplicates: its records under one golden id, with the one that it may best keep, and why.

    As CSV, one line a record, with `Accept: text/csv`; the next page then stands in the Link header.
    """
    return duplicating.answer(caller, source, after, limit, accept)
