"""What bars merges by policy: a function of what records say, whatever the order in which they came to say it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel import db
from matching.record import Extra, StandardRecord
from matching.units import ALONE
from mdm import policy as policies
from mdm import sql
from mdm.decisions import StewardDecision
from mdm.documents import DocumentError
from mdm.merge_blockers import MergeBlockers, Standing
from mdm.reconcile import reconcile
from mdm.records import NOTHING, CurrentRecord

from .. import resolution as master
from ..resolution import MARIA, Master, empty_records, partition, questions

NOW = datetime(2026, 3, 10, tzinfo=UTC)
POLICY = """
sources:
  card:
    channel_kind: loyalty
    brand: acme
    fields: {given_name: given, surname: family, birth_date: born, emails: mail, extras: {balance: balance, account: account}}
  app:
    channel_kind: app
    brand: acme
    fields: {given_name: given, surname: family, birth_date: born, emails: mail, extras: {balance: balance, account: account}}
  pos: {channel_kind: pos, brand: acme}
extras:
  balance: {kind: number}
  account: {kind: category}
  asked_on: {kind: date}
merge_blockers:
  open_balances:
    title: Two open accounts with a balance
    facts: {balance: {above: 0}, account: {is: [open]}}
    stale_after_days: 30
    may_be_overridden: true
  privacy_request:
    facts: {asked_on: {after: 2026-01-01}}
    when: either
    sources: [pos]
"""
BLOCKERS = MergeBlockers.of(policies.parse(POLICY))
OPEN, PRIVACY = BLOCKERS.blockers


def record(source: str, days_old: float = 0, **extras: str) -> CurrentRecord:
    kinds = {"balance": "number", "account": "category", "asked_on": "date"}
    standard = StandardRecord(extras=tuple(Extra(name, kinds[name], value) for name, value in extras.items()))
    at = NOW - timedelta(days=days_old)
    return CurrentRecord(uuid.uuid4(), 1, source, "1", b"", NOTHING, "", "acme", "", at, standard)


@pytest.mark.parametrize(
    ("said", "standing"),
    [
        (record("card", balance="12.5", account="open"), Standing.HOLDS),
        (record("card", 40, balance="12.5", account="open"), Standing.HOLDS),
        (record("card", balance="0", account="open"), Standing.CLEAR),
        (record("card", balance="12.5", account="closed"), Standing.CLEAR),
        (record("card", 30, balance="0", account="open"), Standing.STALE),
        (record("card", 29.9, balance="0", account="open"), Standing.CLEAR),
        (record("card", account="open"), Standing.NOT_KNOWN),
        (record("card"), Standing.NOT_KNOWN),
        (record("card", account="closed"), Standing.CLEAR),
        (record("pos"), None),
        (record("pos", balance="3", account="open"), Standing.HOLDS),
    ],
)  # fmt: skip
def test_a_record_says_of_a_blocker_what_its_facts_say(said: CurrentRecord, standing: Standing | None) -> None:
    assert OPEN.standing(said, NOW) is standing


def test_a_fact_that_is_not_known_bars_as_one_that_holds() -> None:
    known, missing = record("card", balance="1", account="open"), record("app")
    assert (BLOCKERS.bars(known, NOW) & BLOCKERS.bars(missing, NOW)).bit_count() == 1
    assert BLOCKERS.between([[known], [missing]], NOW) == ("open_balances",)
    assert BLOCKERS.between([[known, missing], [record("pos", asked_on="2020-01-01")]], NOW) == ()


def test_what_holds_of_either_side_bars_everybody() -> None:
    assert BLOCKERS.bars(record("pos", asked_on="2026-02-01"), NOW) == ALONE
    assert BLOCKERS.bars(record("pos", asked_on="2025-12-31"), NOW) == 0
    assert PRIVACY.standing(record("pos"), NOW) is Standing.NOT_KNOWN


def test_time_alone_changes_what_was_clear_and_nothing_else() -> None:
    clear = record("card", 10, balance="0", account="open")
    assert BLOCKERS.lapses_at(clear, NOW) == NOW + timedelta(days=20)
    assert BLOCKERS.lapses_at(record("card", 10, balance="1", account="open"), NOW) is None


def test_a_crossing_is_accepted_by_decisions_that_name_the_blocker_and_all_that_it_bars() -> None:
    a, b, c = (record("card", balance="1", account="open") for _ in range(3))

    def match(left: CurrentRecord, right: CurrentRecord, *across: str) -> StewardDecision:
        sides = (frozenset({one.record_id}) for one in (left, right))
        return StewardDecision(uuid.uuid4(), "match", *sides, frozenset(across))

    def accepted(part: list[CurrentRecord], *rules: StewardDecision) -> list[bool]:
        return [one.accepted for one in BLOCKERS.crossings(part, rules, NOW)]

    named = "open_balances"
    assert accepted([a, b], match(a, b)) == [False]
    assert accepted([a, b], match(a, b, named)) == [True]
    assert accepted([a, b, c], match(a, b, named), match(b, c)) == [False]
    assert accepted([a, b, c], match(a, b, named), match(b, c, named)) == [False]
    assert accepted([a, b, c], match(a, b, named), match(b, c, named), match(a, c, named)) == [True]
    assert accepted([a, record("pos", asked_on="2020-01-01")], match(a, b)) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("{balance: {is: [a]}}", "cannot be asked of a number"),
        ("{shoe_size: {above: 1}}", "is not declared under 'extras'"),
        ("{balance: {above: 1, below: 2}}", "needs exactly one of"),
        ("{asked_on: {before: 2026-01-01}}", "can never hold"),
        ("{}", "at least 1 item"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(change: str, says: str) -> None:
    every_source_maps = POLICY.split("merge_blockers:", maxsplit=1)[0].replace("  pos: {channel_kind: pos, brand: acme}\n", "")
    with pytest.raises(DocumentError) as refused:
        policies.parse(every_source_maps + f"merge_blockers:\n  it: {{facts: {change}}}\n")
    assert says in str(refused.value)


PERSON = {"given": "Maria", "family": "Garcia Lopez", "born": "1984-03-12", "mail": "maria.garcia@telefonica.net"}
BALANCES: dict[str, dict[str, Any]] = {
    "holds": {"balance": 5, "account": "open"}, "clear": {"balance": 0, "account": "open"}, "unknown": {"account": "open"},
}  # fmt: skip
Says = tuple[str, str]


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start(POLICY.split("  privacy_request", maxsplit=1)[0])


def say(mdm: Master, source: str, what: str, version: int) -> None:
    data = {name: value for name, value in MARIA.items() if name in ("given_name", "surname", "birth_date", "emails")}
    mdm.put(source, "1", data if source == "pos" else PERSON | BALANCES[what], source_version=version)


def test_a_fact_that_becomes_known_releases_the_question_into_a_merge(mdm: Master) -> None:
    say(mdm, "card", "holds", 1)
    say(mdm, "app", "unknown", 1)
    mdm.drain()
    both = frozenset({("card", "1"), ("app", "1")})
    assert (len(partition()), questions()) == (2, {("policy_blocker", both, "open_balances")})
    say(mdm, "app", "clear", 2)
    mdm.drain()
    assert (partition(), questions(), mdm.verify().differences) == ({both}, set(), ())


SENT = st.permutations([(source, what) for source in ("card", "app", "pos") for what in ("first", "last")])
BALANCE = st.sampled_from(sorted(BALANCES))


def test_any_order_of_arrival_comes_to_the_same(mdm: Master) -> None:
    """What the records say at last decides, whatever they said before and however they came."""

    @settings(max_examples=6)
    @given(order=SENT, first=BALANCE, last=st.tuples(BALANCE, BALANCE), step_by_step=st.booleans())
    def try_orders(order: list[Says], first: str, last: tuple[str, str], step_by_step: bool) -> None:
        at_last = dict(zip(("card", "app", "pos"), (*last, "clear"), strict=True))
        outcomes = []
        for sent in (order, sorted(order)):
            empty_records()
            for source, which in sent:
                say(mdm, source, at_last[source] if which == "last" else first, 2 if which == "last" else 1)
                if step_by_step:
                    mdm.drain()
            mdm.drain()
            outcomes.append((partition(), questions()))
        assert outcomes[0] == outcomes[1]
        barred = "clear" not in last
        assert (len(outcomes[0][0]) > 1) == barred == bool(outcomes[0][1])

    try_orders()


def test_the_bulk_path_asks_the_same(mdm: Master) -> None:
    for source, what in (("card", "holds"), ("app", "unknown"), ("pos", "clear")):
        say(mdm, source, what, 1)
    mdm.drain()
    online = partition(), questions()
    reconcile(mdm.resolver)
    assert (partition(), questions()) == online
    assert {kind for kind, _, _ in online[1]} == {"policy_blocker"}
    assert mdm.verify(deep=True).differences == ()


def test_with_no_blockers_nothing_is_noted(database: str) -> None:
    mdm = master.start()
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    with db.transaction() as session:
        assert sql.rows(session, "SELECT count(*) FROM lapsing_fact") == [(0,)]
