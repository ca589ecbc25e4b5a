"""The log of what was delivered of each record: versions, deliveries that said the same again, and imports that count no longer.

Appends and reads; which version is current is told by `mdm.current_version` alone. Versions are never edited: what an undone
import delivered stays in the log and is passed over.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from mdm import sql
from mdm.current_version import Delivered, Mark, Version


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version to append."""

    record_id: uuid.UUID
    version_no: int
    version: Version
    sealed_payload: bytes | None
    channel: str


@dataclass(frozen=True, slots=True)
class SightingRow:
    """A delivery to append that said what version `version_no` says already; it came after version `after_no`."""

    record_id: uuid.UUID
    version_no: int
    after_no: int
    mark: Mark


@dataclass(slots=True)
class Log:
    """The deliveries of a record that count, in their order, and the greatest number that a version of it ever had."""

    held: list[Delivered] = field(default_factory=list)
    last_no: int = 0


_READ = """
SELECT d.*, w.record_id IS NOT NULL FROM (
  SELECT record_id, version_no AS place, 0 AS sighting_no, version_no, payload_hash, is_deleted, source_version,
    source_updated_at, received_at, job_id
  FROM record_version WHERE record_id = ANY(%(ids)s)
  UNION ALL
  SELECT s.record_id, s.after_no, s.sighting_no, s.version_no, v.payload_hash, v.is_deleted, s.source_version,
    s.source_updated_at, s.seen_at, s.job_id
  FROM record_sighting s JOIN record_version v USING (record_id, version_no) WHERE s.record_id = ANY(%(ids)s)) AS d
LEFT JOIN record_withdrawal w ON w.record_id = d.record_id AND w.job_id = d.job_id
ORDER BY d.record_id, d.place, d.sighting_no"""


def read(session: Session, record_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Log]:
    """Read the logs of the records that have any. One statement."""
    logs: dict[uuid.UUID, Log] = {}
    for record_id, place, _, number, digest, deleted, version, at, came, job_id, withdrawn in sql.rows(
        session, _READ, {"ids": list(record_ids)}
    ):
        log = logs.setdefault(record_id, Log())
        log.last_no = max(log.last_no, place)
        if not withdrawn:
            log.held.append(Delivered(Version(digest, deleted, Mark(version, at)), number, came, job_id))
    return logs


def append_versions(
    session: Session, rows: Iterable[VersionRow], received_at: datetime, received_by: str, job_id: uuid.UUID | None
) -> None:
    """Append versions. `job_id`: the import that brought them."""
    sql.store(
        session,
        "record_version",
        {
            "record_id": "uuid", "version_no": "int4", "received_at": "timestamptz", "source_version": "int8",
            "source_updated_at": "timestamptz", "is_deleted": "bool", "payload_hash": "bytea", "sealed_payload": "bytea",
            "received_by": "text", "channel": "text", "job_id": "uuid",
        },
        (
            (
                row.record_id, row.version_no, received_at, row.version.mark.source_version, row.version.mark.source_updated_at,
                row.version.is_deleted, row.version.payload_hash, row.sealed_payload, received_by, row.channel, job_id,
            )
            for row in rows
        ),
    )  # fmt: skip


def append_sightings(session: Session, rows: Sequence[SightingRow], seen_at: datetime, job_id: uuid.UUID | None) -> None:
    """Append deliveries of what was known already, in their order."""
    if not rows:
        return
    sql.run(
        session,
        """INSERT INTO record_sighting (record_id, version_no, after_no, seen_at, source_version, source_updated_at, job_id)
           SELECT r.id, r.no, r.after, %(seen)s, r.version, r.at, %(job)s
           FROM unnest(%(ids)s::uuid[], %(numbers)s::int[], %(after)s::int[], %(versions)s::bigint[], %(times)s::timestamptz[])
             WITH ORDINALITY AS r (id, no, after, version, at, place) ORDER BY r.place""",
        {
            "ids": [row.record_id for row in rows],
            "numbers": [row.version_no for row in rows],
            "after": [row.after_no for row in rows],
            "versions": [row.mark.source_version for row in rows],
            "times": [row.mark.source_updated_at for row in rows],
            "seen": seen_at,
            "job": job_id,
        },
    )


def withdraw(
    session: Session, records: Mapping[uuid.UUID, bool], job_id: uuid.UUID, undo_job_id: uuid.UUID, withdrawn_at: datetime
) -> None:
    """Let what an import said of records count no longer; of each, whether it says something else now. They are locked."""
    sql.run(
        session,
        """INSERT INTO record_withdrawal (record_id, job_id, withdrawn_at, undo_job_id, has_changed)
           SELECT r.id, %(job)s, %(at)s, %(undo)s, r.changed
           FROM unnest(%(ids)s::uuid[], %(changed)s::boolean[]) AS r (id, changed)""",
        {"ids": list(records), "changed": list(records.values()), "job": job_id, "at": withdrawn_at, "undo": undo_job_id},
    )


_SAID_BY = """
SELECT record_id FROM record_version WHERE job_id = %(job)s{which}
UNION SELECT record_id FROM record_sighting WHERE job_id = %(job)s{which}
EXCEPT SELECT record_id FROM record_withdrawal WHERE job_id = %(job)s{which}
ORDER BY 1"""


def said_by(session: Session, job_id: uuid.UUID, among: Sequence[uuid.UUID] | None = None) -> list[uuid.UUID]:
    """Name the records (of some, or all) of which an import said something that counts still, in the order of their ids."""
    which = "" if among is None else " AND record_id = ANY(%(among)s)"
    params = {"job": job_id, "among": None if among is None else list(among)}
    return [row[0] for row in sql.rows(session, _SAID_BY.format(which=which), params)]
