"""Properties of survivorship: neither the order of the records nor the time now matters."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.record import Address, BirthDate, Email, LoyaltyAccount, Name, StandardRecord
from mdm.survivorship import GoldenValues, MemberRecord, SurvivorshipRules, content_hash, survive

DAY_ONE = datetime(2024, 1, 1, tzinfo=UTC)


def member(number: int, source: str, days: int, values: dict[str, Any]) -> MemberRecord:
    return MemberRecord(UUID(int=number), source, f"key-{number}", DAY_ONE + timedelta(days=days), StandardRecord(**values))


def named(given_name: str, surname: str) -> Name:
    return Name(given_name, surname=surname, given_folded=given_name.lower(), surname_folded=surname.lower())


def together(found: GoldenValues) -> tuple[bytes, bytes]:
    return found.content_hash, content_hash(found.provenance)


def lists_of(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


few = st.sampled_from
lines = few([("1 A St",), ("1 a st",), ("2 B St",)])
keys = few(["a@x", "b@x", None])
records = st.fixed_dictionaries(
    {},
    optional={
        "name": st.builds(named, few(["Jane", "JANE", "jane", "J.", "Jnae"]), few(["Smith", "SMITH", "Smyth"])),
        "emails": lists_of(st.builds(Email, few(["a@x", "A@x", "b@x"]), keys, verified=st.booleans(), echo=st.booleans())),
        "addresses": lists_of(st.builds(Address, lines, shared=st.booleans())),
        "language": few(["en", "EN", "fr"]),
        "birth_date": st.builds(BirthDate, few(["1980", "1980-02", "1981-01-01"]), st.just(1980)),
        "loyalty_accounts": lists_of(
            st.builds(LoyaltyAccount, st.just("club"), few(["1", "2"]), few(["1", "2", None]), as_of=few([None, "2024-01-01"]))
        ),
    },
)
members_drawn = st.lists(st.tuples(few(["crm", "pos", "steward"]), few([0, 0, 1, 400]), records), max_size=8)


@settings(max_examples=200)
@given(members_drawn, st.randoms(use_true_random=False), st.integers(0, 40 * 365))
def test_neither_order_nor_the_time_now_matters(
    drawn: list[tuple[str, int, dict[str, Any]]], random: Random, days_later: int
) -> None:
    members = [member(number, *one) for number, one in enumerate(drawn)]
    rules = SurvivorshipRules(trust={"crm": 0.8, "pos": 0.4})
    expected = together(survive(members, rules))
    random.shuffle(members)
    assert together(survive(members, rules, DAY_ONE + timedelta(days=days_later))) == expected


@settings(max_examples=200)
@given(members_drawn)
def test_every_value_was_said_by_the_record_it_is_attributed_to(drawn: list[tuple[str, int, dict[str, Any]]]) -> None:
    members = {str(UUID(int=number)): member(number, *one) for number, one in enumerate(drawn)}
    found = survive(list(members.values()), SurvivorshipRules())
    for attribute in ("language", "name", "emails", "loyalty_accounts"):
        values, origins = found.values.get(attribute, []), found.provenance.get(attribute, [])
        pairs = zip(values, origins, strict=True) if isinstance(values, list) else [(values, origins)]
        for value, origin in pairs:
            said = getattr(members[origin["record_id"]].standard, attribute)
            if attribute == "emails":
                assert value["value"] in {email.value for email in said if not email.echo}
            elif attribute == "loyalty_accounts":
                assert value["number"] in {account.number for account in said}
            elif attribute == "name":
                assert value == {"given": said.given, "surname": said.surname}
            else:
                assert value == said
