"""Models: what is written comes back, what was tampered with or makes no sense is refused with the place named."""

import hashlib
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


def sealed(data: Any) -> Any:
    """The data with the fingerprint that fits: an edit whose author knows how it is made."""
    body = {name: value for name, value in data.items() if name != "fingerprint"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return body | {"fingerprint": hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}


def changed(data: Any, change: Callable[[Any], object]) -> Model:
    """Load the shipped model after an edit whose author also made the fingerprint fit."""
    change(data)
    return model_from_json(sealed(data))


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


@pytest.mark.parametrize("emptied", [{}, {"fingerprint": ""}, {"fingerprint": None}, {"fingerprint": []}])
def test_a_file_without_its_fingerprint_is_as_good_as_edited(data: Any, emptied: Any) -> None:
    del data["fingerprint"]
    data["lines"]["merge"] = 1.0
    with pytest.raises(ModelError, match="changed after it was written"):
        model_from_json(data | emptied)


def nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda data: data["comparisons"][0]["levels"].pop(), "comparisons.given_name: needs exactly"),
        (lambda data: data["comparisons"][0]["levels"].append({"name": "odd", "m": 0.1, "u": 0.1}), "comparisons.given_name"),
        (lambda data: data["comparisons"][0]["levels"][-1].update(u=1e-9), "not monotone"),
        (lambda data: data["comparisons"][0]["levels"][0].update(u=0.0), "comparisons.given_name.swapped"),
        (lambda data: data["comparisons"][0]["levels"][0].update(m=1.5), "comparisons.given_name.swapped"),
        (lambda data: data["comparisons"][0]["levels"][0].update(m=math.nan), "must be finite"),
        (lambda data: data["comparisons"][0].update(name="astrology"), "'astrology' is not a comparison"),
        (lambda data: data["comparisons"].append(data["comparisons"][0]), "twice"),
        (lambda data: data["comparisons"].clear(), "at least one"),
        (lambda data: data.update(prior=0.0), "prior"),
        (lambda data: data.update(prior="often"), "missing or wrongly typed"),
        (lambda data: data["lines"].update(merge=-20.0), "lines"),
        (lambda data: data["lines"].update(merge=math.nan), "must be finite"),
        (lambda data: data["lines"].update(guard=math.inf), "must be finite"),
        (lambda data: data["lines"].update(rungs=10**9), "at most 100 rungs"),
        (lambda data: data["lines"].update(extra=1.0), "missing or wrongly typed"),
        (lambda data: data.update(report=[1]), "report: must be an object"),
        (lambda data: data["report"].update(records="many"), "report.records: must be a count"),
        (lambda data: data["report"].update(records=True), "report.records: must be a count"),
        (lambda data: data["report"].update(records=2**63), "report.records: must be a count"),
        (lambda data: data["report"].update(candidate_pairs=-1), "report.candidate_pairs: must be a count"),
        (lambda data: data["report"].update(odd=nested(40)), "nested more than 32 deep"),
        (lambda data: data["report"].update(odd=math.nan), "must be finite"),
        (lambda data: data.update(name="\ud800"), "Unicode"),
        (lambda data: data["report"].update({"\udfff": 1}), "Unicode"),
        (lambda data: data["report"].update(odd=["\0"]), "Unicode"),
        (lambda data: data.update(extras=[["tier", "text"], ["tier", "category"]]), "extras: one stands there twice"),
        (lambda data: data.update(extras=[["tier", "bogus"]]), "bogus"),
        (lambda data: data["frequencies"].update(shoe=data["frequencies"]["given"]), "frequencies.shoe: no comparison"),
        (lambda data: data.update(prior=10**400), "missing or wrongly typed"),
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
    for text in ("", "[]", "{", '{"format": 1}', "[" * 100_000):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ModelError):
            load_model(path)
    with pytest.raises(ModelError, match=r"gone\.json"):
        load_model(tmp_path / "gone.json")


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_line_is_made_of_a_number_that_is_not_finite(number: float) -> None:
    for name in ("guard", "merge", "sure", "step"):
        with pytest.raises(ValueError, match="finite"):
            Lines(**{name: number})


def test_a_ladder_has_at_most_100_rungs() -> None:
    assert len(Lines(rungs=100).ladder()) == 102
    with pytest.raises(ValueError, match="100 rungs"):
        Lines(rungs=101)


def test_a_report_holds_what_else_it_likes(data: Any) -> None:
    model = changed(data, lambda data: data.update(report={"odd": nested(20), "name": "\U0001f600 née"}))
    assert json.loads(dump_model(model))["report"]["name"] == "\U0001f600 née"


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
