"""P5 on the whole pipeline: whatever is sent, decided, undone, given and withdrawn, no merge adds a permission (I1), a merge that
is undone at once leaves what was (I2), and no withdrawal is ever undone (I3)."""

import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from consent.effective import Customer, effective, judge
from consent.entries import Channel, Origin, Query, State
from consent.purposes import shipped
from consent.status import Ruling
from kernel import clock, db
from kernel.errors import MdmError
from mdm import consent_customers, consents, contact_points
from mdm.consent_acts import Act
from mdm.consents import Outcome
from stewardship import settle
from stewardship.settle import Wish
from stewardship.sides import Side

from ..resolution import WHO, Key, Master, at, empty_records, golden_of, query, start

RECORDS: tuple[Key, ...] = (("shop", "1"), ("shop", "2"), ("pos", "1"), ("crm", "1"))
MAILS = ("otto.becker@telefonica.net", "ines.duarte@telefonica.net", "home@becker-duarte.net")
NAMES = (("Otto", "Becker"), ("Ines", "Duarte"))
RULES = shipped()
records, mails = st.sampled_from(RECORDS), st.sampled_from(MAILS)
Part = frozenset[uuid.UUID]


class Consents(RuleBasedStateMachine):
    """Four records of two people who share an address, and a steward who says anything."""

    mdm: Master

    @initialize()
    def begin(self) -> None:
        empty_records()
        self.version = 0
        self.living: set[Key] = set()
        self.made: list[uuid.UUID] = []
        self.untimed: list[tuple[uuid.UUID, Part]] = []  # Withdrawals about a person of a time that nobody knows, and of whom.

    @rule(record=records, person=st.integers(0, 1), mail=mails)
    def put(self, record: Key, person: int, mail: str) -> None:
        self.version += 1
        given, surname = NAMES[person]
        data = {"given_name": given, "surname": surname, "emails": [mail], "addresses": [{"country": "DE", "city": "Ulm"}]}
        self.mdm.put(*record, data, source_version=self.version)
        self.mdm.drain()
        self.living.add(record)

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(sorted(self.living)))
        self.version += 1
        self.mdm.delete(*record, source_version=self.version)
        self.mdm.drain()
        self.living.discard(record)

    @precondition(lambda self: self.living)
    @rule(data=st.data(), mail=mails, day=st.integers(1, 20), by_record=st.booleans())
    def give(self, data: st.DataObject, mail: str, day: int, by_record: bool) -> None:
        said = {"state": State.GIVEN, "purpose": "marketing", "channel": Channel.EMAIL, "occurred_at": at(day)}
        point = contact_points.read("email", mail)
        self.say(data, by_record, contact=point, evidence={"form": str(day)}, origin=Origin.SUBJECT, **said)

    @precondition(lambda self: self.living)
    @rule(data=st.data(), day=st.one_of(st.none(), st.integers(1, 20)), by_record=st.booleans())
    def withdraw(self, data: st.DataObject, day: int | None, by_record: bool) -> None:
        """About the person."""
        when = None if day is None else at(day)
        made, of = self.say(data, by_record, state=State.WITHDRAWN, origin=Origin.SUBJECT, occurred_at=when)
        if when is None and made.entry_id is not None:
            self.untimed.append((made.entry_id, of))

    @rule(mail=mails, day=st.integers(1, 20))
    def unsubscribe(self, mail: str, day: int) -> None:
        """At a contact point, whoever holds it."""
        self.record(Act(State.WITHDRAWN, "marketing", Channel.EMAIL, "acme", contact=contact_points.read("email", mail),
                        occurred_at=at(day), origin=Origin.SUBJECT))  # fmt: skip

    def say(self, data: st.DataObject, by_record: bool, **said: Any) -> tuple[Outcome, Part]:
        record = data.draw(st.sampled_from(sorted(self.living)))
        golden_id = golden_of(*record)
        who = {"record": record} if by_record or golden_id is None else {"golden_id": golden_id}
        part = (
            next(part for part in parts().values() if record_id(record) in part) if golden_id else frozenset({record_id(record)})
        )
        return self.record(Act(brand="acme", **said, **who)), part

    def record(self, act: Act) -> Outcome:
        with db.transaction() as session:
            (outcome,) = consents.record(session, RULES, [act], WHO)
        assert outcome.problem is None
        return outcome

    @precondition(lambda self: len(self.living) > 1)
    @rule(data=st.data(), verdict=st.sampled_from(["match", "match", "no_match"]), is_undone=st.booleans())
    def decide(self, data: st.DataObject, verdict: str, is_undone: bool) -> None:
        one, other = data.draw(st.permutations(sorted(self.living)))[:2]
        wish = Wish(verdict, Side(records=(one,)), Side(records=(other,)), "drawn")
        before, allowed = state(), permissions()
        try:
            made = settle.make(self.mdm.resolver, WHO, wish, settle.look(self.mdm.resolver, WHO, wish).token)
        except MdmError as refused:
            assert refused.code == "contradicts_decisions"  # noqa: PT017 - what else is refused would be found elsewhere.
            return
        self.mdm.drain()
        merged = verdict == "match"
        check_merges(allowed)
        if not is_undone:
            self.made.append(made)
            return
        self.take_back(made)
        if merged:
            assert state() == before, "a merge that was undone left something else"

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def think_again(self, data: st.DataObject) -> None:
        allowed = permissions()
        self.take_back(self.made.pop(data.draw(st.integers(0, len(self.made) - 1))))
        check_merges(allowed)

    def take_back(self, decision_id: uuid.UUID) -> None:
        token = settle.look_back(self.mdm.resolver, WHO, decision_id).token
        settle.take_back(self.mdm.resolver, WHO, decision_id, "drawn", token)
        self.mdm.drain()

    @invariant()
    def no_withdrawal_is_undone(self) -> None:
        for part, allowed in permissions().items():
            for _, of in self.untimed:
                assert part.isdisjoint(of) or not allowed, "a withdrawal about the person was undone"


def record_id(record: Key) -> uuid.UUID:
    found: uuid.UUID = query("SELECT record_id FROM crosswalk WHERE source = %s AND source_key = %s", *record)[0][0]
    return found


def parts() -> dict[uuid.UUID, Part]:
    """The members of each golden record."""
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    for golden_id, record in query("SELECT golden_id, record_id FROM crosswalk WHERE golden_id IS NOT NULL"):
        found.setdefault(golden_id, set()).add(record)
    return {golden_id: frozenset(members) for golden_id, members in found.items()}


def customers() -> dict[Part, Customer]:
    members = parts()
    with db.transaction() as session:
        found = consent_customers.customers(session, RULES, list(members), clock.now())
    return {members[golden_id]: customer for golden_id, customer in found.items()}


def state() -> dict[Part, dict[Query, Ruling]]:
    """What counts for whom, in full."""
    return {part: effective(customer, RULES, clock.now()) for part, customer in customers().items()}


def permissions() -> dict[Part, set[Query]]:
    """What may be done with whom, on each contact point."""
    now, found = clock.now(), {}
    for part, customer in customers().items():
        asked = {Query("marketing", Channel.EMAIL, "acme", held.contact) for one in customer.members for held in one.holdings}
        found[part] = {one for one in asked if judge(customer, one, RULES, now).permits}
    return found


def check_merges(before: dict[Part, set[Query]]) -> None:
    """Whoever is several that were there before, whole, may do no more than they might."""
    for part, allowed in permissions().items():
        made_of = [one for one in before if one <= part]
        if frozenset().union(*made_of) == part:
            assert allowed <= set().union(*(before[one] for one in made_of)), "a merge added a permission"


def test_no_history_of_stored_customers_breaks_what_was_promised(database: str) -> None:
    machine: Any = type("Histories", (Consents,), {"mdm": start()})
    run_state_machine_as_test(machine, settings=settings(max_examples=50, stateful_step_count=30))


@pytest.mark.parametrize("mail", MAILS)
def test_the_machine_consents_at_all(database: str, mail: str) -> None:
    """A machine in which nothing is ever allowed would hold every promise."""
    machine: Any = type("Histories", (Consents,), {"mdm": start()})()
    machine.begin()
    machine.put(RECORDS[0], 0, mail)
    point = contact_points.read("email", mail)
    act = Act(State.GIVEN, "marketing", Channel.EMAIL, "acme", record=RECORDS[0], contact=point, occurred_at=at(1))
    machine.record(replace(act, origin=Origin.SUBJECT, evidence={"form": "1"}))
    assert sum(map(len, permissions().values())) == 1
