"""Values side by side: what differs is marked, and nothing that a customer typed becomes markup."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.values import DIFFERS, ONE_SIDED, SAME, compare, flat, marked

texts = st.text(max_size=40)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("name", {"given": "Maria", "surname": "Garcia Lopez"}, ["Maria Garcia Lopez"], id="name"),
        pytest.param(
            "address",
            {"lines": ["Calle Mayor 5"], "city": "Madrid", "postal_code": "28013", "country": "ES", "street": "Calle Mayor"},
            ["Calle Mayor 5", "28013 Madrid", "ES"],
            id="address",
        ),
        pytest.param(
            "emails", [{"value": "a@b.org", "primary": True}, {"value": "c@d.org"}], ["a@b.org", "c@d.org"], id="several"
        ),
        pytest.param("identifiers", [{"type": "national_id", "value": "1Z"}], ["1Z (national_id)"], id="identifier"),
        pytest.param("loyalty_accounts", [{"programme": "main", "number": "7", "tier": "gold"}], ["7 (main)"], id="loyalty"),
        pytest.param("language", "es", ["es"], id="plain"),
    ],
)
def test_a_value_is_a_line_each(name: str, value: Any, expected: list[str]) -> None:
    assert flat({name: value})[name] == expected


def test_rows_say_how_the_sides_stand_to_each_other() -> None:
    one = {"name": {"given": "Maria"}, "language": "es", "emails": [{"value": "A@b.org"}]}
    other = {"name": {"given": "Mario"}, "emails": [{"value": "a@b.org"}]}
    assert {row.name: row.state for row in compare([one, other])} == {"name": DIFFERS, "emails": SAME, "language": ONE_SIDED}


def test_the_characters_that_differ_are_marked() -> None:
    assert marked("Maria", "Mario") == "Mari<mark>a</mark>"
    assert marked("Ana", "Ana") == "Ana"


def test_of_a_value_without_end_a_part_is_set_side_by_side() -> None:
    (row,) = compare([{"language": "W" * 10_000}, {"language": "es"}])
    assert row.cells[0][0].endswith("… and 9,400 characters more</mark>")
    assert len(row.cells[0][0]) < 700


def test_of_a_text_that_has_little_in_common_all_is_marked() -> None:
    assert marked("582 89 Linköping", "582 89") == "582 89<mark> Linköping</mark>"
    assert marked("e.molin@hotmail.com", "c5d652182f3f@marketplace.shop") == "<mark>e.molin@hotmail.com</mark>"


@given(texts, texts)
def test_nothing_typed_becomes_markup(text: str, other: str) -> None:
    without = re.sub(r"</?mark>", "", str(marked(text, other)))
    assert not re.search(r"[<>]", without)
    assert (
        without.replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", '"').replace("&#39;", "'").replace("&amp;", "&")
        == text
    )


@given(
    st.dictionaries(
        st.sampled_from(["name", "emails", "extras", "language", "strange"]),
        st.recursive(texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)),
        max_size=4,
    )
)
def test_whatever_shape_a_value_has_it_is_shown(values: dict[str, Any]) -> None:
    if not isinstance(values.get("extras", {}), dict):
        values.pop("extras")
    for row in compare([values, {}]):
        assert row.state == ONE_SIDED
