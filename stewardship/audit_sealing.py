"""Chains what the audit log holds: reads rows that have no seal, hashes them on, signs where the chain stands.

One at a time, in steps of their own; whoever writes to the log waits for none of it. Changes no audit row.
"""

from dataclasses import astuple, dataclass
from datetime import datetime

import psycopg
from sqlmodel import Session

from kernel import clock
from mdm import certificate_signing, sql
from stewardship.audit_chain import ORIGIN, Checkpoint, Row, link

MOST_AT_ONCE = 2_000
CHECKPOINT_SECONDS = 60.0
CHECKPOINT_ROWS = 1_000
KEY = "audit"
COLUMNS = """a.audit_id, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.actor, a.action, a.object_type,
  a.object_id, a.purpose, a.detail::text, encode(a.before_hash, 'hex'), encode(a.after_hash, 'hex')"""
_TURN = "SELECT last_seq, last_hash, settled_id, watched_id, watched FROM audit_chain FOR UPDATE"
_STORE = "UPDATE audit_chain SET last_seq = %s, last_hash = %s, settled_id = %s, watched_id = %s, watched = %s"
_UNSEALED = f"""
SELECT {COLUMNS} FROM audit a WHERE a.audit_id > %s AND NOT EXISTS (SELECT FROM audit_seal s WHERE s.audit_id = a.audit_id)
ORDER BY a.audit_id LIMIT %s"""
# Ids commit out of order. Whoever draws one has locked the table first, and keeps the lock until its end.
_WRITERS = """
SELECT coalesce(array_agg(DISTINCT virtualtransaction), '{}') FROM pg_locks
WHERE locktype = 'relation' AND relation = 'audit'::regclass AND mode = 'RowExclusiveLock' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_LATEST = "SELECT timeline_id, seq, signed_at FROM audit_checkpoint ORDER BY signed_at DESC, seq DESC LIMIT 1"


@dataclass(slots=True)
class _State:
    """What the sealer knows: where the chain ends, and up to which audit id nothing is still to come."""

    last_seq: int
    last_hash: bytes | None
    settled_id: int
    watched_id: int | None
    watched: list[str]

    @property
    def hash(self) -> str:
        """The hash that the next row is chained to."""
        return self.last_hash.hex() if self.last_hash is not None else ORIGIN


def seal(session: Session, most: int = MOST_AT_ONCE) -> int:
    """Seal what has committed, by its id; how many rows that were. Takes turns with others who seal."""
    with sql.cursor(session) as cursor:
        cursor.execute("INSERT INTO audit_chain DEFAULT VALUES ON CONFLICT DO NOTHING")
        state = _State(*cursor.execute(_TURN).fetchone() or (0, None, 0, None, []))
        before = astuple(state)
        # Looked at before the rows are read: what those transactions wrote is seen, or never was.
        is_over = state.watched_id is not None and not set(state.watched) & set(_writers(cursor))
        rows = [Row(*found) for found in cursor.execute(_UNSEALED, [state.settled_id, most])]
        _append(session, state, rows)
        if is_over and state.watched_id is not None:
            state.settled_id = min(state.watched_id, rows[-1].audit_id) if len(rows) == most else state.watched_id
            state.watched_id = None if state.settled_id == state.watched_id else state.watched_id
        if state.watched_id is None:
            _watch(cursor, state)
        if astuple(state) != before:
            cursor.execute(_STORE, astuple(state))
    return len(rows)


def _watch(cursor: "psycopg.Cursor[sql.Row]", state: _State) -> None:
    (newest,) = cursor.execute("SELECT max(audit_id) FROM audit WHERE audit_id > %s", [state.settled_id]).fetchone() or (None,)
    if newest is not None:
        state.watched_id, state.watched = newest, _writers(cursor)


def _writers(cursor: "psycopg.Cursor[sql.Row]") -> list[str]:
    (found,) = cursor.execute(_WRITERS).fetchone() or ([],)
    return list(found)


def _append(session: Session, state: _State, rows: list[Row]) -> None:
    hashes, seq, last = [], state.last_seq, state.hash
    for row in rows:
        seq, last = seq + 1, link(seq + 1, last, row)
        hashes.append((seq, row.audit_id, bytes.fromhex(last)))
    if hashes:
        sql.store(session, "audit_seal", {"seq": "bigint", "audit_id": "bigint", "hash": "bytea"}, hashes)
        state.last_seq, state.last_hash = seq, bytes.fromhex(last)


def checkpoint(session: Session, *, at_once: bool = False, begins: bool = False) -> Checkpoint | None:
    """Sign where the chain stands when that is due, or `at_once`; None when it is not, or nothing is sealed since."""
    with sql.cursor(session) as cursor:
        state = _State(*cursor.execute(_TURN).fetchone() or (0, None, 0, None, []))
        timeline_id, seq, signed_at = cursor.execute(_LATEST).fetchone() or (None, 0, None)
        (now_at,) = cursor.execute("SELECT timeline_id FROM timeline ORDER BY started_at DESC LIMIT 1").fetchone() or (None,)
        fresh = state.last_seq - seq if timeline_id == now_at else state.last_seq
        if not begins and not _is_due(fresh, signed_at, at_once):
            return None
        made = Checkpoint(
            str(now_at), state.last_seq, state.hash, state.settled_id, clock.now().isoformat(timespec="microseconds"), begins
        )
        body = made.written()
        signature = certificate_signing.sign(body, KEY)
        cursor.execute(
            "INSERT INTO audit_checkpoint (timeline_id, seq, body, signature) VALUES (%s, %s, %s, %s)",
            [now_at, made.seq, body, signature],
        )
    return made


def _is_due(fresh: int, signed_at: datetime | None, at_once: bool) -> bool:
    if fresh <= 0:
        return False
    return at_once or signed_at is None or fresh >= CHECKPOINT_ROWS or _age(signed_at) >= CHECKPOINT_SECONDS


def _age(signed_at: datetime) -> float:
    return (clock.now() - signed_at).total_seconds()


def public_key() -> bytes:
    """The public key of the checkpoints, raw."""
    return certificate_signing.public_key(KEY)
