"""What a backup says of itself, and what makes a restored database a service again: roles before its rows, a new timeline after.

Dumps nothing and restores nothing: `cli.backup_commands` does, by PostgreSQL's own programs.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from kernel import clock
from mdm import sql

ROLES = """
DO $$
DECLARE role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['mdm_engine', 'mdm_app'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    IF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN EXECUTE format('GRANT %I TO %I', role_name, current_user); END IF;
  END LOOP;
END $$"""
_CONTENTS = """
SELECT (SELECT timeline_id FROM timeline ORDER BY started_at DESC LIMIT 1), (SELECT last_seq FROM event_counter),
  coalesce((SELECT last_seq FROM audit_chain), 0), (SELECT count(*) FROM source_record),
  current_setting('server_version_num')::int"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in a database at one moment; the snapshot by which others see the same, while the session is open."""

    timeline_id: uuid.UUID
    last_seq: int
    audit_seq: int
    records: int
    server_version: int
    taken_at: datetime
    snapshot: str


def contents(session: Session) -> Contents:
    """Say what stands here. Give a session whose statements see one moment, and keep it open while the snapshot is used."""
    found = sql.rows(session, _CONTENTS)[0]
    timeline_id, last_seq, audit_seq, records, version = found
    (snapshot,) = sql.rows(session, "SELECT pg_export_snapshot()")[0]
    return Contents(timeline_id, last_seq, audit_seq, records, version, clock.now(), snapshot)


def make_roles(session: Session) -> None:
    """Make the roles that the rows of a backup are granted to; idempotent."""
    sql.run(session, ROLES)


def server_version(session: Session) -> int:
    """The server's version, as a number."""
    return int(sql.rows(session, "SELECT current_setting('server_version_num')::int")[0][0])


def users_of(session: Session, database: str) -> int:
    """How many connections others have to a database of this server."""
    return int(
        sql.rows(session, "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", [database])[0][
            0
        ]
    )


def begin_timeline(session: Session, reason: str) -> uuid.UUID:
    """Begin a timeline: cursors and exports of before the restore are known for what they are."""
    made = clock.uuid7()
    sql.run(
        session,
        """INSERT INTO timeline (timeline_id, started_at, reason, secret_check, mode)
           SELECT %s, greatest(now(), max(started_at) + interval '1 microsecond'), %s,
             (SELECT secret_check FROM timeline ORDER BY started_at DESC LIMIT 1),
             (SELECT mode FROM timeline ORDER BY started_at DESC LIMIT 1) FROM timeline""",
        [made, reason],
    )
    return made
