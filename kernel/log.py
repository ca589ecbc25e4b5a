"""Structured logs. Events name ids, counts and codes, never personal values; requests are logged by route template."""

import logging
import sys
from typing import Any

import structlog


def configure(json: bool = False) -> None:
    """Send structured logs to standard error, as JSON lines or as readable text; and the standard library's with them."""
    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", force=True)


def get_logger(name: str = "mdm") -> Any:
    """Return a logger; call `logger.info("event_name", key=value)`."""
    return structlog.get_logger().bind(logger=name)
