"""One trace from a PUT to the golden record, as a collector sees it: API, relay and worker send to a real OTLP endpoint."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from api.app import create_app
from kernel import actor, db
from kernel.settings import configure, settings
from mdm import traces

from .. import resolution as master
from ..resolution import MARIA, query
from .processes import RELAY, WORKER, Start, wait_until

TRACE = "ab" * 16


class Collector(ThreadingHTTPServer):
    """Takes spans as a collector does; each as its name, its id, its parent's and its process."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[tuple[str, str, str, str]] = []
        self.bodies: list[bytes] = []

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        for one in ExportTraceServiceRequest.FromString(body).resource_spans:
            process = {each.key: each.value.string_value for each in one.resource.attributes}["mdm.process"]
            for span in (span for scope in one.scope_spans for span in scope.spans if span.trace_id.hex() == TRACE):
                self.told.append((span.name, span.span_id.hex(), span.parent_span_id.hex(), process))

    def path_to(self, name: str) -> list[str]:
        """From a span up to the request: each as its name and process."""
        found = [one for one in self.told if one[0] == name][:1]
        while above := [one for one in self.told if found and one[1] == found[-1][2]]:
            found += above
        return [f"{one[0]} ({one[3]})" for one in found]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Collector)
        server.take(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200 if self.path == "/v1/traces" else 404)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        before = configure(settings().model_copy(update={"otlp_endpoint": endpoint}))
        yield server
        traces.end()
        configure(before.model_copy(update={"otlp_endpoint": None}))
        db.dispose()
        server.shutdown()


def test_what_a_worker_does_for_a_put_stands_in_its_trace(database: str, collector: Collector, start: Start) -> None:
    master.start()
    db.dispose()
    with db.transaction() as session:
        _, key = actor.create_key(session, "till", ("records:write",))
    traces.begin("api")
    start(WORKER)
    start(RELAY)
    headers = {"authorization": f"Bearer {key}", "traceparent": f"00-{TRACE}-{'cd' * 8}-01"}
    with TestClient(create_app(), headers=headers) as client:
        assert client.put("/v1/sources/shop/records/1", json=MARIA).status_code == 201
    wait_until(lambda: query("SELECT count(*) FROM golden") == [(1,)])
    wait_until(lambda: len(collector.path_to("INSERT golden")) == 5)
    assert collector.path_to("INSERT golden") == [
        "INSERT golden (worker)",
        "resolve (worker)",
        "answer resolve (worker)",
        "ring resolve (relay)",
        "PUT /v1/sources/{source}/records/{key:any_text} (api)",
    ]
    assert b"Garcia" not in b"".join(collector.bodies)
