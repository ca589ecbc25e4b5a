"""The routes of the pages: start, reference, and what they load. Open without a key, and not in the OpenAPI document."""

from functools import lru_cache

from fastapi import FastAPI, Request
from starlette.responses import Response

from api import answers, asyncapi
from api.pages import commands, reference, render
from api.routes import Route, resource
from mdm import readiness

router = resource("pages", Route)
METHODS = ["GET", "HEAD"]
FIRST = {
    "put": commands.curl(
        "PUT",
        commands.url("/v1/sources/pos/records/example-1", {}, {"wait_seconds": "5"}),
        needs_key=True,
        body='{"given_name": "Ada", "surname": "Byron", "emails": ["ada@example.org"]}',
    ),
    "lookup": commands.curl(
        "POST",
        commands.url("/v1/lookup", {}, {}),
        needs_key=True,
        body='{"identifier": {"kind": "email", "value": "ada@example.org"}}',
    ),
}


@lru_cache(maxsize=1)
def _reference(app: FastAPI) -> reference.Reference:
    return reference.read(app.openapi())


@lru_cache(maxsize=1)
def _reference_page(app: FastAPI) -> str:
    """The reference never changes while the application runs: rendering it (some 10 ms) would hold up the lookups beside it."""
    return render.page("reference.html", reference=_reference(app))


@router.api_route("/", methods=METHODS, include_in_schema=False)
async def start(request: Request) -> Response:
    """Say what this service is, whether it is ready, and how to begin."""
    missing = [readiness.MEND[code] for code in (await readiness.look()).missing]
    text = render.page("start.html", reference=_reference(request.app), missing=missing, first=FIRST)
    return render.html_answer(request, text)


@router.api_route("/docs", methods=METHODS, include_in_schema=False)
async def docs(request: Request) -> Response:
    """Show the reference of the API."""
    return render.html_answer(request, _reference_page(request.app))


@router.api_route("/asyncapi.json", methods=METHODS, include_in_schema=False)
async def events() -> Response:
    """Give the AsyncAPI document of our events."""
    return answers.json_answer(asyncapi.document())


@router.api_route("/assets/{name}", methods=METHODS, include_in_schema=False)
async def asset(name: str) -> Response:
    """Give a style sheet, script or picture of our pages."""
    return render.asset_answer(name)
