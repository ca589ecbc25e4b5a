"""What a record offers: the spelling that is shown of what many say, and contact points that reach nobody left out."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from matching.record import Address, Email, Name, Phone, StandardRecord
from mdm.survivorship import MemberRecord, SurvivorshipRules, survive
from mdm.survivorship_values import candidates, parts_in_one_case

DAY_ONE = datetime(2024, 1, 1, tzinfo=UTC)


def member(number: int, source: str = "pos", days: float = 0, **values: Any) -> MemberRecord:
    return MemberRecord(UUID(int=number), source, f"key-{number}", DAY_ONE + timedelta(days=days), StandardRecord(**values))


def named(given: str, surname: str) -> Name:
    return Name(given, surname=surname, given_folded=given.lower(), surname_folded=surname.lower())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("McDonald", 0),
        ("MCDONALD", 1),
        ("mcdonald", 1),
        ("J.", 0),
        ("李小龍", 0),
        ("4B", 0),
        ({"given": "bob", "surname": "MCDONALD", "prefix": "Mr"}, 2),
        ({"lines": ["1 HIGH ST", "Leeds"], "city": "leeds"}, 2),
    ],
)
def test_parts_in_one_case_are_counted(value: Any, expected: int) -> None:
    assert parts_in_one_case(value) == expected


class TestSpelling:
    def test_both_cases_beat_one_whatever_the_trust_the_order_and_the_time(self) -> None:
        members = [
            member(1, "crm", 99, name=named("BOB", "MCDONALD")),
            member(2, days=50, name=named("bob", "mcdonald")),
            member(3, name=named("Bob", "McDonald")),
        ]
        for order in permutations(members):
            found = survive(order, SurvivorshipRules(trust={"crm": 1.0, "pos": 0.1}))
            assert found.values["name"] == {"given": "Bob", "surname": "McDonald"}
            assert found.provenance["name"]["record_id"] == str(UUID(int=3))

    def test_of_partly_cased_spellings_the_better_one_is_shown(self) -> None:
        members = [member(1, days=9, name=named("bob", "mcdonald")), member(2, name=named("Bob", "MCDONALD"))]
        assert survive(members, SurvivorshipRules()).values["name"] == {"given": "Bob", "surname": "MCDONALD"}

    def test_a_better_spelling_of_another_name_wins_nothing(self) -> None:
        members = [
            member(1, name=named("ROBERT", "SMITH")),
            member(2, name=named("ROBERT", "SMITH")),
            member(3, name=named("R.", "Smith")),
        ]
        assert survive(members, SurvivorshipRules()).values["name"]["given"] == "ROBERT"

    def test_a_steward_and_the_system_of_record_are_believed_as_they_write(self) -> None:
        rules = SurvivorshipRules(system_of_record={"name": frozenset({"crm"})})
        spelt = member(1, name=named("Ian", "Bell"))
        for source in ("steward", "crm"):
            assert survive([spelt, member(2, source, name=named("IAN", "BELL"))], rules).values["name"]["surname"] == "BELL"

    def test_an_address_is_spelt_better_but_never_less_complete_nor_less_verified(self) -> None:
        loud = Address(("1 HIGH ST",), "1", None, "HIGH ST", city="LEEDS", country="GB", street_key="high st", city_key="leeds")
        spelt = Address(("1 High St",), "1", None, "High St", city="Leeds", country="GB", street_key="high st", city_key="leeds")
        shorter = Address((), "1", None, "High St", city="Leeds", street_key="high st", city_key="leeds")

        def city(*held: Address) -> str:
            members = [member(number, days=-number, addresses=(one,)) for number, one in enumerate(held)]
            return str(survive(members, SurvivorshipRules()).values["address"]["city"])

        assert city(loud, spelt) == "Leeds"
        assert city(loud, shorter) == "LEEDS"
        assert city(Address(**{**_fields(loud), "verified": True}), spelt) == "LEEDS"


def _fields(address: Address) -> dict[str, Any]:
    return {name: getattr(address, name) for name in Address.__slots__}


@pytest.mark.parametrize(
    "standard",
    [
        StandardRecord(emails=(Email("anna@web", None, ("invalid",), verified=True),)),
        StandardRecord(emails=(Email("x@example.com", None, ("placeholder",)),)),
        StandardRecord(phones=(Phone("+491712345678", None, flags=("dummy",), verified=True),)),
    ],
)
def test_a_contact_point_that_reaches_nobody_is_offered_by_no_record(standard: StandardRecord) -> None:
    assert candidates([MemberRecord(UUID(int=1), "pos", "1", DAY_ONE, standard)]) == {}
