"""The rival gets a fair run: what is laid out for it, and that its clusters are those of the threshold that the truth chose."""

import pytest

from bench.accuracy import LEAST_AHEAD, Compared, goals
from bench.accuracy_sets import LabelledSet, retailer
from bench.rival import Outcome, Rival, columns
from matching.evaluate import Labelled, evaluate_records, prepare
from matching.model import default_model
from matching.standardize import Context, standardize

CUSTOMERS = 250


def test_a_record_is_laid_out_flat() -> None:
    given = {
        "given_name": "José",
        "surname": "O'Brien",
        "birth_date": "1980-02-03",
        "emails": [{"value": "jose@example.org"}],
        "phones": [{"value": "+442079460001"}, {"value": "+442079460002"}],
        "addresses": [{"line1": "12 High Street", "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB"}],
        "loyalty_accounts": [{"programme": "club", "number": "60118234"}],
    }
    flat = columns(standardize(given, Context("GB", "DMY")))
    assert (flat["given"], flat["birth"], flat["house"]) == ("jose", "1980-02-03", "12")
    assert flat["phones"] == ["+442079460001", "+442079460002"]
    assert flat["id_loyalty"] == "club|60118234"


@pytest.fixture(scope="module")
def small() -> LabelledSet:
    return retailer("typical", CUSTOMERS)


@pytest.fixture(scope="module")
def outcomes(small: LabelledSet) -> tuple[Outcome, Outcome]:
    """With its own blocking rules, and with our candidate pairs."""
    with Rival(small.records) as rival:
        own = rival.outcome()
        return own, rival.outcome(prepare([(one.record_id, one.record) for one in small.records]))


def test_it_finds_customers_and_its_clusters_are_those_of_the_best_threshold(outcomes: tuple[Outcome, Outcome]) -> None:
    for found in outcomes:
        assert found.pairwise.f1 > 0.5, "a rival that finds little was set up wrongly"
        assert found.pairwise.f1 == pytest.approx(found.best_f1, abs=1e-9)


def test_a_set_whose_doubles_all_differ_somewhere_is_compared_as_well() -> None:
    """No deterministic rule finds a pair: the prior stays Splink's own."""
    people = [("mary", "miller", 1), ("marie", "miller", 1), ("john", "baker", 2), ("jon", "baker", 2), *_strangers(60)]
    records = [
        Labelled(f"{at}", f"{truth}", standardize(_named(given, surname, truth), Context("GB", "DMY")))
        for at, (given, surname, truth) in enumerate(people)
    ]
    with Rival(records) as rival:
        assert 0.0 < rival.outcome().pairwise.f1 <= 1.0


def _named(given: str, surname: str, truth: int) -> dict[str, str]:
    return {"given_name": given, "surname": surname, "birth_date": f"19{truth % 90 + 10}-03-04"}


def _strangers(count: int) -> list[tuple[str, str, int]]:
    given, surnames = ("ann", "peter", "lisa", "omar", "ines", "karl"), ("ford", "kim", "weber", "rossi", "silva")
    return [(given[at % 6], surnames[at % 5], 3 + at) for at in range(count)]


def test_our_run_is_held_to_the_better_of_the_rivals(small: LabelledSet, outcomes: tuple[Outcome, Outcome]) -> None:
    found, _ = evaluate_records(small.records, default_model(), rules=small.rules)
    compared = Compared(small, {"run": found}, dict(zip(("own", "ours"), outcomes, strict=True)), None, 0.0)
    ahead = {line.name: line for line in goals(compared)}["retailer, typical: run, balanced minus Splink's best, pairwise"]
    best = max(one.pairwise.f1 for one in outcomes)
    assert ahead.value == pytest.approx(found.balanced.pairwise.f1 - best)
    assert ahead.is_met is (found.balanced.pairwise.f1 >= best + LEAST_AHEAD)
