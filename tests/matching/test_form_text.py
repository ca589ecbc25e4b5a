"""A form comes back from its text as it was, and a text of another program's layout is not misread."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import form_text
from matching.forms import ComparisonForm

from .hostile_forms import person


@given(st.integers(0, 10**9))
def test_a_form_comes_back_as_it_was(seed: int) -> None:
    form = person(seed)
    assert form_text.load(form_text.dump(form)) == form


def test_what_nothing_is_known_of_comes_back_empty() -> None:
    assert form_text.load(form_text.dump(ComparisonForm())) == ComparisonForm()


def test_what_is_read_can_be_looked_up_like_any_form() -> None:
    form = ComparisonForm(emails=("a@b.es", "c@d.es"), birth_year=1980, extras=(("colour", "teal"), ("size", "12")))
    read = form_text.load(form_text.dump(form))
    assert read is not None
    assert (hash(read), read.emails, read.birth_year, read.extras) == (hash(form), form.emails, 1980, form.extras)


def test_a_text_of_another_layout_is_not_read() -> None:
    _, *values = orjson.loads(form_text.dump(ComparisonForm(given="ada", surname="byron")))
    assert form_text.load(orjson.dumps(["another", *values])) is None


@pytest.mark.parametrize("text", ["", "7", "{}", "[]", "null", '["ada"'])
def test_what_is_no_form_is_refused_or_not_read(text: str) -> None:
    try:
        read = form_text.load(text)
    except (ValueError, TypeError):
        return
    assert read is None
