"""Closures of stewards' matches and the chains that contradict a no_match."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.closure import Contested, StewardRule, contradictions, settle


def match(left: str, right: str, decision_id: str | None = None) -> StewardRule[str]:
    return StewardRule(frozenset(left), frozenset(right), "match", decision_id)


def no_match(left: str, right: str) -> StewardRule[str]:
    return StewardRule(frozenset(left), frozenset(right), "no_match")


def together(*rules: StewardRule[str]) -> set[str]:
    return {"".join(sorted(records)) for records in settle(rules).together}


class TestSettle:
    def test_all_records_of_both_sides_are_one(self) -> None:
        assert together(match("ab", "c")) == {"abc"}

    def test_matches_that_share_a_record_close(self) -> None:
        assert together(match("a", "b"), match("c", "d"), match("b", "c"), match("x", "y")) == {"abcd", "xy"}

    def test_all_matches_of_a_shortest_chain_are_set_aside(self) -> None:
        assert together(match("a", "b"), match("b", "c"), no_match("a", "c")) == set()

    def test_a_longer_way_round_is_set_aside_too(self) -> None:
        rules = (match("a", "c"), match("a", "b"), match("b", "c"), no_match("a", "c"))
        assert together(*rules) == set()
        assert len(settle(rules).contested) == 2

    def test_what_hangs_on_the_chain_still_holds(self) -> None:
        assert together(match("a", "b"), match("b", "c"), match("b", "x"), no_match("a", "c")) == {"bx"}

    def test_a_no_match_inside_one_side_of_a_match_contests_it(self) -> None:
        assert together(match("ab", "c"), no_match("a", "b")) == set()

    def test_a_no_match_between_dead_records_contests_nothing(self) -> None:
        found = settle([match("a", "b"), match("b", "c"), no_match("a", "b")], living=frozenset("ac"))
        assert (found.together, found.contested) == ((frozenset("abc"),), ())

    def test_every_order_of_five_rules_settles_alike(self) -> None:
        rules = [match("a", "b"), match("b", "c"), match("c", "d"), match("d", "a"), no_match("a", "c")]
        found = {(frozenset(s.together), frozenset(s.contested)) for s in (settle(order) for order in permutations(rules))}
        assert len(found) == 1


class TestContradictions:
    def test_names_the_chain_between_the_sides(self) -> None:
        chain = [match("a", "b", "first"), match("b", "c", "second")]
        against = no_match("a", "c")
        assert contradictions([*chain, match("c", "z")], [against]) == (Contested(against, frozenset(chain)),)

    def test_a_match_that_reaches_one_side_only_is_in_no_chain(self) -> None:
        chain = match("a", "c")
        assert contradictions([chain, match("b", "x")], [no_match("ab", "c")]) == (
            Contested(no_match("ab", "c"), frozenset({chain})),
        )

    def test_finds_none_where_the_sides_are_not_connected(self) -> None:
        assert contradictions([match("a", "b"), match("c", "d")], [no_match("a", "c")]) == ()


sides = st.lists(st.sampled_from(["left", "right", None, None, None]), min_size=6, max_size=6)
pairs = sides.map(
    lambda drawn: tuple("".join(r for r, at in zip("abcdef", drawn, strict=True) if at == side) for side in ("left", "right"))
).filter(all)


@settings(max_examples=300)
@given(st.lists(pairs, max_size=8), st.lists(pairs, max_size=3))
def test_nothing_kept_contradicts_and_only_contested_matches_are_lost(
    matched: list[tuple[str, str]], apart: list[tuple[str, str]]
) -> None:
    rules = [*(match(*pair) for pair in matched), *(no_match(*pair) for pair in apart)]
    found = settle(rules)
    for records in found.together:
        assert not any(rule.left & records and rule.right & records for rule in found.apart)
    aside = {rule for one in found.contested for rule in one.chain}
    for rule in rules:
        if rule.verdict == "match" and rule not in aside:
            assert any(rule.records <= records for records in found.together)
    if not contradictions([rule for rule in rules if rule.verdict == "match"], found.apart):
        assert aside == set()
