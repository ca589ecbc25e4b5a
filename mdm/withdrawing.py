"""Takes back what an import said of some records: each stands as if the import had never come, whatever came before and since.

Set-based, in the caller's transaction, under the locks that ingest takes. Payloads are opened again for what becomes current.
Never resolves: what has changed is owed a resolution.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from consent.purposes import shipped
from kernel import clock, outbox
from mdm import closure, consent_undo, pending, record_log, restandardize, sql
from mdm.current_version import Current, Mark, Stands, Version, replay, without_import
from mdm.events import WITHDRAWN, OfRecord
from mdm.incoming import DELETION_HASH
from mdm.policy import Policy

REASON = "import_undone"
NOBODY_SAYS = Current(Version(DELETION_HASH, True), Mark())


class Fate(StrEnum):
    """What becomes of a record when an import is undone.

    EARLIER: the version before is current again, or one that the import's had outdone. RETURNED: the import had deleted it, and
    it lives again. ENDED: without the import it was never heard of, or is deleted. KEPT: what it says was said elsewhere as well.
    """

    EARLIER = "earlier"
    RETURNED = "returned"
    ENDED = "ended"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class _Record:
    """A record before and after. `after.version_no` is 0 when nobody says anything of it any more."""

    of: OfRecord
    before: Stands
    after: Stands

    @property
    def record_id(self) -> uuid.UUID:
        """Its id."""
        return self.of.record_id

    @property
    def fate(self) -> Fate:
        was, becomes = self.before.current.version, self.after.current.version
        if was.is_deleted and becomes.is_deleted:
            return Fate.KEPT
        if becomes.is_deleted:
            return Fate.ENDED
        if was.is_deleted:
            return Fate.RETURNED
        return Fate.KEPT if self.before.version_no == self.after.version_no else Fate.EARLIER

    @property
    def says_otherwise(self) -> bool:
        """Whether it says something else, or the same as of another time: then it has to be filed and resolved again."""
        return self._said(self.before) != self._said(self.after)

    @staticmethod
    def _said(stands: Stands) -> tuple[object, ...]:
        return (
            stands.version_no,
            stands.current.version.is_deleted,
            stands.current.mark.source_updated_at or stands.received_at,
        )


def withdraw(
    session: Session, policy: Policy, job_id: uuid.UUID, undo_job_id: uuid.UUID, record_ids: Sequence[uuid.UUID]
) -> Counter[Fate]:
    """Take back what an import said of records; what became of them. Idempotent: what is taken back already is passed over.

    Locks the source records in the order of keys, as ingest does.
    """
    now = clock.now()
    stored = _locked(session, record_ids)
    left = record_log.said_by(session, job_id, list(stored))
    logs = record_log.read(session, left)
    never = Stands(NOBODY_SAYS, 0, now)
    records = [
        _Record(*stored[one], replay(without_import(logs[one].held, job_id)) or never)  # As if it had never come.
        for one in stored
        if one in logs
    ]
    changed = {one.record_id for one in records if one.says_otherwise}
    record_log.withdraw(session, {one: one in changed for one in left}, job_id, undo_job_id, now)
    _stand(session, [one for one in records if one.before != one.after])
    _file(session, policy, [one for one in records if one.record_id in changed])
    consent_undo.take_back(session, policy, shipped(), [one.record_id for one in records], now)
    return Counter(one.fate for one in records)


def _locked(session: Session, record_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[OfRecord, Stands]]:
    found = sql.rows(
        session,
        """SELECT record_id, source, brand, region,
             payload_hash, is_deleted, source_version, source_updated_at, version_no, received_at
           FROM source_record WHERE record_id = ANY(%s) ORDER BY source, source_key FOR NO KEY UPDATE""",
        [list(record_ids)],
    )
    return {row[0]: (OfRecord(*row[:4]), _stands(*row[4:])) for row in found}


def _stands(
    digest: bytes, is_deleted: bool, version: int | None, at: datetime | None, version_no: int, received_at: datetime
) -> Stands:
    mark = Mark(version, at)
    return Stands(Current(Version(bytes(digest), is_deleted, mark), mark), version_no, received_at)


def _stand(session: Session, records: Sequence[_Record]) -> None:
    """Make records stand at what counts still."""
    sql.run(
        session,
        """UPDATE source_record s SET version_no = r.no, is_deleted = r.deleted, source_version = r.version,
             source_updated_at = r.at, received_at = r.received, payload_hash = r.hash
           FROM unnest(%(ids)s::uuid[], %(numbers)s::int[], %(deleted)s::boolean[], %(versions)s::bigint[],
                       %(times)s::timestamptz[], %(received)s::timestamptz[], %(hashes)s::bytea[])
             AS r (id, no, deleted, version, at, received, hash)
           WHERE s.record_id = r.id""",
        {
            "ids": [one.record_id for one in records],
            "numbers": [one.after.version_no for one in records],
            "deleted": [one.after.current.version.is_deleted for one in records],
            "versions": [one.after.current.mark.source_version for one in records],
            "times": [one.after.current.mark.source_updated_at for one in records],
            "received": [one.after.received_at for one in records],
            "hashes": [one.after.current.version.payload_hash for one in records],
        },
    )


def _file(session: Session, policy: Policy, records: Sequence[_Record]) -> None:
    """Standardize what has become current, take what ended out of the indexes, ask for resolution, and say so."""
    if not records:
        return
    ids = [one.record_id for one in records]
    restandardize.follow(session, policy, ids)
    closure.lock(session, ids)
    sql.run(session, "UPDATE crosswalk SET state = 'pending' WHERE record_id = ANY(%s)", [ids])
    pending.request(session, ids, REASON)
    outbox.emit_all(session, [one.of.event(WITHDRAWN, one.after.version_no, REASON) for one in records])
