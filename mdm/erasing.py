"""What an erasure leaves of records and golden records: tombstones, which hold ids and times and say nothing of anybody.

A record stands as deleted, without key, content or past. A golden id that was the person's answers 410 for ever; what others'
golden records once said of an erased record is taken out of their past. Idempotent; the caller has locked (`lock`).
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlmodel import Session

from kernel import clock, outbox
from mdm import golden_events, pending, sql
from mdm.changes import Status
from mdm.drafts import rehash
from mdm.incoming import DELETION_HASH, TOMBSTONE

Id = uuid.UUID
REASON = "erased"
NOTHING_LEFT: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an erasure is about: their records (keys that these gave up among them), the keys, the golden ids they alone had."""

    records: tuple[Id, ...]
    keys: tuple[tuple[str, str], ...]
    golden_ids: tuple[Id, ...]


def subject(session: Session, record_ids: Collection[Id], golden_ids: Collection[Id] = ()) -> Subject:
    """Work out whom an erasure of records is about.

    Theirs are the golden ids that only they live under, those that lead there, and those that lead nowhere any more and were
    founded by nobody else. `golden_ids`: what is known to be theirs already.
    """
    found = sql.rows(
        session,
        """SELECT record_id, source, source_key FROM source_record
           WHERE record_id = ANY(%(ids)s) OR rekeyed_to = ANY(%(ids)s) ORDER BY source, source_key""",
        {"ids": list(record_ids)},
    )
    records = tuple(row[0] for row in found)
    keys = tuple((source, key) for record_id, source, key in found if key != f"{TOMBSTONE}{record_id}")
    own = {row[0] for row in sql.rows(session, _OWN, {"ids": list(records)})}
    return Subject(records, keys, tuple(sorted({*own, *golden_ids})))


_OWN = """
WITH lived AS (
  SELECT c.golden_id FROM crosswalk c WHERE c.record_id = ANY(%(ids)s) AND c.golden_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM crosswalk o WHERE o.golden_id = c.golden_id AND o.record_id <> ALL(%(ids)s))),
founded AS (
  SELECT f.golden_id FROM founder f JOIN golden g USING (golden_id)
  WHERE f.record_id = ANY(%(ids)s) AND g.status IN ('ended', 'erased')
    AND NOT EXISTS (SELECT FROM founder o WHERE o.golden_id = f.golden_id AND o.record_id <> ALL(%(ids)s)))
SELECT golden_id FROM lived UNION SELECT golden_id FROM founded
UNION SELECT g.golden_id FROM golden g JOIN lived ON g.redirect_to = lived.golden_id"""


def lock(session: Session, of: Subject) -> None:
    """Lock the records in the order of their keys, then where they stand, as ingest and resolution do."""
    ids = [list(of.records)]
    for table, order in (("source_record", "source, source_key"), ("standard_record", "record_id"), ("crosswalk", "record_id")):
        sql.run(session, f"SELECT FROM {table} WHERE record_id = ANY(%s) ORDER BY {order} FOR UPDATE", ids)


def records(session: Session, of: Subject) -> int:
    """Let the records stand as deleted, without key, content or past; how many were not yet. Their resolution is asked for."""
    left = sql.rows(session, _LAST, {"ids": list(of.records), "tombstone": TOMBSTONE})
    ids, numbers = [row[0] for row in left], [row[1] for row in left]
    params = {
        "ids": ids, "numbers": numbers, "now": clock.now(), "hash": DELETION_HASH, "tombstone": TOMBSTONE, "by": REASON,
    }  # fmt: skip
    if ids:
        for statement in _BURY:
            sql.run(session, statement, params)
    return len(ids)


_LAST = """
SELECT r.record_id, greatest(r.version_no, coalesce(max(v.version_no), 0)) + 1
FROM source_record r LEFT JOIN record_version v USING (record_id)
WHERE r.record_id = ANY(%(ids)s) AND r.source_key <> %(tombstone)s || r.record_id GROUP BY r.record_id"""
_NEW = "unnest(%(ids)s::uuid[], %(numbers)s::int[]) AS n (record_id, version_no)"
_BURY = (
    "DELETE FROM record_version WHERE record_id = ANY(%(ids)s)",
    f"""INSERT INTO record_version (record_id, version_no, received_at, is_deleted, payload_hash, received_by)
        SELECT n.record_id, n.version_no, %(now)s, true, %(hash)s, %(by)s FROM {_NEW}
        JOIN source_record r USING (record_id) WHERE r.rekeyed_to IS NULL""",
    f"""UPDATE source_record r SET source_key = %(tombstone)s || r.record_id, parent_source = NULL, parent_key = NULL,
          version_no = CASE WHEN r.rekeyed_to IS NULL THEN n.version_no ELSE 0 END, is_deleted = true, source_version = NULL,
          source_updated_at = NULL, received_at = %(now)s, payload_hash = %(hash)s
        FROM {_NEW} WHERE r.record_id = n.record_id""",
    # Who lived under an id with others leaves it when they are resolved, as any deleted record does: that is then told.
    f"""UPDATE crosswalk c SET source_key = %(tombstone)s || c.record_id, version_no = n.version_no, resolved_at = NULL,
          state = CASE WHEN c.golden_id IS NULL THEN 'deleted' ELSE 'pending' END
        FROM {_NEW} WHERE c.record_id = n.record_id""",
)


def ask_again(session: Session, of: Subject) -> None:
    """Ask for the resolution of the records, so that decisions and questions about them end as those of any deleted record; and
    of those that came to live under an id of theirs meanwhile, which get another."""
    around = sql.rows(
        session,
        "SELECT record_id FROM crosswalk WHERE record_id = ANY(%s) OR golden_id = ANY(%s) ORDER BY 1",
        [list(of.records), list(of.golden_ids)],
    )
    pending.request(session, [row[0] for row in around], REASON, pending.INTERACTIVE_PRIORITY, fresh=False)


def goldens(session: Session, of: Subject) -> int:
    """Let the golden ids answer 410 and take what the records said out of the past of all others; how many ids were erased.

    One event tells of each id, and that the records have left it.
    """
    nothing = {"nothing": orjson.dumps(dict(NOTHING_LEFT)).decode(), "hash": rehash(NOTHING_LEFT)}
    gone = sql.rows(session, _ERASE, {**nothing, "ids": list(of.golden_ids), "now": clock.now()})
    sql.run(session, _EMPTY_PAST, {**nothing, "ids": list(of.golden_ids)})
    _strip_past(session, of)
    sources = tuple(sorted({row[0] for row in sql.rows(session, _SOURCES, [list(of.records)])}))
    left: dict[Id, list[str]] = defaultdict(list)
    for golden_id, record_id in sql.rows(session, _LEAVE, {"records": list(of.records), "ids": list(of.golden_ids)}):
        left[golden_id].append(str(record_id))
    outbox.emit_all(session, [_told(row, left[row[0]], sources) for row in gone])
    return len(gone)


_SOURCES = "SELECT DISTINCT source FROM source_record WHERE record_id = ANY(%s)"
_LEAVE = """
WITH lived AS (SELECT record_id, golden_id FROM crosswalk WHERE record_id = ANY(%(records)s) AND golden_id = ANY(%(ids)s)),
moved AS (UPDATE crosswalk c SET golden_id = NULL, state = 'deleted' FROM lived WHERE c.record_id = lived.record_id)
SELECT golden_id, record_id FROM lived ORDER BY record_id"""
_ERASE = """
WITH gone AS (
  UPDATE golden SET status = 'erased', redirect_to = NULL, split_into = '{}', body = %(nothing)s::jsonb, content_hash = %(hash)s,
    version = version + 1, computed_at = %(now)s
  WHERE golden_id = ANY(%(ids)s) AND status <> 'erased' RETURNING *),
noted AS (
  INSERT INTO golden_version (golden_id, version, computed_at, status, members, body, content_hash, version_set_id, cause)
  SELECT golden_id, version, computed_at, status, '{}', body, content_hash, version_set_id, 'erased' FROM gone)
SELECT golden_id, version, brands, regions FROM gone ORDER BY issue_no"""
_EMPTY_PAST = """
UPDATE golden_version SET body = %(nothing)s::jsonb, content_hash = %(hash)s
WHERE golden_id = ANY(%(ids)s) AND body <> %(nothing)s::jsonb"""
_PAST = """
SELECT golden_id, version, computed_at, body::text FROM golden_version
WHERE members && %(ids)s::uuid[] AND golden_id <> ALL(%(own)s) AND body ? 'members'"""
STRIPPED = (
    "UPDATE golden_version SET body = %s::jsonb, content_hash = %s WHERE golden_id = %s AND version = %s AND computed_at = %s"
)


def _strip_past(session: Session, of: Subject) -> None:
    found = sql.rows(session, _PAST, {"ids": list(of.records), "own": list(of.golden_ids)})
    gone = {str(record) for record in of.records}
    for golden_id, version, computed_at, text in found:
        body = without(orjson.loads(text), gone)
        sql.run(session, STRIPPED, [orjson.dumps(body).decode(), rehash(body), golden_id, version, computed_at])


def without(body: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """Take out of a golden record's body whatever records brought to it, as winner, as one of several, or as runner-up."""
    values = {name: held for name, held in body.get("values", {}).items() if not names(orjson.dumps(held), gone)}
    left = [one for one in body.get("members", ()) if one["record_id"] not in gone]
    named = "name" in values or "company_name" in values
    return {**body, "values": values, "members": left, "display_name": body.get("display_name") if named else None}


def names(text: bytes, ids: Iterable[str]) -> bool:
    """Say whether a JSON text names one of some records."""
    return any(one.encode() in text for one in ids)


def _told(row: sql.Row, left: Sequence[str], sources: tuple[str, ...]) -> outbox.Event:
    golden_id, version, brands, regions = row
    body = {
        "golden_id": str(golden_id), "version": version, "status": str(Status.ERASED), "cause": str(Status.ERASED),
        "because": "privacy", "changed": [], "joined": [], "left": [{"record_id": one, "to": None} for one in left],
        "retired_ids": [], "split_into": [],
    }  # fmt: skip
    return outbox.Event(golden_events.ERASED, golden_id, version, body, tuple(brands), tuple(regions), sources)
