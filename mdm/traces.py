"""Where a request's trace goes on: spans of requests, of what workers do for them, and of the statements of both.

Off, and next to free, unless an OTLP endpoint is configured: then `mdm.spans`, which alone knows OpenTelemetry, is loaded.
Spans name routes as declared, tables, ids and counts: never a value that was sent, nor the text of an error.
"""

import atexit
import importlib
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from sqlmodel import Session

from kernel import log
from kernel.settings import settings
from mdm import sql

logger = log.get_logger()


class Tracing(Protocol):
    """What keeps and sends spans."""

    def span(self, name: str, kind: str, of: str | None) -> AbstractContextManager[object]:
        """Open a span; its parent is `of`, else the current one."""

    def shared(
        self, name: str, parents: Sequence[str | None], quiet: bool, attributes: Mapping[str, Any]
    ) -> AbstractContextManager[object]:
        """Open a span of what several asked for together."""

    def note(self, attributes: Mapping[str, Any], name: str | None, is_failed: bool) -> None:
        """Add to the current span what is known of it by now."""

    def end(self) -> None:
        """Send what is left."""


_on: list[Tracing] = []
_OFF = nullcontext()


def begin(process: str) -> None:
    """Let this process tell the configured collector what it does; again after a fork. Without a collector nothing happens."""
    end()
    if settings().otlp_endpoint is None:
        return
    try:
        spans = importlib.import_module("mdm.spans")
    except ImportError as missing:  # Whoever asks us something is not to suffer from what only tells about it.
        logger.error("tracing_not_installed", missing=missing.name, install="customer-master[tracing]")
        return
    use(spans.exporting(str(settings().otlp_endpoint), process))
    atexit.register(end)


def use(tracing: Tracing) -> None:
    """Keep spans by this from now on."""
    _on[:] = [tracing]


def end() -> None:
    """Send what is left, and keep no more spans."""
    while _on:
        _on.pop().end()


def is_on() -> bool:
    """Whether spans are kept."""
    return bool(_on)


def span(name: str, kind: str, of: str | None) -> AbstractContextManager[object]:
    """Open a span for the length of the block: child of `of` (a traceparent), else of the current one.

    `kind`: server, producer or consumer.
    """
    return _on[-1].span(name, kind, of) if _on else _OFF


def shared(
    name: str, parents: Sequence[str | None], attributes: Mapping[str, Any], quiet: bool = False
) -> AbstractContextManager[object]:
    """Open a span of what several requests asked for: in the current trace, else in the first's, and linked from each other's.

    No span at all when none of them has a trace. In a `quiet` one statements have no spans of their own.
    """
    return _on[-1].shared(name, parents, quiet, attributes) if _on and any(parents) else _OFF


def note(attributes: Mapping[str, Any], name: str | None = None, is_failed: bool = False) -> None:
    """Add to the current span what is known of it by now, or name it."""
    if _on:
        _on[-1].note(attributes, name, is_failed)


def divide(session: Session, parents: Mapping[uuid.UUID, str | None]) -> None:
    """Say in whose trace each record is worked on, where several requests were stored by one of them."""
    if any(parents.values()):
        sql.run(
            session,
            """UPDATE pending_record p SET trace_parent = t.parent
               FROM unnest(%s::uuid[], %s::text[]) AS t (record_id, parent) WHERE p.record_id = t.record_id""",
            [list(parents), list(parents.values())],
        )
