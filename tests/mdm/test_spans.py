"""Spans hang together across requests and workers, and say nothing that was sent."""

import socket
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from kernel import db, jobs, log
from kernel.settings import configure, settings
from mdm import pending, spans, sql, traces
from mdm.incoming import Incoming
from workers.jobs import run_chunk

from .. import resolution as master
from ..resolution import MARIA, query

CANARY = "zauberlehrling"
OF = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
OTHER = "00-" + "12" * 16 + "-" + "34" * 8 + "-01"


@pytest.fixture
def kept(database: str) -> Iterator[InMemorySpanExporter]:
    """Spans of this process, kept in memory; connections made before have no watched cursors."""
    db.dispose()
    exporter = InMemorySpanExporter()
    traces.use(spans.Spans(SimpleSpanProcessor(exporter), "test"))
    with db.transaction():
        pass  # SQLAlchemy asks a new server what it is.
    yield exporter
    traces.end()
    db.dispose()


def parent_of(span: ReadableSpan) -> str:
    assert span.parent is not None
    return f"{span.parent.trace_id:032x}-{span.parent.span_id:016x}"


def test_without_a_collector_there_is_nothing(database: str) -> None:
    traces.begin("test")
    assert not traces.is_on()
    with traces.span("request", "server", None) as nothing:
        assert (nothing, log.trace_parent()) == (None, None)


def test_a_statement_is_a_child_named_by_verb_and_table(kept: InMemorySpanExporter) -> None:
    with traces.span("request", "server", OF), db.transaction() as session:
        sql.rows(session, "SELECT record_id FROM pending_record WHERE reason = %s", [CANARY])
        session.connection().execute(sqlalchemy.text("SELECT :name"), {"name": CANARY})
        with sql.cursor(session) as opened, opened.copy("COPY reject (code) TO STDOUT") as copy:
            copy.read()
    statements, (request,) = kept.get_finished_spans()[:-1], kept.get_finished_spans()[-1:]
    assert [one.name for one in statements] == ["SELECT pending_record", "SELECT", "COPY reject"]
    assert request.context is not None
    assert {parent_of(one) for one in statements} == {f"{'ab' * 16}-{request.context.span_id:016x}"}
    assert parent_of(request) == OF[3:-3]
    assert CANARY not in "".join(one.to_json() for one in kept.get_finished_spans())


def test_what_nobody_asked_for_has_no_spans(kept: InMemorySpanExporter) -> None:
    with db.transaction() as session:
        sql.rows(session, "SELECT 1 FROM pending_record")
        with traces.shared("resolve", [None, None], {}):
            sql.rows(session, "SELECT 1 FROM pending_record")
    assert kept.get_finished_spans() == ()


def test_a_failure_is_told_by_its_class_only(kept: InMemorySpanExporter) -> None:
    """PostgreSQL quotes the value that it could not read."""
    with pytest.raises(psycopg.errors.InvalidTextRepresentation, match=CANARY), traces.span("request", "server", None):
        _ask_for_no_id()
    told = kept.get_finished_spans()
    assert [(one.status.status_code, one.status.description) for one in told] == [(StatusCode.ERROR, None)] * 2
    assert {str((one.attributes or {})["error.type"]) for one in told} == {"InvalidTextRepresentation"}
    assert CANARY not in "".join(one.to_json() for one in told)


def _ask_for_no_id() -> None:
    with db.transaction() as session:
        sql.rows(session, "SELECT record_id FROM pending_record WHERE record_id = %s::text::uuid", [CANARY])


def test_work_that_several_asked_for_stands_in_the_trace_of_each(kept: InMemorySpanExporter) -> None:
    with traces.shared("resolve", [OF, None, OTHER, OF], {"mdm.records": 4}):
        log.get_logger().info("resolved")
    mine, others = sorted(kept.get_finished_spans(), key=lambda one: len(one.links))
    assert (parent_of(mine), parent_of(others)) == (OF[3:-3], OTHER[3:-3])
    assert [link.context for link in others.links] == [mine.context]
    assert [(one.attributes or {})["mdm.correlation_id"] for one in (mine, others)] == ["ab" * 16, "12" * 16]


def test_records_that_one_step_stored_for_several_keep_the_trace_of_each(kept: InMemorySpanExporter) -> None:
    mdm = master.start()
    one, two = (mdm.put("shop", key, MARIA).record_id for key in "12")
    assert one is not None
    assert two is not None
    with db.transaction() as session:
        traces.divide(session, {one: OF, two: OTHER})
        bells, _ = pending.due_bells(session)
        claims = pending.claim(session, [one, two], "worker")
    assert [bell.trace_parent for bell in bells] in ([OF], [OTHER])
    assert {claim.record_id: claim.trace_parent for claim in claims} == {one: OF, two: OTHER}


def test_a_bulk_load_asks_for_no_trace_of_every_record(kept: InMemorySpanExporter) -> None:
    mdm = master.start()
    with traces.span("request", "server", OF):
        load = mdm.put_many("pos", [Incoming("1", MARIA)], pending.BULK_PRIORITY)
        till = mdm.put("shop", "1", MARIA)
    asked = dict(query("SELECT record_id, trace_parent FROM pending_record"))
    assert [asked[one.record_id] is None for one in (*load, till)] == [True, False]


def test_a_chunk_goes_on_with_the_trace_that_opened_its_job_in_one_span(kept: InMemorySpanExporter) -> None:
    master.start()
    with traces.span("request", "server", OF), db.transaction() as session:
        job_id = jobs.create_job(session, "quality", {}, "test", chunks=[{}])
    kept.clear()
    ((chunk_id,),) = query("SELECT chunk_id FROM job_chunk WHERE job_id = %s", job_id)
    run_chunk(str(chunk_id))
    (told,) = kept.get_finished_spans()
    assert told.context is not None
    assert (told.name, f"{told.context.trace_id:032x}") == ("chunk quality", "ab" * 16)
    assert (told.attributes or {})["mdm.job_id"] == str(job_id)


def test_log_lines_name_the_trace_they_belong_to(
    kept: InMemorySpanExporter, capsys: pytest.CaptureFixture[str], logging_as_it_was: None
) -> None:
    log.configure(json=True)
    with traces.span("request", "server", OF):
        log.get_logger().info("stored")
    log.get_logger().info("later")
    inside, outside = capsys.readouterr().err.splitlines()
    assert ('"trace_id": "' + "ab" * 16 in inside, "trace_id" in outside) == (True, False)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("SELECT body FROM golden WHERE golden_id = %s", "SELECT golden"),
        (
            "WITH due AS (SELECT 1 FROM job FOR UPDATE SKIP LOCKED) UPDATE job_chunk c SET state = 'x' FROM due",
            "UPDATE job_chunk",
        ),
        ("INSERT INTO reject (code) VALUES (%s) ON CONFLICT DO UPDATE SET n = 1", "INSERT reject"),
        ("SELECT FROM ONLY job FOR UPDATE", "SELECT job"),
        ("SELECT x FROM unnest(%s::uuid[]) AS x JOIN crosswalk USING (record_id)", "SELECT crosswalk"),
        ("COPY golden (body) FROM STDIN (FORMAT BINARY)", "COPY golden"),
        ("SET TRANSACTION READ ONLY", "SET"),
        ("SELECT 'taken from zauberlehrling'", "SELECT"),
        ("", "SQL"),
    ],
)
def test_statements_are_named(statement: str, name: str) -> None:
    assert spans.summary(statement) == name


def test_a_collector_that_does_not_answer_holds_up_no_end(database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        before = configure(settings().model_copy(update={"otlp_endpoint": f"http://127.0.0.1:{deaf.getsockname()[1]}"}))
        traces.begin("test")
        with traces.span("request", "server", None):
            assert log.trace_parent() is not None
        begun = time.monotonic()
        traces.end()
        configure(before.model_copy(update={"otlp_endpoint": None}))
    assert not traces.is_on()
    assert time.monotonic() - begun < 8


def test_who_has_a_collector_but_not_the_extra_is_told_and_serves_on(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logging_as_it_was: None
) -> None:
    log.configure(json=True)
    monkeypatch.setitem(sys.modules, "mdm.spans", None)  # What an import of what is not there comes to.
    before = configure(settings().model_copy(update={"otlp_endpoint": "http://127.0.0.1:1"}))
    traces.begin("test")
    configure(before.model_copy(update={"otlp_endpoint": None}))
    assert not traces.is_on()
    assert "customer-master[tracing]" in capsys.readouterr().err
