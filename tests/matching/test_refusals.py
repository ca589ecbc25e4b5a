"""Training refuses what cannot tell people apart, with the reason and what would mend it; what is merely missing is no reason."""

import dataclasses

import pytest

from matching.comparisons import ADDRESS, COMPARISONS, GENDER, GIVEN
from matching.model import default_model
from matching.refusals import TrainingRefused, refuse_degenerate, refuse_few
from matching.teaching import Learned

MODEL = default_model()
NAMES = [comparison.name for comparison in MODEL.comparisons]
M = {name: tuple(p.m for p in ps) for name, ps in zip(NAMES, MODEL.parameters, strict=True)}
U = {name: tuple(p.u for p in ps) for name, ps in zip(NAMES, MODEL.parameters, strict=True)}
TAUGHT = Learned("birth date", False, 1_000, 1e6, 0.5, 5, True, {GIVEN.name: M[GIVEN.name], GENDER.name: M[GENDER.name]}, {})


def pattern(**levels: int) -> tuple[int, ...]:
    return tuple(levels.get(name, -1) for name in NAMES)


VARIED = {pattern(given_name=0, gender=0): 500, pattern(given_name=0, gender=1): 500}


def refused(**given: object) -> str:
    said = {"model": MODEL, "learned": [TAUGHT], "candidates": 1_000, "m": M, "u": U, "sample": VARIED} | given
    try:
        refuse_degenerate(**said)  # type: ignore[arg-type]  # Each test replaces one of them by its like.
    except TrainingRefused as reason:
        return str(reason)
    return ""


def test_what_the_shipped_model_was_trained_on_would_not_be_refused() -> None:
    assert refused() == ""
    assert {comparison.name for comparison in COMPARISONS} == set(NAMES)


def test_ten_records_are_too_few_and_a_hundred_are_not() -> None:
    with pytest.raises(TrainingRefused, match="10 records"):
        refuse_few(10)
    refuse_few(100)


def test_few_candidates_and_no_matches_are_refused() -> None:
    assert "49 candidate pairs" in refused(candidates=49)
    assert "no blocking pass" in refused(learned=[dataclasses.replace(TAUGHT, matching=0.001)])


def test_an_em_that_did_not_converge_is_refused_unless_another_did() -> None:
    unsettled = dataclasses.replace(TAUGHT, converged=False)
    assert "EM did not converge" in refused(learned=[unsettled])
    assert refused(learned=[unsettled, TAUGHT]) == ""


def test_a_comparison_on_which_everybody_agrees_is_refused_with_what_to_do() -> None:
    everybody = {pattern(given_name=0, gender=1): 700, pattern(given_name=0): 300}
    said = refused(sample=everybody)
    assert "gender never varies" in said
    assert "700 random pairs" in said
    assert "Take the field out of the mapping" in said


def test_one_on_which_all_strangers_differ_is_well() -> None:
    assert refused(sample={pattern(given_name=0, gender=0): 1_000}) == ""


def test_a_handful_of_pairs_and_a_comparison_that_nobody_has_are_no_reason() -> None:
    assert refused(sample={pattern(given_name=0, gender=1): 49, pattern(given_name=0): 951}) == ""
    assert refused(sample={pattern(given_name=0): 1_000}) == ""


def test_one_on_which_strangers_agree_more_often_than_one_customer_is_not_monotone() -> None:
    said = refused(m=M | {GENDER.name: (0.1, 0.9)}, u=U | {GENDER.name: (0.5, 0.5)})
    assert "gender is not monotone" in said
    assert "mapped to what it holds" in said


def test_levels_merely_out_of_order_are_pooled_and_not_refused() -> None:
    out_of_order = (0.1, *M[GIVEN.name][1:])
    assert refused(m=M | {GIVEN.name: out_of_order}) == ""


def test_a_town_of_which_nobody_comes_from_elsewhere_is_no_reason() -> None:
    """No random pair is at the weakest level: what is said of it is the base model's, and rarer than any agreement."""
    m = (0.9, 0.001, 0.001, 0.005, 0.007, 0.08, 0.006)
    u = (0.011, 1e-6, 1e-5, 0.022, 0.096, 0.871, 1e-5)
    of_address = [dataclasses.replace(TAUGHT, m={**TAUGHT.m, ADDRESS.name: m})]
    assert refused(learned=of_address, m=M | {ADDRESS.name: m}, u=U | {ADDRESS.name: u}) == ""
    assert "address is not monotone" in refused(
        learned=of_address, m=M | {ADDRESS.name: (0.001, 1e-8, 1e-7, 0.002, 0.007, 0.98, 0.01)}, u=U | {ADDRESS.name: u}
    )
