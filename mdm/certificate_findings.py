"""Compares a source's full extract with what is stored of the source at one moment: what one statement reads.

Judged as at the time the extract was taken: what arrived or was deleted here since is neither missing nor a ghost. Changes
nothing that is stored; its own tables end with the transaction.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import psycopg
from sqlmodel import Session

from mdm import sql
from mdm.export_files import Columns, Kind
from mdm.extract_reading import Said
from webhooks import feed
from webhooks.feed import Log

MISSING, GHOST, STALE, MERGED = "missing", "ghost", "stale", "merged_natively"
LISTED = (MISSING, GHOST, STALE, MERGED)
PORTION_ROWS = 10_000
COLUMNS: Columns = {
    "finding": Kind.TEXT, "key": Kind.TEXT, "reason": Kind.TEXT, "merged_into": Kind.TEXT, "source_version": Kind.NUMBER,
    "hub_version": Kind.NUMBER, "source_updated_at": Kind.TEXT, "hub_updated_at": Kind.TEXT,
}  # fmt: skip

_TABLE = """
CREATE TEMPORARY TABLE extract_row (key text NOT NULL, version bigint, updated_at timestamptz, is_deleted boolean NOT NULL,
  merged_into text, line_no bigint NOT NULL) ON COMMIT DROP"""
_TYPES = {
    "key": "text", "version": "int8", "updated_at": "timestamptz", "is_deleted": "bool", "merged_into": "text", "line_no": "int8",
}  # fmt: skip
# A key that stands twice counts as its latest row says.
_SAID = """
CREATE TEMPORARY TABLE extract_key ON COMMIT DROP AS
SELECT DISTINCT ON (key) * FROM extract_row
ORDER BY key, version DESC NULLS LAST, updated_at DESC NULLS LAST, line_no DESC"""

# All that is stored of the source, and where the log stands (the row without a key), in one statement: so at one moment.
_HUB = """
CREATE TEMPORARY TABLE hub ON COMMIT DROP AS
SELECT r.source_key AS key, NOT r.is_deleted AND r.rekeyed_to IS NULL AS lives, r.rekeyed_to IS NOT NULL AS is_renamed,
  r.source_version AS version, r.source_updated_at AS updated_at,
  r.received_at > %(taken_at)s OR r.created_at > %(taken_at)s AS is_later, c.golden_id, NULL::bigint AS last_seq
FROM source_record r LEFT JOIN crosswalk c USING (record_id) WHERE r.source = %(source)s
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, last_seq FROM event_counter"""

# `later`: it came or went here after the extract was taken. `agreed`: neither side has it. A version of the source's own decides,
# else its time; where there is neither, it cannot be told who is behind (`not_compared`). A record that was merged away in its
# source is known there, and no ghost.
_FOUND = """
CREATE TEMPORARY TABLE finding ON COMMIT DROP AS
WITH beside AS (
  SELECT coalesce(s.key, h.key) AS key, s.merged_into, s.version AS source_version, h.version AS hub_version,
    s.updated_at AS source_updated_at, h.updated_at AS hub_updated_at, coalesce(h.lives, false) AS lives,
    coalesce(h.is_later AND NOT h.is_renamed, false) AS is_later, h.is_renamed, h.key IS NOT NULL AS is_known,
    s.merged_into IS NOT NULL AS is_merged,
    s.key IS NOT NULL AND NOT s.is_deleted AND s.merged_into IS NULL AS is_meant, s.key IS NOT NULL AS is_said,
    CASE WHEN s.version IS NOT NULL AND h.version IS NOT NULL THEN sign(s.version::numeric - h.version)
      WHEN s.updated_at IS NOT NULL AND h.updated_at IS NOT NULL THEN
        CASE WHEN s.updated_at > h.updated_at THEN 1 WHEN s.updated_at < h.updated_at THEN -1 ELSE 0 END END AS ahead
  FROM extract_key s FULL JOIN hub h ON h.key = s.key),
judged AS (
  SELECT CASE
      WHEN is_merged AND lives THEN 'merged_away'
      WHEN is_meant AND lives AND ahead > 0 THEN 'stale'
      WHEN is_meant AND lives AND ahead < 0 AND NOT is_later THEN 'ahead'
      WHEN is_meant AND lives AND ahead IS NULL THEN 'not_compared'
      WHEN is_meant AND lives THEN 'matched'
      WHEN is_meant AND is_known AND is_later THEN 'later'
      WHEN is_meant THEN 'missing'
      WHEN lives AND is_later THEN 'later'
      WHEN lives THEN 'ghost'
      ELSE 'agreed' END AS finding, *
  FROM beside WHERE key IS NOT NULL AND (is_said OR NOT is_renamed))
SELECT finding, key,
  CASE finding WHEN 'ghost' THEN CASE WHEN is_said THEN 'deleted_at_source' ELSE 'not_in_extract' END
    WHEN 'missing' THEN CASE WHEN is_renamed THEN 'renamed_here' WHEN is_known THEN 'deleted_here' ELSE 'never_received' END
    END AS reason,
  CASE WHEN finding = 'merged_away' THEN merged_into END AS merged_into, source_version, hub_version,
  source_updated_at::text, hub_updated_at::text
FROM judged
UNION ALL
SELECT CASE WHEN a.golden_id IS NULL OR b.golden_id IS NULL THEN 'merge_undecided' ELSE 'merged_natively' END, s.key, NULL,
  s.merged_into, NULL, NULL, NULL, NULL
FROM extract_key s JOIN hub a ON a.key = s.key JOIN hub b ON b.key = s.merged_into
WHERE s.merged_into IS NOT NULL AND a.lives AND b.lives
  AND (a.golden_id <> b.golden_id OR a.golden_id IS NULL OR b.golden_id IS NULL)"""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found: where the log stood at that moment, and how many of each. `keys` are the keys of the extract."""

    log: Log
    counts: Counter[str]
    keys: int
    duplicates: int
    flagged_deleted: int
    flagged_merged: int


def load(session: Session, said: Iterable[Said], beat: Callable[[], None]) -> None:
    """Put what an extract says into a table of this transaction, in portions."""
    sql.run(session, _TABLE)
    rows = ((one.key, one.version, one.updated_at, one.is_deleted, one.merged_into, one.line_no) for one in said)
    while portion := list(islice(rows, PORTION_ROWS)):
        sql.store(session, "extract_row", _TYPES, portion)
        beat()


def judge(session: Session, source: str, taken_at: datetime) -> Findings:
    """Compare what was loaded with what is stored now, as one statement reads it."""
    sql.run(session, _HUB, {"source": source, "taken_at": taken_at})
    sql.run(session, _SAID)
    for table in ("hub", "extract_key"):  # Else a join may be made row by row.
        sql.run(session, f"ANALYZE {table}")
    sql.run(session, _FOUND)
    found: Counter[str] = Counter(dict(sql.rows(session, "SELECT finding, count(*) FROM finding GROUP BY finding")))
    ((last_seq,),) = sql.rows(session, "SELECT last_seq FROM hub WHERE key IS NULL")
    ((rows, keys, deleted, merged),) = sql.rows(
        session,
        """SELECT (SELECT count(*) FROM extract_row), count(*), count(*) FILTER (WHERE is_deleted),
             count(*) FILTER (WHERE merged_into IS NOT NULL) FROM extract_key""",
    )
    now = feed.log(session)
    return Findings(Log(now.timeline_id, last_seq, now.first_seq), found, keys, rows - keys, deleted, merged)


def examples(session: Session, finding: str, most: int) -> list[str]:
    """The first keys of a finding."""
    found = sql.rows(session, "SELECT key FROM finding WHERE finding = %s ORDER BY key LIMIT %s", [finding, most])
    return [key for (key,) in found]


def listed(session: Session) -> Iterator[list[sql.Row]]:
    """The rows of the lists, in portions."""
    driver: Any = session.connection().connection.driver_connection
    connection: psycopg.Connection[sql.Row] = driver
    with connection.cursor(name="mdm_findings") as opened:
        opened.execute(
            f"SELECT {', '.join(COLUMNS)} FROM finding WHERE finding = ANY(%s) ORDER BY finding, key",
            [list(LISTED)],
        )
        while portion := opened.fetchmany(PORTION_ROWS):
            yield portion
