"""What DuckDB is asked of two values is what the online scorer asks."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, JaroWinkler

from matching.comparisons import _any_edit, _any_jaro, _meet
from matching.conditions import (
    All,
    AnyNear,
    Apart,
    Condition,
    Crossed,
    EitherCrossed,
    Exact,
    ListsCross,
    ListsIntersect,
    Missing,
    Near,
    Not,
    Some,
    Unlike,
    Within,
    WithinShare,
    jaro_winkler,
    one_edit,
)

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


Row = Mapping[str, object]
TYPES = {
    "text": pa.string(),
    "other": pa.string(),
    "words": pa.list_(pa.string()),
    "others": pa.list_(pa.string()),
    "year": pa.int32(),
    "size": pa.float64(),
}
BASE: tuple[Condition, ...] = (
    Exact("text"),
    Missing("text"),
    Unlike("text"),
    Crossed("text", "other"),
    EitherCrossed("text", "other"),
    Within("year", 2),
    Apart("year", 10),
    ListsIntersect("words"),
    ListsCross("words", "others"),
    Near("text", jaro_winkler(0.9)),
    Near("text", one_edit()),
    AnyNear("words", one_edit()),
    AnyNear("words", jaro_winkler(0.92)),
    WithinShare("size", 0.01),
    WithinShare("size", 0.1),
)
CONDITIONS = (*BASE, *map(Not, BASE), All(BASE[3], Not(BASE[0])), Some(BASE[5], BASE[6]))
CALLED = {
    "meet": _meet,
    "any_jaro": _any_jaro,
    "any_edit": _any_edit,
    "jaro": JaroWinkler.similarity,
    "edit": OSA.distance,
}


def sides_in_duckdb(pairs: Sequence[tuple[Row, Row]], conditions: Sequence[Condition]) -> list[tuple[bool, ...]]:
    """What DuckDB says of each condition for each pair of rows; NULL is not met, as in a CASE."""
    columns = {
        f"{name}_{side}": pa.array([pair[at].get(name) for pair in pairs], type_)
        for name, type_ in TYPES.items()
        for at, side in enumerate("lr")
    }
    asked = ", ".join(f"coalesce({one.sql()}, false)" for one in conditions)
    with duckdb.connect() as connection:
        connection.register("given", pa.table({"place": list(range(len(pairs)))} | columns))
        return connection.execute(f"SELECT {asked} FROM given ORDER BY place").fetchall()


def sides_in_python(pairs: Sequence[tuple[Row, Row]], conditions: Sequence[Condition]) -> list[tuple[bool, ...]]:
    """What the same conditions say as Python, in the way in which the scorer compiles them."""
    text = "lambda a, b: (" + "".join(f"bool({one.python()}), " for one in conditions) + ")"
    asked = eval(text, dict(CALLED))
    nothing = dict.fromkeys(TYPES)
    return [asked(SimpleNamespace(**nothing | dict(a)), SimpleNamespace(**nothing | dict(b))) for a, b in pairs]


EDGES = (0.0, -0.0, 1.0, 1.1, 0.9, 0.99, 1.01, -1.0, -1.1, -0.9, 90.0, 99.0, 100.0, 101.0, 110.0, 1e308, -1e308, 1e-320)
TEXT = st.none() | st.text("ab ", min_size=1, max_size=5)
LIST = st.none() | st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3, unique=True).map(sorted).map(tuple)
YEAR = st.none() | st.integers(1978, 1992)
SIZE = st.none() | st.sampled_from(EDGES) | st.floats(allow_nan=False, allow_infinity=False)
ROW = st.fixed_dictionaries({"text": TEXT, "other": TEXT, "words": LIST, "others": LIST, "year": YEAR, "size": SIZE})


@given(st.lists(st.tuples(ROW, ROW), min_size=1, max_size=20))
@settings(max_examples=60)
def test_every_condition_and_its_contrary_are_the_same_in_duckdb_and_online(pairs: list[tuple[Row, Row]]) -> None:
    assert sides_in_duckdb(pairs, CONDITIONS) == sides_in_python(pairs, CONDITIONS)


@pytest.mark.parametrize(
    ("condition", "one", "other", "expected"),
    [
        (Within("year", 2), 1980, 1982, True),
        (Within("year", 2), 1980, 1983, False),
        (Apart("year", 10), 1980, 1990, False),
        (Apart("year", 10), 1980, 1991, True),
        (WithinShare("size", 0.01), 100.0, 99.0, True),
        (WithinShare("size", 0.01), 100.0, 98.99, False),
        (WithinShare("size", 0.1), 100.0, 90.0, True),
        (WithinShare("size", 0.1), 100.0, 89.9, False),
        (WithinShare("size", 0.1), -100.0, -90.0, True),
    ],
)
def test_a_line_between_numbers_is_the_same_in_duckdb_and_online(
    condition: Within | Apart | WithinShare, one: float, other: float, expected: bool
) -> None:
    pairs = [({condition.column: a}, {condition.column: b}) for a, b in ((one, other), (other, one))]
    assert sides_in_duckdb(pairs, [condition]) == sides_in_python(pairs, [condition]) == [(expected,)] * 2
