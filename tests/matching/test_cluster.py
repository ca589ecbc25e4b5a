"""Clusters: what joins, what is held apart, what is asked, and that order never matters."""

from collections.abc import Sequence
from itertools import combinations

import pytest

from matching.cluster import (
    Clustering,
    Evidence,
    JoinKind,
    Lines,
    Member,
    MissingWeight,
    Reason,
    StewardRule,
    partition,
    weight_key,
)

LINES = Lines(component=-6, guard=0, merge=10)
Pairs = dict[str, Evidence]
World = tuple[list[Member[str]], dict[tuple[bytes, bytes], Evidence], list[StewardRule[str]]]


def strong(weight: float = 15) -> Evidence:
    return Evidence(weight, personal=True)


def weak(weight: float = -20) -> Evidence:
    return Evidence(weight)


def vetoed(weight: float = 15) -> Evidence:
    return Evidence(weight, personal=True, veto=True)


def form(letter: str) -> bytes:
    return letter.encode()


def cluster(
    records: str, pairs: Pairs, *rules: StewardRule[str], forms: str = "", asks: str = "", otherwise: Evidence | None = None
) -> Clustering[str]:
    """Partition one-letter records; `forms` gives their forms (each its own when left out), `pairs` the evidence by two forms,
    `otherwise` that of the pairs not named."""
    of = dict(zip(records, forms or records, strict=True))
    members = [Member(record, ("pos", record), form(of[record]), record in asks) for record in records]
    weights = {weight_key(form(pair[0]), form(pair[1])): evidence for pair, evidence in pairs.items()}
    for one, other in combinations(sorted(set(of.values())), 2):
        weights.setdefault(weight_key(form(one), form(other)), otherwise or weak())
    return partition(members, weights, rules, LINES)


def shown(parts: Sequence[frozenset[str]]) -> list[str]:
    return ["".join(sorted(part)) for part in parts]


def match(left: str, right: str) -> StewardRule[str]:
    return StewardRule(frozenset(left), frozenset(right), "match")


def no_match(left: str, right: str) -> StewardRule[str]:
    return StewardRule(frozenset(left), frozenset(right), "no_match")


class TestWeights:
    def test_joins_at_the_merge_line_with_personal_evidence(self) -> None:
        assert shown(cluster("ab", {"ab": strong(10)}).parts) == ["ab"]
        assert shown(cluster("ab", {"ab": strong(9.999)}).parts) == ["a", "b"]

    def test_a_shared_surname_address_and_phone_is_a_household(self) -> None:
        found = cluster("ab", {"ab": Evidence(25)})
        assert shown(found.parts) == ["a", "b"]
        assert [(review.reason, review.weight) for review in found.reviews] == [(Reason.NO_PERSONAL_EVIDENCE, 25)]

    def test_a_name_at_a_place_is_asked_where_any_pair_of_the_parts_is_told_apart(self) -> None:
        home, elsewhere = strong(20)._replace(by_place=True), Evidence(5, told_apart=True)
        alone = cluster("abc", {"ab": strong(25), "ac": home}, otherwise=Evidence(5))
        assert shown(alone.parts) == ["abc"]
        told = cluster("abc", {"ab": strong(25), "ac": home, "bc": elsewhere})
        assert shown(told.parts) == ["ab", "c"]
        assert [review.reason for review in told.reviews] == [Reason.NO_PERSONAL_EVIDENCE]
        surely = cluster("abc", {"ab": strong(25), "ac": strong(20), "bc": elsewhere})
        assert shown(surely.parts) == ["abc"]

    def test_asks_where_a_name_or_a_birth_date_speaks_against_some_pair(self) -> None:
        """Two namesakes of one town do not become one by way of a record that could be either's."""
        father_and_son = Evidence(6, against=True)
        found = cluster("abc", {"ab": strong(20), "bc": strong(18), "ac": father_and_son})
        assert (shown(found.parts), shown(found.balanced)) == (["ab", "c"], ["abc"])
        assert [shown(review.parts) for review in found.reviews] == [["ab", "c"]]

    def test_an_identifier_that_decides_and_a_steward_join_against_it(self) -> None:
        assert shown(cluster("ab", {"ab": Evidence(-9, decided=True, against=True)}).parts) == ["ab"]
        assert shown(cluster("ab", {"ab": Evidence(-9, against=True)}, match("a", "b")).parts) == ["ab"]

    def test_asks_between_guard_and_merge_line_and_counts_it_as_joined_in_balanced(self) -> None:
        found = cluster("ab", {"ab": strong(5)})
        assert (shown(found.parts), shown(found.balanced)) == (["a", "b"], ["ab"])
        assert [(shown(review.parts), review.weight, review.reason) for review in found.reviews] == [
            (["a", "b"], 5, Reason.BETWEEN_LINES)
        ]

    def test_asks_nothing_below_the_guard_line(self) -> None:
        found = cluster("ab", {"ab": strong(-0.1)})
        assert (shown(found.balanced), found.reviews) == (["a", "b"], ())

    def test_a_bridge_does_not_chain_what_disagrees(self) -> None:
        """b is near both; a and c are far apart. Connected components would make one cluster of the three."""
        found = cluster("abc", {"ab": strong(20), "bc": strong(18), "ac": weak(-20)})
        assert shown(found.parts) == ["ab", "c"]
        assert found.reviews == ()

    def test_the_average_counts_all_cross_pairs(self) -> None:
        found = cluster("abc", {"ab": strong(20), "bc": strong(16), "ac": weak(4)})
        assert shown(found.parts) == ["abc"]
        assert [(shown(join.parts), join.weight, join.kind) for join in found.joins] == [
            (["a", "b"], 20, JoinKind.WEIGHT),
            (["ab", "c"], 10, JoinKind.WEIGHT),
        ]

    def test_equal_averages_join_in_key_order(self) -> None:
        found = cluster("abc", {"ab": strong(12), "bc": strong(12), "ac": weak(-30)})
        assert shown(found.parts) == ["ab", "c"]

    def test_key_order_is_that_of_source_and_key_not_of_record_ids(self) -> None:
        members = [Member(record, ("pos", key), form(record)) for record, key in zip("abc", "321", strict=True)]
        weights = {weight_key(form(a), form(b)): strong(12) if b == "b" or a == "b" else weak(-30) for a, b in ("ab", "bc", "ac")}
        assert shown(partition(members, weights, [], LINES).parts) == ["bc", "a"]

    def test_n_parts_give_at_most_n_minus_1_questions(self) -> None:
        found = cluster("abcdef", {}, otherwise=strong(5))
        assert shown(found.balanced) == ["abcdef"]
        assert len(found.reviews) == 5

    def test_a_question_names_the_strongest_two_parts_across_a_join(self) -> None:
        found = cluster("abc", {"ab": strong(9), "bc": strong(6), "ac": weak(2)})
        assert [shown(review.parts) for review in found.reviews] == [["a", "b"], ["b", "c"]]

    def test_a_source_in_review_is_asked_never_joined(self) -> None:
        found = cluster("ab", {"ab": strong(30)}, asks="b")
        assert shown(found.parts) == ["a", "b"]
        assert [review.reason for review in found.reviews] == [Reason.SOURCE_IN_REVIEW]


class TestVeto:
    def test_a_veto_holds_apart_whatever_the_weight_and_is_asked(self) -> None:
        found = cluster("ab", {"ab": vetoed(40)})
        assert (shown(found.parts), shown(found.balanced)) == (["a", "b"], ["a", "b"])
        assert [review.reason for review in found.reviews] == [Reason.CONTRADICTION]

    def test_a_veto_on_one_pair_holds_whole_parts_apart(self) -> None:
        found = cluster("abc", {"ab": strong(40), "bc": strong(30), "ac": vetoed(30)})
        assert shown(found.parts) == ["ab", "c"]

    def test_a_veto_on_weak_evidence_is_nobodys_question(self) -> None:
        assert cluster("ab", {"ab": Evidence(5, personal=True, veto=True)}).reviews == ()

    @pytest.mark.parametrize(("weight", "asked"), [(6.7, []), (9.99, []), (10, ["a", "b"])])
    def test_a_veto_is_asked_about_alike_whoever_brings_the_two_into_one_component(self, weight: float, asked: list[str]) -> None:
        pairs = {weight_key(b"a", b"b"): vetoed(weight)}
        beside = {weight_key(one, b"c"): weak(0) for one in (b"a", b"b")}
        for records, more in (("ab", {}), ("abc", beside)):
            members = [Member(record, ("pos", record), form(record)) for record in records]
            found = partition(members, pairs | more, [], Lines(guard=4))
            assert [part for review in found.reviews for part in shown(review.parts)] == asked

    def test_only_the_strongest_contradiction_between_two_clusters_is_asked(self) -> None:
        pairs = {"ab": strong(40), "cd": strong(40), "ac": vetoed(20), "ad": vetoed(25), "bc": vetoed(20), "bd": vetoed(20)}
        assert [shown(review.parts) for review in cluster("abcd", pairs).reviews] == [["ab", "cd"]]

    def test_a_contradiction_that_a_steward_settled_is_not_asked(self) -> None:
        assert cluster("ab", {"ab": vetoed(40)}, no_match("a", "b")).reviews == ()


class TestSteward:
    def test_a_no_match_holds_sets_apart_and_is_never_asked_again(self) -> None:
        found = cluster("abc", {"ab": strong(40), "bc": strong(30), "ac": strong(30)}, no_match("a", "c"))
        assert (shown(found.parts), shown(found.balanced), found.reviews) == (["ab", "c"], ["ab", "c"], ())

    def test_a_no_match_names_every_record_of_its_sides(self) -> None:
        found = cluster("abcd", {}, no_match("ab", "cd"), otherwise=strong(30))
        assert shown(found.parts) == ["ab", "cd"]

    def test_a_match_joins_whatever_the_weight(self) -> None:
        found = cluster("ab", {"ab": weak(-40)}, match("a", "b"))
        assert shown(found.parts) == ["ab"]
        assert [(join.kind, join.weight) for join in found.joins] == [(JoinKind.STEWARD, None)]

    def test_a_match_overrides_a_veto_between_its_sides_only(self) -> None:
        found = cluster("abc", {"ab": vetoed(), "ac": strong(30), "bc": vetoed(30)}, match("a", "b"))
        assert shown(found.parts) == ["ab", "c"]

    def test_matches_close_over_each_other(self) -> None:
        assert shown(cluster("abcd", {}, match("a", "b"), match("bc", "d")).parts) == ["abcd"]

    def test_a_no_match_wins_over_a_contradictory_closure_which_is_reported(self) -> None:
        found = cluster("abc", {}, match("a", "b"), match("b", "c"), no_match("a", "c"))
        assert shown(found.parts) == ["a", "b", "c"]
        assert [(c.no_match, c.chain) for c in found.contested] == [
            (no_match("a", "c"), frozenset({match("a", "b"), match("b", "c")}))
        ]

    def test_a_match_beside_the_contested_chain_still_holds(self) -> None:
        found = cluster("abcd", {}, match("a", "b"), match("b", "c"), no_match("a", "c"), match("c", "d"))
        assert shown(found.parts) == ["a", "b", "cd"]

    def test_contested_records_fall_back_to_their_weights(self) -> None:
        pairs = {"ab": strong(20), "bc": strong(15)}
        found = cluster("abc", pairs, match("a", "b"), match("b", "c"), no_match("a", "c"))
        assert shown(found.parts) == ["ab", "c"]

    def test_a_deleted_record_still_carries_a_match_but_contradicts_nobody(self) -> None:
        assert shown(cluster("ab", {}, match("a", "x"), match("x", "b")).parts) == ["ab"]
        assert cluster("ab", {}, match("a", "x"), match("x", "b"), no_match("a", "x")).contested == ()

    def test_without_weights_only_the_closure_joins(self) -> None:
        members = [Member(record, ("pos", record), form(record)) for record in "abcd"]
        found = partition(members, None, [match("a", "c"), no_match("a", "b")], LINES)
        assert (shown(found.parts), found.reviews) == (["ac", "b", "d"], ())

    def test_a_rule_needs_two_sides_that_share_nothing(self) -> None:
        with pytest.raises(ValueError, match="two sides"):
            match("ab", "bc")


class TestIdentifier:
    def test_a_deciding_identifier_joins_by_itself(self) -> None:
        found = cluster("ab", {"ab": Evidence(-30, decided=True)})
        assert shown(found.parts) == ["ab"]
        assert [join.kind for join in found.joins] == [JoinKind.IDENTIFIER]

    def test_a_veto_beats_it_and_is_asked(self) -> None:
        found = cluster("ab", {"ab": Evidence(-30, veto=True, decided=True)})
        assert shown(found.parts) == ["a", "b"]
        assert [review.reason for review in found.reviews] == [Reason.CONTRADICTION]

    def test_a_source_in_review_is_asked_even_then(self) -> None:
        found = cluster("ab", {"ab": Evidence(-30, decided=True)}, asks="a")
        assert shown(found.parts) == ["a", "b"]
        assert [review.reason for review in found.reviews] == [Reason.SOURCE_IN_REVIEW]


class TestCopies:
    def test_copies_of_a_form_that_identifies_are_one(self) -> None:
        found = cluster("abc", {"xx": strong(20)}, forms="xxx")
        assert shown(found.parts) == ["abc"]
        assert [(join.kind, shown(join.parts)) for join in found.joins] == [(JoinKind.SAME_FORM, ["a", "b", "c"])]

    def test_copies_without_personal_evidence_are_one_question(self) -> None:
        found = cluster("abc", {"xx": Evidence(20)}, forms="xxx")
        assert (shown(found.parts), shown(found.balanced)) == (["a", "b", "c"], ["abc"])
        assert [shown(review.parts) for review in found.reviews] == [["a", "b", "c"]]

    def test_copies_of_a_source_in_review_are_one_question(self) -> None:
        found = cluster("abc", {"xx": strong(20)}, forms="xxx", asks="abc")
        assert shown(found.parts) == ["a", "b", "c"]
        assert [(shown(review.parts), review.reason) for review in found.reviews] == [(["a", "b", "c"], Reason.SOURCE_IN_REVIEW)]

    def test_copies_that_say_next_to_nothing_stay_apart_unasked(self) -> None:
        found = cluster("abc", {"xx": weak(-3)}, forms="xxx")
        assert (shown(found.balanced), found.reviews) == (["a", "b", "c"], ())

    def test_copies_count_in_the_average(self) -> None:
        """Two copies at 9 and one record at 15 average 11; without the second copy it would be 12."""
        pairs = {"xx": strong(30), "xy": strong(20), "xz": strong(9), "yz": strong(15)}
        assert cluster("abcd", pairs, forms="xxyz").joins[-1].weight == 11

    def test_a_steward_may_hold_copies_apart(self) -> None:
        found = cluster("abc", {"xx": strong(20)}, no_match("a", "b"), forms="xxx")
        assert shown(found.parts) == ["ac", "b"]

    def test_a_steward_may_join_copies_that_say_nothing(self) -> None:
        assert shown(cluster("abc", {"xx": weak()}, match("a", "b"), forms="xxx").parts) == ["ab", "c"]

    def test_copies_whose_form_contradicts_itself_stay_apart(self) -> None:
        assert shown(cluster("abc", {"xx": vetoed(40), "xy": strong(40)}, forms="xxy").parts) == ["ac", "b"]

    def test_a_record_sent_ten_thousand_times_costs_as_much_as_one(self) -> None:
        members = [Member(number, ("pos", f"{number:05}"), form("x")) for number in range(10_000)]
        found = partition(members, {(form("x"), form("x")): strong()}, [], LINES)
        assert [len(part) for part in found.parts] == [10_000]


class TestMistakesOfTheCaller:
    def test_a_missing_cross_pair_is_an_error(self) -> None:
        members = [Member(record, ("pos", record), form(record)) for record in "ab"]
        with pytest.raises(MissingWeight):
            partition(members, {}, [], LINES)

    def test_copies_need_their_weight_with_themselves(self) -> None:
        members = [Member(record, ("pos", record), form("x")) for record in "ab"]
        with pytest.raises(MissingWeight):
            partition(members, {}, [], LINES)

    @pytest.mark.parametrize("weight", [float("nan"), float("inf"), float("-inf")])
    def test_a_weight_must_be_a_number(self, weight: float) -> None:
        with pytest.raises(MissingWeight):
            cluster("ab", {"ab": strong(weight)})

    def test_an_order_key_must_be_unique(self) -> None:
        with pytest.raises(ValueError, match="twice"):
            partition([Member("a", ("pos", "1"), b"a"), Member("b", ("pos", "1"), b"b")], {}, [], LINES)

    @pytest.mark.parametrize("lower", [{"guard": -7}, {"merge": -7}], ids=["guard", "merge"])
    def test_no_line_lies_below_the_component_line(self, lower: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="component line"):
            Lines(component=-6, **lower)

    def test_a_guard_line_above_the_merge_line_asks_the_surest_of_what_may_not_merge(self) -> None:
        lines = Lines(component=-6, guard=9, merge=4)
        members = [Member(one, ("pos", one), form(one)) for one in "abcdef"]
        weights = {weight_key(form(a), form(b)): weak() for a, b in combinations("abcdef", 2)}
        weights |= {
            (form("a"), form("b")): strong(5),
            (form("c"), form("d")): Evidence(8.5),
            (form("e"), form("f")): Evidence(9.5),
        }
        found = partition(members, weights, (), lines)
        assert shown(found.parts) == ["ab", "c", "d", "e", "f"]
        assert [(shown(review.parts), review.reason) for review in found.reviews] == [(["e", "f"], Reason.NO_PERSONAL_EVIDENCE)]
        assert shown(found.balanced) == ["ab", "c", "d", "ef"]
