"""Which pairs a partition gets wrong, and which way."""

from matching.metrics import wrong_pairs


def test_wrong_pairs_are_those_merged_and_those_missed() -> None:
    found, truth = ["x", "x", "y", "z"], ["1", "2", "2", "3"]
    assert list(wrong_pairs(found, truth)) == [(0, 1, True), (1, 2, False)]


def test_the_truth_has_no_wrong_pairs() -> None:
    assert list(wrong_pairs("aab", "xxy")) == []
