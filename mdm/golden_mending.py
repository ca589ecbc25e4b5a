"""Puts golden records back to what their latest versions say, or has them written anew. `mdm.golden` writes all that is new.

A golden record's present answer stands in two places, each with its hash, so that the one that was altered tells itself.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from mdm import closure, pending, sql
from mdm.differences import Difference, Kind
from mdm.drafts import body_hash, rehash

Id = uuid.UUID

_HELD = """
SELECT g.golden_id, g.split_into::text[], g.version, g.status, g.redirect_to, g.body, g.content_hash, g.computed_at,
       v.version, v.status, v.redirect_to, v.body, v.content_hash, v.computed_at
FROM golden g LEFT JOIN LATERAL (
  SELECT * FROM golden_version v WHERE v.golden_id = g.golden_id ORDER BY v.version DESC LIMIT 1) AS v ON true
WHERE g.golden_id = ANY(%s) AND g.status <> 'erased'"""
_FROM_VERSION = """
UPDATE golden g SET status = v.status, redirect_to = v.redirect_to, version = v.version, body = v.body,
  content_hash = v.content_hash, version_set_id = v.version_set_id, computed_at = v.computed_at,
  split_into = ARRAY(SELECT jsonb_array_elements_text(v.body -> 'split_into')::uuid)
FROM golden_version v WHERE v.golden_id = g.golden_id
  AND (v.golden_id, v.version) IN (SELECT * FROM unnest(%(ids)s::uuid[], %(versions)s::bigint[]))"""
_TO_VERSION = """
UPDATE golden_version v SET body = g.body, content_hash = g.content_hash, status = g.status, redirect_to = g.redirect_to
FROM golden g WHERE g.golden_id = v.golden_id AND g.version = v.version AND g.golden_id = ANY(%(ids)s)"""
# Nothing hashes to nothing, so whatever is drafted differs and is written as a new version.
_DISTRUST = "UPDATE golden SET content_hash = '' WHERE golden_id = ANY(%(ids)s)"


@dataclass(frozen=True, slots=True)
class _Copy:
    """One of the two places where a golden record's present answer stands."""

    version: int
    status: str
    redirect_to: Id | None
    body: dict[str, Any]
    content_hash: bytes
    computed_at: datetime

    @property
    def is_sound(self) -> bool:
        """Whether it bears its own hash."""
        about = (self.body.get("status"), self.body.get("version"))
        return rehash(self.body) == self.content_hash and about == (self.status, self.version)

    @property
    def split_into(self) -> list[str]:
        return list(self.body.get("split_into", []))

    def agrees_with(self, other: "_Copy") -> bool:
        """Whether both say the same, but for the version set: that it came to the same answer is noted in one place only."""
        mine, its = (
            (
                one.version,
                one.status,
                one.redirect_to,
                one.content_hash,
                one.computed_at,
                body_hash(one.body),
                one.body.get("version"),
            )
            for one in (self, other)
        )
        return mine == its


@dataclass(frozen=True, slots=True)
class _Held:
    """A golden record beside its latest version."""

    golden_id: Id
    split_into: list[str]
    head: _Copy
    latest: _Copy | None

    @classmethod
    def of(cls, row: sql.Row) -> "_Held":
        golden_id, split_into, *columns = row
        head, latest = columns[:6], columns[6:]
        return cls(golden_id, split_into, _copy(head), _copy(latest) if latest[0] is not None else None)

    @property
    def is_whole(self) -> bool:
        sound = self.latest is not None and self.latest.is_sound
        return (
            sound and self.latest is not None and self.head.agrees_with(self.latest) and self.split_into == self.head.split_into
        )


def _copy(columns: Sequence[Any]) -> _Copy:
    version, status, redirect_to, body, content_hash, computed_at = columns
    said = body if isinstance(body, dict) else {}  # Another kind of JSON says nothing.
    return _Copy(version, status, redirect_to, said, bytes(content_hash), computed_at)


def goldens(session: Session, golden_ids: Sequence[Id]) -> list[Difference]:
    """Let golden records be what their latest versions say, or the other way round where only the record bears its own hash.

    Where neither does, the record is written anew when it is next resolved. Locks as whoever writes golden records does.
    """
    _lock_around(session, golden_ids)
    apart = [one for one in map(_Held.of, sql.rows(session, _HELD, [list(golden_ids)])) if not one.is_whole]
    told = {one.golden_id: one.latest.version for one in apart if one.latest is not None and one.latest.is_sound}
    others = [one for one in apart if one.golden_id not in told]
    kept = [one.golden_id for one in others if one.head.is_sound]
    lost = [one.golden_id for one in others if not one.head.is_sound]
    sql.run(session, _FROM_VERSION, {"ids": list(told), "versions": list(told.values())})
    sql.run(session, _TO_VERSION, {"ids": kept})
    sql.run(session, _DISTRUST, {"ids": lost})
    ask_for(session, [one.golden_id for one in apart])
    named = [Difference(Kind.GOLDEN_VALUE, str(one), "differs_from_its_versions") for one in (*told, *lost)]
    return [*named, *(Difference(Kind.GOLDEN_VERSION, str(one), "says_something_else") for one in kept)]


def distrust(session: Session, golden_ids: Sequence[Id]) -> None:
    """Have golden records written anew although all their copies agree: verification says that they should say something else."""
    _lock_around(session, golden_ids)
    sql.run(session, _DISTRUST, {"ids": list(golden_ids)})
    ask_for(session, golden_ids)


def ask_for(session: Session, golden_ids: Sequence[Id]) -> None:
    """Ask for the resolution of the records that founded golden ids or live under them."""
    pending.request(session, _around(session, golden_ids), pending.RESTORED, fresh=False)


def _around(session: Session, golden_ids: Sequence[Id]) -> list[Id]:
    found = sql.rows(
        session,
        """SELECT record_id FROM founder WHERE golden_id = ANY(%(ids)s)
           UNION SELECT record_id FROM crosswalk WHERE golden_id = ANY(%(ids)s)""",
        {"ids": list(golden_ids)},
    )
    return [row[0] for row in found]


def _lock_around(session: Session, golden_ids: Sequence[Id]) -> None:
    closure.lock(session, _around(session, golden_ids))
