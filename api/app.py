"""The HTTP application: routes, problems, documentation. Started by `cli.serve` as `api.app:app`.

Open without a key: /live, /ready, /openapi.json and /docs, none of which says anything about anybody. Everything else
declares the scope it needs.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import problems
from api.schemas.problems import PROBLEMS, Problem
from api.v1 import crosswalk, golden, health, lookup, records, sources
from kernel import db

ROUTERS = (golden.router, lookup.router, crosswalk.router, records.streams, records.router, sources.router, health.router)
TITLE = "Customer master"
DESCRIPTION = """Turns the customer records of every channel into golden records with durable ids.

Every operation needs an API key (`Authorization: Bearer mdm_live_…`) with the scope it names. Personal values travel in bodies,
never in URLs. What is not known yet is answered "not known" or left out; it is never answered "none".
Errors are RFC 9457 problems: their `type` is stable, their `trace_id` finds the request in the log."""


def operation_id(route: APIRoute) -> str:
    """Name an operation by its resource and act, so that generated clients keep their names when paths move."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await db.close_async_pool()


class Application(FastAPI):
    """FastAPI, whose OpenAPI document knows our problems."""

    def openapi(self) -> dict[str, Any]:
        """Give the OpenAPI document, made once."""
        if not self.openapi_schema:
            schemas = super().openapi().setdefault("components", {}).setdefault("schemas", {})
            made = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(made.pop("$defs", {}))
            schemas["Problem"] = made
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
        return self.openapi_schema or {}


def create_app() -> FastAPI:
    """Make the application. The framework's own telemetry stays off: it records what was sent."""
    app = Application(
        title=TITLE,
        description=DESCRIPTION,
        version="1",
        lifespan=_lifespan,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        responses=PROBLEMS,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False},
    )
    problems.register(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


app = create_app()
