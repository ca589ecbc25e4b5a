"""Values that stewards set by hand, as they are stored: a sealed statement, and the decision that ties it to records.

A statement is never edited: it is superseded with its decision, or expires. What it says is sealed as payloads are, so that an
edit past this module does not open. Owns steward_record; which golden record an override belongs to is `mdm.override_values`'.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlmodel import Session

from mdm import pending, sql, steward_decisions
from mdm.decisions import StewardDecision
from mdm.override_values import REASON_CODE, Override, home
from mdm.sealing import DataKey
from mdm.steward_decisions import Said
from mdm.versions import VersionSet

EXPIRED = "override_expired"
# Asked for at the expiry and once more when every worker's clock has passed it: one that is behind may have counted it still.
ASKED_AGAIN_AFTER = timedelta(seconds=60)
ASKED_AT_MOST = 2


@dataclass(frozen=True, slots=True)
class KeptOverride:
    """An override as the log keeps it, withdrawn or not."""

    override: Override
    reason: str | None
    withdrawn_at: datetime | None

    def state(self, now: datetime) -> str:
        """Say in one word whether it counts: in_force, expired or withdrawn."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        expires_at = self.override.expires_at
        return "expired" if expires_at is not None and expires_at <= now else "in_force"


# Each record descends the index of overrides by itself (OFFSET 0, as in mdm.decisions): against all records at once PostgreSQL
# holds every override (with 20,000 of them, about 1,000 records: 370 ms; so 3 ms). Where there are none nothing is looked up.
_ROWS = """WITH said AS (
             SELECT DISTINCT one.decision_id FROM unnest(%s::uuid[]) AS mine (record_id) CROSS JOIN LATERAL (
               SELECT decision_id FROM decision
               WHERE reason_code = 'override' AND right_records @> ARRAY[mine.record_id] OFFSET 0) AS one
             WHERE EXISTS (SELECT FROM steward_record))
           SELECT s.record_id, d.right_records, d.author, d.created_at, d.reason, d.superseded_at, s.wrapped_key,
             s.sealed_statement
           FROM said JOIN decision d USING (decision_id) JOIN steward_record s ON s.record_id = said.decision_id
           WHERE s.wrapped_key IS NOT NULL"""


def about(session: Session, record_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Override]:
    """Read the overrides said of any of the records that were not withdrawn, expired ones among them."""
    found = sql.rows(session, f"{_ROWS} AND d.superseded_at IS NULL", [list(record_ids)]) if record_ids else []
    return {row[0]: _kept(row).override for row in found}


def said_of(session: Session, record_ids: Collection[uuid.UUID]) -> list[KeptOverride]:
    """Read all overrides that were ever said of any of the records, the latest first."""
    found = sql.rows(session, f"{_ROWS} ORDER BY s.record_id DESC", [list(record_ids)])
    return [_kept(row) for row in found]


def _kept(row: sql.Row) -> KeptOverride:
    override_id, records, author, set_at, reason, withdrawn_at, wrapped, sealed = row
    said: dict[str, Any] = orjson.loads(DataKey.unwrap(override_id, bytes(wrapped)).open(bytes(sealed)))
    expires_at = datetime.fromisoformat(said["expires_at"]) if said["expires_at"] else None
    override = Override(override_id, said["attribute"], said["value"], author, set_at, expires_at, frozenset(records))
    return KeptOverride(override, reason, withdrawn_at)


def home_of(session: Session, override: Override) -> uuid.UUID | None:
    """Find the golden record that an override belongs to as the crosswalk stands; None while none of its records lives."""
    rows = sql.rows(
        session,
        """SELECT c.record_id, c.golden_id, r.created_at, c.source, c.source_key
           FROM crosswalk c JOIN source_record r USING (record_id)
           WHERE c.record_id = ANY(%s) AND NOT r.is_deleted AND c.golden_id IS NOT NULL""",
        [list(override.records)],
    )
    return home(override.records, {row[0]: row[1] for row in rows}, {row[0]: row[2:] for row in rows})


def store(session: Session, of: VersionSet, override: Override, reason: str) -> None:
    """Write an override with its decision, and ask for the records that it is said of."""
    said = StewardDecision(override.override_id, "match", frozenset({override.override_id}), override.records)
    steward_decisions.make(session, of, said, Said(override.author, REASON_CODE, reason))
    key = DataKey.new(override.override_id)
    statement = {"attribute": override.attribute, "value": override.value, "expires_at": override.expires_at}
    sql.run(
        session,
        """INSERT INTO steward_record (record_id, attribute, expires_at, wrapped_key, sealed_statement)
           VALUES (%s, %s, %s, %s, %s)""",
        [override.override_id, override.attribute, override.expires_at, key.wrapped, key.seal(orjson.dumps(statement))],
    )


def ask_expired(session: Session, now: datetime) -> int:
    """Ask for the records of overrides that have expired, twice each (see ASKED_AGAIN_AFTER); the number of records asked for."""
    found = sql.rows(
        session,
        """WITH due AS (
             SELECT record_id FROM steward_record
             WHERE expiry_asked < %(most)s AND expires_at <= %(now)s AND expires_at + expiry_asked * %(again)s <= %(now)s
             ORDER BY record_id FOR UPDATE SKIP LOCKED),
           asked AS (
             UPDATE steward_record s SET expiry_asked = s.expiry_asked + 1 FROM due WHERE s.record_id = due.record_id
             RETURNING s.record_id)
           SELECT DISTINCT c.record_id FROM asked JOIN decision d ON d.decision_id = asked.record_id AND d.superseded_at IS NULL
           CROSS JOIN LATERAL unnest(d.right_records) AS said (record_id) JOIN crosswalk c ON c.record_id = said.record_id""",
        {"most": ASKED_AT_MOST, "now": now, "again": ASKED_AGAIN_AFTER},
    )
    return pending.request(session, [row[0] for row in found], EXPIRED, pending.INTERACTIVE_PRIORITY, fresh=False)
