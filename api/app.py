"""The HTTP application: routes, problems, documentation. Started by `cli.serve` as `api.app:app`.

Open without a key: /, /docs, /assets, /openapi.json, /asyncapi.json, /live and /ready, none of which says anything about anybody.
Everything else declares the scope it needs.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api import problems, quotas, tokens
from api.console import alerts as console_alerts
from api.console import bulk, customers, home, looks, operations, provided, setting, signing, trail, undoing
from api.console import privacy as console_privacy
from api.console import tasks as console_tasks
from api.console import versions as console_versions
from api.pages import routes as pages
from api.schemas.problems import Problem
from api.schemas.records import BatchResult, BatchSummary
from api.v1 import (
    activities,
    alerts,
    approvals,
    audiences,
    certificates,
    consent_links,
    consents,
    crosswalk,
    decisions,
    events,
    explain,
    exports,
    golden,
    health,
    imports,
    jobs,
    lookup,
    match,
    merge_holds,
    overrides,
    preferences,
    privacy,
    quality,
    reconciliations,
    records,
    second_looks,
    sources,
    tasks,
    webhooks,
)
from kernel import db

# What a till asks comes first: a request is held against each route before its own (0.1 ms for the thirtieth).
ROUTERS = (
    match.router,
    lookup.router,
    golden.router,
    golden.stories,
    activities.of_goldens,
    consents.of_goldens,
    consents.hot,
    consents.router,
    preferences.of_goldens,
    preferences.router,
    consent_links.router,
    audiences.streams,
    audiences.router,
    decisions.router,
    overrides.router,
    explain.router,
    crosswalk.router,
    events.router,
    jobs.router,
    imports.router,
    reconciliations.router,
    exports.router,
    webhooks.router,
    records.streams,
    records.router,
    activities.router,
    certificates.streams,
    certificates.router,
    sources.router,
    tasks.router,
    second_looks.router,
    approvals.router,
    merge_holds.router,
    quality.router,
    alerts.router,
    privacy.router,
    health.router,
    pages.router,
    signing.router,
    provided.router,
    bulk.router,
    undoing.router,
    home.router,
    setting.router,
    console_tasks.router,
    customers.router,
    console_privacy.router,
    operations.router,
    console_versions.router,
    trail.router,
    console_alerts.router,
    looks.router,
)
TITLE = "Customer master"
DESCRIPTION = """Turns the customer records of every channel into golden records with durable ids.

Every operation needs an API key (`Authorization: Bearer mdm_live_…`) with the scope it names. Personal values travel in bodies,
never in URLs. What is not known yet is answered "not known" or left out; it is never answered "none".
Errors are RFC 9457 problems: their `type` is stable, their `trace_id` finds the request in the log."""


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    tokens.start()
    quotas.quotas = quotas.Quotas()
    quotas.quotas.start()
    yield
    quotas.quotas.end()
    tokens.stop()
    await db.close_async_pool()


class Application(FastAPI):
    """FastAPI, whose OpenAPI document knows our problems and the lines that a batch is answered with."""

    def openapi(self) -> dict[str, Any]:
        """Give the OpenAPI document, made once."""
        if not self.openapi_schema:
            schemas = super().openapi().setdefault("components", {}).setdefault("schemas", {})
            more: list[tuple[type[BaseModel], JsonSchemaMode]] = [
                (one, "serialization") for one in (Problem, BatchResult, BatchSummary)
            ]
            _, made = models_json_schema(more, ref_template="#/components/schemas/{model}")
            schemas.update(made["$defs"])
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
        docs_url=None,  # The framework's page loads its scripts from elsewhere; ours is in api.pages.
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False},
    )
    problems.register(app)
    # Not include_router, which matches every request twice (measured: 40 of a bare request's 125 microseconds); and before the
    # routes of the documentation, so that a lookup is matched at once.
    app.router.routes[:0] = [route for router in ROUTERS for route in router.routes]
    return app


app = create_app()
