"""Every level of every comparison has its sentence, and a pair is told with what weighs most each way."""

import pytest

from matching.comparison import Comparison
from matching.comparisons import COMPARISONS, extra_comparison
from matching.forms import comparison_form
from matching.model import default_model
from matching.score import score_pair
from matching.sentences import said, sentence, summary, unsaid
from matching.standardize import Context, standardize

MARIA = {"given_name": "Maria", "surname": "Garcia", "birth_date": "1984-03-12", "emails": ["maria.garcia@telefonica.net"]}


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda one: one.name)
def test_every_level_has_a_sentence_of_its_own(comparison: Comparison) -> None:
    levels = [level.name for level in comparison.levels]
    told = [sentence(comparison, name) for name in levels]
    assert len(set(told)) == len(levels)


@pytest.mark.parametrize("kind", ["category", "text", "identifier", "date", "number"])
def test_a_users_attribute_is_told_by_its_name(kind: str) -> None:
    comparison = extra_comparison("shoe_size", kind, 0)
    assert all("shoe size" in sentence(comparison, level.name) for level in comparison.levels)


def test_a_pair_is_told_by_weight_and_what_is_missing_by_what_it_could_have_given() -> None:
    model = default_model()
    one, other = (
        comparison_form(standardize(data, Context())) for data in (MARIA, MARIA | {"given_name": "Mario", "emails": []})
    )
    scored = score_pair(model, one, other)
    told = said(model, scored)
    assert [one.bits for one in told] == sorted((one.bits for one in told), reverse=True)
    assert abs(sum(one.bits for one in told) + model.prior_weight - scored.weight) < 1e-9
    assert told[0].sentence == "the same birth date"
    missing = [one.comparison for one in unsaid(model, scored)]
    assert missing[0] == "email"
    assert "birth_date" not in missing
    text = summary(told, scored.weight, "no_match", "perhaps_relatives", model.lines.merge)
    assert "the same birth date (+14" in text
    assert text.endswith("The verdict is no match (perhaps relatives).")
