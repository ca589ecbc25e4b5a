"""P4 on the whole pipeline: whatever is sent, renamed, deleted, erased, decided, undone and rebuilt, every id ever answers.

After each act all that is owed is resolved. A decision or an import undone at once, resolving everything anew and rebuilding
what was altered by hand leave everybody under the id as before, and what a preview promised comes about.
"""

import uuid
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from kernel import db
from kernel.errors import MdmError
from mdm import rebuild, rekey
from mdm.incoming import Incoming
from mdm.reconcile import Choice, Path, reconcile
from soak import promises
from stewardship import privacy_erasure, privacy_ledger, settle, tasks
from stewardship.settle import Wish
from stewardship.sides import Side

from .. import resolution as master
from ..resolution import Master, empty_records, golden_of, partition, query

PEOPLE = [
    {"given_name": given, "surname": surname, "birth_date": born, "emails": [f"{given}.{surname}@telefonica.net"]}
    for given, surname, born in (
        ("Otto", "Becker", "1950-01-07"),
        ("Ines", "Duarte", "1977-05-05"),
        ("Boris", "Katz", "1962-11-30"),
    )
]
SOURCES = ("shop", "pos", "crm")
RECORDS = [(source, str(number)) for source in SOURCES for number in range(2)]
# What an operator may do to all rows at once.
MISHAPS = (
    "UPDATE crosswalk SET golden_id = (SELECT max(golden_id::text)::uuid FROM golden) WHERE state = 'resolved'",
    "UPDATE crosswalk SET golden_id = NULL, state = 'pending'",
    "UPDATE golden SET body = body - 'values', content_hash = ''",
    "UPDATE golden SET status = 'live', redirect_to = NULL WHERE status = 'merged'",
    "DELETE FROM founder",
    "DELETE FROM standard_record",
    "DELETE FROM blocking_key",
    "DELETE FROM decision WHERE author = 'model'",
    "DELETE FROM crosswalk_version",
)
people, records = st.sampled_from(range(len(PEOPLE))), st.sampled_from(RECORDS)


class Ids(RuleBasedStateMachine):
    """Six records of three sources that may say any of three people, and a steward who says otherwise."""

    mdm: Master

    @initialize(is_to_be_rebuilt=st.booleans())
    def begin(self, is_to_be_rebuilt: bool) -> None:
        empty_records()
        self.is_to_be_rebuilt = is_to_be_rebuilt
        self.ever: set[uuid.UUID] = set()
        self.key = {record: record[1] for record in RECORDS}
        self.version = dict.fromkeys(RECORDS, 10)
        self.living: set[tuple[str, str]] = set()
        self.made: list[uuid.UUID] = []
        self.erased: set[uuid.UUID] = set()
        privacy_ledger.path().unlink(missing_ok=True)
        query("DELETE FROM erasure")
        query("DELETE FROM suppression")

    def send(self, record: tuple[str, str], person: int | None, version: int) -> None:
        data = None if person is None else PEOPLE[person]
        self.mdm.put(record[0], self.key[record], data, delete=person is None, source_version=version)

    @rule(record=records, person=people)
    def put(self, record: tuple[str, str], person: int) -> None:
        self.version[record] += 10
        self.send(record, person, self.version[record])
        self.living.add(record)

    @rule(record=records, person=people)
    def come_late(self, record: tuple[str, str], person: int) -> None:
        if record in self.living:
            self.send(record, person, self.version[record] - 5)

    @rule(record=records)
    def delete(self, record: tuple[str, str]) -> None:
        if record in self.living:
            self.version[record] += 10
            self.send(record, None, self.version[record])
            self.living.discard(record)

    @rule(record=records)
    def erase(self, record: tuple[str, str]) -> None:
        """Erase whoever has a record. What is sent of it later is another one, of somebody who is not known as erased."""
        golden_id = golden_of(record[0], self.key[record]) if record in self.living else None
        if golden_id is None:
            return
        members = query("SELECT record_id, source, source_key FROM crosswalk WHERE golden_id = %s", golden_id)
        entry = privacy_erasure.begin(db.transaction, uuid.uuid4(), [row[0] for row in members])
        privacy_erasure.end(self.mdm.resolver, entry)
        query("DELETE FROM suppression")
        gone = {one for one in self.living if (one[0], self.key[one]) in {row[1:] for row in members}}
        assert record in gone
        self.living -= gone
        self.key |= {one: f"{self.key[one]}+" for one in gone}
        self.erased |= {golden_id, *entry.golden_ids}

    @rule(record=records)
    def rename(self, record: tuple[str, str]) -> None:
        if record in self.living:
            new = self.key[record] + "'"
            with db.transaction() as session:
                rekey.rekey(session, master.WHO, record[0], self.key[record], new)
            self.key[record] = new

    @precondition(lambda self: len(self.living) > 1)
    @rule(data=st.data(), verdict=st.sampled_from(["match", "no_match"]))
    def decide(self, data: st.DataObject, verdict: str) -> None:
        self.made += self.decided(data, verdict)

    def decided(self, data: st.DataObject, verdict: str) -> list[uuid.UUID]:
        """Let a steward speak about two records, and see that what the preview promised comes about."""
        one, other = data.draw(st.permutations(sorted(self.living)))[:2]
        left, right = (Side(records=((record[0], self.key[record]),)) for record in (one, other))
        wish = Wish(verdict, left, right, "drawn")
        try:
            looked = settle.look(self.mdm.resolver, master.WHO, wish)
        except MdmError as refused:
            if refused.code != "contradicts_decisions":
                raise
            return []
        promised = {frozenset(one.after.members) for one in looked.preview.changed if one.after.members}
        decision_id = settle.make(self.mdm.resolver, master.WHO, wish, looked.token)
        self.mdm.drain()
        assert promised <= partition(), "the preview promised something else"
        return [decision_id]

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        self.end(self.made.pop(data.draw(st.integers(0, len(self.made) - 1))))

    def end(self, decision_id: uuid.UUID) -> None:
        token = settle.look_back(self.mdm.resolver, master.WHO, decision_id).token
        settle.take_back(self.mdm.resolver, master.WHO, decision_id, "drawn", token)

    @precondition(lambda self: len(self.living) > 1)
    @rule(data=st.data(), verdict=st.sampled_from(["match", "no_match"]))
    def decide_and_undo(self, data: st.DataObject, verdict: str) -> None:
        before = self.where()
        for decision_id in self.decided(data, verdict):
            self.end(decision_id)
        self.mdm.drain()
        assert self.where() == before, "undone, and not under the ids as before"

    @rule(rows=st.dictionaries(records, people, min_size=1, max_size=3))
    def load_and_undo(self, rows: dict[tuple[str, str], int]) -> None:
        """Import rows of one source, whose versions nothing that comes later would pass, and undo that."""
        before = self.where()
        source = min(rows)[0]
        items = [Incoming(self.key[one], PEOPLE[person], 10**6) for one, person in rows.items() if one[0] == source]
        job_id = self.mdm.load(source, *items)
        self.mdm.drain()
        self.ever |= promises.ids()
        self.mdm.undo_import(job_id)
        self.mdm.drain()
        assert self.where() == before, "undone, and not under the ids as before"

    @rule()
    def resolve_anew(self) -> None:
        before = self.where()
        reconcile(self.mdm.resolver)
        assert self.where() == before

    @precondition(lambda self: self.is_to_be_rebuilt)
    @rule(mishaps=st.sets(st.sampled_from(MISHAPS)))
    def rebuild(self, mishaps: set[str]) -> None:
        self.is_to_be_rebuilt = False  # Once a life: it costs as much as all else in it.
        before = self.where(), standings()
        for mishap in sorted(mishaps):
            query(mishap, role=db.Role.OWNER)
        done = rebuild.rebuild(self.mdm.resolver, tasks, Choice(Path.ONLINE, 0), lambda *_: None)
        assert done.after.differences == ()
        assert (self.where(), standings()) == before

    def where(self) -> dict[tuple[str, str], uuid.UUID | None]:
        return {record: golden_of(record[0], self.key[record]) for record in self.living}

    @invariant()
    def every_id_resolves(self) -> None:
        if not hasattr(self, "ever"):
            return
        self.mdm.drain()
        assert promises.broken(self.ever) == []
        self.ever |= promises.ids()
        gone = query("SELECT golden_id FROM golden WHERE status = 'erased' AND body = '{}'")
        assert {row[0] for row in gone} == self.erased, "an erased id lives again, or says something"
        assert query("SELECT count(*) FROM pending_record") == [(0,)]

    def teardown(self) -> None:
        if hasattr(self, "ever"):
            assert self.mdm.verify().differences == ()


def standings() -> list[Any]:
    """What has become of every id, and what it says."""
    said = "CASE WHEN status <> 'erased' THEN content_hash END"
    return query(f"SELECT golden_id, status, redirect_to, split_into, brands, {said} FROM golden ORDER BY golden_id")


@pytest.mark.parametrize("half", ["Earlier", "Later"])
def test_ids_in_random_histories(database: str, half: str) -> None:
    """50 lives, in two halves that run side by side: which are drawn hangs on the name of the machine."""
    made = master.start()
    machine: Any = type(f"{half}Histories", (Ids,), {"mdm": made})
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=30))
