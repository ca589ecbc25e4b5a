"""Log lines hold codes and ids; an exception's text, an e-mail address and a password never reach them."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from kernel import log

SECRET = "jane.roe@example.org"


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


EARLY = log.get_logger("early")


def test_a_logger_made_before_the_configuration_follows_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Modules make theirs at import: they must mask, and write JSON, like any other."""
    log.configure(json=True)
    EARLY.warning("odd", who=SECRET)
    line = json.loads(capsys.readouterr().err)
    assert (line["who"], line["logger"]) == ("***", "early")


def fail() -> None:
    raise ValueError(f"duplicate key: {SECRET}")


@pytest.mark.parametrize("as_json", [True, False])
def test_texts_of_exceptions_stay_inside(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    log.configure(json=as_json)
    try:
        fail()
    except ValueError:
        log.get_logger("api").exception("failed", code="x")
        logging.getLogger("celery").exception("Task %s failed", SECRET)
        logging.getLogger("celery.app.trace").error(
            "Task %(name)s[%(id)s] raised: %(exc)s", {"id": "7", "name": "resolve", "exc": SECRET}, exc_info=True
        )
    written = capsys.readouterr().err
    assert SECRET not in written
    assert "duplicate" not in written
    assert written.count("ValueError") == 3
    assert "test_log.py" in written


def test_lines_are_json_with_their_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json=True)
    log.get_logger("relay").info("rung", count=3)
    line: dict[str, Any] = json.loads(capsys.readouterr().err)
    assert (line["event"], line["count"], line["level"], line["logger"]) == ("rung", 3, "info", "relay")


def test_addresses_and_passwords_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json=True)
    log.get_logger().warning("odd", where="postgresql://mdm:hunter2@localhost/db", who=SECRET)
    logging.getLogger("redis").warning("cannot reach redis://:hunter2@localhost:6379, %s", SECRET)
    written = capsys.readouterr().err
    assert "hunter2" not in written
    assert SECRET not in written
    assert "localhost" in written


def test_libraries_below_their_level_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    logging.getLogger("uvicorn.access").info("GET /v1/golden/1")
    logging.getLogger("sqlglot").info("Normalization distance 142 exceeds max 128")
    logging.getLogger("some.library").info("Started")
    assert capsys.readouterr().err.count("\n") == 1
