"""What differs between two models is named, and nothing else."""

import dataclasses

from matching.comparisons import GENDER, GIVEN
from matching.model import Lines, Model, Parameter, default_model
from matching.model_changes import model_changes

MODEL = default_model()


def moved(bits: float) -> Model:
    """The shipped model with an exact given name that weighs so much less."""
    place = [one.name for one in MODEL.comparisons].index(GENDER.name)
    first, *rest = MODEL.parameters[place]
    parameters = list(MODEL.parameters)
    parameters[place] = (Parameter(first.m * 2.0**-bits, first.u), *rest)
    return dataclasses.replace(MODEL, parameters=tuple(parameters), fingerprint="")


def test_a_model_does_not_differ_from_itself() -> None:
    found = model_changes(MODEL, MODEL)
    assert (found.moved, found.lines, found.only_before, found.only_after) == ((), (), (), ())


def test_a_level_that_moved_by_more_than_a_bit_is_named() -> None:
    (one,) = model_changes(MODEL, moved(1.5)).moved
    assert (one.comparison, one.level, round(one.bits, 6)) == (GENDER.name, "exact", -1.5)
    assert model_changes(MODEL, moved(0.5)).moved == ()


def test_prior_and_lines_are_told() -> None:
    found = model_changes(MODEL, dataclasses.replace(MODEL, prior=0.01, fingerprint="").with_lines(Lines(guard=2.0)))
    assert found.lines == (("guard", 0.0, 2.0),)
    assert round(found.prior_after, 2) == -6.63


def test_what_only_one_compares_is_told() -> None:
    fewer = dataclasses.replace(MODEL, comparisons=MODEL.comparisons[1:], parameters=MODEL.parameters[1:], fingerprint="")
    assert model_changes(MODEL, fewer).only_before == (GIVEN.name,)
    assert model_changes(fewer, MODEL).only_after == (GIVEN.name,)
