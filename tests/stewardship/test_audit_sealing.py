"""Every row of the log is sealed once, in what order writers commit whatever; what a superuser does to it afterwards is found."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from kernel import audit, clock, db
from mdm import sql
from stewardship import audit_files, audit_reading, audit_sealing
from stewardship.audit_chain import Finding, Row, Signed, link
from stewardship.audit_reading import Report

from ..resolution import query

TAMPERS = 1_000
ROWS, EVERY = 40, 8
COLUMNS = ("actor", "action", "object_type", "object_id", "purpose", "detail", "at", "before_hash")


def write(count: int, actor: str = "key:1") -> None:
    with db.transaction() as session:
        for number in range(count):
            audit.record(session, actor, "golden.read", "golden", f"g{number}", "care", {"rule": number}, before=number)


def seal() -> int:
    with db.transaction() as session:
        return audit_sealing.seal(session)


def sign(at_once: bool = True) -> bool:
    with db.transaction() as session:
        return audit_sealing.checkpoint(session, at_once=at_once) is not None


def settle() -> None:
    """Seal, and learn that nothing earlier is still to come: that takes a look and another."""
    for _ in range(3):
        seal()


def verified(outside: list[Signed] | None = None, role: db.Role = db.Role.ENGINE) -> Report:
    with db.read_only(role) as session:
        return audit_reading.verify(audit_reading.stored(session), [audit_sealing.public_key()], outside or [])


def test_what_is_written_is_chained_and_signed(database: str) -> None:
    write(3)
    assert (seal(), seal(), sign(), sign()) == (3, 0, True, False)
    write(2)
    found = verified()
    assert (found.findings, found.sealed, found.signed_seq, found.checkpoints, found.unsealed) == ([], 3, 3, 1, 2)
    assert found.oldest_unsealed_at is not None


def test_a_portion_after_the_other_is_sealed(database: str) -> None:
    write(7)
    with db.transaction() as session:
        assert [audit_sealing.seal(session, 3) for _ in range(4)] == [3, 3, 1, 0]
    assert (verified().findings, verified().sealed) == ([], 7)


def test_every_column_of_the_log_is_in_the_chain(database: str) -> None:
    """A column that is added to the log must be added to what is hashed, as another form."""
    columns = {name for (name,) in query("SELECT attname FROM pg_attribute WHERE attrelid = 'audit'::regclass AND attnum > 0")}
    assert columns == set(Row.__dataclass_fields__)


def test_what_commits_late_is_sealed_late_and_is_no_insertion(database: str) -> None:
    """The lower id commits after higher ones were sealed and signed."""
    with psycopg.connect(database) as slow:
        slow.execute("INSERT INTO audit (actor, action, object_type, object_id) VALUES ('slow', 'x', 'x', 'x')")
        write(3)
        settle()
        sign()
        assert query("SELECT settled_id FROM audit_chain") == [(0,)]
        slow.commit()
    settle()
    sign()
    assert query("SELECT settled_id, last_seq FROM audit_chain") == [(4, 4)]
    assert (verified().findings, verified().unsealed) == ([], 0)


def test_ids_that_were_given_up_hold_nothing_up(database: str) -> None:
    with psycopg.connect(database) as broken:
        broken.execute("INSERT INTO audit (actor, action, object_type, object_id) VALUES ('x', 'x', 'x', 'x')")
        broken.rollback()
    write(1)
    settle()
    assert query("SELECT settled_id, last_seq FROM audit_chain") == [(2, 1)]


def test_writers_beside_two_sealers_lose_nothing(database: str) -> None:
    """Six writers, a third of whose transactions fail, and two who seal at once."""
    done = threading.Event()

    def work(number: int) -> None:
        rng = random.Random(number)
        for _ in range(25):
            with psycopg.connect(database) as connection:
                for _ in range(rng.randint(1, 3)):
                    connection.execute("INSERT INTO audit (actor, action, object_type, object_id) VALUES ('w', 'x', 'x', 'x')")
                if rng.random() < 1 / 3:
                    connection.rollback()

    def keep_sealing() -> None:
        while not done.is_set():
            seal()
            sign()

    writers = [threading.Thread(target=work, args=[number]) for number in range(6)]
    sealers = [threading.Thread(target=keep_sealing) for _ in range(2)]
    for thread in (*writers, *sealers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sealers:
        thread.join()
    settle()
    found = verified()
    assert (found.findings, found.unsealed, found.sealed) == ([], 0, query("SELECT count(*) FROM audit")[0][0])


def test_a_writer_waits_for_no_sealer(database: str) -> None:
    """A sealer that hangs in the midst of its step holds nothing that a writer needs."""
    write(1)
    with db.transaction() as session:
        audit_sealing.seal(session)
        with psycopg.connect(database, options="-c lock_timeout=1s") as writer:
            writer.execute("INSERT INTO audit (actor, action, object_type, object_id) VALUES ('w', 'x', 'x', 'x')")


def test_a_checkpoint_is_due_by_age_or_by_number(database: str) -> None:
    write(2)
    settle()
    assert (sign(at_once=False), sign(at_once=False)) == (True, False)
    write(2)
    settle()
    assert not sign(at_once=False)
    query("UPDATE audit_checkpoint SET signed_at = now() - interval '61 seconds'", role=db.Role.OWNER)
    assert sign(at_once=False)
    write(audit_sealing.CHECKPOINT_ROWS)
    settle()
    assert sign(at_once=False)


@pytest.mark.parametrize("table", ["audit_seal", "audit_checkpoint"])
def test_the_service_itself_cannot_rewrite_what_it_sealed(database: str, table: str) -> None:
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(statement)


class Tamperer:
    """A superuser who does something to a sealed and signed log. Knows all of the database, and not the secret."""

    def __init__(self, session: db.Session, rng: random.Random) -> None:
        self.session, self.rng = session, rng
        self.place = rng.randint(1, ROWS)
        self.audit_id = self.ids(f"SELECT audit_id FROM audit_seal WHERE seq = {self.place}")[0]

    def do(self, statement: str) -> None:
        assert sql.run(self.session, statement) != 0, statement

    def ids(self, statement: str) -> list[int]:
        return [number for (number,) in sql.rows(self.session, statement)]

    def edit(self) -> None:
        column = self.rng.choice(COLUMNS)
        value = {"at": "at - interval '1 microsecond'", "detail": "'{}'", "before_hash": "'\\x00'"}.get(
            column, f"{column} || 'x'"
        )
        self.do(f"UPDATE audit SET {column} = {value} WHERE audit_id = {self.audit_id}")

    def delete(self) -> None:
        self.do(f"DELETE FROM audit WHERE audit_id BETWEEN {self.audit_id} AND {self.audit_id + self.rng.randint(0, 5)}")

    def delete_with_seal(self) -> None:
        self.do(f"DELETE FROM audit WHERE audit_id = {self.audit_id}")
        self.do(f"DELETE FROM audit_seal WHERE seq = {self.place}")

    def insert(self) -> None:
        """Under an id that was given up, and unsealed."""
        free = self.ids(f"SELECT n FROM generate_series(1, {ROWS}) n WHERE NOT EXISTS (SELECT FROM audit WHERE audit_id = n)")
        self._insert(self.rng.choice(free))

    def insert_and_let_it_be_sealed(self) -> None:
        """The sealer is told to look again from the start."""
        self.insert()
        self.do("UPDATE audit_chain SET settled_id = 0, watched_id = NULL")
        audit_sealing.seal(self.session)

    def insert_twice(self) -> None:
        """Under an id that another row has, at another time."""
        self._insert(self.audit_id)

    def _insert(self, audit_id: int) -> None:
        self.do(
            "INSERT INTO audit (audit_id, at, actor, action, object_type, object_id) OVERRIDING SYSTEM VALUE VALUES"
            f" ({audit_id}, now() - interval '1 minute', 'x', 'x', 'x', 'x')"
        )

    def swap(self) -> None:
        """Two rows tell each other's story."""
        other = self.ids(f"SELECT audit_id FROM audit_seal WHERE seq <> {self.place} ORDER BY seq")[self.rng.randrange(ROWS - 1)]
        self.do(
            "UPDATE audit a SET actor = b.actor, object_id = b.object_id, detail = b.detail FROM audit b"
            f" WHERE a.audit_id IN ({self.audit_id}, {other}) AND b.audit_id IN ({self.audit_id}, {other})"
            " AND a.audit_id <> b.audit_id"
        )

    def swap_seals(self) -> None:
        """Two seals tell of each other's row."""
        other = self.place % ROWS + 1
        self.do(
            "UPDATE audit_seal a SET audit_id = b.audit_id FROM audit_seal b"
            f" WHERE a.seq IN ({self.place}, {other}) AND b.seq IN ({self.place}, {other}) AND a.seq <> b.seq"
        )

    def edit_seal(self) -> None:
        self.do(f"UPDATE audit_seal SET hash = sha256(hash) WHERE seq = {self.place}")

    def edit_and_chain_anew(self) -> None:
        """The edit and every hash from there on, as the sealer would have made them."""
        self.edit()
        self._chain_anew()

    def delete_and_chain_anew(self) -> None:
        """The row goes with its seal, what follows moves up."""
        self.delete_with_seal()
        self.do("UPDATE audit_seal SET seq = seq + 1000 WHERE true")
        self.do(
            "UPDATE audit_seal s SET seq = n FROM (SELECT seq, row_number() OVER (ORDER BY seq) n FROM audit_seal) o"
            " WHERE o.seq = s.seq"
        )
        self._chain_anew()

    def _chain_anew(self) -> None:
        last = ""
        for seal, row in list(audit_reading.stored(self.session).links):
            last = link(seal.seq, last or audit_sealing.ORIGIN, row) if row else last
            self.do(f"UPDATE audit_seal SET hash = '\\x{last}' WHERE seq = {seal.seq}")

    def truncate(self) -> None:
        """Everything from a place on goes, seals and checkpoints included; the sealer is told that it never was."""
        self.do(f"DELETE FROM audit WHERE audit_id >= {self.audit_id}")
        self.do(f"DELETE FROM audit_seal WHERE seq >= {self.place}")
        sql.run(self.session, f"DELETE FROM audit_checkpoint WHERE seq >= {self.place}")
        self.do(f"UPDATE audit_chain SET last_seq = {self.place - 1}, settled_id = {self.audit_id - 1}")

    def forge_checkpoint(self) -> None:
        """The chain is hashed anew, and the checkpoints say so, with signatures of somebody else."""
        self.edit_and_chain_anew()
        self.do(
            "UPDATE audit_checkpoint c SET signature = sha512(body), body = convert_to(replace(convert_from(body, 'UTF8'),"
            " substring(convert_from(body, 'UTF8') FROM '\"hash\":\"(.{64})'), encode(s.hash, 'hex')), 'UTF8')"
            " FROM audit_seal s WHERE s.seq = c.seq"
        )


KINDS: list[Callable[[Tamperer], None]] = [
    Tamperer.edit, Tamperer.delete, Tamperer.delete_with_seal, Tamperer.insert, Tamperer.insert_and_let_it_be_sealed,
    Tamperer.insert_twice, Tamperer.swap, Tamperer.swap_seals, Tamperer.edit_seal, Tamperer.edit_and_chain_anew,
    Tamperer.delete_and_chain_anew, Tamperer.truncate, Tamperer.forge_checkpoint,
]  # fmt: skip


@pytest.fixture
def sealed(database: str) -> list[Signed]:
    """A log of so many rows with a checkpoint every few, ids that were given up among them; the checkpoints, kept outside."""
    for number in range(ROWS // EVERY):
        write(EVERY, f"key:{number}")
        with psycopg.connect(database) as broken:
            broken.execute("INSERT INTO audit (actor, action, object_type, object_id) VALUES ('x', 'x', 'x', 'x')")
            broken.rollback()
        settle()
        sign()
    with db.read_only() as session:
        return audit_reading.checkpoints(session)


class Untouched(Exception):
    """Takes back what a tamperer did."""


def test_whatever_a_superuser_does_is_found(sealed: list[Signed]) -> None:
    """So many tampers before the last checkpoint, of every kind at every place, each found; untouched, nothing is."""
    assert verified(sealed, db.Role.OWNER).findings == []
    rng, missed = random.Random(9), []
    for number in range(TAMPERS):
        kind = KINDS[number % len(KINDS)]
        if not tampered(kind, rng, sealed):
            missed.append((number, kind.__name__))
    assert missed == []


def tampered(kind: Callable[[Tamperer], None], rng: random.Random, outside: list[Signed]) -> bool:
    """Let a tamperer do it, say whether it is found, and take it back."""
    found = False
    with suppress(Untouched), db.transaction(db.Role.OWNER) as session:
        kind(Tamperer(session, rng))
        found = bool(audit_reading.verify(audit_reading.stored(session), [audit_sealing.public_key()], outside).findings)
        raise Untouched
    return found


def test_a_single_edit_is_named_by_its_row(sealed: list[Signed]) -> None:
    query("UPDATE audit SET actor = 'nobody' WHERE audit_id = 12", role=db.Role.OWNER)
    [(seq,)] = query("SELECT seq FROM audit_seal WHERE audit_id = 12")
    assert verified(sealed).findings == [Finding("row_or_order_changed", seq, 12)]


def test_checkpoints_are_kept_outside_once_and_a_line_cut_off_is_written_again(sealed: list[Signed], tmp_path: Path) -> None:
    path = tmp_path / "audit" / "checkpoints.ndjson"
    with db.read_only() as session:
        assert [audit_files.keep_outside(session, path) for _ in range(2)] == [len(sealed), 0]
        path.write_bytes(path.read_bytes()[:-20])
        assert audit_files.keep_outside(session, path) == 1
    assert audit_files.read_checkpoints(path) == sealed


def test_a_clock_that_stands_still_orders_checkpoints_all_the_same(database: str) -> None:
    at = clock.now()
    clock.set_source(lambda: at)
    try:
        for _ in range(3):
            write(1)
            settle()
            sign()
    finally:
        clock.set_source(None)
    assert verified().findings == []
