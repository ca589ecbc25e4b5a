"""Consents side by side, before a merge or a split: what is told is what holds after it, and what would end stands first."""

from uuid import UUID

import pytest

from consent.effective import judge
from consent.entries import Channel, Query, State
from consent.purposes import shipped
from consent.status import Answer
from kernel import clock, db
from mdm import consent_comparison, consent_customers
from mdm.consent_comparison import Line
from stewardship import settle
from stewardship.settle import Wish
from stewardship.sides import Side

from ..resolution import MARIA, WHO, Master, at, golden_of, query, start
from .test_consent_changes import EMAIL, GIVEN, MARKETING, POS, SHOP, act, merged, part

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": [EMAIL]}
Key = tuple[str, str]


@pytest.fixture
def master(database: str) -> Master:
    return start()


@pytest.fixture
def two(master: Master) -> Master:
    """Maria at the till and Otto in the shop, who share an e-mail address."""
    master.put(*POS, MARIA)
    master.put(*SHOP, OTTO)
    master.drain()
    assert golden_of(*SHOP) != golden_of(*POS)
    return master


def record_id(key: Key) -> UUID:
    found: UUID = query("SELECT record_id FROM source_record WHERE (source, source_key) = (%s, %s)", *key)[0][0]
    return found


def compared(*groups: tuple[Key, ...], brands: tuple[str, ...] | None = None) -> tuple[Line, ...]:
    of = [frozenset(map(record_id, keys)) for keys in groups]
    with db.read_only(db.Role.ENGINE) as session:
        return consent_comparison.read(session, shipped(), of, clock.now(), brands).lines


def told(line: Line) -> list[str]:
    return [str(one.answer) for one in (*line.apart, line.together)]


def hold_now(lines: tuple[Line, ...], *keys: Key) -> dict[Query, list[Answer]]:
    """What the customers of records are answered now, of every query that was told."""
    with db.transaction() as session:
        ids = [golden for key in keys if (golden := golden_of(*key)) is not None]
        found = consent_customers.customers(session, shipped(), ids, clock.now())
        return {one.query: [judge(found[golden], one.query, shipped(), clock.now()).answer for golden in ids] for one in lines}


def match(master: Master) -> None:
    wish = Wish("match", Side(records=(POS,)), Side(records=(SHOP,)), "One person.")
    settle.make(master.resolver, WHO, wish, settle.look(master.resolver, WHO, wish).token)
    master.drain()
    assert golden_of(*SHOP) == golden_of(*POS)


def test_a_consent_of_one_is_told_apart_and_stays_his_alone(two: Master) -> None:
    act(**GIVEN, record=POS, brand="acme")
    (line,) = compared((POS,), (SHOP,))
    assert told(line) == ["allowed", "unknown", "allowed"]
    assert (line.is_lost, line.is_same) == (False, False)


def test_what_one_of_them_withdrew_as_a_person_ends_what_the_other_gave_and_stands_first(two: Master) -> None:
    act(**GIVEN, record=POS, brand="acme")
    act(**GIVEN | {"purpose": "surveys"}, record=SHOP, brand="acme")
    said = {name: value for name, value in MARKETING.items() if name != "contact"}
    act(**said, state=State.WITHDRAWN, record=SHOP, occurred_at=at(2), brand="acme")
    lines = compared((POS,), (SHOP,))
    assert lines[0].is_lost
    assert (lines[0].query.purpose, told(lines[0])) == ("marketing", ["allowed", "denied", "denied"])
    assert [one.is_lost for one in lines[1:]] == [False] * (len(lines) - 1)


def test_what_is_told_before_a_merge_holds_after_it(two: Master) -> None:
    act(**GIVEN, record=POS, brand="acme")
    said = {name: value for name, value in MARKETING.items() if name != "contact"}
    act(**said, state=State.WITHDRAWN, record=SHOP, occurred_at=at(2), brand="acme")
    lines = compared((POS,), (SHOP,))
    assert hold_now(lines, POS, SHOP) == {one.query: [told.answer for told in one.apart] for one in lines}
    match(two)
    assert hold_now(lines, POS) == {one.query: [one.together.answer] for one in lines}


def test_what_is_told_before_a_split_holds_after_it(master: Master) -> None:
    merged(master)
    act(**GIVEN, golden_id=golden_of(*POS), brand="acme")
    act(**GIVEN | {"purpose": "surveys"}, record=POS, brand="acme")
    lines = compared((POS,), (SHOP,))
    assert {one.query.purpose: told(one) for one in lines} == {
        "marketing": ["unknown", "unknown", "allowed"],
        "surveys": ["allowed", "unknown", "allowed"],
    }
    assert hold_now(lines, POS) == {one.query: [one.together.answer] for one in lines}
    part(master)
    assert hold_now(lines, POS, SHOP) == {one.query: [told.answer for told in one.apart] for one in lines}


def test_what_was_parted_once_is_no_permission_of_both_as_one(master: Master) -> None:
    merged(master)
    act(**GIVEN, golden_id=golden_of(*POS), brand="acme")
    part(master)
    (line,) = compared((POS,), (SHOP,))
    assert told(line) == ["unknown", "unknown", "unknown"]


def test_of_another_brand_nothing_is_told(two: Master) -> None:
    act(**GIVEN, record=POS, brand="acme")
    act(**GIVEN | {"channel": Channel.EMAIL}, record=POS, brand="bolt")
    assert [one.query.brand for one in compared((POS,), (SHOP,), brands=("bolt",))] == ["bolt"]
    assert compared((SHOP,)) == ()


def test_what_a_crowd_said_is_not_compared_and_said_to_be_beyond(two: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    act(**GIVEN, record=POS, brand="acme")
    of = [frozenset({record_id(POS)}), frozenset({record_id(SHOP)})]
    for most, expected in ((2, (1, False)), (1, (0, True))):  # One query, and one entry that speaks of two: his, and all as one.
        monkeypatch.setattr(consent_comparison, "MOST_HELD", most)
        with db.read_only(db.Role.ENGINE) as session:
            found = consent_comparison.read(session, shipped(), of, clock.now(), None)
        assert (len(found.lines), found.is_beyond) == expected
