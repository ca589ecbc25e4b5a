"""Reads who may stand in a relationship to a golden record, within the session's row scope, and how it is told. Changes nothing.

Neighbours of a home are found by its blocking keys; one that more than HOT_LIMIT records share is a tower or a street, yields
nobody, and that is said. Accounts are found by the parents that records name, at most MOST_BELOW records below one.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from kernel.settings import settings
from matching.blocking import HOT_LIMIT, blocking_keys
from matching.record import StandardRecord, from_json
from mdm import history, sql
from mdm.relationships import Held, Key, Kind, Related, relationships

HOME_RULES = (9, 10)  # Postal code or street, with the house number (matching.blocking).
MOST_BELOW = 200
_RECORD = """c.golden_id, c.record_id, c.source, c.source_key, s.body, c.brand, r.parent_source, r.parent_key
  FROM crosswalk c JOIN standard_record s USING (record_id) JOIN source_record r USING (record_id)
  WHERE c.state IN ('resolved', 'pending') AND NOT r.is_deleted AND c.golden_id IS NOT NULL"""
MEMBERS = f"SELECT {_RECORD} AND c.golden_id = %s ORDER BY c.source, c.source_key"
# By id, one at a time: under row-level security the planner would read all of a table for one brand.
BY_ID = f"""SELECT one.* FROM unnest(%s::uuid[]) AS asked (id) CROSS JOIN LATERAL (
  SELECT {_RECORD} AND c.record_id = asked.id LIMIT 1) AS one"""
HOMES = """
SELECT mine.key, held.record_ids FROM unnest(%(keys)s::bigint[]) AS mine (key)
CROSS JOIN LATERAL (SELECT coalesce(array_agg(b.record_id), '{}') AS record_ids FROM (
  SELECT record_id FROM blocking_key WHERE blocking_key = mine.key LIMIT %(limit)s + 1) AS b) AS held"""
# A child may name its parent by a key that was given up for another: it is the same record's.
PARENTS = """SELECT coalesce(p.rekeyed_to, p.record_id), p.source, p.source_key
  FROM unnest(%s::text[], %s::text[]) AS asked (source, key)
  JOIN source_record p ON p.source = asked.source AND p.source_key = asked.key"""
CHILDREN = """SELECT r.record_id, asked.id
  FROM unnest(%(ids)s::uuid[], %(sources)s::text[], %(keys)s::text[]) AS asked (id, source, key)
  CROSS JOIN LATERAL (SELECT asked.key UNION ALL
    (SELECT s.source_key FROM source_record s WHERE s.rekeyed_to = asked.id OFFSET 0)) AS named (key)
  CROSS JOIN LATERAL (SELECT record_id, source, source_key FROM source_record
    WHERE parent_source = asked.source AND parent_key = named.key AND NOT is_deleted
    ORDER BY source, source_key LIMIT %(limit)s + 1) AS r ORDER BY r.source, r.source_key"""
NAMES = "SELECT golden_id, body->>'display_name', body->>'party' FROM golden WHERE golden_id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Shown:
    """A relationship with what the other golden record is called."""

    related: Related
    display_name: str | None
    party: str | None


@dataclass(frozen=True, slots=True)
class Relations:
    """All relationships of a golden record. `brands`: whose records are its members. `cut`: kinds of which not all are told."""

    golden_id: uuid.UUID
    status: str
    shown: Sequence[Shown]
    brands: dict[str, list[Key]]
    cut: tuple[str, ...]


def read(session: Session, golden_id: uuid.UUID) -> Relations:
    """Read the relationships of whatever a golden id lives by now. Bounded by HOT_LIMIT records a home and MOST_BELOW a parent.

    Raises: NotFound, Gone.
    """
    live_id, status = history.living(session, golden_id)
    rows = sql.rows(session, MEMBERS, [live_id])
    ids = [row[1] for row in rows]
    above = _parents(session, rows)
    own = [_held(row, above.get((row[6], row[7]))) for row in rows]
    neighbours, is_tower = _neighbours(session, [one.record for one in own])
    children, is_long = _children(session, rows)
    others = sql.rows(session, BY_ID, [sorted({*neighbours, *children, *above.values()} - set(ids))])
    found = relationships(own, [_held(row, children.get(row[1])) for row in others])
    named = {row[0]: row[1:] for row in sql.rows(session, NAMES, [[one.golden_id for one in found]])}
    brands: dict[str, list[Key]] = {}
    for row in rows:
        brands.setdefault(row[5], []).append((row[2], row[3]))
    cut = (*((Kind.HOUSEHOLD,) if is_tower else ()), *(("accounts",) if is_long else ()))
    shown = [Shown(one, *named.get(one.golden_id, (None, None))) for one in found if one.golden_id in named]
    return Relations(live_id, status, shown, dict(sorted(brands.items())), cut)


def _held(row: sql.Row, parent: uuid.UUID | None) -> Held:
    return Held(row[0], row[1], (row[2], row[3]), from_json(StandardRecord, row[4]), parent)


def _neighbours(session: Session, own: Collection[StandardRecord]) -> tuple[set[uuid.UUID], bool]:
    """Who shares a home's key, or a refined one of a key that too many share; whether too many share those as well."""
    secret = settings().secret_for("blocking")
    homes = {
        one.key: {key for _, key in one.refined}
        for record in own
        for one in blocking_keys(record, secret)
        if one.rule in HOME_RULES
    }
    keys = sorted({*homes, *(key for refined in homes.values() for key in refined)})
    held = {key: set(ids) for key, ids in sql.rows(session, HOMES, {"keys": keys, "limit": HOT_LIMIT})}
    hot = {key for key, ids in held.items() if len(ids) > HOT_LIMIT}
    asked = {key for home, refined in homes.items() for key in (refined if home in hot else {home})}
    is_tower = any(home in hot and (not refined or refined & hot) for home, refined in homes.items())
    return {one for key in asked - hot for one in held[key]}, is_tower


def _parents(session: Session, rows: Sequence[sql.Row]) -> dict[Key, uuid.UUID]:
    named = sorted({(row[6], row[7]) for row in rows if row[7] is not None})
    found = sql.rows(session, PARENTS, [[source for source, _ in named], [key for _, key in named]])
    return {(row[1], row[2]): row[0] for row in found}


def _children(session: Session, rows: Sequence[sql.Row]) -> tuple[dict[uuid.UUID, uuid.UUID], bool]:
    """The records that name one of these as their parent, each with that one; whether some have more than are told."""
    params = {"ids": [r[1] for r in rows], "sources": [r[2] for r in rows], "keys": [r[3] for r in rows], "limit": MOST_BELOW}
    below: dict[uuid.UUID, list[uuid.UUID]] = {}
    for child, parent in sql.rows(session, CHILDREN, params):
        below.setdefault(parent, []).append(child)
    told = {child: parent for parent, children in below.items() for child in children[:MOST_BELOW]}
    return told, any(len(children) > MOST_BELOW for children in below.values())
