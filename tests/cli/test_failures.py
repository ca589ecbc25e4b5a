"""Foreseen errors are one line that says how to mend them; others stay what they are."""

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from cli.failures import explain, unreachable
from kernel.errors import Invalid, NotFound


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("connection failed: Connection refused", "start it"),
        ("failed to resolve host 'h': Name or service not known", "host in DATABASE_URL"),
        ('FATAL:  password authentication failed for user "u"', "user and password"),
        ('FATAL:  role "u" does not exist', "create the user"),
        ('FATAL:  database "x" does not exist', "create it"),
        ("server closed the connection unexpectedly", "run the command again"),
        ("connection timeout expired", "firewall"),
        ("something new", "see whether it runs"),
    ],
)
def test_a_database_that_cannot_be_reached_says_how_to_mend_it(text: str, mend: str) -> None:
    assert mend in unreachable(psycopg.OperationalError(text))[1]
    assert mend in str(explain(OperationalError("SELECT secret", {}, psycopg.OperationalError(text))))


def test_files_and_our_own_errors_are_told() -> None:
    assert explain(PermissionError(13, "Permission denied", "some/file")) == "some/file: Permission denied"
    assert explain(NotFound("No such thing")) == "No such thing"
    error = Invalid("Too many", detail="Send fewer.", extra={"most": 3, "known": ["a", "b"], "errors": [{"pointer": "/x"}]})
    assert explain(error) == "Too many: Send fewer. (most: 3; known: a, b)"
    assert str(explain(NotFound("No such source", extra={"sources": list(range(12))}))).endswith("8, 9 and 2 more)")


def test_a_fault_of_ours_is_not_explained_away() -> None:
    assert explain(KeyError("x")) is None
