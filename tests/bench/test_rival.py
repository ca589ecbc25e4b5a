"""The rival gets a fair run: what is laid out for it, and that its clusters are those of the threshold that the truth chose."""

import pytest

from bench.accuracy import LEAST_AHEAD, Compared, goals
from bench.accuracy_sets import LabelledSet, retailer
from bench.rival import Outcome, Rival, columns
from matching.evaluate import evaluate_records, prepare
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


def test_our_run_is_held_to_the_better_of_the_rivals(small: LabelledSet, outcomes: tuple[Outcome, Outcome]) -> None:
    found, _ = evaluate_records(small.records, default_model(), rules=small.rules)
    compared = Compared(small, {"run": found}, dict(zip(("own", "ours"), outcomes, strict=True)), None, 0.0)
    ahead = {line.name: line for line in goals(compared)}["retailer, typical: run, balanced minus Splink's best, pairwise"]
    best = max(one.pairwise.f1 for one in outcomes)
    assert ahead.value == pytest.approx(found.balanced.pairwise.f1 - best)
    assert ahead.is_met is (found.balanced.pairwise.f1 >= best + LEAST_AHEAD)
