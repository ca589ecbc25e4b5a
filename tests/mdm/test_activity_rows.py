"""An activity is stored once under its source's key; merges, splits and undo move no activity and lose no cent."""

import random
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from kernel import db
from kernel.actor import Principal
from mdm import activity_reading, activity_rows
from mdm.activities import Activity, Said
from mdm.rekey import rekey
from stewardship import settle
from stewardship.settle import Wish
from stewardship.sides import Side

from .. import resolution as master
from ..resolution import MARIA, WHO, Key, Master, at, golden_of, partition, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}


@pytest.fixture
def mdm(database: object) -> Master:
    return master.start()


def did(
    key: str = "a1", record_key: str = "1", source: str = "pos", kind: str = "order", amount: str | None = "10", day: int = 1,
    status: str = "completed", updated: datetime | None = None,
) -> Activity:  # fmt: skip
    money = (Decimal(amount), "EUR") if amount else (None, None)
    return Activity(source, key, Said(record_key, kind, status, at(day), "madrid", *money), updated or at(day))


def put(mdm: Master, *activities: Activity, who: Principal = WHO) -> list[str]:
    """What became of each, and the first note or problem."""
    with db.transaction(db.Role.APP, who.scope) as session:
        brands = {name: source.brand for name, source in mdm.policy.sources.items()}
        outcomes = activity_rows.put_all(session, brands, activities, who)
    return [one.problem.code if one.problem else one.status for one in outcomes]


def rename(source: str, old: str, new: str) -> None:
    with db.transaction() as session:
        rekey(session, WHO, source, old, new)


def shown(golden_id: uuid.UUID | None, scope: db.Scope | None = None) -> dict[str, Any]:
    assert golden_id is not None
    with db.read_only(db.Role.APP, scope or db.Scope()) as session:
        return activity_reading.read(session, golden_id, 10, lambda source: source).total.told()


def net(told: Mapping[str, Any]) -> dict[str, str]:
    return {one["currency"]: one["amount"] for one in told["net"]}


def test_a_later_update_replaces_and_an_earlier_one_never(mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    first, later = did(updated=at(2)), did(amount="12", updated=at(3))
    assert put(mdm, later) == ["created"]
    assert put(mdm, first, later, did(amount="13", updated=at(3))) == ["superseded", "same", "superseded"]
    assert put(mdm, did(amount="14", updated=at(4)), did(amount="14", updated=at(5))) == ["changed", "same"]
    assert put(mdm, did(amount="15", updated=at(5))) == ["superseded"]
    mdm.drain()
    assert net(shown(golden_of("pos", "1"))) == {"EUR": "14"}


def test_lines_of_one_key_arrive_in_order_within_a_batch(mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    batch = [did(updated=at(2)), did(amount="11", updated=at(4)), did(amount="12", updated=at(3)), did(key="a2")]
    assert put(mdm, *batch) == ["created", "changed", "superseded", "created"]
    assert query("SELECT activity_key, amount FROM activity ORDER BY 1") == [("a1", 11), ("a2", 10)]


def test_an_activity_may_come_before_its_record(mdm: Master) -> None:
    with db.transaction() as session:
        (outcome,) = activity_rows.put_all(session, {"pos": "acme"}, [did()], WHO)
    assert (outcome.status, [note.code for note in outcome.notes]) == ("created", ["record_not_known"])
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    assert shown(golden_of("pos", "1"))["orders"] == 1


def test_it_follows_a_record_to_its_new_key_and_back(mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    put(mdm, did())
    rename("pos", "1", "2")
    put(mdm, did("a2", "1"), did("a3", "2"))
    mdm.drain()
    assert net(shown(golden_of("pos", "2"))) == {"EUR": "30"}
    rename("pos", "2", "1")
    put(mdm, did("a4", "2"))
    mdm.drain()
    assert net(shown(golden_of("pos", "1"))) == {"EUR": "40"}


def test_it_may_be_another_records_after_a_correction(mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("pos", "2", OTTO)
    mdm.drain()
    put(mdm, did())
    assert put(mdm, did(record_key="2", updated=at(3))) == ["changed"]
    assert shown(golden_of("pos", "1"))["orders"] == 0
    assert shown(golden_of("pos", "2"))["orders"] == 1


def test_what_was_cancelled_counts_nowhere_and_returns_are_taken_off(mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    sent = [did(day=3), did("a2", kind="return", amount="2.50", day=5), did("a3", status="cancelled", amount="99", day=9)]
    put(mdm, *sent, did("a4", kind="visit", amount=None, day=7), did("a5", kind="case", amount=None))
    assert shown(golden_of("pos", "1")) == {
        "last_seen_at": at(7), "orders": 1, "returns": 1, "cases": 1, "visits": 1, "net": [{"currency": "EUR", "amount": "7.5"}],
    }  # fmt: skip


def test_a_deleted_record_counts_no_more(mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("shop", "1", MARIA)
    put(mdm, did())
    mdm.drain()
    mdm.delete("pos", "1")
    mdm.drain()
    assert shown(golden_of("shop", "1"))["orders"] == 0


def test_other_brands_and_regions_are_not_seen_and_not_written(mdm: Master) -> None:
    mdm.put("pos", "1", {**MARIA, "region": "north"})
    mdm.put("crm", "1", MARIA)
    mdm.drain()
    put(mdm, did(), did(source="crm"))
    golden_id = golden_of("pos", "1")
    assert golden_id == golden_of("crm", "1")
    assert shown(golden_id)["orders"] == 2
    assert shown(golden_id, db.Scope(("acme",)))["orders"] == 1
    south = Principal("s", "south", frozenset(), db.Scope(("acme",), ("south",)))
    assert shown(golden_id, south.scope)["orders"] == 0
    assert put(mdm, did("b1"), did("a1", "9", updated=at(9)), who=south) == ["outside_scope", "outside_scope"]
    assert put(mdm, did("a1", "9", source="crm", updated=at(9)), who=Principal("b", "b", frozenset(), db.Scope(("bolt",)))) == [
        "changed"
    ]


def test_what_is_counted_of_one_key_is_bounded_and_that_is_said(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"LIMIT {activity_reading.MOST_COUNTED}" in activity_reading.TOTALS
    mdm.put("pos", "1", MARIA)
    put(mdm, did(), did("a2", amount=None))
    mdm.drain()
    golden_id = golden_of("pos", "1")
    assert golden_id is not None
    for most, cut in ((2, True), (3, False)):
        monkeypatch.setattr(activity_reading, "MOST_COUNTED", most)
        with db.read_only() as session:
            assert activity_reading.read(session, golden_id, 1, str).cut is cut


Sent = tuple[str, str, str, Decimal, str, bool]


def drawn(chosen: random.Random) -> list[Sent]:
    """Some activities, each a sale or a case of one of five records."""
    return [
        (
            chosen.choice(["shop", "pos", "crm"]), chosen.choice("12"), chosen.choice(["order", "return", "case"]),
            Decimal(chosen.randrange(100_000)) / 100, chosen.choice(["EUR", "JPY"]), chosen.random() < 0.2,
        )
        for _ in range(chosen.randrange(3, 40))
    ]  # fmt: skip


def expected(sent: Sequence[Sent], members: Collection[Key]) -> tuple[int, int, int, dict[str, Decimal]]:
    """What the members' own activities come to, added up here."""
    own = [one for one in sent if one[:2] in members and not one[5]]
    sums = dict[str, Decimal]()
    for _, _, kind, amount, currency, _ in own:
        if kind != "case":
            sums[currency] = sums.get(currency, Decimal(0)) + (amount if kind == "order" else -amount)
    orders, returns, cases = (sum(one[2] == kind for one in own) for kind in ("order", "return", "case"))
    return orders, returns, cases, sums


def send(mdm: Master, sent: Sequence[Sent], first: int) -> None:
    made = []
    for number, (source, key, kind, amount, currency, is_cancelled) in enumerate(sent, start=first):
        money = (None, None) if kind == "case" else (amount, currency)
        said = Said(key, kind, "cancelled" if is_cancelled else "open", at(1 + number % 28), None, *money)
        made.append(Activity(source, f"a{number}", said, at(1)))
    assert set(put(mdm, *made)) <= {"created"}


def hold(sent: Sequence[Sent]) -> None:
    """Each golden record's totals are the sum over its members'."""
    for members in partition():
        source, key = next(iter(members))
        golden_id = golden_of(source, key)
        assert golden_id is not None
        with db.read_only(db.Role.APP, db.Scope()) as session:
            found = activity_reading.read(session, golden_id, 50, lambda source: source)
        total = found.total
        net = {currency: amount for currency, amount in total.net.items() if amount}
        orders, returns, cases, sums = expected(sent, members)
        assert (total.orders, total.returns, total.cases) == (orders, returns, cases)
        assert net == {currency: amount for currency, amount in sums.items() if amount}
        assert len(found.latest) == sum(one[:2] in members for one in sent)
        assert sum(one.orders for one in found.channels.values()) == orders


@pytest.fixture
def five(mdm: Master) -> Master:
    """Three records of one customer and two of another."""
    for source, key, data in [
        ("pos", "1", MARIA),
        ("shop", "1", MARIA),
        ("crm", "1", MARIA),
        ("pos", "2", OTTO),
        ("shop", "2", OTTO),
    ]:
        mdm.put(source, key, data)
    mdm.drain()
    return mdm


@pytest.mark.parametrize("seed", range(4))
def test_totals_are_the_members_own_after_merge_split_and_undo(five: Master, seed: int) -> None:
    chosen = random.Random(seed)
    sent = drawn(chosen)
    cuts = sorted(chosen.choices(range(len(sent) + 1), k=2))
    merges = bool(seed % 2)
    left, right = (("pos", "1"), ("pos", "2")) if merges else (("pos", "1"), ("crm", "1"))
    before = partition()
    send(five, sent[: cuts[0]], 0)
    hold(sent[: cuts[0]])
    wish = Wish("match" if merges else "no_match", Side(records=(left,)), Side(records=(right,)), "Drawn.")
    decision = settle.make(five.resolver, WHO, wish, settle.look(five.resolver, WHO, wish).token)
    five.drain()
    assert partition() != before
    send(five, sent[cuts[0] : cuts[1]], cuts[0])
    hold(sent[: cuts[1]])
    settle.take_back(five.resolver, WHO, decision, "Drawn.", settle.look_back(five.resolver, WHO, decision).token)
    five.drain()
    assert partition() == before
    send(five, sent[cuts[1] :], cuts[1])
    hold(sent)
