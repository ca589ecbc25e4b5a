"""What DuckDB is asked of two texts is what the online scorer asks."""

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from matching.conditions import Apart, Exact, Missing, Not, Some, one_edit

WORDS = st.lists(st.tuples(st.text("abc", min_size=1, max_size=7), st.text("abc", min_size=1, max_size=7)), min_size=1)


def in_duckdb(pairs: list[tuple[str, str]], test: str) -> list[object]:
    with duckdb.connect() as connection:
        connection.register(
            "given", pa.table({"place": list(range(len(pairs))), "a": [a for a, _ in pairs], "b": [b for _, b in pairs]})
        )
        return [row[0] for row in connection.execute(f"SELECT {test} FROM given ORDER BY place").fetchall()]


@given(WORDS)
def test_one_edit_is_the_same_in_duckdb_and_online(pairs: list[tuple[str, str]]) -> None:
    assert in_duckdb(pairs, one_edit().sql.format(a="a", b="b")) == [OSA.distance(a, b) <= 1 for a, b in pairs]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("a", "b"),
        ("ab", "ba"),
        ("ab", "b"),
        ("abc", "acb"),
        ("abcd", "acbd"),
        ("abcde", "abdce"),
        ("x1", "x12"),
        ("abcd", "abxcd"),
    ],
)
def test_one_edit_in_the_middle_of_a_text_is_one(a: str, b: str) -> None:
    test = one_edit().sql
    assert in_duckdb([(a, b), (b, a)], test.format(a="a", b="b")) == [True, True]


def test_what_is_unknown_does_not_hold() -> None:
    unknown = Some(Exact("given"), Missing("surname"), Apart("birth_year", 10))
    columns = "'x' AS given_l, NULL AS given_r, 'x' AS surname_l, 'y' AS surname_r, 1950 AS birth_year_l, NULL AS birth_year_r"
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {unknown.sql()}, {Not(unknown).sql()} FROM (SELECT {columns})").fetchall()
    assert found == [(None, True)]
