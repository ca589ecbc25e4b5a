"""Households and accounts from pairs of records: mutual, with reasons, and nobody is related to himself."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.record import PartyKind
from matching.standardize import Context, standardize
from mdm.relationships import WORDS, Code, Held, Kind, relationships

HOME = {"line1": "Calle Mayor 5", "city": "Madrid", "postal_code": "28013", "country": "ES"}
GOLDEN = [uuid.UUID(int=number) for number in range(8)]
OPPOSITE = {
    Kind.HOUSEHOLD: Kind.HOUSEHOLD,
    Kind.CONTACT: Kind.CONTACT_OF,
    Kind.SUBSIDIARY: Kind.PARENT_COMPANY,
    Kind.SUB_ACCOUNT: Kind.ACCOUNT_OF,
}
OPPOSITES = OPPOSITE | {other: one for one, other in OPPOSITE.items()}


def held(golden: int, number: int, parent: int | None = None, **data: Any) -> Held:
    record = standardize(data, Context(default_country="ES"))
    above = uuid.UUID(int=100 + parent) if parent is not None else None
    return Held(GOLDEN[golden], uuid.UUID(int=100 + number), ("crm", str(number)), record, above)


def person(golden: int, number: int, given: str, surname: str, home: dict[str, Any] | None = HOME, **more: Any) -> Held:
    homes = {"addresses": [home]} if home else {}
    return held(golden, number, given_name=given, surname=surname, **homes, **more)


def told(own: Held, other: Held) -> set[tuple[Kind, Code]]:
    return {(one.kind, reason.code) for one in relationships([own], [other]) for reason in one.reasons}


ANA = person(1, 1, "Ana", "García López", phones=["+34655872310"])


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (person(2, 2, "Luis", "García Pérez"), {Code.SAME_SURNAME}),
        (person(2, 2, "Luis", "García", phones=["655872310"]), {Code.SAME_SURNAME, Code.SAME_PHONE}),
        (person(2, 2, "Luis", "Ruiz", phones=["655872310"]), {Code.SAME_PHONE}),
        (person(2, 2, "Luis", "Ruiz", maiden_name="Lopez"), {Code.SAME_SURNAME}),
        (person(2, 2, "Luis", "Ruiz"), set()),
        (person(2, 2, "Luis", "García", {**HOME, "line1": "Calle Mayor 6"}), set()),
        (person(2, 2, "Luis", "García", {**HOME, "line1": "Calle Menor 5"}), set()),
        (person(2, 2, "Luis", "García", {**HOME, "postal_code": ""}), {Code.SAME_SURNAME}),
        (person(2, 2, "Luis", "García", {**HOME, "city": "Sevilla", "postal_code": "41001"}), set()),
        (person(2, 2, "Luis", "García", None, phones=["655872310"]), set()),
        (person(1, 2, "Luis", "García"), set()),
        (held(2, 2, company_name="García S.L.", addresses=[HOME], phones=["655872310"]), set()),
    ],
)  # fmt: skip
def test_a_household_is_one_home_and_a_surname_or_a_phone(other: Held, expected: set[Code]) -> None:
    assert told(ANA, other) == {(Kind.HOUSEHOLD, code) for code in expected}
    assert told(other, ANA) == told(ANA, other)


def test_two_flats_of_a_house_are_two_homes() -> None:
    flats = [person(n, n, "Ana", "Ruiz", {**HOME, "unit": unit}) for n, unit in ((1, "2A"), (2, "3B"), (3, ""))]
    assert told(flats[0], flats[1]) == set()
    assert told(flats[0], flats[2]) == told(flats[1], flats[2]) == {(Kind.HOUSEHOLD, Code.SAME_SURNAME)}


@pytest.mark.parametrize(("his", "hers"), [("Novák", "Nováková"), ("Ivanov", "Ivanova"), ("Kowalski", "Kowalska")])
def test_a_daughter_bears_her_fathers_surname_in_her_own_form(his: str, hers: str) -> None:
    assert told(person(1, 1, "Jan", his), person(2, 2, "Eva", hers)) == {(Kind.HOUSEHOLD, Code.SAME_SURNAME)}


def test_particles_are_no_family() -> None:
    assert told(person(1, 1, "Jan", "van der Berg"), person(2, 2, "Eva", "van der Meer")) == set()


@pytest.mark.parametrize(
    ("above", "below", "up", "down"),
    [
        (PartyKind.COMPANY, PartyKind.PERSON, Kind.CONTACT_OF, Kind.CONTACT),
        (PartyKind.COMPANY, PartyKind.UNKNOWN, Kind.CONTACT_OF, Kind.CONTACT),
        (PartyKind.COMPANY, PartyKind.COMPANY, Kind.PARENT_COMPANY, Kind.SUBSIDIARY),
        (PartyKind.PERSON, PartyKind.PERSON, Kind.ACCOUNT_OF, Kind.SUB_ACCOUNT),
    ],
)
def test_an_account_is_above_and_below_by_what_both_are(above: PartyKind, below: PartyKind, up: Kind, down: Kind) -> None:
    parent, child = held(1, 1), held(2, 2, parent=1)
    parent = replace(parent, record=replace(parent.record, party=above))
    child = replace(child, record=replace(child.record, party=below))
    assert told(child, parent) == {(up, Code.NAMES_PARENT)}
    assert told(parent, child) == {(down, Code.NAMED_AS_PARENT)}
    assert told(replace(child, golden_id=parent.golden_id), parent) == set()


def test_every_reason_has_its_words() -> None:
    assert WORDS.keys() == set(Code)


PEOPLE = st.builds(
    person,
    st.integers(0, 3),
    st.integers(0, 9),
    st.sampled_from(["Ana", "Luis"]),
    st.sampled_from(["García", "Ruiz García", "Novák", "Nováková"]),
    st.sampled_from([HOME, {**HOME, "unit": "2A"}, {**HOME, "postal_code": ""}, {**HOME, "line1": "PO Box 5"}, None]),
    phones=st.sampled_from([[], ["655872310"]]),
    parent=st.none() | st.integers(0, 9),
)


@given(st.lists(PEOPLE, max_size=8, unique_by=lambda one: one.record_id))
def test_relationships_are_mutual_and_nobody_is_his_own_whoever_was_merged(records: Sequence[Held]) -> None:
    found: dict[uuid.UUID, set[tuple[Kind, uuid.UUID]]] = {}
    for golden_id in {one.golden_id for one in records}:
        own = [one for one in records if one.golden_id == golden_id]
        found[golden_id] = {(one.kind, one.golden_id) for one in relationships(own, records)}
        assert found[golden_id] == {(one.kind, one.golden_id) for one in relationships(own[::-1], list(records)[::-1])}
    for mine, related in found.items():
        assert mine not in {other for _, other in related}
        assert all((OPPOSITES[kind], mine) in found[other] for kind, other in related)
