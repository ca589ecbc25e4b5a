"""Models: what is written comes back, what was tampered with or makes no sense is refused with the place named."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from matching.model import (
    DEFAULT_MODEL_PATH,
    Lines,
    Model,
    ModelError,
    default_model,
    dump_model,
    load_model,
    match_probability,
    model_from_json,
    term_hash,
)


@pytest.fixture
def data() -> Any:
    return json.loads(DEFAULT_MODEL_PATH.read_text(encoding="utf-8"))


def named(data: Any, comparison: str) -> Any:
    return next(one for one in data["comparisons"] if one["name"] == comparison)


def changed(data: Any, change: Callable[[Any], object]) -> Model:
    """Load the shipped model after an edit whose author also took the fingerprint out."""
    change(data)
    return model_from_json(data | {"fingerprint": ""})


def test_the_shipped_model_loads_and_is_written_as_it_was() -> None:
    assert dump_model(default_model()) == DEFAULT_MODEL_PATH.read_text(encoding="utf-8")


def test_a_model_survives_a_store_that_keeps_json_only(data: Any) -> None:
    assert model_from_json(json.loads(json.dumps(data))).fingerprint == default_model().fingerprint


def test_the_shipped_model_holds_nobodys_name() -> None:
    text = DEFAULT_MODEL_PATH.read_text(encoding="utf-8")
    assert "smith" not in text
    assert "mueller" not in text


def test_an_edited_file_is_refused(data: Any) -> None:
    data["prior"] *= 2
    with pytest.raises(ModelError, match="fingerprint"):
        model_from_json(data)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda data: data["comparisons"][0]["levels"].pop(), "comparisons.given_name: needs exactly"),
        (lambda data: data["comparisons"][0]["levels"].append({"name": "odd", "m": 0.1, "u": 0.1}), "comparisons.given_name"),
        (lambda data: data["comparisons"][0]["levels"][-1].update(u=1e-9), "not monotone"),
        (lambda data: data["comparisons"][0]["levels"][0].update(u=0.0), "comparisons.given_name.swapped"),
        (lambda data: data["comparisons"][0]["levels"][0].update(m=1.5), "comparisons.given_name.swapped"),
        (lambda data: data["comparisons"][0]["levels"][0].update(m=math.nan), "comparisons.given_name.swapped"),
        (lambda data: data["comparisons"][0].update(name="astrology"), "'astrology' is not a comparison"),
        (lambda data: data["comparisons"].append(data["comparisons"][0]), "twice"),
        (lambda data: data["comparisons"].clear(), "at least one"),
        (lambda data: data.update(prior=0.0), "prior"),
        (lambda data: data.update(prior="often"), "missing or wrongly typed"),
        (lambda data: data["lines"].update(merge=-20.0), "lines"),
        (lambda data: data["lines"].update(merge=math.nan), "lines"),
        (lambda data: data["lines"].update(extra=1.0), "missing or wrongly typed"),
        (lambda data: data.pop("salt"), "missing or wrongly typed"),
        (lambda data: data.update(format=99), "format"),
        (lambda data: data["frequencies"]["given"].update(floor=0.0), "frequencies.given"),
        (lambda data: named(data, "household")["levels"][0].update(m=1.0, u=0.1), "take weight back"),
    ],
)  # fmt: skip
def test_a_model_that_makes_no_sense_is_refused_with_its_place(data: Any, change: Callable[[Any], object], place: str) -> None:
    with pytest.raises(ModelError, match=place):
        changed(data, change)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    for text in ("", "[]", "{", '{"format": 1}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ModelError):
            load_model(path)
    with pytest.raises(ModelError, match=r"gone\.json"):
        load_model(tmp_path / "gone.json")


def test_a_comparison_may_be_absent(data: Any) -> None:
    model = changed(data, lambda data: data["comparisons"].pop(4))
    assert "gender" not in {comparison.name for comparison in model.comparisons}


def test_other_lines_or_another_prior_are_another_model() -> None:
    shipped = default_model()
    others = {shipped.with_lines(Lines(-6.0, 0.0, 20.0)).fingerprint, replace(shipped, prior=0.5, fingerprint="").fingerprint}
    assert len(others | {shipped.fingerprint}) == 3


def test_a_rare_value_has_the_floor_and_no_value_is_known_under_another_salt(data: Any) -> None:
    model = changed(
        data, lambda data: data["frequencies"]["given"]["values"].update({term_hash(data["salt"], "given", "ann"): 0.5})
    )
    assert model.frequency("given", "ann") == 0.5
    assert model.frequency("given", "somebody nobody is called") == model.frequencies["given"].floor
    assert term_hash("a", "given", "ann") != term_hash("b", "given", "ann") != term_hash("b", "surname", "ann")


@pytest.mark.parametrize(
    ("weight", "probability"), [(0.0, 0.5), (10.0, 1024 / 1025), (-10.0, 1 / 1025), (5000.0, 1.0), (-5000.0, 0.0)]
)
def test_bits_become_probabilities(weight: float, probability: float) -> None:
    assert match_probability(weight) == pytest.approx(probability, abs=1e-300)
