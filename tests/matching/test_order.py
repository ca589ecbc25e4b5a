"""Records in any order, and all of them twice, come to one partition, with one weight, verdict and reason for every pair (P2)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.blocking import keys
from matching.cluster import Clustering, partition
from matching.comparisons import comparison_form
from matching.components import Edge, capped_components, edge_of
from matching.decide import Decided, Verdict, decide
from matching.evidence import Weigher
from matching.model import default_model
from matching.record import StandardRecord
from matching.score import scorer
from matching.standardize import Context, form_hash, standardize
from matching.units import Member


class Promise(NamedTuple):
    one_person_per_value: bool = True
    one_value_per_person: bool = True


MODEL = default_model()
RULES = {"national_id": Promise()}
Named = tuple[str, StandardRecord]
Parts = frozenset[frozenset[str]]


@dataclass(frozen=True)
class Outcome:
    """What a few records come to, by their names: nothing of it says in which order they arrived."""

    said: dict[frozenset[str], tuple[float, Decided]]
    parts: Parts
    balanced: Parts
    reviews: frozenset[object]
    joins: frozenset[object]


def resolve(arrived: Sequence[Named]) -> Outcome:
    """Walk the records through the pipeline under ids in order of arrival, as the database gives them."""
    forms = [comparison_form(record) for _, record in arrived]
    said, edges = {}, []
    for a, b in candidates([record for _, record in arrived]):
        scored = scorer(MODEL).pair(forms[a], forms[b])
        decided = decide(MODEL, forms[a], forms[b], scored, RULES)
        said[frozenset((arrived[a][0], arrived[b][0]))] = (scored.weight, decided)
        edge = edge_of(scored.weight, decided.reason_code, decided.verdict)
        edges += [Edge(a, b, edge.weight, edge.decided)] if edge else []
    hashes = {place: form_hash(record) for place, (_, record) in enumerate(arrived)}
    weigher = Weigher(MODEL, RULES, MODEL.lines.most_holders)
    done = []
    for component in capped_components(hashes, edges, MODEL.lines).components:
        members = [Member(place, ("pos", arrived[place][0]), held) for place, held in component.records.items()]
        of_forms = {held: forms[place] for place, held in component.records.items()}
        done.append(partition(members, weigher.weights(of_forms, of_forms), (), MODEL.lines))
    return told(done, said, [name for name, _ in arrived])


def candidates(records: Sequence[StandardRecord]) -> list[tuple[int, int]]:
    holders: dict[int, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        for key in {key for _, key in keys(record, b"order")}:
            holders[key].append(place)
    return sorted({pair for held in holders.values() for pair in combinations(held, 2)})


def told(done: Sequence[Clustering[int]], said: dict[frozenset[str], tuple[float, Decided]], names: Sequence[str]) -> Outcome:
    def named(parts: Sequence[frozenset[int]]) -> Parts:
        return frozenset(frozenset(names[place] for place in part) for part in parts)

    return Outcome(
        said,
        frozenset().union(*(named(one.parts) for one in done)),
        frozenset().union(*(named(one.balanced) for one in done)),
        frozenset((named(review.parts), review.weight, review.reason) for one in done for review in one.reviews),
        frozenset((named(join.parts), join.weight, join.kind) for one in done for join in one.joins),
    )


def read(records: Sequence[dict[str, Any]]) -> list[Named]:
    return [(f"r{n}", standardize(data, Context("GB", "DMY"))) for n, data in enumerate(records)]


def twice(records: Sequence[Named]) -> list[Named]:
    return [*records, *((f"{name}'", record) for name, record in records)]


def of_the_first(parts: Parts) -> Parts:
    """The parts without the copies."""
    return frozenset(frozenset(name for name in part if not name.endswith("'")) for part in parts) - {frozenset()}


EXETER = {"line1": "18 Laurel Avenue", "city": "Exeter", "postal_code": "EX4 6PQ", "country": "GB"}
NEXT_DOOR, DURHAM = {**EXETER, "line1": "90 Laurel Avenue"}, {"line1": "5 Castle Terrace", "city": "Durham", "country": "GB"}
ANDREW = {"given_name": "Andrew", "surname": "Whitcombe"}
FATHER, SON = (
    {**ANDREW, "name_suffix": suffix, "birth_date": born} for suffix, born in (("Sr", "14/06/1954"), ("Jr", "14/06/1984"))
)
COMPANY = {"party": "company", "company_name": "Whitcombe Flowers Ltd"}
FAMILIES: list[list[dict[str, Any]]] = [
    [FATHER, SON, ANDREW, {"given_name": "Andy", "surname": "Whitcombe"}, {"name": "Mr & Mrs Andrew Whitcombe"}],
    [{"given_name": given, "surname": "Okafor", "birth_date": "02/03/2001"}
     for given in ("Maria", "Mariana", "Marian", "Jayden", "Hayden")],
    [{"name": name, "birth_date": "05/06/1970"} for name in ("王伟", "汪威", "王伟 Wei Wang", "Wang Wei", "陈伟", "陳偉")],
    [{"given_name": given, "surname": surname} for given, surname in
     (("Александр", "Иванов"), ("Александра", "Иванова"), ("Alexander", "Ivanov"), ("Ivanov", "Alexandr"), ("Сан.", "Иванов"))],
    [COMPANY, {**COMPANY, **ANDREW, "party": None}, ANDREW, {"company_name": "Whitcombe Flowers"},
     {**COMPANY, "company_name": "Whitcombe Foods Ltd"}],
]  # fmt: skip
CONTACTS: dict[str, st.SearchStrategy[Any]] = {
    "phones": st.sampled_from([["01392 441872"], ["07911 882716"], ["01392 441872", "07911 882716"], ["01392 441873"]]),
    "emails": st.sampled_from([["whitcombes@web.de"], ["andrew@whitcombe.org"], ["zed77@web.de"]]),
    "addresses": st.sampled_from([[EXETER], [NEXT_DOOR], [DURHAM], [EXETER, DURHAM], [{"postal_code": "EX4 6PQ"}]]),
    "identifiers": st.sampled_from(["QQ123456C", "AB654321D"]).map(
        lambda value: [{"type": "national_id", "issuer": "GB", "value": value}]),
    "gender": st.sampled_from(["male", "female"]),
}  # fmt: skip


@st.composite
def households(draw: st.DrawFn) -> list[Named]:
    """A few records of one hostile family, in which nearly everybody shares something with nearly everybody."""
    family = draw(st.sampled_from(FAMILIES))
    records = []
    for _ in range(draw(st.integers(2, 6))):
        who = draw(st.sampled_from(family))
        left_out = draw(st.sampled_from(["", "", "birth_date", "name_suffix", "given_name"]))
        contacts = draw(st.fixed_dictionaries({}, optional=CONTACTS))
        records.append({name: value for name, value in {**who, **contacts}.items() if name != left_out})
    return read(records)


@settings(max_examples=150, deadline=None)
@given(households(), st.randoms(use_true_random=False))
def test_no_order_of_arrival_changes_anything(records: list[Named], random: Any) -> None:
    expected = resolve(records)
    assert resolve(records[::-1]) == expected
    assert resolve(random.sample(records, len(records))) == expected


@settings(max_examples=100, deadline=None)
@given(households(), st.randoms(use_true_random=False))
def test_all_records_twice_come_to_the_same_parts(records: list[Named], random: Any) -> None:
    once, doubled = resolve(records), twice(records)
    found = resolve(random.sample(doubled, len(doubled)))
    assert of_the_first(found.parts) == once.parts
    assert of_the_first(found.balanced) == once.balanced
    for pair, said in once.said.items():
        a, b = sorted(pair)
        for copies in ((a, b), (f"{a}'", b), (a, f"{b}'"), (f"{a}'", f"{b}'")):
            assert found.said[frozenset(copies)] == said


PHONE, HOME = {"phones": ["01392 441872"]}, {"addresses": [EXETER]}
EXAMPLES = {
    "a father, a son and whoever of them the till wrote": (
        [{**one, **PHONE} for one in (FATHER, SON, ANDREW)], [(0, 1), (0, 2), (1, 2)]),
    "twins behind one door, one of them twice": (
        [{**FAMILIES[1][n], **HOME} for n in (0, 1, 0)], [(0, 1), (1, 2)]),
    "two who are written alike in Latin": ([{**FAMILIES[2][n], **HOME} for n in (0, 1)], [(0, 1)]),
    "a couple and the one of them who is named": ([{**FAMILIES[0][n], **PHONE, **HOME} for n in (2, 4)], [(0, 1)]),
    "a company, its owner and the contact": ([{**FAMILIES[4][n], **PHONE, **HOME} for n in (0, 1, 2)], [(0, 2)]),
}  # fmt: skip


@pytest.mark.parametrize(("records", "apart"), EXAMPLES.values(), ids=EXAMPLES)
def test_every_order_keeps_apart_who_is_apart(records: list[dict[str, Any]], apart: list[tuple[int, int]]) -> None:
    known = read(records)
    expected = resolve(known)
    for a, b in apart:
        assert not any({f"r{a}", f"r{b}"} <= part for part in expected.parts)
        assert expected.said[frozenset((f"r{a}", f"r{b}"))][1].verdict is not Verdict.MATCH
    for order in permutations(known):
        assert resolve(order) == expected
    for order in list(permutations(twice(known)))[::37]:
        assert of_the_first(resolve(order).parts) == expected.parts
