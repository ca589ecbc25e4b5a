"""Capped components: the rung at which they are small enough, the same from every record, in bounded work."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.components import Edge, PairEdge, Reach, capped_component, capped_components, edge_of
from matching.model import Lines

LINES = Lines(component=-6, guard=0, merge=10, cap=3, rungs=6)


def reach_over(edges: list[Edge[int]], forms: Mapping[int, bytes], asked: list[int] | None = None) -> Reach[int]:
    def reach(frontier: frozenset[int], line: float | None) -> dict[int, bytes]:
        if asked is not None:
            asked.append(len(frontier))
        ends = [(edge.a, edge.b) for edge in edges if edge.reaches(line)]
        near = {b for a, b in ends if a in frontier} | {a for a, b in ends if b in frontier}
        return {record: forms[record] for record in near}

    return reach


def own_forms(count: int) -> dict[int, bytes]:
    return {number: str(number).encode() for number in range(count)}


def chain(count: int, weight: float) -> list[Edge[int]]:
    return [Edge(number, number + 1, weight) for number in range(count - 1)]


class TestOneComponent:
    def test_takes_all_in_reach_at_the_component_line(self) -> None:
        forms = own_forms(3)
        found = capped_component(0, forms[0], reach_over(chain(3, -6), forms), LINES)
        assert (set(found.records), found.rung, found.line, found.capped_off) == ({0, 1, 2}, 0, -6, False)

    def test_leaves_what_is_below_the_line(self) -> None:
        forms = own_forms(2)
        assert set(capped_component(0, forms[0], reach_over(chain(2, -6.01), forms), LINES).records) == {0}

    def test_climbs_the_ladder_until_few_enough(self) -> None:
        forms = own_forms(5)
        edges = [Edge(0, 1, 9), *(Edge(1, other, -1) for other in range(2, 5))]
        found = capped_component(0, forms[0], reach_over(edges, forms), LINES)
        assert (set(found.records), found.rung, found.line, found.capped_off) == ({0, 1}, 2, 2, True)

    def test_counts_forms_not_records(self) -> None:
        forms = dict.fromkeys(range(1_000), b"same")
        edges = [Edge(0, number, 20) for number in range(1, 1_000)]
        assert len(capped_component(0, b"same", reach_over(edges, forms), LINES).records) == 1_000

    def test_only_stewards_matches_count_at_the_last_rung_and_are_never_cut(self) -> None:
        forms = own_forms(6)
        edges = [*chain(6, 99), *(Edge(number, number + 1, 0, steward=True) for number in range(4))]
        found = capped_component(0, forms[0], reach_over(edges, forms), LINES)
        assert (set(found.records), found.line) == ({0, 1, 2, 3, 4}, None)

    def test_a_deciding_identifier_reaches_at_every_line_but_the_last(self) -> None:
        decided = Edge(0, 1, -50, decided=True)
        assert [decided.reaches(line) for line in (-6, 30, None)] == [True, True, False]

    def test_the_search_stops_soon_after_the_cap(self) -> None:
        """A chain of ten thousand costs no more than the cap at each rung."""
        forms, asked = own_forms(10_000), list[int]()
        capped_component(0, forms[0], reach_over(chain(10_000, 99), forms, asked), LINES)
        assert len(asked) <= len(LINES.ladder()) * (LINES.cap + 1)


class TestAllComponents:
    def test_every_record_is_in_one_component(self) -> None:
        found = capped_components(own_forms(4), [Edge(0, 1, 5)], LINES)
        assert sorted(map(sorted, (c.records for c in found.components))) == [[0, 1], [2], [3]]

    def test_reports_once_what_was_too_large_at_the_component_line(self) -> None:
        found = capped_components(own_forms(9), chain(9, 3), LINES)
        assert found.too_large == (frozenset(range(9)),)
        assert len(found.components) == 9

    def test_an_edge_to_an_unknown_record_is_an_error(self) -> None:
        with pytest.raises(KeyError):
            capped_components(own_forms(1), [Edge(0, 7, 5)], LINES)

    def test_five_thousand_records_on_one_phone_end_quickly(self) -> None:
        forms = own_forms(5_000)
        edges = [Edge(0, number, 1.0 + number % 3) for number in range(1, 5_000)]
        found = capped_components(forms, edges, Lines(component=-6, guard=0, merge=10))
        assert max(len(component.records) for component in found.components) <= 200


edges_drawn = st.lists(
    st.builds(
        Edge,
        st.integers(0, 11),
        st.integers(0, 11),
        st.sampled_from([-7.0, -6.0, -2.0, 1.5, 2.0, 6.0, 17.9, 18.0, 40.0]),
        st.integers(0, 9).map(lambda n: n == 0),
        st.integers(0, 9).map(lambda n: n == 0),
    ),
    max_size=30,
)


@settings(max_examples=300)
@given(
    edges_drawn,
    st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f", b"g"]), min_size=12, max_size=12),
    st.sets(st.integers(0, 11)),
)
def test_the_same_component_from_every_record_and_in_bulk(edges: list[Edge[int]], drawn: list[bytes], told: set[int]) -> None:
    """P2: online (one record) and bulk (all records) cut alike, and neither depends on where it begins."""
    forms = dict(enumerate(drawn))
    bulk = {record: component for component in capped_components(forms, edges, LINES).components for record in component.records}
    for record, form in forms.items():
        found = capped_component(record, form, reach_over(edges, forms), LINES)
        assert (dict(found.records), found.rung) == (dict(bulk[record].records), bulk[record].rung)
        known = [{other for other in told if bulk[other].rung > rung} for rung in range(LINES.rungs + 1)]
        again = capped_component(record, form, reach_over(edges, forms), LINES, known)
        assert again == found, "whatever was found out about others before"


@pytest.mark.parametrize("weight", [-5.0, 3.0, 99.0])
def test_five_thousand_records_glued_by_one_value_end_in_seconds_and_are_never_whole(weight: float) -> None:
    """Each has an edge to the next and to thirty more; one form each, so that no copies make it small."""
    count, lines = 5_000, Lines(component=-6, guard=0, merge=10, cap=200)
    forms = own_forms(count)
    glued = [Edge(a, (a + step * step) % count, weight) for a in range(count) for step in range(1, 32)]
    started = time.process_time()
    found = capped_components(forms, glued, lines)
    assert time.process_time() - started < 20
    assert found.too_large == (frozenset(range(count)),)
    assert max(len(one.records) for one in found.components) <= lines.cap
    assert sum(len(one.records) for one in found.components) == count
    assert all(one.capped_off for one in found.components)


@pytest.mark.parametrize(
    ("verdict", "reason", "expected"),
    [
        ("match", "shared_identifier", PairEdge(1.0, decided=True)),
        ("review", "between_lines", PairEdge(1.0, decided=False)),
        ("no_match", "below_guard_line", PairEdge(1.0, decided=False)),
        ("review", "identifier_conflict", PairEdge(1.0, decided=True)),
        ("no_match", "person_and_company", None),
    ],
)
def test_what_a_decision_is_to_the_graph(verdict: str, reason: str, expected: PairEdge | None) -> None:
    assert edge_of(1.0, reason, verdict) == expected
