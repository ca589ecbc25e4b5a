"""Whom a confirmed golden id speaks of, without a database."""

import random
import uuid

from matching.components import Component
from mdm.assertions import Assertion
from mdm.confirmed import Confirmed, brought_together, confirmed_pairs
from mdm.policy_schema import AssertedMeaning

A, B, C, D, TILL, OTHER, GOLDEN = (uuid.UUID(int=n) for n in range(1, 8))
ORDER = {record: record.int for record in (A, B, C, D, TILL, OTHER)}


def says(record: uuid.UUID, meaning: AssertedMeaning = AssertedMeaning.MATCH) -> Assertion:
    return Assertion(record, meaning, GOLDEN)


def pairs(
    parts: list[set[uuid.UUID]], founders: set[uuid.UUID], *said: Assertion, order: dict[uuid.UUID, int] | None = None
) -> list[Confirmed]:
    return confirmed_pairs(said, {GOLDEN: frozenset(founders)}, map(frozenset, parts), order or ORDER)


def test_it_speaks_of_the_part_with_most_founders() -> None:
    assert pairs([{A}, {B, C}, {TILL}], {A, B, C}, says(TILL)) == [Confirmed(TILL, B, GOLDEN)]


def test_on_a_tie_it_speaks_of_the_oldest_founders_part() -> None:
    assert pairs([{B}, {A, D}, {TILL}], {A, B}, says(TILL)) == [Confirmed(TILL, A, GOLDEN)]


def test_who_confirms_has_no_voice() -> None:
    """Else two tills that confirmed the id of one customer would carry it off."""
    assert pairs([{A}, {TILL, OTHER}], {A, TILL, OTHER}, says(TILL), says(OTHER)) == [
        Confirmed(TILL, A, GOLDEN),
        Confirmed(OTHER, A, GOLDEN),
    ]


def test_where_only_confirming_founders_are_left_they_have() -> None:
    assert pairs([{TILL}, {OTHER}], {TILL, OTHER}, says(TILL), says(OTHER)) == [Confirmed(OTHER, TILL, GOLDEN)]


def test_what_is_together_anyway_or_only_compared_brings_nothing_together() -> None:
    assert pairs([{A, TILL}], {A}, says(TILL)) == []
    assert pairs([{A}, {TILL}], {A}, says(TILL, AssertedMeaning.REVIEW)) == []
    assert pairs([{A}], {A}, says(TILL)) == []  # May not be merged.
    assert pairs([{TILL}], {A}, says(TILL)) == []  # No founder may be merged.


def test_the_order_of_anything_does_not_matter() -> None:
    said = [says(TILL), says(OTHER)]
    parts = [{A}, {B, C}, {TILL}, {OTHER}]
    wanted = pairs(parts, {A, B, C, OTHER}, *said)
    for seed in range(20):
        random.Random(seed).shuffle(parts)
        random.Random(seed).shuffle(said)
        assert pairs(parts, {A, B, C, OTHER}, *said) == wanted


def component(*records: uuid.UUID, rung: int = 0, line: float | None = 1.0) -> Component[uuid.UUID]:
    return Component({record: record.bytes for record in records}, rung, line)


def test_components_unite_and_keep_the_higher_rung() -> None:
    pair = Confirmed(TILL, A, GOLDEN)
    found, beyond = brought_together([component(A, B), component(TILL, rung=1, line=5.0), component(C)], [pair], 60)
    assert beyond == []
    assert [(set(one.records), one.rung, one.line, said) for one, said in found] == [
        ({A, B, TILL}, 1, 5.0, [pair]),
        ({C}, 0, 1.0, []),
    ]


def test_a_pair_within_one_component_unites_nothing_and_is_kept() -> None:
    pair = Confirmed(TILL, A, GOLDEN)
    assert brought_together([component(A, TILL)], [pair], 60) == ([(component(A, TILL), [pair])], [])


def test_what_would_pass_the_cap_or_is_not_weighed_stays_apart_and_is_named() -> None:
    """The oldest confirmations first: who confirms and whom it speaks of are two forms."""
    mine, other = Confirmed(TILL, A, GOLDEN), Confirmed(OTHER, A, GOLDEN)
    alone = [component(A), component(TILL), component(OTHER)]
    found, beyond = brought_together(alone, [mine, other], 2)
    assert ([set(one.records) for one, _ in found], beyond) == ([{A, TILL}, {OTHER}], [other])
    found, beyond = brought_together(alone, [mine, other], 3)
    assert ([set(one.records) for one, _ in found], beyond) == ([{A, TILL, OTHER}], [])
    found, beyond = brought_together([component(A, line=None, rung=3), component(TILL)], [mine], 60)
    assert (found[0][1], beyond) == ([], [mine])


def test_copies_count_once_but_for_who_confirms_and_whom_it_speaks_of() -> None:
    """A has three copies, one of which confirms: A itself, the one who confirms, and the other two as one."""
    copies = Component(dict.fromkeys((A, B, C, TILL), b"form"), 0, 1.0)
    pair = Confirmed(TILL, A, GOLDEN)
    assert brought_together([copies], [pair], 3) == ([(copies, [pair])], [])
    assert brought_together([copies], [pair], 2) == ([(copies, [])], [pair])
