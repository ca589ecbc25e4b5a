"""Verifies the audit log: here, as it stands in the database, or wherever an export of it is. Changes nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from mdm import sql
from stewardship.audit_chain import Checkpoint, Finding, Row, Seal, Signed, Walk
from stewardship.audit_sealing import COLUMNS

LINKS = f"""
SELECT s.seq, s.audit_id, encode(s.hash, 'hex'), {COLUMNS} FROM audit_seal s LEFT JOIN audit a USING (audit_id)
ORDER BY s.seq, s.sealed_at, a.at"""
UNSEALED = f"""
SELECT {COLUMNS} FROM audit a WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.audit_id = a.audit_id) ORDER BY a.audit_id"""
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found, and how far it could look: rows in the chain, signed up to, and the tail not sealed yet."""

    findings: Sequence[Finding]
    sealed: int
    signed_seq: int
    checkpoints: int
    unsealed: int
    oldest_unsealed_at: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """The log to be verified: checkpoints as signed, seals with their rows, rows without a seal."""

    checkpoints: Sequence[Signed]
    links: Iterable[tuple[Seal, Row | None]]
    unsealed: Iterable[Row]


def verify(log: Log, keys: Sequence[bytes], outside: Sequence[Signed] = ()) -> Report:
    """Walk along the chain. `outside` are checkpoints that were kept elsewhere: they tell what was taken away here.

    Reads everything once, in a stream; costs about 50 s per million rows.
    """
    known, forged = _signed_by(keys, {**dict.fromkeys(log.checkpoints), **dict.fromkeys(outside)})
    walk = Walk(known, forged)
    for seal, row in log.links:
        walk.step(seal, row)
    for row in log.unsealed:
        walk.past(row)
    return Report(walk.end(), walk.seq, walk.signed_seq, len(known), walk.unsealed, walk.oldest_unsealed_at)


def _signed_by(keys: Sequence[bytes], signed: Iterable[Signed]) -> tuple[list[Checkpoint], list[Finding]]:
    known, forged = [], []
    for one in signed:
        read = one.read(keys)
        if read is None:
            forged.append(Finding("checkpoint_forged", one.claimed_seq()))
        else:
            known.append(read)
    return known, forged


def stored(session: Session) -> Log:
    """The log as it stands in this database. Give a session whose statements see one moment, or that nobody writes beside."""
    return Log(checkpoints(session), _links(session), _unsealed(session))


def checkpoints(session: Session) -> list[Signed]:
    """Every checkpoint that is stored here, as signed, the oldest first."""
    found = sql.rows(session, "SELECT body, signature FROM audit_checkpoint ORDER BY signed_at, seq")
    return [Signed(bytes(body), bytes(signature)) for body, signature in found]


def _links(session: Session) -> Iterator[tuple[Seal, Row | None]]:
    for seq, audit_id, digest, *row in _stream(session, LINKS):
        yield Seal(seq, audit_id, digest), Row(*row) if row[0] is not None else None


def _unsealed(session: Session) -> Iterator[Row]:
    yield from (Row(*row) for row in _stream(session, UNSEALED))


def _stream(session: Session, statement: str) -> Iterator[sql.Row]:
    with sql.cursor(session).connection.cursor(name="mdm_audit") as opened:
        opened.itersize = ROWS_AT_ONCE
        yield from opened.execute(statement)
