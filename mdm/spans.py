"""Keeps spans by OpenTelemetry's SDK and sends them to a collector (OTLP over HTTP). Loaded only where one is configured.

A statement is named by its verb and first table; neither its text nor its parameters are kept, nor an exception's text.
"""

import functools
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Self

import psycopg
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from kernel import db, log

SERVICE = "customer-master"
TRACES = "/v1/traces"
LAST_SECONDS = 2.0
CORRELATION = "mdm.correlation_id"
_PROPAGATOR = TraceContextTextMapPropagator()  # Not the environment's choice: baggage would carry what callers put in.
_KINDS = {kind.name.lower(): kind for kind in SpanKind}
_LITERAL = re.compile(r"'[^']*'")
_VERB = re.compile(r"\b[A-Z]+\b", re.IGNORECASE)
_WRITES = re.compile(r"\b(INSERT INTO|DELETE FROM|COPY|(?<!FOR )UPDATE)\s+(?:ONLY\s+)?([a-z_]+)", re.IGNORECASE)
_READS = re.compile(r"\b(?:FROM|JOIN|TABLE)\s+(?:ONLY\s+)?([a-z_]+)\b(?!\s*\()", re.IGNORECASE)
_NO_TABLES = frozenset({"select", "lateral", "set", "of", "skip"})
# By whom statements are watched: nobody where there is no span of ours, nor in a quiet one.
_watching: ContextVar[Tracer | None] = ContextVar("mdm_spans_watching", default=None)


def exporting(endpoint: str, process: str) -> "Spans":
    """Send spans to a collector, in batches, by a thread of their own. What the collector does not take is dropped."""
    return Spans(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint.rstrip("/") + TRACES)), process)


class Spans:
    """What keeps spans, from when it is made until it ends."""

    def __init__(self, processor: SpanProcessor, process: str) -> None:
        named = Resource({"service.name": SERVICE, "mdm.process": process}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=named, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("mdm")
        db.watch(_Cursor, _AsyncCursor)
        log.trace_by(_parent)

    def end(self) -> None:
        """Send what is left, if the collector takes it within LAST_SECONDS, and keep no more."""
        db.watch(None, None)
        log.trace_by(None)
        # By itself the library tries for ten seconds, in which a container that is told to stop is killed.
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(LAST_SECONDS)

    def span(self, name: str, kind: str, of: str | None) -> AbstractContextManager[Span]:
        """Open a span; its parent is `of`, else the current one."""
        return self._open(name, kind, None if of is None else _read(of), {})

    @contextmanager
    def shared(self, name: str, parents: Sequence[str | None], quiet: bool, attributes: Mapping[str, Any]) -> Iterator[Span]:
        """Open a span of what several asked for together, and one as long in the trace of each other, linked to it."""
        traces: dict[str, str] = {}
        for one in filter(None, parents):
            traces.setdefault(one.split("-")[1], one)
        here = trace.get_current_span().get_span_context()
        own = traces.pop(f"{here.trace_id:032x}" if here.is_valid else next(iter(traces)), None)
        parent = _read(own) if own and not here.is_valid else None
        with self._open(name, "internal", parent, attributes, quiet) as opened:
            links = [Link(opened.get_span_context())]
            others = [
                self._tracer.start_span(name, _read(one), links=links, attributes=_correlated(one)) for one in traces.values()
            ]
            try:
                yield opened
            finally:
                for other in others:
                    other.end()

    def note(self, attributes: Mapping[str, Any], name: str | None, is_failed: bool) -> None:
        """Add to the current span what is known of it by now."""
        current = trace.get_current_span()
        current.set_attributes(attributes)
        if name is not None:
            current.update_name(name)
        if is_failed:
            current.set_status(Status(StatusCode.ERROR))

    @contextmanager
    def _open(
        self, name: str, kind: str, parent: Context | None, attributes: Mapping[str, Any], quiet: bool = False
    ) -> Iterator[Span]:
        opened = self._tracer.start_span(name, parent, _KINDS[kind], attributes)
        opened.set_attribute(CORRELATION, f"{opened.get_span_context().trace_id:032x}")
        token, was = context.attach(trace.set_span_in_context(opened)), _watching.set(None if quiet else self._tracer)
        try:
            yield opened
        except BaseException as error:
            _fail(opened, error)
            raise
        finally:
            _watching.reset(was)
            context.detach(token)
            opened.end()


def _fail(opened: Span, error: BaseException) -> None:
    """Note that what a span is about failed. The library would keep the exception's text, and PostgreSQL's quote rows."""
    opened.set_attribute("error.type", type(error).__name__)
    opened.set_status(Status(StatusCode.ERROR))


def _read(parent: str) -> Context:
    return _PROPAGATOR.extract({"traceparent": parent}, context=Context())


def _correlated(parent: str) -> dict[str, str]:
    return {CORRELATION: parent.split("-")[1]}


def _parent() -> str | None:
    """Write the current span as a traceparent; None outside any."""
    found = trace.get_current_span().get_span_context()
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}" if found.is_valid else None


@functools.lru_cache(maxsize=2_000)
def summary(statement: str) -> str:
    """Name a statement by what it does and to which table: the first that it writes, else the first that it reads."""
    text = _LITERAL.sub("''", statement)
    written = next((found for found in _WRITES.finditer(text) if found.group(2).lower() not in _NO_TABLES), None)
    if written is not None:
        return f"{written.group(1).split()[0].upper()} {written.group(2).lower()}"
    read = next((found for found in _READS.finditer(text) if found.group(1).lower() not in _NO_TABLES), None)
    verb = _VERB.search(text)
    return " ".join([verb.group().upper() if verb else "SQL", *([read.group(1).lower()] if read else [])])


@contextmanager
def _statement(query: Any) -> Iterator[None]:
    tracer = _watching.get()
    if tracer is None or not trace.get_current_span().is_recording():
        yield
        return
    text = query if isinstance(query, str) else query.decode() if isinstance(query, bytes) else query.as_string()
    name = summary(text)
    opened = tracer.start_span(name, None, SpanKind.CLIENT, {"db.system.name": "postgresql", "db.query.summary": name})
    try:
        yield
    except BaseException as error:
        _fail(opened, error)
        raise
    finally:
        opened.end()


class _Cursor(psycopg.Cursor[Any]):
    """A cursor whose statements are spans of the current one."""

    def execute(self, query: Any, params: Any = None, **how: Any) -> Self:
        with _statement(query):
            return super().execute(query, params, **how)

    def executemany(self, query: Any, params_seq: Any, **how: Any) -> None:
        with _statement(query):
            super().executemany(query, params_seq, **how)

    @contextmanager
    def copy(self, statement: Any, params: Any = None, **how: Any) -> Iterator[psycopg.Copy]:
        with _statement(statement), super().copy(statement, params, **how) as copy:
            yield copy


class _AsyncCursor(psycopg.AsyncCursor[Any]):
    """The same for the hot reads."""

    async def execute(self, query: Any, params: Any = None, **how: Any) -> Self:
        with _statement(query):
            return await super().execute(query, params, **how)
