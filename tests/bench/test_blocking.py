"""The goals of blocking: the share of true pairs at the guard line that become candidates, and a record's candidates."""

import dataclasses

import pytest

from bench.blocking import lines, measured
from matching.blocking_report import BlockingReport


@pytest.fixture(scope="module")
def report() -> BlockingReport:
    return measured(60)


def test_a_small_retailer_is_measured_on_its_true_pairs(report: BlockingReport) -> None:
    reaching, every, *_ = lines(report)
    assert (reaching.value, every.value) == (report.recall_reaching, report.recall)
    assert 0 < (report.reaching_pairs or 0) < (report.true_pairs or 0)
    assert every.value < reaching.value <= 1.0


@pytest.mark.parametrize(
    ("recall", "mean", "met"),
    [(0.995, 60.0, [True, True]), (0.9949, 60.0, [False, True]), (1.0, 60.1, [True, False]), (None, 1.0, [False, True])],
)
def test_both_goals_are_held(report: BlockingReport, recall: float | None, mean: float, met: list[bool]) -> None:
    found = lines(dataclasses.replace(report, recall_reaching=recall, candidates_mean=mean))
    assert [one.is_met for one in found if one.goal is not None] == met
