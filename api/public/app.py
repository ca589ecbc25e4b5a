"""The application of the pages for customers: started by `cli.serve_public`, beside the API and not within it."""

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.problems import Guard
from api.public import answers
from api.public.pages import router


async def _no_such_page(_request: Request, _error: Exception) -> Response:
    return answers.failure(answers.missing())


def create_app() -> FastAPI:
    """Make the application: its few routes, no documentation, no telemetry."""
    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False},
    )  # fmt: skip
    app.add_exception_handler(HTTPException, _no_such_page)
    app.add_middleware(Guard)
    app.router.routes[:0] = router.routes
    return app


app = create_app()
