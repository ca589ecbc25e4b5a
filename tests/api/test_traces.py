"""A request is a span under its route, and no span holds a value that was sent, whatever became of the request."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.testclient import TestClient

from api import puts
from api.app import create_app
from kernel import db
from mdm import spans, traces
from mdm.incoming import Incoming

from ..resolution import WHO, query
from .conftest import KeyMaker

CANARY = "zauberlehrling"
PERSON = {"given_name": CANARY, "surname": CANARY, "emails": [f"{CANARY}@example.org"]}
OF = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


@pytest.fixture
def kept(database: str, key: KeyMaker) -> Iterator[InMemorySpanExporter]:
    db.dispose()
    exporter = InMemorySpanExporter()
    traces.use(spans.Spans(SimpleSpanProcessor(exporter), "test"))
    yield exporter
    traces.end()
    db.dispose()


@pytest.fixture
def watched(kept: InMemorySpanExporter, key: KeyMaker) -> Iterator[TestClient]:
    with TestClient(create_app(), headers=key()) as client:
        yield client


def requests(kept: InMemorySpanExporter) -> list[tuple[str, Any]]:
    found = [one for one in kept.get_finished_spans() if one.kind is SpanKind.SERVER]
    return [(one.name, (one.attributes or {})["http.response.status_code"]) for one in found]


def test_a_request_is_named_by_its_route_and_goes_on_with_the_callers_trace(
    kept: InMemorySpanExporter, watched: TestClient
) -> None:
    answer = watched.put(f"/v1/sources/pos/records/{CANARY}", json=PERSON, headers={"traceparent": OF})
    assert (answer.status_code, answer.headers["trace-id"]) == (201, "ab" * 16)
    assert requests(kept) == [("PUT /v1/sources/{source}/records/{key:any_text}", 201)]
    (request,) = [one for one in kept.get_finished_spans() if one.kind is SpanKind.SERVER]
    assert (request.attributes or {})["mdm.correlation_id"] == "ab" * 16
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == "cd" * 8
    inside = [one for one in kept.get_finished_spans() if one.parent is not None and one.parent == request.context]
    assert "INSERT pending_record" in [one.name for one in inside]


def test_a_hot_read_has_its_statements_beneath_it(kept: InMemorySpanExporter, watched: TestClient, goldens: Any) -> None:
    golden_id = goldens.add(name=f"{CANARY} {CANARY}")
    kept.clear()
    watched.get(f"/v1/golden/{golden_id}")
    *inside, request = kept.get_finished_spans()
    assert request.name == "GET /v1/golden/{golden_id}"
    assert [one.parent for one in inside if one.kind is SpanKind.CLIENT] == [request.context] * len(inside)
    assert inside


def test_an_answer_names_the_trace_that_was_begun_here(kept: InMemorySpanExporter, watched: TestClient) -> None:
    missing = watched.get("/v1/golden/nobody")
    (request,) = [one for one in kept.get_finished_spans() if one.kind is SpanKind.SERVER]
    assert request.context is not None
    assert missing.json()["trace_id"] == missing.headers["trace-id"] == f"{request.context.trace_id:032x}"


def test_no_span_holds_what_was_sent(kept: InMemorySpanExporter, watched: TestClient, goldens: Any) -> None:
    golden_id = goldens.add(name=f"{CANARY} {CANARY}")
    watched.put(f"/v1/sources/pos/records/{CANARY}", json=PERSON)
    watched.get(f"/v1/sources/pos/records/{CANARY}")
    watched.post("/v1/lookup", json={"items": [{"email": f"{CANARY}@example.org"}]})
    watched.post("/v1/match", json={"record": PERSON})
    watched.post("/v1/golden:search", json={"name": CANARY})
    watched.get(f"/v1/golden/{golden_id}", params={"view": CANARY})
    watched.put("/v1/sources/pos/records/7", content=b'{"given_name": "' + CANARY.encode())
    watched.get(f"/{CANARY}?{CANARY}={CANARY}", headers={"user-agent": CANARY, "baggage": f"who={CANARY}", "tracestate": "a=b"})
    watched.request(CANARY.upper(), "/v1/match")
    told = kept.get_finished_spans()
    assert len(requests(kept)) == 9
    assert CANARY not in "".join(one.to_json() for one in told).lower()


def test_a_failure_that_nobody_foresaw_is_marked_and_keeps_its_text(
    kept: InMemorySpanExporter, watched: TestClient, away: None
) -> None:
    failed = watched.get("/v1/sources")
    assert failed.status_code == 503
    (request,) = [one for one in kept.get_finished_spans() if one.kind is SpanKind.SERVER]
    assert (request.status.status_code, request.status.description, request.events) == (StatusCode.ERROR, None, ())


def test_records_that_one_step_stores_are_worked_on_in_the_trace_of_who_sent_each(policy: Any) -> None:
    sent = {key: f"00-{key * 32}-{'cd' * 8}-01" for key in "123"}
    group = [puts._Put("pos", Incoming(key, {}, raw=b'{"given_name": "Ada"}'), parent) for key, parent in sent.items()]
    puts._answer(WHO, group)
    assert [one.error for one in group] == [None] * 3
    assert dict(query("SELECT source_key, trace_parent FROM pending_record JOIN source_record USING (record_id)")) == sent
