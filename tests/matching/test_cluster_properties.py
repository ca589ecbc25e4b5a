"""Properties of clusters: agreement with average linkage written down plainly, and order that never matters."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations, permutations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.cluster import Evidence, Lines, Member, Reason, StewardRule, partition, weight_key
from matching.units import ALONE, barred

LINES = Lines(component=-6, guard=0, merge=10)
World = tuple[list[Member[str]], dict[tuple[bytes, bytes], Evidence], list[StewardRule[str]]]


def form(letter: str) -> bytes:
    return letter.encode()


def shown(parts: Sequence[frozenset[str]]) -> list[str]:
    return ["".join(sorted(part)) for part in parts]


LETTERS = "abcdefg"
# Few distinct weights, so that ties are common; the sevenths are no finite binary fractions.
evidences = st.builds(
    Evidence,
    st.sampled_from([-25.0, -3.0, 0.0, 4.0, 5.0, 9.999, 10.0, 10.0, 12 / 7, 80 / 7, 30.0]),
    st.booleans(),
    st.integers(0, 9).map(lambda n: n == 0),
    st.integers(0, 9).map(lambda n: n == 0),
    st.integers(0, 5).map(lambda n: n == 0),
    st.integers(0, 2).map(lambda n: n == 0),
    st.integers(0, 2).map(lambda n: n == 0),
)
Opens = Callable[[Sequence[Evidence]], bool]


def is_decided(cross: Sequence[Evidence]) -> bool:
    return any(e.decided for e in cross)


def is_personal(cross: Sequence[Evidence]) -> bool:
    """A name at a place is enough only where no pair of the two parts is told apart."""
    strongly = any(e.personal and not e.by_place for e in cross)
    by_place = any(e.personal and e.by_place for e in cross) and not any(e.told_apart for e in cross)
    return (strongly or by_place) and not any(e.against for e in cross)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    records = LETTERS[: draw(st.integers(1, len(LETTERS)))]
    forms = [draw(st.sampled_from("stuvwxy")) if draw(st.booleans()) else record for record in records]
    bars = [draw(st.sampled_from([0, 0, 0, ALONE, 2, 2, 4, 6])) for _ in records]
    drawn_of_each = zip(records, forms, bars, strict=True)
    members = [Member(record, ("pos", record), form(f), bars=held) for record, f, held in drawn_of_each]
    names = sorted(set(forms))
    weights = {weight_key(form(a), form(b)): draw(evidences) for i, a in enumerate(names) for b in names[i:]}
    sides = st.lists(st.sampled_from([None, None, None, "left", "right"]), min_size=len(records), max_size=len(records))
    rules = []
    for _ in range(draw(st.integers(0, 3))):
        drawn = draw(sides)
        left = frozenset(r for r, side in zip(records, drawn, strict=True) if side == "left")
        right = frozenset(r for r, side in zip(records, drawn, strict=True) if side == "right")
        if left and right:
            rules.append(StewardRule(left, right, draw(st.sampled_from(["match", "no_match"]))))
    return members, weights, rules


class _Reference:
    """Average linkage as a person would write it down: exact fractions, every pair looked at before every join."""

    def __init__(
        self, members: Sequence[Member[str]], evidence: Callable[[str, str], Evidence], held: Callable[[str, str], bool]
    ) -> None:
        self.parts = sorted([m.record] for m in members)
        self.evidence, self.held = evidence, held

    def join_all(self, opens: Opens, line: float | None, bars: dict[str, int] | None = None) -> None:
        of = bars or dict.fromkeys(LETTERS, 0)
        while True:
            open_pairs = []
            for left, right in combinations(self.parts, 2):
                cross = [(a, b, self.evidence(a, b)) for a in left for b in right]
                average = Fraction(sum(Fraction(round(e.weight * 2**20)) for _, _, e in cross), len(cross))
                held = any(e.veto or self.held(a, b) or barred(of[a], of[b]) for a, b, e in cross)
                if opens([e for _, _, e in cross]) and not held and (line is None or average >= round(line * 2**20)):
                    open_pairs.append((-average, left[0], right[0]))
            if not open_pairs:
                return
            _, a, b = min(open_pairs)
            self.join(a, b)

    def join(self, a: str, b: str) -> None:
        one, other = (next(part for part in self.parts if record in part) for record in (a, b))
        if one is not other:
            self.parts = sorted([part for part in self.parts if part not in (one, other)] + [sorted(one + other)])


@settings(max_examples=300)
@given(worlds())
def test_agrees_with_average_linkage_written_down_plainly(
    world: World,
) -> None:
    """Distinct forms and no contested closure; copies and contested closures have their own examples."""
    members, weights, rules = world
    members = list({member.form_hash: member for member in members}.values())
    names = {member.record: member.form_hash for member in members}
    rules = [rule for rule in rules if rule.records <= names.keys()]
    found = partition(members, weights, rules, LINES)
    if found.contested:
        return
    apart = [(rule.left, rule.right) for rule in rules if rule.verdict == "no_match"]
    reference = _Reference(
        members,
        lambda a, b: weights[weight_key(names[a], names[b])],
        lambda a, b: any((a in x and b in y) or (a in y and b in x) for x, y in apart),
    )
    for rule in rules:
        for a in rule.left if rule.verdict == "match" else ():
            for b in rule.right:
                reference.join(a, b)
    bars = {member.record: member.bars for member in members}
    reference.join_all(is_decided, None, bars)
    reference.join_all(is_personal, LINES.merge, bars)
    assert shown(found.parts) == ["".join(part) for part in reference.parts]
    reference.join_all(is_decided, None)
    reference.join_all(lambda _: True, LINES.guard)
    assert shown(found.balanced) == ["".join(part) for part in reference.parts]


@settings(max_examples=200)
@given(worlds(), st.randoms(use_true_random=False))
def test_order_never_matters(world: World, random: Random) -> None:
    members, weights, rules = world
    expected = partition(members, weights, rules, LINES)
    shuffled_members, shuffled_rules = members[:], rules[:]
    random.shuffle(shuffled_members)
    random.shuffle(shuffled_rules)
    turned = [StewardRule(rule.right, rule.left, rule.verdict) for rule in shuffled_rules]
    for again in (partition(shuffled_members, weights, shuffled_rules, LINES), partition(members, weights, turned, LINES)):
        assert (again.parts, again.balanced, again.reviews) == (expected.parts, expected.balanced, expected.reviews)
        assert {join.parts for join in again.joins} == {join.parts for join in expected.joins}
        assert len(again.contested) == len(expected.contested)


def test_all_orders_of_five_give_one_clustering() -> None:
    pairs = dict.fromkeys(["ab", "bc", "cd", "de", "ae"], Evidence(12, personal=True))
    members = [Member(record, ("pos", record), form(record)) for record in "abcde"]
    weights = {weight_key(form(a), form(b)): pairs.get(a + b, Evidence(4)) for a, b in combinations("abcde", 2)}
    found = {partition(order, weights, [], LINES) for order in permutations(members)}
    assert len(found) == 1


@settings(max_examples=200)
@given(worlds())
def test_what_holds_of_every_clustering(
    world: World,
) -> None:
    members, weights, rules = world
    found = partition(members, weights, rules, LINES)
    records = sorted(member.record for member in members)
    for parts in (found.parts, found.balanced):
        assert sorted(record for part in parts for record in part) == records
        for rule in rules:
            if rule.verdict == "no_match":
                assert not any(part & rule.left and part & rule.right for part in parts)
    assert all(any(part <= whole for whole in found.balanced) for part in found.parts)
    assert len([review for review in found.reviews if review.reason is not Reason.CONTRADICTION]) < max(2, len(records))
    contested = {rule for one in found.contested for rule in one.chain}
    for rule in rules:
        if rule.verdict == "match" and rule not in contested:
            assert any(rule.records <= part for part in found.parts)


@settings(max_examples=200)
@given(worlds())
def test_what_bars_each_other_joins_by_a_steward_alone(world: World) -> None:
    members, weights, rules = world
    found = partition(members, weights, rules, LINES)
    by_hand = partition(members, None, rules, LINES).parts
    for one, other in combinations(members, 2):
        if barred(one.bars, other.bars) and any({one.record, other.record} <= part for part in found.parts):
            assert any({one.record, other.record} <= part for part in by_hand)


@settings(max_examples=200)
@given(worlds())
def test_bars_that_end_leave_no_trace(world: World) -> None:
    """A join that was asked about is made once nothing bars it, and no other way about."""
    members, weights, rules = world
    free = [Member(member.record, member.order_key, member.form_hash) for member in members]
    found, without = (partition(tried, weights, rules, LINES) for tried in (members, free))
    if not any(review.reason is Reason.BLOCKED for review in found.reviews):
        return
    assert all(review.reason is not Reason.BLOCKED for review in without.reviews)
    assert set(without.parts) != set(found.parts)
