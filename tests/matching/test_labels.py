"""Stewards' decisions: what they bear out moves the model towards the truth; noise, a handful and one-sidedness do not."""

import dataclasses
import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.comparisons import BIRTH_DATE, GIVEN, SURNAME
from matching.labels import (
    FEWEST_LABELS,
    MOST_LEVEL_BITS,
    MOST_PRIOR_BITS,
    Correction,
    Label,
    corrected,
    fit,
    surprise,
)
from matching.model import Model, Parameter, default_model, match_probability

CHOSEN = (GIVEN.name, SURNAME.name, BIRTH_DATE.name)


def small(name: str, prior: float, changes: dict[tuple[str, str], float]) -> Model:
    """The shipped model of three comparisons, some levels' weights moved by so many bits in m."""
    model = default_model()
    kept = [place for place, one in enumerate(model.comparisons) if one.name in CHOSEN]
    comparisons = tuple(model.comparisons[place] for place in kept)
    parameters = tuple(
        tuple(
            Parameter(min(1.0, p.m * 2.0 ** changes.get((comparison.name, level.name), 0.0)), p.u)
            for level, p in zip(comparison.levels, model.parameters[place], strict=True)
        )
        for place, comparison in zip(kept, comparisons, strict=True)
    )
    return dataclasses.replace(
        model, name=name, comparisons=comparisons, parameters=parameters, prior=prior, frequencies={}, fingerprint=""
    )


def weight(model: Model, levels: tuple[int, ...]) -> float:
    return model.prior_weight + sum(
        ps[-1 - level].weight for ps, level in zip(model.parameters, levels, strict=True) if level >= 0
    )


def drawn(truth: Model, seen_by: Model, pairs: int, seed: int, asked_only: bool = True) -> list[Label]:
    """Pairs whose matching follows one model; a steward is asked about those that another finds doubtful."""
    chance, found = random.Random(seed), []
    while len(found) < pairs:
        levels = tuple(chance.randrange(-1, len(ps)) for ps in truth.parameters)
        believed = weight(seen_by, levels)
        if not asked_only or -2 <= believed < 10:
            found.append(Label(levels, believed, chance.random() < match_probability(weight(truth, levels))))
    return found


TRUTH = small("truth", 0.001, {})
# Believes that a look-alike surname says three bits more than it does, and that customers are eight times as rare.
WRONG = small("wrong", 0.001 / 8, {(SURNAME.name, "sounds_alike"): 3.0, (SURNAME.name, "close"): 1.5})


def bits(model: Model, comparison: str, level: str) -> float:
    place = [one.name for one in model.comparisons].index(comparison)
    names = [one.name for one in model.comparisons[place].levels]
    return model.parameters[place][names.index(level)].weight


def test_decisions_move_a_wrong_model_towards_the_truth() -> None:
    found, said = corrected(WRONG, drawn(TRUTH, WRONG, 600, 1))
    assert said["learned"]
    assert abs(found.prior_weight - TRUTH.prior_weight) < abs(WRONG.prior_weight - TRUTH.prior_weight)
    surname = (SURNAME.name, "sounds_alike")
    assert abs(bits(found, *surname) - bits(TRUTH, *surname)) < abs(bits(WRONG, *surname) - bits(TRUTH, *surname))


@pytest.mark.parametrize("seed", range(5))
def test_it_predicts_what_was_never_asked_about_better_than_before(seed: int) -> None:
    """The steward saw only doubtful pairs; measured is on others, drawn from all."""
    found, _ = corrected(WRONG, drawn(TRUTH, WRONG, 600, seed))
    others = drawn(TRUTH, WRONG, 2_000, 100 + seed, asked_only=False)
    after = [dataclasses.replace(one, weight=weight(found, one.levels)) for one in others]
    assert surprise(after) < surprise(others)


def test_a_right_model_hardly_moves() -> None:
    found, _ = corrected(TRUTH, drawn(TRUTH, TRUTH, 600, 2))
    assert abs(found.prior_weight - TRUTH.prior_weight) < 1.0


def test_answers_by_lot_teach_nothing_that_holds() -> None:
    chance = random.Random(3)
    asked = [label for label in drawn(TRUTH, TRUTH, 4_000, 3, asked_only=False) if abs(label.weight) < 1][:60]
    lots = [dataclasses.replace(label, is_match=chance.random() < match_probability(label.weight)) for label in asked]
    found, said = corrected(TRUTH, lots)
    assert said["learned"] or found == TRUTH
    assert abs(found.prior_weight - TRUTH.prior_weight) < 1.5


def test_a_handful_teaches_nothing() -> None:
    found, said = corrected(WRONG, drawn(TRUTH, WRONG, FEWEST_LABELS - 1, 4))
    assert found == WRONG
    assert said["because"] == f"fewer than {FEWEST_LABELS} decisions"


def test_pairs_of_one_decision_count_as_one() -> None:
    shared = [dataclasses.replace(label, share=0.1) for label in drawn(TRUTH, WRONG, 100, 5)]
    assert corrected(WRONG, shared)[1]["decisions"] == 10
    assert not corrected(WRONG, shared)[1]["learned"]


def test_a_decision_of_many_pairs_is_no_proof_of_itself() -> None:
    """Forty answers by lot, each about four pairs that are alike: half of the pairs would tell the other half."""
    chance = random.Random(8)
    asked = [one for one in drawn(TRUTH, TRUTH, 6_000, 8, asked_only=False) if abs(one.weight) < 1]
    lots = [dataclasses.replace(one, is_match=chance.random() < 0.5, share=0.25) for one in asked[:40]]
    whole = [dataclasses.replace(one, decision=number) for number, one in enumerate(lots) for _ in range(4)]
    assert not corrected(TRUTH, whole)[1]["learned"]
    torn = [dataclasses.replace(one, decision=None) for one in whole]
    assert corrected(TRUTH, torn)[1]["learned"]


def test_the_report_compares_belief_with_decisions() -> None:
    _, said = corrected(WRONG, drawn(TRUTH, WRONG, 600, 6))
    assert sum(one["decisions"] for one in said["calibration"]) == 600
    assert all(abs(one["expected"] - one["matches"]) < 0.25 for one in said["calibration"] if one["decisions"] > 50)


labels = st.lists(
    st.builds(
        Label,
        st.tuples(st.integers(-1, 6), st.integers(-1, 4), st.integers(-1, 6)),
        st.floats(-10, 10),
        st.booleans(),
        st.floats(0.1, 1.0),
    ),
    max_size=60,
)


@given(labels)
def test_whatever_is_decided_a_correction_is_bounded_and_no_worse_on_what_taught_it(taught: list[Label]) -> None:
    found = fit(taught)
    assert abs(found.prior) <= MOST_PRIOR_BITS
    assert all(abs(moved) <= MOST_LEVEL_BITS for moved in found.levels.values())
    assert surprise(taught, found) <= surprise(taught) + 1e-9


@given(labels)
def test_a_corrected_model_is_a_model(taught: list[Label]) -> None:
    """Monotone and within its bounds, or Model would refuse it."""
    found, _ = corrected(TRUTH, taught * 3)
    for parameters in found.parameters:
        weights = [one.weight for one in parameters]
        assert all(a >= b - 1e-6 for a, b in itertools.pairwise(weights))


def test_a_correction_of_an_unseen_level_is_the_prior_alone() -> None:
    assert Correction(1.5, {(0, 3): 1.0}).of((2, -1, -1)) == 1.5
    assert math.isclose(Correction(1.5, {(0, 3): 1.0}).of((3, -1, -1)), 2.5)
