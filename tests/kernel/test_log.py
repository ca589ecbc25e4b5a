"""Log lines hold codes and ids; an exception's text, an e-mail address and a password never reach them."""

import io
import json
import logging
from typing import Any

import pytest

from kernel import log

SECRET = "jane.roe@example.org"


pytestmark = pytest.mark.usefixtures("logging_as_it_was")
EARLY = log.get_logger("early")


def test_a_logger_made_before_the_configuration_follows_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Modules make theirs at import: they must mask, and write JSON, like any other."""
    log.configure(json=True)
    EARLY.warning("odd", who=SECRET)
    line = json.loads(capsys.readouterr().err)
    assert (line["who"], line["logger"]) == ("***", "early")


def test_a_line_that_cannot_be_written_takes_no_text_of_an_exception_along(capfd: pytest.CaptureFixture[str]) -> None:
    log.configure()
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(io.StringIO())
    handler.stream.close()
    try:
        fail()
    except ValueError:
        log.get_logger("api").error("failed")
    assert SECRET not in "".join(capfd.readouterr())


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
