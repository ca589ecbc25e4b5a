"""Which of two media types an Accept header asks for."""

import pytest

from api.accepting import prefers


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        ("text/csv", True),
        ("TEXT/CSV; q=0.5", True),
        ("text/csv;q=0", False),
        ("text/csvx", False),
        ("application/json, text/csv", True),
        ("application/json, text/csv;q=0.9", False),
        ("text/csv;q=0.9, */*;q=0.1", True),
        ("text/*", True),
        ("text/*, application/json", False),
        ("*/*", False),
        ("text/csv;q=often", False),
        ("", False),
        (None, False),
    ],
)
def test_csv_is_answered_to_whoever_asks_for_it(accept: str | None, is_csv: bool) -> None:
    assert prefers(accept, "text/csv", "application/json") is is_csv
