"""Structured logs on standard error, ours and the libraries' alike. Events name ids, counts and codes, never personal values.

An exception is written as its class and the places it went through, never as its text: PostgreSQL quotes rows in its errors, and
a library may quote anything. A last guard masks what looks like an e-mail address.
"""

import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

FRAMES = 12
_EMAIL = re.compile(r"[^\s@\"'<>/:*]+@[^\s@\"'<>]+\.[^\s@\"'<>]+")
_CREDENTIALS = re.compile(r"(?<=://)[^\s/@]*@")
_QUIET = {
    "alembic": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "celery.redirected": logging.WARNING,
    "sqlglot": logging.WARNING,
}

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(json: bool = False, level: str = "INFO") -> None:
    """Send all logs of this process to standard error, as JSON lines or as readable text. May be called again."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24)
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _correlated,
        _without_exception_texts,
        _masked,
    ]
    structlog.configure(
        processors=[structlog.stdlib.add_logger_name, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    logging.raiseExceptions = False  # A line that cannot be written would be printed with the texts of exceptions in flight.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)


def get_logger(name: str = "mdm") -> Any:
    """Return a logger; call `logger.info("event_name", key=value)` with ids, counts and codes."""
    return structlog.get_logger(name)  # Lazy, unlike a bound one: a logger made at import follows what is configured later.


_trace_parents: list[Callable[[], str | None]] = []


def trace_by(current: Callable[[], str | None] | None) -> None:
    """Say how the trace is found that a line, or a row of work, belongs to; None where nobody keeps traces any more."""
    _trace_parents[:] = [] if current is None else [current]


def trace_parent() -> str | None:
    """Give the current span as a `traceparent`; None outside any. Source: W3C Trace Context, section 3.2."""
    return _trace_parents[-1]() if _trace_parents else None


def _correlated(_logger: object, _method: str, event: EventDict) -> EventDict:
    parent = trace_parent()
    if parent is not None:
        event.setdefault("trace_id", parent.split("-")[1])
    return event


def _without_exception_texts(_logger: object, _method: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    given = event.pop("exc_info", None)
    if isinstance(record, logging.LogRecord) and record.exc_info:
        given, record.exc_info, record.exc_text = record.exc_info, None, None
        event["event"] = _template(record)
    info = _exception_info(given) if given else None
    if info is not None:
        event["error"] = info[0].__name__
        event["at"] = [f"{frame.name}:{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in _frames(info)]
    return event


def _template(record: logging.LogRecord) -> str:
    """Say what a library logged about an error without the values it put in; of Celery's, the task's name and id are safe."""
    if isinstance(record.args, Mapping) and "id" in record.args:
        return f"Task {record.args.get('name')} [{record.args['id']}] failed"
    return str(record.msg).splitlines()[0] if isinstance(record.msg, str) and record.msg else "failed"


def _exception_info(given: object) -> ExceptionInfo | None:
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    kind, error, where = given if isinstance(given, tuple) else sys.exc_info()
    return None if kind is None or error is None else (kind, error, where)


def _frames(info: ExceptionInfo) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(info[2]))[-FRAMES:]


def _masked(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {name: _mask(value) if isinstance(value, str) else value for name, value in event.items()}


def _mask(text: str) -> str:
    if "@" not in text:
        return text
    return _EMAIL.sub("***", _CREDENTIALS.sub("***@", text))
