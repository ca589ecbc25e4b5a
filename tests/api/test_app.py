"""What holds for all routes: a declared scope, stable names, thin answers, a committed OpenAPI document."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.testclient import TestClient

from api.app import create_app
from api.console.frame import SignedIn
from api.deps import Requires
from kernel import actor

OPEN_ROUTES = {
    "/console/sign-in",
    "/console/sign-in/provider",
    "/console/sign-in/back",
    "/console/sign-in/signed-out",
    "/asyncapi.json",
    "/",
    "/docs",
    "/assets/{name}",
    "/openapi.json",
    "/live",
    "/ready",
}
COMMITTED = Path(__file__).resolve().parents[2] / "api" / "openapi.json"


@pytest.fixture
def app() -> FastAPI:
    return create_app()


def api_routes(app: FastAPI) -> list[APIRoute]:
    found = [context.original_route for context in iter_route_contexts(app.routes)]
    return [route for route in found if isinstance(route, APIRoute)]


def test_every_schema_that_the_document_names_stands_in_it(app: FastAPI) -> None:
    document = json.dumps(app.openapi())
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`|#/components/schemas/(\w+)", document))
    assert {one or other for one, other in named} - app.openapi()["components"]["schemas"].keys() == set()


def test_every_route_but_health_declares_a_known_scope(app: FastAPI) -> None:
    undeclared = set()
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context.original_route, "dependant", None)
        needs = [one.call for one in dependant.dependencies if isinstance(one.call, Requires | SignedIn)] if dependant else []
        if len(needs) != 1 or needs[0].scope_name not in actor.SCOPES:
            undeclared.add(context.path)
    assert undeclared == OPEN_ROUTES | {"/console/sign-out", "/console"}, (
        "whoever is signed in may sign out, and is led to theirs"
    )


def test_every_route_refuses_a_caller_without_key_and_one_without_scope(app: FastAPI, key: Any) -> None:
    keys = {scope: key(scope) for scope in ("jobs:read", "lookup")}
    with TestClient(app) as client:
        for route in api_routes(app):
            if route.path in OPEN_ROUTES or route.path.startswith("/console"):  # Of those tests/api/console speaks.
                continue
            url = route.path.replace("{golden_id}", "00000000-0000-7000-8000-000000000000").replace("{source}", "pos")
            url = url.replace("{key:any_text}", "1")
            for method in route.methods:
                assert client.request(method, url).status_code == 401, route.path
                useless = keys["lookup" if route.path.startswith(("/v1/jobs", "/v1/drift")) else "jobs:read"]
                assert client.request(method, url, headers=useless).status_code == 403, route.path


@pytest.mark.parametrize(
    "header",
    ["", "Basic YTpi", "Bearer ", "Bearer nonsense", "Bearer mdm_live_1_2_3", "Bearer mdm_live_a_b_00000000", "Bearer \xff"],
)
def test_no_key_of_ours_is_a_401_that_repeats_nothing(key: Any, header: str, app: FastAPI) -> None:
    key()
    with TestClient(app) as client:
        answer = client.get("/v1/sources", headers={b"authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "nonsense" not in answer.text


def test_operation_ids_are_unique_and_named_by_resource(app: FastAPI) -> None:
    operations = [operation for path in app.openapi()["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert {"records_put", "records_batch", "golden_get", "golden_batch_get", "lookup_find", "crosswalk_find"} <= set(names)


def test_the_committed_openapi_document_is_the_one_we_serve(app: FastAPI) -> None:
    """After a deliberate change: `python -m api.openapi`."""
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == app.openapi()


def test_every_operation_documents_problems_and_its_scope(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for operation in operations.values():
            assert {"4XX", "5XX"} <= operation["responses"].keys()
            assert "422" not in operation["responses"]
            assert bool(operation.get("security")) == (path not in OPEN_ROUTES)


def test_native_telemetry_is_off(app: FastAPI) -> None:
    assert not app._native_telemetry.enabled()


def test_health_is_open_and_says_what_is_missing(database: str) -> None:
    with TestClient(create_app()) as client:
        assert client.get("/live").json() == {"status": "live"}
        answer = client.get("/ready")
    assert (answer.status_code, [one["code"] for one in answer.json()["missing"]]) == (503, ["policy"])


def test_health_is_ready_once_a_policy_is_stored(api: TestClient) -> None:
    assert (api.get("/ready").status_code, api.get("/ready").json()) == (200, {"status": "ready", "missing": [], "degraded": []})


def test_health_tells_a_database_that_is_away(database: str, away: None) -> None:
    with TestClient(create_app()) as client:
        assert client.get("/live").status_code == 200
        assert client.get("/ready").json()["missing"][0]["code"] == "database"
