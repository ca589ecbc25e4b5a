"""Overrides beside records: in force they beat all and touch nothing else, in any order; each belongs to one golden record."""

import itertools
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.standardize import Context, standardize
from mdm.override_values import OVERRIDABLE, Override, Unreadable, as_member, check, home, overridable, placed
from mdm.policy import PolicyDocument, default
from mdm.policy import check as check_policy
from mdm.survivorship import MemberRecord, SurvivorshipRules, survive

DAY = datetime(2026, 3, 1, tzinfo=UTC)
CONTEXT = Context(None, "YMD")
RULES = SurvivorshipRules(system_of_record={"language": frozenset({"crm"})})
VALUES: dict[str, tuple[Any, ...]] = {
    "language": ("es", "pt"),
    "gender": ("female", "male"),
    "birth_date": ("1980-02-01", "1981"),
    "emails": ("ana@telefonica.net", "bo@telefonica.net"),
    "phones": ("+34655872310", "+34655872311"),
    "name": ({"given": "Ana", "surname": "Ruiz"}, {"given": "Bo", "surname": "Berg"}),
    "address": ({"line1": "Calle Mayor 5", "city": "Madrid"}, {"line1": "Calle Luna 9", "city": "Madrid", "country": "ES"}),
}


def override(number: int, attribute: str, value: Any, days: int = 0, lasts: int | None = None, *records: int) -> Override:
    expires_at = None if lasts is None else DAY + timedelta(days=lasts)
    named = frozenset(UUID(int=one) for one in records)
    return Override(UUID(int=number), attribute, value, "steward:ada", DAY + timedelta(days=days), expires_at, named)


def record(number: int, source: str, days: int, data: dict[str, Any]) -> MemberRecord:
    return MemberRecord(UUID(int=number), source, f"k{number}", DAY + timedelta(days=days), standardize(data, CONTEXT))


@st.composite
def clusters(draw: st.DrawFn) -> tuple[list[MemberRecord], list[Override]]:
    """Some records, and overrides of which some are expired on day 5 and some set at the same time."""
    records = []
    for number in range(draw(st.integers(1, 4))):
        data: dict[str, Any] = {
            "language": draw(st.sampled_from(["en", "de"])),
            "emails": [draw(st.sampled_from(VALUES["emails"]))],
        }
        data |= {"given_name": "Ana", "addresses": [draw(st.sampled_from(VALUES["address"]))]}
        records.append(record(number + 1, draw(st.sampled_from(["crm", "pos"])), draw(st.integers(0, 9)), data))
    made = []
    for number in range(draw(st.integers(1, 4))):
        attribute = draw(st.sampled_from(sorted(VALUES)))
        lasts = draw(st.sampled_from([None, 3, 9]))
        made.append(override(100 + number, attribute, draw(st.sampled_from(VALUES[attribute])), draw(st.integers(0, 2)), lasts))
    return records, made


NOW = DAY + timedelta(days=5)


@given(clusters(), st.randoms(use_true_random=False))
def test_the_order_of_records_and_overrides_does_not_matter(
    cluster: tuple[list[MemberRecord], list[Override]], random: Random
) -> None:
    records, made = cluster
    members = [*records, *(as_member(one, CONTEXT) for one in made)]
    shuffled = list(members)
    random.shuffle(shuffled)
    one, other = survive(members, RULES, NOW), survive(shuffled, RULES, NOW)
    assert (one.values, one.provenance) == (other.values, other.provenance)


@given(clusters())
def test_in_force_it_wins_its_attribute_and_nothing_else_changes(cluster: tuple[list[MemberRecord], list[Override]]) -> None:
    records, made = cluster
    bare = survive(records, RULES, NOW).values
    found = survive([*records, *(as_member(one, CONTEXT) for one in made)], RULES, NOW)
    in_force = [one for one in made if one.expires_at is None or one.expires_at > NOW]
    for attribute in {*bare, *found.values} - {one.attribute for one in in_force}:
        assert found.values.get(attribute) == bare.get(attribute)
    for attribute in {one.attribute for one in in_force}:
        origin = found.provenance[attribute]
        first = origin[0] if isinstance(origin, list) else origin
        latest = max(one.set_at for one in in_force if one.attribute == attribute)
        assert (first["source"], first["at"]) == ("steward", latest.isoformat())


@given(clusters())
def test_an_expired_one_is_as_if_it_had_never_been(cluster: tuple[list[MemberRecord], list[Override]]) -> None:
    records, made = cluster
    later = DAY + timedelta(days=9)
    kept = [one for one in made if one.expires_at is None]
    all_of_them, rest = ([*records, *(as_member(one, CONTEXT) for one in these)] for these in (made, kept))
    one, other = survive(all_of_them, RULES, later), survive(rest, RULES, later)
    assert (one.values, one.provenance) == (other.values, other.provenance)


@given(
    st.dictionaries(st.integers(1, 6), st.sampled_from("abc"), min_size=1),
    st.lists(st.sets(st.integers(1, 8), min_size=1), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_each_belongs_to_one_golden_record_whatever_the_order(
    lives: dict[int, str], named: list[set[int]], random: Random
) -> None:
    made = [override(100 + n, "language", "es", 0, None, *records) for n, records in enumerate(named)]
    home_of = {UUID(int=one): golden for one, golden in lives.items()}
    age = {UUID(int=one): one for one in range(9)}
    shuffled = list(made)
    random.shuffle(shuffled)
    found = placed(made, home_of, age)
    assert found == placed(shuffled, home_of, age)
    given_out = [one.override_id for held in found.values() for one in held]
    assert sorted(given_out) == [one.override_id for one in made if one.records & home_of.keys()]
    for golden, held in found.items():
        for one in held:
            counts = [sum(home_of.get(record) == other for record in one.records) for other in "abc"]
            assert sum(home_of.get(record) == golden for record in one.records) == max(counts)


def test_most_of_its_records_decide_where_it_belongs_and_of_equals_the_oldest_record() -> None:
    lives = {UUID(int=1): "a", UUID(int=2): "b", UUID(int=3): "b"}
    age = {UUID(int=1): 0, UUID(int=2): 1, UUID(int=3): 2}
    assert home(lives, lives, age) == "b"
    assert home([UUID(int=1), UUID(int=2)], lives, age) == "a"
    assert home([UUID(int=1), UUID(int=2)], lives, {UUID(int=1): 1, UUID(int=2): 0}) == "b"
    assert home([UUID(int=9)], lives, age) is None


def test_it_beats_the_system_of_record_and_later_records() -> None:
    crm = record(1, "crm", 9, {"language": "de"})
    found = survive([crm, as_member(override(9, "language", "es"), CONTEXT)], RULES, NOW)
    assert (found.values["language"], found.provenance["language"]["rule"]) == ("es", "steward")


def test_a_name_set_by_hand_says_nothing_of_gender_or_party() -> None:
    found = survive([as_member(override(9, "name", {"given": "Maria", "prefix": "Mrs"}), CONTEXT)], RULES, NOW)
    assert list(found.values) == ["name"]


def test_a_value_that_is_no_longer_read_harms_nobody() -> None:
    member = as_member(override(9, "language", {"not": "a text"}), CONTEXT)
    assert survive([member], RULES, NOW).values == {}


@pytest.mark.parametrize(("attribute", "value"), [(name, value) for name, values in VALUES.items() for value in values])
def test_a_value_of_each_kind_is_read(attribute: str, value: Any) -> None:
    check(attribute, value, CONTEXT)


@pytest.mark.parametrize(
    ("attribute", "value", "code"),
    [
        ("birth_date", "hello", "unreadable"),
        ("birth_date", "31/31/1980", "invalid_month"),
        ("birth_date", "1980-13-45", "invalid_month"),
        ("emails", "a@b.com; c@d.com", "several_values"),
        ("phones", "655872310", "unparsed"),
        ("name", {"given": "GUEST"}, "placeholder"),
        ("name", "Maria", "wrong_type"),
        ("address", {"town": "Madrid"}, "unknown_part"),
        ("address", {"lines": ["a", "b", "c", "d"]}, "wrong_type"),
        ("language", {"value": "es"}, "wrong_type"),
        ("preferred_store", "4111 1111 1111 1111", "card_number"),
        ("address", {"lines": ["Calle Mayor 5", "4111111111111111"]}, "card_number"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_is_wrong(attribute: str, value: Any, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        check(attribute, value, CONTEXT)
    assert code in refused.value.codes


def test_identifiers_and_accounts_are_not_set_by_hand() -> None:
    assert {"identifiers", "loyalty_accounts", "extras"}.isdisjoint(OVERRIDABLE)
    assert overridable(["vip"])[-1] == "extras.vip"


def test_no_source_may_bear_the_stewards_name() -> None:

    document: PolicyDocument = default()
    source = next(iter(document.sources.values()))
    faults = list(check_policy(document.model_copy(update={"sources": {"steward": source}})))
    assert (("sources", "steward"), "is the name of what stewards set by hand: give the source another") in faults


def test_ties_between_overrides_of_one_moment_are_broken_the_same_way() -> None:
    both = [as_member(override(n, "language", value), CONTEXT) for n, value in ((8, "es"), (9, "pt"))]
    assert {survive(list(order), RULES, NOW).values["language"] for order in itertools.permutations(both)} == {"es"}
