"""The best threshold: beside every threshold tried one by one, measured by the measures themselves."""

from hypothesis import given
from hypothesis import strategies as st

from bench.thresholds import Growing, best_thresholds
from matching.metrics import bcubed, pairwise

LABELS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=10)
WEIGHTS = st.sampled_from([-3.0, 0.0, 1.0, 2.5, 9.0])


def partition(scored: list[tuple[float, int, int]], threshold: float, truth: list[str]) -> list[int]:
    """Connected components at one threshold, by uniting whatever reaches it."""
    growing = Growing(truth)
    for weight, one, other in scored:
        if weight >= threshold:
            growing.unite(one, other)
    return [growing.root(position) for position in range(len(truth))]


@given(LABELS, st.data())
def test_no_threshold_is_better(truth: list[str], data: st.DataObject) -> None:
    places = st.integers(0, len(truth) - 1)
    scored = data.draw(st.lists(st.tuples(WEIGHTS, places, places), max_size=14))
    found = best_thresholds(scored, truth)
    every = [partition(scored, threshold, truth) for threshold in (float("inf"), *(weight for weight, _, _ in scored))]
    for best, measure in zip(found, (pairwise, bcubed), strict=True):
        reached = measure(partition(scored, best.threshold, truth), truth).f1
        assert abs(reached - max(measure(one, truth).f1 for one in every)) < 1e-9
        assert abs(reached - best.f1) < 1e-9


def test_a_chain_through_a_relative_stops_before_it() -> None:
    # Two records of a, two of b, and a weak pair that would glue them: F1 is 1 at 5 bits and falls to 1/2 at 1 bit.
    pairs, cubes = best_thresholds([(5.0, 0, 1), (1.0, 1, 2), (7.0, 2, 3)], ["a", "a", "b", "b"])
    assert (pairs.f1, pairs.threshold) == (1.0, 5.0)
    assert (cubes.f1, cubes.threshold) == (1.0, 5.0)


def test_nothing_is_united_where_every_pair_is_wrong() -> None:
    pairs, _ = best_thresholds([(3.0, 0, 1)], ["a", "b"])
    assert pairs.threshold == float("inf")
    assert pairs.f1 == 1.0
