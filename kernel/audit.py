"""The audit log: who read or changed what, when and for what purpose. Append-only; values appear as keyed hashes only.

A row is written in the transaction (or on the connection) of what it tells of, so that the one never exists without the other.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlmodel import Session

from kernel.settings import settings

_INSERT = sa.text("""
INSERT INTO audit (actor, action, object_type, object_id, purpose, detail, before_hash, after_hash)
VALUES (:actor, :action, :object_type, :object_id, :purpose, CAST(:detail AS jsonb), :before, :after)
""")
# For a statement that reads and audits what it read in one go: `<INSERT_READ> SELECT actor, action, type, detail, object_id …`.
INSERT_READ = "INSERT INTO audit (actor, action, object_type, detail, object_id)"
_INSERT_HOT = """
INSERT INTO audit (actor, action, object_type, purpose, detail, object_id)
SELECT actor, action, object_type, purpose, detail::jsonb, object_id
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
  AS e (actor, action, object_type, purpose, detail, object_id)
"""
_INSERT_EACH = sa.text("""
INSERT INTO audit (actor, action, object_type, purpose, detail, object_id)
SELECT :actor, :action, :object_type, :purpose, '{}'::jsonb, unnest(CAST(:ids AS text[]))
""")
_INSERT_ALIKE = """
INSERT INTO audit (actor, action, object_type, purpose, detail, object_id)
SELECT %s, %s, %s, %s, %s::jsonb, unnest(%s::text[])
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One read of one object."""

    actor: str
    action: str
    object_type: str
    object_id: str
    purpose: str | None = None
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the log, without its hashes."""

    audit_id: int
    at: datetime
    actor: str
    action: str
    object_type: str
    object_id: str
    purpose: str | None
    detail: Mapping[str, Any]


SEARCHED = ("actor", "action", "object_id")
_SEARCH = """SELECT audit_id, at, actor, action, object_type, object_id, purpose, detail FROM audit
WHERE at > :since{named} ORDER BY audit_id DESC LIMIT :most"""


def search(session: Session, named: Mapping[str, str], since: datetime, before: int | None, most: int) -> list[Row]:
    """Read rows, the latest first. `named`: what some of SEARCHED must be; `before`: the last id of the page before."""
    said = [f"{name} = :{name}" for name in SEARCHED if name in named] + (["audit_id < :before"] if before else [])
    statement = sa.text(_SEARCH.format(named="".join(f" AND {one}" for one in said)))
    found = session.connection().execute(statement, {**named, "since": since, "before": before, "most": most})
    return [Row(*row) for row in found]


def record(
    session: Session,
    actor: str,
    action: str,
    object_type: str,
    object_id: str,
    purpose: str | None = None,
    detail: Mapping[str, Any] | None = None,
    before: Any = None,
    after: Any = None,
) -> None:
    """Write one row in the caller's transaction. `before` and `after` are hashed with the service's key, never stored."""
    session.connection().execute(
        _INSERT,
        {
            "actor": actor,
            "action": action,
            "object_type": object_type,
            "object_id": object_id,
            "purpose": purpose,
            "detail": json.dumps(dict(detail or {})),
            "before": _keyed_hash(before),
            "after": _keyed_hash(after),
        },
    )


def record_alike(
    session: Session, actor: str, action: str, object_type: str, object_ids: Sequence[str], purpose: str | None = None
) -> None:
    """Write a row for each of some objects, in one statement of the caller's transaction; none where there are none."""
    if object_ids:
        said = {"actor": actor, "action": action, "object_type": object_type, "purpose": purpose, "ids": list(object_ids)}
        session.connection().execute(_INSERT_EACH, said)


async def record_all_async(connection: psycopg.AsyncConnection[Any], entries: Sequence[Entry]) -> None:
    """Write a row for each of many hot reads, with one prepared statement."""
    said = [(e.actor, e.action, e.object_type, e.purpose, json.dumps(dict(e.detail)) if e.detail else "{}") for e in entries]
    object_ids = [entry.object_id for entry in entries]
    if len(set(said)) == 1:  # Reads that come together are mostly of one caller: a third of the cost of arrays of equal texts.
        await connection.execute(_INSERT_ALIKE, (*said[0], object_ids))
    elif said:
        await connection.execute(_INSERT_HOT, [*(list(column) for column in zip(*said, strict=True)), object_ids])


def _keyed_hash(value: Any) -> bytes | None:
    if value is None:
        return None
    text = json.dumps(value, sort_keys=True, default=str).encode()
    return hashlib.blake2b(text, key=settings().secret_for("audit"), digest_size=32).digest()
