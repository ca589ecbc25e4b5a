"""What policy bars from joining: asked where it would have joined, and joined by a steward alone."""

from collections.abc import Sequence
from itertools import combinations

from matching.cluster import Clustering, Evidence, Lines, Member, Reason, StewardRule, partition, weight_key
from matching.units import ALONE

LINES = Lines(component=-6, guard=0, merge=10)


def strong(weight: float) -> Evidence:
    return Evidence(weight, personal=True)


def form(letter: str) -> bytes:
    return letter.encode()


def cluster(
    records: str, pairs: dict[str, Evidence], *rules: StewardRule[str], bars: dict[str, int], forms: str = ""
) -> Clustering[str]:
    """Partition one-letter records; `bars` is what bars each, `forms` are their forms (each its own when left out)."""
    of = dict(zip(records, forms or records, strict=True))
    members = [Member(one, ("pos", one), form(of[one]), bars=bars.get(one, 0)) for one in records]
    weights = {weight_key(form(pair[0]), form(pair[1])): evidence for pair, evidence in pairs.items()}
    for one, other in combinations(sorted(set(of.values())), 2):
        weights.setdefault(weight_key(form(one), form(other)), Evidence(-20))
    return partition(members, weights, rules, LINES)


def shown(parts: Sequence[frozenset[str]]) -> list[str]:
    return ["".join(sorted(part)) for part in parts]


def match(left: str, right: str) -> StewardRule[str]:
    return StewardRule(frozenset(left), frozenset(right), "match")


def test_members_that_bear_one_bar_are_asked_never_joined() -> None:
    found = cluster("ab", {"ab": strong(30)}, bars={"a": 2, "b": 6})
    assert (shown(found.parts), shown(found.balanced)) == (["a", "b"], ["ab"])
    assert [review.reason for review in found.reviews] == [Reason.BLOCKED]


def test_a_bar_that_one_side_bears_alone_holds_nobody_back() -> None:
    assert shown(cluster("abc", {"ab": strong(30), "bc": strong(30), "ac": strong(30)}, bars={"a": 2, "b": 4}).parts) == ["abc"]


def test_what_stands_alone_is_joined_by_nobody() -> None:
    found = cluster("abc", {"ab": strong(30), "bc": strong(30), "ac": strong(30)}, bars={"b": ALONE})
    assert shown(found.parts) == ["ac", "b"]
    assert [(shown(one.parts), one.reason) for one in found.reviews] == [(["ac", "b"], Reason.BLOCKED)]


def test_an_identifier_that_decides_is_no_way_around() -> None:
    found = cluster("ab", {"ab": Evidence(-30, decided=True)}, bars={"a": 2, "b": 2})
    assert (shown(found.parts), [one.reason for one in found.reviews]) == (["a", "b"], [Reason.BLOCKED])


def test_a_third_that_fits_both_joins_one_of_them_only() -> None:
    found = cluster("abc", {"ab": strong(30), "bc": strong(31), "ac": strong(30)}, bars={"a": 2, "c": 2})
    assert shown(found.parts) == ["a", "bc"]


def test_a_steward_joins_what_bars_and_the_rest_is_asked() -> None:
    found = cluster("abc", dict.fromkeys(("ab", "bc", "ac"), strong(30)), match("a", "b"), bars=dict.fromkeys("abc", 2))
    assert shown(found.parts) == ["ab", "c"]
    assert [one.reason for one in found.reviews] == [Reason.BLOCKED]


def test_copies_that_bar_each_other_are_one_question_and_draw_nobody() -> None:
    found = cluster("abc", {"xx": strong(20), "xy": strong(30)}, forms="xxy", bars={"a": 2, "b": 2})
    assert (shown(found.parts), shown(found.balanced)) == (["a", "b", "c"], ["abc"])
    assert {one.reason for one in found.reviews} == {Reason.BLOCKED}


def test_what_would_not_have_joined_is_asked_for_its_own_reason() -> None:
    assert [one.reason for one in cluster("ab", {"ab": strong(5)}, bars={"a": 2, "b": 2}).reviews] == [Reason.BETWEEN_LINES]
