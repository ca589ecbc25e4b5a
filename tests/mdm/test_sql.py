"""Array literals are read by PostgreSQL as the values that were written."""

from datetime import UTC

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm import sql

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.sampled_from('"\\{},NULL \t\n'))
TIMES = st.datetimes(timezones=st.timezones()).filter(lambda at: 1900 <= at.year <= 2100).map(lambda at: at.astimezone(UTC))
VALUES: dict[str, st.SearchStrategy[object]] = {
    "uuid": st.uuids(),
    "text": TEXTS | st.sampled_from(["", "NULL", "null", "{}", '"', "\\", "\\x41"]),
    "bytea": st.binary(),
    "timestamptz": TIMES,
    "int": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
}


STATEMENTS = {kind: "SELECT %s::" + kind + "[]" for kind in VALUES}


@pytest.mark.parametrize("kind", VALUES)
def test_arrays_come_back_as_they_were(database_url: str, kind: str) -> None:
    with psycopg.connect(database_url) as connection:

        @given(st.lists(VALUES[kind] | st.none()))
        def come_back(values: list[object]) -> None:
            assert connection.execute(STATEMENTS[kind], [sql.array(values)]).fetchone() == (values,)

        come_back()
