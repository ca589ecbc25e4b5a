"""The merge algebra: no merge adds a permission, parting restores, no withdrawal is undone, and the order never matters (P5)."""

import itertools
import random
import uuid
from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consent.effective import (
    Customer,
    Holding,
    Member,
    are_parted,
    around,
    by_contact,
    effective,
    judge,
    judge_contact,
    judge_crowd,
    latest,
    narrowed,
)
from consent.entries import DENYING, POSITIVE, Channel, Entry, Origin, Query, State
from consent.status import Answer, Reason

from .reference import answer
from .world import EVERY, LAWS, MAILS, RULES, START, World, customer, day, drawn, holdings, laws, record_id, said

ANN = "ann@x"
MARKETING = Query("marketing", Channel.EMAIL, "main", ANN)


def member(number: int, *contacts: str, law: str = "EU", **more: Any) -> Member:
    """A record that holds e-mail addresses."""
    return Member(record_id(number), tuple(Holding(one, "email", **more) for one in contacts), frozenset({law}))


def yes(number: int, contact: str = ANN, at: float | None = 1, **more: Any) -> Entry:
    """A consent of a record, shown to be the customer's own act."""
    said_ = {"purpose": "marketing", "channel": Channel.EMAIL, "brand": "main", "origin": Origin.SUBJECT, "is_evidenced": True}
    when = None if at is None else day(at)
    return Entry(uuid.uuid4(), State.GIVEN, START, when, contact, **{**said_, "records": frozenset({record_id(number)}), **more})


def no(contact: str | None = ANN, at: float | None = 2, **more: Any) -> Entry:
    """A withdrawal."""
    said_ = {"purpose": "marketing", "channel": Channel.EMAIL, "brand": "main", "origin": Origin.SUBJECT}
    return Entry(uuid.uuid4(), State.WITHDRAWN, START, None if at is None else day(at), contact, **{**said_, **more})


def ruled(members: list[Member], *entries: Entry, query: Query = MARKETING, at: float = 10) -> tuple[str, str]:
    """What is answered, and why."""
    found = judge(Customer(tuple(members), entries), query, RULES, day(at))
    return (str(found.answer), str(found.reason))


def test_a_consent_stays_with_its_contact_point() -> None:
    both = [member(1, ANN, "bob@x")]
    assert ruled(both, yes(1)) == ("allowed", "given")
    assert ruled(both, yes(1), query=replace(MARKETING, contact="bob@x")) == ("unknown", "nothing_recorded")


def test_a_consent_of_a_record_needs_the_point_that_this_record_holds() -> None:
    """Else a merge with whoever holds the address today would add a permission."""
    assert ruled([member(1, "new@x"), member(2, ANN)], yes(1)) == ("unknown", "not_held")


def test_a_new_holder_starts_without_the_old_holders_consent() -> None:
    old, new = member(1, ANN, until=day(5)), member(2, ANN, since=day(5))
    assert ruled([old], yes(1), at=4) == ("allowed", "given")
    assert ruled([old], yes(1), at=6)[0] == "unknown"
    assert ruled([new], yes(1), at=6)[0] == "unknown"
    assert ruled([old, new], yes(1), at=6)[0] == "unknown"
    assert ruled([new], yes(1), no(at=2), at=6) == ("unknown", "nothing_recorded")  # Nor with what the old holder withdrew.
    assert ruled([new], yes(1), no(at=6), at=7) == ("denied", "withdrawn")


def test_a_contact_point_alone_is_answered_as_strictly_as_any_holder() -> None:
    entries = (yes(1),)
    asked = Customer((member(1, ANN),), entries), Customer((member(2, ANN),), entries)
    assert judge_contact(asked[:1], Customer((), ()), MARKETING, RULES, day(10)).answer is Answer.ALLOWED
    assert judge_contact(asked, Customer((), ()), MARKETING, RULES, day(10)).answer is Answer.UNKNOWN
    nobody = judge_contact((), Customer((), (no(),)), MARKETING, RULES, day(10))
    assert nobody.answer is Answer.DENIED
    assert judge_contact((), Customer((), ()), MARKETING, RULES, day(10)).reason is Reason.NOBODY_HOLDS


def test_a_contact_point_of_a_crowd_is_never_allowed_and_denied_where_somebody_refused() -> None:
    found = [judge_crowd(Customer((), said_), MARKETING, RULES, day(10)) for said_ in ((yes(0),), (yes(0), no()))]
    assert [one.answer for one in found] == [Answer.UNKNOWN, Answer.DENIED]
    assert found[0].reason is Reason.HELD_BY_MANY


def test_a_golden_record_is_allowed_for_the_points_that_are() -> None:
    one = Customer((member(1, ANN, "bob@x"),), (yes(1),))
    asked = replace(MARKETING, contact=None)
    assert judge(one, asked, RULES, day(10)).permits
    assert [(one, ruling.permits) for one, ruling in by_contact(one, asked, RULES, day(10))] == [
        (ANN, True),
        ("bob@x", False),
    ]
    assert judge(Customer((), ()), asked, RULES, day(10)).reason is Reason.NOT_HELD


def test_a_withdrawal_counts_from_when_it_was_made_whoever_asked() -> None:
    assert ruled([member(1)], no(at=3, asked_at=day(1)), yes(1, at=2))[0] != "allowed"
    assert ruled([member(1, ANN)], no(at=3, asked_at=day(1)), yes(1, at=2)) == ("denied", "withdrawn")


def test_records_that_are_nowhere_are_not_apart() -> None:
    one, other, gone = map(record_id, (1, 2, 3))
    assert not are_parted([one, other, gone], {one: "a", other: "a"})
    assert are_parted([one, other], {one: "a", other: "b"})


def test_narrowed_names_what_is_lost() -> None:
    before = effective(Customer((member(1, ANN),), (yes(1),)), RULES, day(10))
    after = effective(Customer((member(1, ANN),), (yes(1), no())), RULES, day(10))
    assert narrowed(before, after) == [MARKETING]
    assert narrowed(after, before) == []


SEEDS = 5_000


def test_the_fold_agrees_with_an_independent_one() -> None:
    counted: Counter[tuple[str, str]] = Counter()
    for seed in range(SEEDS):
        by = random.Random(seed)
        drawn_ = customer(by)
        for query in [*by.sample(EVERY, 2), replace(by.choice(EVERY), contact=None)]:
            at = day(by.randint(-5, 80))
            found = judge(drawn_, query, RULES, at)
            assert found.answer == answer(drawn_, query, RULES, at), (seed, query)
            counted[found.answer, found.reason] += 1
    assert {one for one, _ in counted} == set(Answer)
    assert len(counted) >= 12  # Of what may be the reason, nearly everything was.


@settings(max_examples=300)
@given(drawn(customer), st.integers(0, 2**32), st.integers(-5, 80))
def test_the_order_of_entries_and_members_never_matters(one: Customer, seed: int, at: int) -> None:
    by = random.Random(seed)
    shuffled = Customer(tuple(by.sample(one.members, len(one.members))), tuple(by.sample(one.entries, len(one.entries))))
    assert effective(shuffled, RULES, day(at)) == effective(one, RULES, day(at))


@settings(max_examples=300)
@given(drawn(customer), drawn(customer), st.integers(-5, 80))
def test_no_set_of_members_is_allowed_more_than_its_parts(one: Customer, other: Customer, at: int) -> None:
    """I1 on any two sets, whatever their histories: consents of several records only where those were never apart."""
    entries = tuple(e for e in (*one.entries, *other.entries) if e.state not in POSITIVE or len(e.records) == 1)
    later = tuple(replace(of, record_id=uuid.UUID(int=of.record_id.int + len(one.members))) for of in other.members)
    left, right, merged = (Customer(members, entries) for members in (one.members, later, one.members + later))
    for query in EVERY:
        if judge(merged, query, RULES, day(at)).permits:
            assert any(judge(part, query, RULES, day(at)).permits for part in (left, right) if _can_tell(part, query, at)), query


def _can_tell(part: Customer, query: Query, at: int) -> bool:
    return bool(part.members) and (query.contact is None or bool(part.held_by(query.contact, day(at))))


@pytest.mark.parametrize("seed", range(3))
def test_all_720_orders_of_merging_six_records_come_to_the_same(seed: int) -> None:
    by = random.Random(seed)
    members = [member(number, *by.sample([*MAILS, "own@x"], 2), law=by.choice(LAWS)) for number in range(6)]
    world = World({one.record_id: one for one in members}, [frozenset({one.record_id}) for one in members], now=day(10))
    for number in range(6):
        world.say(yes(number, by.choice(MAILS), by.randint(1, 9)), frozenset({record_id(number)}))
        if number % 2:
            world.say(no(by.choice((*MAILS, None)), by.randint(1, 9)), frozenset({record_id(number)}))
    start = list(world.parts)
    found = set()
    for order in itertools.permutations(range(6)):
        world.parts, whole = list(start), start[order[0]]
        for place in order[1:]:
            whole = world.merge(whole, start[place])
        found.add(tuple(sorted(f"{query} {ruling}" for query, ruling in world.effective(whole).items())))
    assert len(found) == 1


class Histories(RuleBasedStateMachine):
    """Records come and go, customers consent, withdraw, merge and part."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.untimed: list[tuple[Entry, frozenset[uuid.UUID]]] = []  # What nothing outweighs, and of whom it was said.

    def _record(self, data: st.DataObject) -> uuid.UUID:
        return data.draw(st.sampled_from(sorted(self.world.members)))

    @precondition(lambda self: len(self.world.members) < 6)
    @rule(held=drawn(holdings), law=drawn(laws))
    def ingest(self, held: tuple[Holding, ...], law: frozenset[str]) -> None:
        one = record_id(len(self.world.members))
        self.world.members[one] = Member(one, held, law)
        self.world.parts.append(frozenset({one}))

    @rule(days=st.integers(0, 9))
    def wait(self, days: int) -> None:
        self.world.now += day(days) - START

    @precondition(lambda self: self.world.members)
    @rule(data=st.data(), entry=drawn(said), by_record=st.booleans())
    def say(self, data: st.DataObject, entry: Entry, by_record: bool) -> None:
        one = self._record(data)
        part = self.world.with_(one)
        holding = {of for of in part if any(h.contact == entry.contact for h in self.world.members[of].holdings)}
        made = self.world.say(entry, frozenset({one}) if by_record else frozenset(holding or part))
        if made.state in DENYING and made.occurred_at is None and made.suppression is None:
            self.untimed.append((made, part))

    @precondition(lambda self: self.world.members)
    @rule(data=st.data(), contact=st.sampled_from(MAILS), on=st.integers(-30, 30))
    def consent(self, data: st.DataObject, contact: str, on: int) -> None:
        """A consent that is likely to count."""
        self.world.say(yes(0, contact, on), frozenset({self._record(data)}))

    @precondition(lambda self: self.world.members)
    @rule(data=st.data(), held=drawn(holdings))
    def change(self, data: st.DataObject, held: tuple[Holding, ...]) -> None:
        """A record holds something else now: a recycled number, a new address."""
        one = self._record(data)
        self.world.members[one] = replace(self.world.members[one], holdings=held)

    @precondition(lambda self: len(self.world.parts) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        left, right = data.draw(st.permutations(sorted(self.world.parts, key=sorted)))[:2]
        either = self.world.allowed(left) | self.world.allowed(right)
        before = self.world.effective(left), self.world.effective(right)
        whole = self.world.merge(left, right)
        assert self.world.allowed(whole) <= either, "a merge added a permission"
        if data.draw(st.booleans()):
            self.world.split(whole, left)
            assert (self.world.effective(left), self.world.effective(right)) == before, "parting did not restore"

    @precondition(lambda self: any(len(part) > 1 for part in self.world.parts))
    @rule(data=st.data())
    def part(self, data: st.DataObject) -> None:
        whole = data.draw(st.sampled_from(sorted((one for one in self.world.parts if len(one) > 1), key=sorted)))
        self.world.split(whole, frozenset(data.draw(st.permutations(sorted(whole)))[: data.draw(st.integers(1, len(whole) - 1))]))
        off, rest = self.world.parts[-2:]
        either = self.world.allowed(off) | self.world.allowed(rest)
        self.world.merge(off, rest)
        assert self.world.allowed(off | rest) <= either, "meeting again added a permission"
        for one in (off, rest, off | rest):
            told = {entry for ruling in self.world.effective(one).values() if ruling.permits for entry in ruling.entries}
            assert told.isdisjoint(self.world.apart), "a consent that may be another's permits something"
        self.world.split(off | rest, off)

    @invariant()
    def no_withdrawal_is_undone(self) -> None:
        for entry, of in self.untimed:
            for part in self.world.parts:
                now = self.world.customer(part)
                if entry.contact is None and of.isdisjoint(part):
                    continue
                for query in EVERY:
                    if _denies(entry, query) and _can_tell(now, query, (self.world.now - START).days):
                        assert not judge(now, query, RULES, self.world.now).permits, (entry, query)


def _denies(entry: Entry, query: Query) -> bool:
    family = {"newsletter": ("newsletter", "marketing")}.get(query.purpose, (query.purpose,))
    return (
        (entry.contact is None or entry.contact == query.contact)
        and (entry.channel is None or entry.channel == query.channel)
        and (entry.purpose in family if entry.purpose else query.purpose != "service")
        and (entry.brand is None or query.brand in (None, entry.brand))
    )


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=500, stateful_step_count=50, suppress_health_check=list(HealthCheck))


def sometime(by: random.Random) -> datetime | None:
    return day(by.randint(-30, 30)) if by.random() < 0.8 else None


@settings(max_examples=500)
@given(drawn(customer), st.integers(0, 2**32), st.integers(-5, 80))
def test_the_latest_of_what_speaks_against_says_what_all_of_it_says(one: Customer, seed: int, at: int) -> None:
    by = random.Random(seed)
    suppressed = {entry.entry_id for entry in one.entries if entry.state is State.SUPPRESSED}  # Nothing else is ever lifted.
    told = [entry for entry in one.entries if entry.lifts is None or entry.lifts in suppressed]
    sayable = [entry for entry in told if entry.state is not State.LIFTED for _ in range(by.randint(0, 3))]
    again = [replace(entry, entry_id=uuid.UUID(int=by.getrandbits(64)), occurred_at=sometime(by)) for entry in sayable]
    whole = Customer(one.members, (*told, *again))
    new = frozenset(entry.entry_id for entry in whole.entries if by.random() < 0.4)
    against = [entry for entry in whole.entries if entry.contact is not None and entry.state not in POSITIVE]
    others = [entry for entry in whole.entries if entry not in against]
    less = Customer(whole.members, (*others, *latest(against, day(at), new)))
    for left_out in (frozenset[uuid.UUID](), new):
        found, expected = (
            Customer(of.members, tuple(entry for entry in of.entries if entry.entry_id not in left_out)) for of in (less, whole)
        )
        for query in EVERY:
            a, b = (judge(of, query, RULES, day(at)) for of in (found, expected))
            assert (a.answer, a.reason) == (b.answer, b.reason), query


@settings(max_examples=300)
@given(drawn(customer), st.integers(0, 2**32), st.integers(-5, 80))
def test_what_new_entries_change_is_told_from_the_queries_that_they_can_change(one: Customer, seed: int, at: int) -> None:
    by = random.Random(seed)
    new = frozenset(entry.entry_id for entry in one.entries if by.random() < 0.4)
    old = Customer(one.members, tuple(entry for entry in one.entries if entry.entry_id not in new))
    was, now = effective(old, RULES, day(at)), effective(one, RULES, day(at))
    told_was, told_now = around(one, new, RULES, day(at))
    other = [query for query in now if query not in was or was[query] != now[query]]
    assert [query for query in told_now if query not in told_was or told_was[query] != told_now[query]] == other
    assert narrowed(told_was, told_now) == narrowed(was, now)
    assert told_was.items() <= was.items()
    assert told_now.items() <= now.items()
