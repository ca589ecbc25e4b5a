"""Errors are problems of a stable type, traceable, and never repeat what was sent; whatever happens inside stays inside."""

import re
import zlib
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest
from starlette.testclient import TestClient

from api.app import create_app
from kernel.errors import Conflict
from mdm import instruments

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def client() -> TestClient:
    app = create_app()

    @app.get("/test/broken")
    def broken() -> None:
        raise RuntimeError("ada@example.org")

    @app.get("/test/conflict")
    def conflict() -> None:
        raise Conflict("Contradiction", code="contradiction", detail="A says B.", extra={"chain": [1, 2]})

    return TestClient(app)


def test_an_error_of_ours_keeps_its_code_detail_and_members(client: TestClient) -> None:
    answer = client.get("/test/conflict", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["trace-id"] == TRACE
    assert answer.json() == {
        "type": "urn:customer-master:problem:contradiction",
        "title": "Contradiction",
        "status": 409,
        "detail": "A says B.",
        "chain": [1, 2],
        "trace_id": TRACE,
    }


def test_an_unforeseen_error_is_a_500_whose_text_reaches_neither_caller_nor_log(
    client: TestClient, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = client.get("/test/broken")
    logged = capfd.readouterr()
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:customer-master:problem:internal")
    assert re.fullmatch("[0-9a-f]{32}", answer.json()["trace_id"])
    assert "ada@" not in answer.text + logged.err + logged.out
    assert answer.json()["trace_id"] in logged.err + logged.out
    assert "RuntimeError" in logged.err + logged.out


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere/ada@example.org", 404, "not_found"), ("PATCH", "/live", 405, "method_not_allowed")],
)
def test_the_frameworks_own_refusals_are_problems_too(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:customer-master:problem:{code}")
    assert "ada@" not in answer.text  # A trace id is hexadecimal, and may hold ada.


@pytest.mark.usefixtures("away")
def test_a_database_that_is_away_is_a_503_that_may_be_tried_again() -> None:
    body = f"mdm_live_{'0' * 12}_{'x' * 43}"
    headers = {"authorization": f"Bearer {body}_{zlib.crc32(body.encode()):08x}"}
    with TestClient(create_app()) as client:
        answer = client.get("/v1/golden/00000000-0000-7000-8000-000000000000", headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"] == "urn:customer-master:problem:unavailable"


def test_the_log_of_a_failing_request_names_the_route_and_no_key(app_that_fails: FastAPI, capfd: Any) -> None:
    with TestClient(app_that_fails) as client:
        client.get("/test/ada@example.org")
    logged = capfd.readouterr()
    assert "/test/{key}" in logged.err + logged.out
    assert "ada@" not in logged.err + logged.out


@pytest.fixture
def app_that_fails() -> FastAPI:
    app = create_app()

    @app.get("/test/{key}")
    def fails(key: str) -> None:
        raise ValueError(key)

    return app


def test_requests_are_measured_by_route_and_by_nothing_that_was_sent(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "is_kept", lambda: True)
    client.get("/live")
    client.get("/v1/golden/ada@example.org")
    client.request("ADA", "/ada@example.org")
    told = generate_latest(instruments.REGISTRY).decode()
    assert 'mdm_request_seconds_count{method="GET",route="/live",status="200"}' in told
    assert 'route="unknown"' in told
    assert "ada" not in told.lower()
