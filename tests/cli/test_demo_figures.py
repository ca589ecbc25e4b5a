"""Figures against the truth, on records small enough to count by hand."""

import pytest

from cli.demo_figures import Recognition, measure
from sampledata.retailer import SimulatedRecord


def record(source: str, truth: str) -> SimulatedRecord:
    return SimulatedRecord(source, f"{source}-{truth}", {}, truth, "2024-01-01T12:00:00Z")


RECORDS = [record("pos", "ana"), record("webshop", "ana"), record("crm", "ana"), record("pos", "ben"), record("erp", "ben")]


def test_all_right() -> None:
    figures = measure(RECORDS, ["1", "1", "1", "2", "2"])
    assert (figures.golden, figures.customers, figures.multi_channel, figures.largest) == (2, 2, 2, 3)
    assert figures.pairwise.f1 == 1
    assert figures.bcubed.f1 == 1


def test_a_miss_and_a_false_merge() -> None:
    """Four true pairs; 1 holds ana's first two, 2 her third with both of ben's: two right pairs of four found."""
    figures = measure(RECORDS, ["1", "1", "2", "2", "2"])
    assert figures.pairwise.precision == pytest.approx(2 / 4)
    assert figures.pairwise.recall == pytest.approx(2 / 4)


def test_a_record_without_golden_id_stands_alone() -> None:
    figures = measure(RECORDS, ["1", "1", None, None, "2"])
    assert figures.golden == 4


def test_a_customer_is_recognised_when_all_records_of_both_channels_agree() -> None:
    """Ana came to the till twice: one of the two stands with her web shop account, so till and shop do not know her as one."""
    records = [record("pos", "ana"), record("pos", "ana"), record("webshop", "ana"), record("crm", "ben")]
    figures = measure(records, ["1", "2", "1", "1"])
    assert figures.recognition == {("pos", "pos"): Recognition(1, 0), ("pos", "webshop"): Recognition(1, 0)}
    assert measure(records, ["1", "1", "1", "2"]).recognition["pos", "webshop"] == Recognition(1, 1)


def test_recognition_counts_customers_by_pair_of_channels() -> None:
    figures = measure(RECORDS, ["1", "1", "2", "3", "3"])
    assert figures.recognition["pos", "webshop"] == Recognition(1, 1)
    assert figures.recognition["pos", "crm"] == Recognition(1, 0)
    assert figures.recognition["pos", "erp"] == Recognition(1, 1)


def test_a_steward_who_knows_the_truth_answers() -> None:
    """Of two questions the truth says yes to one; after it nothing of ana's is apart, and ben stays away from her."""
    figures = measure(RECORDS, ["1", "1", "2", "3", "3"], [("1", "2"), ("2", "3")])
    assert (figures.questions, figures.true_questions) == (2, 1)
    assert figures.pairwise.recall == pytest.approx(2 / 4)
    assert figures.after_review.recall == 1
    assert figures.after_review.precision == 1


def test_a_question_about_an_unknown_golden_is_no() -> None:
    figures = measure(RECORDS, ["1", "1", "1", "2", "2"], [("1", "gone")])
    assert (figures.questions, figures.true_questions) == (1, 0)
