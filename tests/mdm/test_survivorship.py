"""Golden values: which rule picks what, that echoes never vote, and that order and the time now never matter."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from matching.record import Address, BirthDate, Email, Extra, Identifier, LoyaltyAccount, Name, PartyKind, Phone, StandardRecord
from mdm.survivorship import (
    AttributeRule,
    Criterion,
    GoldenValues,
    MemberRecord,
    SurvivorshipRules,
    content_hash,
    display_name,
    survive,
)

C = Criterion
DAY_ONE = datetime(2024, 1, 1, tzinfo=UTC)


def member(number: int, source: str = "pos", days: float = 0, **values: Any) -> MemberRecord:
    expires_at = values.pop("expires_at", None)
    observed_at = DAY_ONE + timedelta(days=days)
    return MemberRecord(UUID(int=number), source, f"key-{number}", observed_at, StandardRecord(**values), expires_at)


def named(given: str, surname: str = "Smith", **more: Any) -> Name:
    return Name(given, surname=surname, given_folded=given.lower(), surname_folded=surname.lower(), **more)


def mail(value: str, **more: Any) -> Email:
    return Email(value, more.pop("key", value), **more)


def by(attribute: str, *criteria: Criterion, **more: Any) -> SurvivorshipRules:
    return SurvivorshipRules(attributes={attribute: AttributeRule(criteria)}, **more)


def languages(rules: SurvivorshipRules, *members: MemberRecord) -> tuple[str, str]:
    """The language that wins and the rule that decided: a plain attribute on which every criterion can be tried."""
    found = survive(members, rules)
    return found.values["language"], found.provenance["language"]["rule"]


class TestCriteria:
    def test_trust_wins_while_it_is_fresh(self) -> None:
        rules = by("language", C.TRUST, trust={"crm": 0.8, "pos": 0.4})
        assert languages(rules, member(1, "crm", language="en"), member(2, "pos", 700, language="fr")) == ("en", "trust")

    def test_twice_the_trust_outweighs_one_half_life_and_no_more(self) -> None:
        rules = by("language", C.TRUST, trust={"crm": 0.8, "pos": 0.4})
        assert languages(rules, member(1, "crm", language="en"), member(2, "pos", 729.9, language="fr"))[0] == "en"
        assert languages(rules, member(1, "crm", language="en"), member(2, "pos", 730.1, language="fr"))[0] == "fr"

    def test_each_attribute_has_a_half_life_of_its_own(self) -> None:
        rules = SurvivorshipRules(attributes={"language": AttributeRule((C.TRUST,), 30)}, trust={"crm": 0.8, "pos": 0.4})
        assert languages(rules, member(1, "crm", language="en"), member(2, "pos", 31, language="fr"))[0] == "fr"

    def test_a_source_without_trust_wins_only_alone(self) -> None:
        rules = by("language", C.TRUST, trust={"junk": 0})
        assert languages(rules, member(1, "junk", 9_999, language="en"), member(2, "pos", language="fr"))[0] == "fr"
        assert languages(rules, member(1, "junk", language="en")) == ("en", "only_value")

    def test_most_recent(self) -> None:
        assert languages(by("language", C.RECENT), member(1, days=1, language="en"), member(2, language="fr")) == ("en", "recent")

    def test_most_frequent(self) -> None:
        members = (member(1, language="fr"), member(2, language="en"), member(3, language="EN"))
        assert languages(by("language", C.FREQUENT), *members) == ("en", "frequent")

    def test_longest(self) -> None:
        assert languages(by("language", C.LONGEST), member(1, language="en"), member(2, language="en-GB")) == ("en-GB", "longest")

    def test_most_complete(self) -> None:
        found = survive(
            [member(1, birth_date=BirthDate("1980", 1980)), member(2, birth_date=BirthDate("1980-02-01", 1980, 2, 1))],
            by("birth_date", C.COMPLETE),
        )
        assert (found.values["birth_date"], found.provenance["birth_date"]["rule"]) == ("1980-02-01", "complete")

    @pytest.mark.parametrize(("criterion", "expected"), [(C.MIN, "1979-12"), (C.MAX, "1980-02-01")])
    def test_min_and_max_of_dates_of_any_precision(self, criterion: Criterion, expected: str) -> None:
        texts = ("1980-02-01", "1979-12", "1980")
        members = [member(n, birth_date=BirthDate(text, int(text[:4]))) for n, text in enumerate(texts)]
        assert survive(members, by("birth_date", criterion)).values["birth_date"] == expected

    @pytest.mark.parametrize(("criterion", "expected"), [(C.MIN, "9.5"), (C.MAX, "10")])
    def test_min_and_max_of_numbers_are_not_those_of_texts(self, criterion: Criterion, expected: str) -> None:
        members = [member(n, extras=(Extra("points", "number", text),)) for n, text in enumerate(("10", "9.5"))]
        assert survive(members, by("extras.points", criterion)).values["extras"] == {"points": expected}

    def test_a_tie_goes_to_the_lower_source_and_key(self) -> None:
        members = (member(2, "pos", language="en"), member(1, "pos", language="fr"), member(0, "web", language="de"))
        assert languages(by("language", C.VERIFIED), *members) == ("fr", "key_order")

    def test_the_system_of_record_beats_trust(self) -> None:
        rules = SurvivorshipRules(trust={"crm": 1, "shop": 0.1}, system_of_record={"language": frozenset({"shop"})})
        assert languages(rules, member(1, "crm", language="en"), member(2, "shop", language="fr")) == ("fr", "system_of_record")


class TestSteward:
    def test_a_correction_beats_the_system_of_record(self) -> None:
        rules = SurvivorshipRules(system_of_record={"language": frozenset({"crm"})})
        assert languages(rules, member(1, "steward", language="fr"), member(2, "crm", 9, language="en")) == ("fr", "steward")

    def test_the_latest_correction_wins(self) -> None:
        found = languages(SurvivorshipRules(), member(1, "steward", 2, language="fr"), member(2, "steward", 1, language="en"))
        assert found == ("fr", "latest_steward_act")

    def test_a_correction_is_no_vote(self) -> None:
        """The steward's address no longer holds, so it does not win; were it a vote, it would still make a@x the primary."""
        members = [
            member(1, "steward", emails=(mail("a@x", valid_to="2023-01-01"),)),
            member(2, "pos", emails=(mail("a@x"),)),
            member(3, "app", emails=(mail("b@x"),)),
        ]
        found = survive(members, by("emails", C.UNION, C.FREQUENT), DAY_ONE)
        assert [email["value"] for email in found.values["emails"]] == ["b@x", "a@x"]

    def test_a_correction_ends_when_it_expires(self) -> None:
        members = [member(1, "steward", language="fr", expires_at=DAY_ONE + timedelta(days=5)), member(2, language="en")]
        assert survive(members, SurvivorshipRules(), DAY_ONE + timedelta(days=4)).values["language"] == "fr"
        assert survive(members, SurvivorshipRules(), DAY_ONE + timedelta(days=5)).values["language"] == "en"
        assert survive(members, SurvivorshipRules()).values["language"] == "fr"


class TestGroups:
    def test_a_name_survives_whole(self) -> None:
        found = survive(
            [member(1, name=named("Jon", middle="P")), member(2, "crm", 9, name=named("John", prefix="Dr"))], SurvivorshipRules()
        )
        assert found.values["name"] == {"given": "John", "surname": "Smith", "prefix": "Dr"}

    def test_a_full_given_name_beats_an_initial_however_frequent(self) -> None:
        members = [member(1, name=named("J.")), member(2, name=named("J.")), member(3, name=named("Jane"))]
        assert survive(members, SurvivorshipRules()).values["name"]["given"] == "Jane"

    def test_the_spelling_of_most_records_beats_a_typo(self) -> None:
        members = [member(1, "crm", 900, name=named("Jnae")), member(2, name=named("Jane")), member(3, name=named("JANE"))]
        found = survive(members, SurvivorshipRules(trust={"crm": 1}))
        assert found.values["name"]["given"] == "Jane"
        assert found.provenance["name"]["rule"] == "frequent"

    def test_a_placeholder_is_nobodys_name(self) -> None:
        assert "name" not in survive([member(1, name=Name("Guest", identifying=False))], SurvivorshipRules()).values

    def test_an_address_never_mixes_two_records(self) -> None:
        old = Address(("1 High St",), "1", None, "High St", city="Leeds", postal_code="LS1 4AB", country="GB", street_key="high")
        new = Address(("2 Low Rd",), "2", None, "Low Rd", street_key="low")
        found = survive([member(1, addresses=(old,)), member(2, days=400, addresses=(new,))], SurvivorshipRules())
        assert found.values["address"] == {"lines": ["2 Low Rd"], "house_number": "2", "street": "Low Rd"}
        assert found.provenance["address"]["runners_up"][0]["value"]["city"] == "Leeds"

    def test_a_pickup_point_is_the_address_only_when_there_is_no_other(self) -> None:
        locker = Address(("Locker 7",), shared=True)
        home = Address(("1 High St",))
        found = survive([member(1, days=99, addresses=(locker,)), member(2, addresses=(home,))], SurvivorshipRules())
        assert (found.values["address"]["lines"], found.provenance["address"]["rule"]) == (["1 High St"], "usable")
        assert survive([member(1, addresses=(locker,))], SurvivorshipRules()).values["address"]["lines"] == ["Locker 7"]

    def test_an_address_that_no_longer_holds_comes_last(self) -> None:
        moved = Address(("1 High St",), valid_to="2024-02-01")
        members = [member(1, days=30, addresses=(moved,)), member(2, addresses=(Address(("2 Low Rd",)),))]
        assert survive(members, SurvivorshipRules(), datetime(2024, 2, 1, tzinfo=UTC)).values["address"]["lines"] == ["1 High St"]
        assert survive(members, SurvivorshipRules(), datetime(2024, 2, 2, tzinfo=UTC)).values["address"]["lines"] == ["2 Low Rd"]

    def test_unknown_party_is_no_value(self) -> None:
        members = [member(1), member(2), member(3, party=PartyKind.COMPANY)]
        assert survive(members, SurvivorshipRules()).values == {"party": "company"}


class TestSeveral:
    def test_all_contact_points_are_kept_the_verified_first(self) -> None:
        members = [
            member(1, "crm", 99, emails=(mail("new@example.com"),)),
            member(2, emails=(mail("a.b@example.com", key="ab@example.com"),)),
            member(3, emails=(mail("AB@example.com", key="ab@example.com", verified=True),)),
        ]
        found = survive(members, SurvivorshipRules())
        assert found.values["emails"] == [
            {"value": "AB@example.com", "primary": True, "verified": True},
            {"value": "new@example.com", "primary": False, "verified": False},
        ]
        assert [(entry["rule"], entry["records"]) for entry in found.provenance["emails"]] == [("verified", 2), ("union", 1)]

    def test_a_contact_point_is_verified_when_any_record_verified_it(self) -> None:
        members = [member(1, days=9, emails=(mail("a@x"),)), member(2, emails=(mail("A@x", key="a@x", verified=True),))]
        found = survive(members, by("emails", C.UNION, C.RECENT))
        assert found.values["emails"] == [{"value": "a@x", "primary": True, "verified": True}]

    def test_within_a_record_the_first_is_preferred(self) -> None:
        found = survive([member(1, phones=(Phone("+442", "+442"), Phone("+441", "+441")))], SurvivorshipRules())
        assert [phone["value"] for phone in found.values["phones"]] == ["+442", "+441"]

    def test_a_relay_address_is_primary_only_when_alone(self) -> None:
        relay = Email("x@relay.example", None, ("relay",), verified=True)
        found = survive([member(1, emails=(relay,)), member(2, emails=(mail("a@example.com"),))], SurvivorshipRules())
        assert [email["value"] for email in found.values["emails"]] == ["a@example.com", "x@relay.example"]

    def test_one_is_kept_where_the_rule_does_not_say_union(self) -> None:
        members = [member(1, emails=(mail("a@example.com"),)), member(2, days=1, emails=(mail("b@example.com"),))]
        found = survive(members, by("emails", C.RECENT))
        assert [email["value"] for email in found.values["emails"]] == ["b@example.com"]
        assert found.provenance["emails"][0]["runners_up"][0]["value"]["value"] == "a@example.com"

    def test_echoes_never_vote(self) -> None:
        """A source that writes our own golden values back would otherwise outvote the sources they came from."""
        echo = mail("golden@example.com", echo=True, verified=True)
        members = [
            member(
                1, "crm", 99, emails=(echo,), phones=(Phone("+441", "+441", echo=True),), addresses=(Address(("x",), echo=True),)
            ),
            member(2, emails=(mail("said@example.com"),)),
            member(3, identifiers=(Identifier("ssn", "", "1", "1", echo=True),)),
        ]
        found = survive(members, SurvivorshipRules())
        assert found.values == {"emails": [{"value": "said@example.com", "primary": True, "verified": False}]}

    def test_an_echo_of_a_value_adds_nothing_to_it(self) -> None:
        members = [
            member(1, emails=(mail("a@example.com", echo=True, verified=True),)),
            member(2, emails=(mail("a@example.com"),)),
        ]
        found = survive(members, SurvivorshipRules())
        assert found.values["emails"][0]["verified"] is False
        assert found.provenance["emails"][0]["records"] == 1

    def test_placeholders_are_left_with_their_record(self) -> None:
        nobodys = Email("noreply@example.com", None, ("placeholder",))
        assert (
            survive(
                [member(1, emails=(nobodys,), phones=(Phone("0000000", None, flags=("dummy",)),))], SurvivorshipRules()
            ).values
            == {}
        )

    def test_every_loyalty_account_is_kept_as_of_its_latest_time(self) -> None:
        def account(number: str, tier: str, as_of: str | None) -> LoyaltyAccount:
            return LoyaltyAccount("club", number, number, tier=tier, as_of=as_of)

        members = [
            member(1, "crm", 99, loyalty_accounts=(account("1", "silver", "2023-01-01"), account("2", "gold", None))),
            member(2, "pos", loyalty_accounts=(account("1", "gold", "2024-05-01T10:00:00Z"),)),
        ]
        found = survive(members, SurvivorshipRules())
        assert found.values["loyalty_accounts"] == [
            {"programme": "club", "number": "1", "tier": "gold", "as_of": "2024-05-01T10:00:00Z"},
            {"programme": "club", "number": "2", "tier": "gold"},
        ]

    def test_identifiers_are_kept_by_type_and_issuer(self) -> None:
        held = (Identifier("tax", "IT", "2", "2"), Identifier("tax", "FR", "2", "2"), Identifier("tax", "FR", "bad", None))
        found = survive([member(1, identifiers=held)], SurvivorshipRules())
        assert [(one["type"], one["issuer"], one["value"]) for one in found.values["identifiers"]] == [
            ("tax", "FR", "2"),
            ("tax", "IT", "2"),
        ]


class TestProvenance:
    def test_says_record_source_time_rule_and_runners_up(self) -> None:
        found = survive([member(1, "crm", 1, language="en"), member(2, language="fr")], by("language", C.RECENT))
        assert found.provenance["language"] == {
            "record_id": str(UUID(int=1)),
            "source": "crm",
            "at": "2024-01-02T00:00:00+00:00",
            "rule": "recent",
            "runners_up": [
                {"value": "fr", "record_id": str(UUID(int=2)), "source": "pos", "at": "2024-01-01T00:00:00+00:00"},
            ],
        }

    def test_runners_up_are_bounded_and_say_so(self) -> None:
        origin = survive([member(n, language=f"l{n}") for n in range(9)], SurvivorshipRules()).provenance["language"]
        assert (len(origin["runners_up"]), origin["runners_up_left_out"]) == (5, 3)

    def test_every_value_has_an_origin_in_the_same_place(self) -> None:
        found = survive(EVERYTHING, SurvivorshipRules())
        assert found.provenance.keys() == found.values.keys()
        for name, value in found.values.items():
            if isinstance(value, list):
                assert len(value) == len(found.provenance[name])
        assert found.provenance["extras"].keys() == found.values["extras"].keys()

    def test_is_ready_for_json(self) -> None:
        found = survive(EVERYTHING, SurvivorshipRules())
        assert json.loads(json.dumps([found.values, found.provenance])) == [found.values, found.provenance]


class TestDisplayName:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({"name": {"given": "Jane", "surname": "Smith"}, "company_name": "Acme"}, "Jane Smith"),
            ({"name": {"native": "山田"}}, "山田"),
            ({"party": "company", "name": {"given": "Jane"}, "company_name": "Acme"}, "Acme"),
            ({"company_name": "Acme"}, "Acme"),
            ({"emails": [{"value": "jane@example.com"}]}, None),
        ],
    )
    def test_is_the_persons_else_the_companys(self, values: dict[str, Any], expected: str | None) -> None:
        assert display_name(values) == expected

    @pytest.mark.parametrize(
        ("given", "surname", "expected"),
        [
            ("maria", "de la cruz-peña", "Maria de la Cruz-Peña"),
            ("SEÁN", "O'BRIEN", "Seán O'Brien"),
            ("ronald", "MCDONALD", "Ronald McDonald"),
            ("JP", "van der Berg", "JP van der Berg"),
            ("jp", "DeVries", "Jp DeVries"),
            ("ольга", "ИВАНОВА", "Ольга Иванова"),
        ],
    )
    def test_writes_one_case_as_a_name_is_written(self, given: str, surname: str, expected: str) -> None:
        assert display_name({"name": {"given": given, "surname": surname}}) == expected


EVERYTHING = [
    member(1, "crm", 5, name=named("Jane"), party=PartyKind.PERSON, emails=(mail("a@x"), mail("b@x")), gender="female"),
    member(2, "pos", 5, name=named("Jnae"), phones=(Phone("+441", "+441", verified=True),), birth_date=BirthDate("1980", 1980)),
    member(3, "web", 9, company_name="Acme", extras=(Extra("shoe", "number", "44"),), addresses=(Address(("1 High St",)),)),
    member(4, "steward", 1, name=named("Janet"), identifiers=(Identifier("tax", "FR", "2", "2"),), language="en"),
]


def together(found: GoldenValues) -> tuple[bytes, bytes]:
    return found.content_hash, content_hash(found.provenance)


def test_all_orders_of_the_records_give_the_same_values_and_provenance() -> None:
    assert len({together(survive(order, SurvivorshipRules())) for order in permutations(EVERYTHING)}) == 1
