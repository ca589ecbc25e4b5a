"""Figures by pair of groups, worked out by hand, and equal to the plain measures when all stand in one group."""

from hypothesis import given
from hypothesis import strategies as st

from matching.breakdown import GroupPair, break_down
from matching.metrics import pairwise

# Ana is at the till twice and in the shop once; Ben once in each. Ana's second till record was merged with Ben's at the till.
GROUPS = ["pos", "pos", "shop", "pos", "shop"]
TRUTH = ["ana", "ana", "ana", "ben", "ben"]
PARTS = [1, 2, 1, 2, 3]


def test_a_small_world_worked_out_by_hand() -> None:
    assert break_down(GROUPS, PARTS, TRUTH, [(1, 2), (2, 1), (2, 3)]) == [
        GroupPair(("pos", "pos"), true_pairs=1, merged=1, right=0, asked=1),
        GroupPair(("pos", "shop"), true_pairs=3, merged=1, right=1, asked=2),
    ]


def test_shares_of_a_group_pair() -> None:
    pair = GroupPair(("pos", "shop"), true_pairs=4, merged=2, right=1, asked=2)
    assert (pair.precision, pair.recall, pair.review_share) == (0.5, 0.25, 0.5)
    nothing = GroupPair(("pos", "shop"), 0, 0, 0, 0)
    assert (nothing.precision, nothing.recall, nothing.review_share) == (None, None, None)
    missed = GroupPair(("pos", "shop"), true_pairs=2, merged=0, right=0, asked=0)
    assert (missed.precision, missed.recall, missed.review_share) == (None, 0.0, 0.0)
    assert pair.as_json() == {
        "one": "pos", "other": "shop", "true_pairs": 4, "merged": 2, "right": 1, "asked": 2,
        "precision": 0.5, "recall": 0.25, "review_share": 0.5,
    }  # fmt: skip


RECORDS = st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 5), st.integers(0, 5)), max_size=40)


@given(RECORDS)
def test_all_groups_together_are_the_plain_measure(records: list[tuple[str, int, int]]) -> None:
    groups, parts, truth = ([one[place] for one in records] for place in range(3))
    found = break_down(groups, parts, truth, [])
    merged, true_pairs, right = (sum(getattr(one, name) for one in found) for name in ("merged", "true_pairs", "right"))
    plain = pairwise(parts, truth)
    assert plain.precision == (right / merged if merged else 1.0)
    assert plain.recall == (right / true_pairs if true_pairs else 1.0)


@given(RECORDS, st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6))
def test_what_is_asked_stands_apart_and_is_true(records: list[tuple[str, int, int]], questions: list[tuple[int, int]]) -> None:
    """Against the plain enumeration of all pairs of records."""
    groups, parts, truth = ([one[place] for one in records] for place in range(3))
    asked = {frozenset(question) for question in questions}
    expected = sum(
        truth[a] == truth[b] and parts[a] != parts[b] and frozenset((parts[a], parts[b])) in asked
        for a in range(len(records))
        for b in range(a)
    )
    assert sum(one.asked for one in break_down(groups, parts, truth, questions)) == expected
