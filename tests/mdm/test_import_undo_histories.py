"""P2 with imports that are undone: however deliveries, imports and undos come, records stand as if the undone had never come.

Afterwards only what counts is taken in, in the same order: every record must stand the same, together with the same others.
"""

from contextlib import suppress
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from kernel import db
from kernel.errors import Conflict
from mdm import record_log
from mdm.current_version import replay
from mdm.incoming import Incoming

from .. import resolution as master
from ..resolution import Master, at, empty_records, partition, query

PEOPLE = [
    {"given_name": given, "surname": surname, "birth_date": born, "emails": [f"{given}.{surname}@telefonica.net"]}
    for given, surname, born in (("Otto", "Becker", "1950-01-07"), ("Ines", "Duarte", "1977-05-05"))
]
ITEMS = st.builds(
    lambda key, person, version, day: Incoming(
        key, None if person is None else PEOPLE[person], version, day and at(day), delete=person is None
    ),
    st.sampled_from("abc"), st.sampled_from([0, 1, None]), st.sampled_from([None, 1, 2, 3]), st.sampled_from([None, 1, 2, 3]),
)  # fmt: skip
STANDS = """SELECT source_key, is_deleted, source_version, source_updated_at, CASE WHEN NOT is_deleted THEN payload_hash END
            FROM source_record ORDER BY 1"""


class Undone(RuleBasedStateMachine):
    """Three records that are put, imported, and whose imports are undone."""

    mdm: Master

    @initialize()
    def begin(self) -> None:
        empty_records()
        self.came: list[tuple[Any, list[Incoming]]] = []

    @rule(item=ITEMS)
    def put(self, item: Incoming) -> None:
        self.mdm.put_many("shop", [item])
        self.came.append((None, [item]))

    @rule(items=st.lists(ITEMS, min_size=1, max_size=4))
    def load(self, items: list[Incoming]) -> None:
        self.came.append((self.mdm.load("shop", *items), items))

    @precondition(lambda self: any(job_id for job_id, _ in self.came))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from([job_id for job_id, _ in self.came if job_id]))
        self.came = [one for one in self.came if one[0] != job_id]
        with suppress(Conflict):  # All that it said had been said before.
            self.mdm.undo_import(job_id)

    @rule()
    def resolve(self) -> None:
        self.mdm.drain()

    def teardown(self) -> None:
        if not hasattr(self, "came"):
            return
        self.mdm.drain()
        assert self.mdm.verify(deep=True).differences == ()
        self.agrees_with_its_log()
        found = query(STANDS), partition()
        empty_records()
        for _, items in self.came:
            self.mdm.put_many("shop", items)
        self.mdm.drain()
        ever = {row[0] for row in query(STANDS)}
        assert [row for row in found[0] if row[0] in ever or not row[1]] == query(STANDS)
        assert found[1] == partition()

    def agrees_with_its_log(self) -> None:
        """What a record stands at is what its log comes to."""
        with db.transaction() as session:
            ids = [row[0] for row in query("SELECT record_id FROM source_record")]
            logs = record_log.read(session, ids)
        for record_id, version_no, version, source_time in query(
            "SELECT record_id, version_no, source_version, source_updated_at FROM source_record"
        ):
            stands = replay(logs[record_id].held) if record_id in logs else None
            mark = stands.current.mark if stands else None
            assert (version_no, version, source_time) == (
                (stands.version_no, mark.source_version, mark.source_updated_at) if stands and mark else (0, None, None)
            )


def test_undone_imports_leave_no_trace(database: str) -> None:
    machine: Any = type("Undone", (Undone,), {"mdm": master.start()})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=10))
