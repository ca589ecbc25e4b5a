"""Weights: pinned by name, summed in one order, and what is better is never worth less."""

import dataclasses
import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.comparisons import COMPARISONS
from matching.forms import ComparisonForm
from matching.model import Frequencies, Model, Parameter, default_model, term_hash
from matching.score import frequency_adjustments, score_pair, scorer

from .hostile_forms import person
from .test_comparisons import born, name_of

SEEDS = st.integers(0, 10**9)
# A model of round numbers, so that pinned weights are not those of one training run: each level weighs what stands here, in bits.
BITS: dict[str, tuple[float, ...]] = {
    "given_name": (14, 7, 5, 5, 4, 3, 2, -4),
    "surname": (8, 5, 4, 2, -4),
    "middle_name": (6, 4, 2, -4),
    "birth_date": (14, 8, 5, 4, 2, 1, -2, -6),
    "gender": (1, -5),
    "email": (17, 14, 4, 3, -2),
    "phone": (13, 6, -2),
    "address": (13, 10, 9, 7, 4, 1, -3),
    "identifier": (20, 12, -3),
    "company_name": (10, 7, 2, -4),
    "household": (-32, -20, -8, -5),
    "twins": (-7, -3),
    "namesakes": (-5, -4, -2, -1),
}


@pytest.fixture(scope="module")
def pinned() -> Model:
    parameters = tuple(
        tuple(Parameter(min(1.0, 2.0**bits), min(1.0, 2.0**-bits)) for bits in BITS[one.name]) for one in COMPARISONS
    )
    return Model("pinned", COMPARISONS, parameters, prior=1 / 1025)


def gained(model: Model, a: ComparisonForm, b: ComparisonForm) -> float:
    """The weight without the prior."""
    return score_pair(model, a, b).weight + 10.0


def test_swapped_names_give_plus_14(pinned: Model) -> None:
    assert gained(pinned, name_of("john", "smith"), name_of("smith", "john")) == 14


def test_one_full_name_gives_plus_14(pinned: Model) -> None:
    assert gained(pinned, name_of("john", "smith"), name_of("john", "smith")) == 7 + 8 - 1


def test_a_nickname_gives_plus_5_and_the_surname_plus_8(pinned: Model) -> None:
    assert gained(pinned, name_of("robert", "smith", nicknames=("rob",)), name_of("bob", "smith", nicknames=("rob",))) == 13


def test_birth_dates_with_day_and_month_swapped_give_plus_8(pinned: Model) -> None:
    assert gained(pinned, born("1980-02-03"), born("1980-03-02")) == 8


def test_nothing_known_gives_nothing(pinned: Model) -> None:
    assert gained(pinned, ComparisonForm(), ComparisonForm()) == 0


def test_a_shared_home_counts_once_when_given_names_differ(pinned: Model) -> None:
    home = {
        "surname": "smith",
        "surnames": ("smith",),
        "house_postals": ("1|x",),
        "homes": ("h",),
        "streets": ("x",),
        "postals": ("x",),
    }
    contacts = {"phones": ("+14155550100",), "emails": ("smiths@a.com",)}
    anna = ComparisonForm(given="anna", initial="a", **home, **contacts)  # type: ignore[arg-type]  # Fields by name.
    peter = ComparisonForm(given="peter", initial="p", **home, **contacts)  # type: ignore[arg-type]  # Fields by name.
    assert gained(pinned, anna, peter) == -4 + 8 + 13 + 13 + 14 - 32
    without_e_mail = dataclasses.replace(anna, emails=None)
    assert score_pair(default_model(), without_e_mail, peter).weight < 0


def test_a_model_scores_the_comparisons_it_has(pinned: Model) -> None:
    fewer = dataclasses.replace(pinned, comparisons=pinned.comparisons[:2], parameters=pinned.parameters[:2], fingerprint="")
    scored = score_pair(fewer, name_of("john", "smith"), name_of("john", "smith"))
    assert (len(scored.levels), scored.weight) == (2, 15 - 10)


def test_a_frequent_name_is_worth_less_by_its_frequency(pinned: Model) -> None:
    known = Frequencies(2.0**-9, {term_hash("s", "surname", "smith"): 2.0**-5})
    model = dataclasses.replace(pinned, salt="s", frequencies={"surname": known}, fingerprint="")
    assert gained(model, name_of(None, "smith"), name_of(None, "smith")) == 8 + (-8 + 5)
    assert gained(model, name_of(None, "rare"), name_of(None, "rare")) == 8 + (-8 + 9)
    assert frequency_adjustments(model)["surname"]("smith") == -3


@given(SEEDS, SEEDS)
@settings(max_examples=500)
def test_scoring_is_symmetric_and_adds_up(one: int, other: int) -> None:
    model, a, b = default_model(), person(one), person(other)
    scored = score_pair(model, a, b)
    assert scored == score_pair(model, b, a)
    assert scored.weight == scorer(model).weight(a, b)
    assert scored.weight == pytest.approx(model.prior_weight + math.fsum(scored.contributions), abs=1e-9)


@given(SEEDS, SEEDS, st.floats(-60, 60))
@settings(max_examples=500)
def test_a_weight_is_given_to_the_bit_unless_it_is_below_the_line(one: int, other: int, line: float) -> None:
    a, b = person(one), person(other)
    for least in (line, weight := score_pair(default_model(), a, b).weight, math.nextafter(weight, math.inf)):
        given_weight = scorer(default_model()).weight(a, b, least)
        assert given_weight == weight if weight >= least else given_weight < least


def test_two_of_one_home_are_below_the_line_only_by_what_the_home_takes_back(pinned: Model) -> None:
    home = {"house_postals": ("1|2",), "postals": ("2",), "phones": ("+1",), "emails": ("a@b",)}
    one, other = (dataclasses.replace(name_of(given, "smith"), **home) for given in ("john", "mary"))
    weight = score_pair(pinned, one, other).weight
    assert weight < 10 < scorer(pinned).weight(one, one)
    assert scorer(pinned).weight(one, other, weight) == weight
    assert scorer(pinned).weight(one, other, 10) < 10


def test_a_stronger_level_never_weighs_less() -> None:
    model = default_model()
    for comparison, parameters in zip(model.comparisons, model.parameters, strict=True):
        weights = [parameter.weight for parameter in parameters]
        if not comparison.correction:
            assert all(later <= earlier + 1e-6 for earlier, later in pairwise(weights)), comparison.name
