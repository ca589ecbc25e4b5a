"""What a source asserts gives way to a steward's no, to a veto, and to names that speak against it; in whatever order it came."""

import uuid
from itertools import permutations

import pytest

from matching.units import Evidence, weight_key
from mdm.decisions import StewardDecision
from mdm.yielding import Because, sift

A, B, C = (uuid.UUID(int=at) for at in (1, 2, 3))
KEYS = {A: b"a", B: b"b", C: b"c"}
PLAIN = Evidence(3.0)


def said(number: int, left: uuid.UUID, right: uuid.UUID, verdict: str = "match", *, source: bool = True) -> StewardDecision:
    return StewardDecision(uuid.UUID(int=100 + number), verdict, frozenset({left}), frozenset({right}), yields=source)


def weights(**pairs: Evidence) -> dict[tuple[bytes, bytes], Evidence]:
    plain = {weight_key(one, other): PLAIN for one in KEYS.values() for other in KEYS.values() if one != other}
    return plain | {weight_key(pair[:1].encode(), pair[1:].encode()): one for pair, one in pairs.items()}


def test_what_nothing_contradicts_counts_like_a_stewards_word() -> None:
    rule = said(1, A, B)
    assert sift([rule], weights(), KEYS) == ([rule], [])


@pytest.mark.parametrize(
    ("evidence", "because"),
    [(Evidence(9.0, veto=True), Because.VETO), (Evidence(9.0, against=True), Because.NAMES)],
)
def test_what_the_records_say_comes_first(evidence: Evidence, because: Because) -> None:
    counting, (aside,) = sift([said(1, A, B)], weights(ab=evidence), KEYS)
    assert (counting, aside.because, aside.weight) == ([], because, 9.0)


def test_a_stewards_word_comes_first_and_stays() -> None:
    no = said(1, A, B, "no_match", source=False)
    counting, (aside,) = sift([said(2, A, B), no], weights(), KEYS)
    assert (counting, aside.because) == ([no], Because.STEWARD)


def test_where_a_steward_and_the_records_say_otherwise_the_steward_is_named() -> None:
    no = said(1, A, B, "no_match", source=False)
    _, (aside,) = sift([said(2, A, B), no], weights(ab=Evidence(9.0, veto=True)), KEYS)
    assert (aside.because, aside.weight) == (Because.STEWARD, 9.0)


def test_a_stewards_match_does_not_yield() -> None:
    match = said(1, A, B, source=False)
    assert sift([match], weights(ab=Evidence(0.0, veto=True)), KEYS) == ([match], [])


def test_what_contradicts_only_together_yields_together_in_any_order() -> None:
    rules = [said(1, A, B), said(2, B, C), said(3, A, C, "no_match", source=False)]
    for order in permutations(rules):
        counting, aside = sift(order, weights(), KEYS)
        assert counting == [rules[2]]
        assert {one.decision.decision_id for one in aside} == {rules[0].decision_id, rules[1].decision_id}


def test_copies_say_nothing_against_each_other_and_who_is_gone_contradicts_nobody() -> None:
    rule, no = said(1, A, B), said(2, A, C, "no_match", source=False)
    alike = {A: b"a", B: b"a"}
    assert sift([rule, no], weights(), alike) == ([no, rule], [])


def test_what_cannot_be_weighed_is_asked_about() -> None:
    _, (aside,) = sift([said(1, A, B)], None, KEYS)
    assert aside.because is Because.NOT_WEIGHED
    assert sift([said(1, A, uuid.UUID(int=9))], None, KEYS)[1] == []
