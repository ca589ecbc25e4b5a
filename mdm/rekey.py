"""Gives a record another key because its source did. The record, its history and its golden id stay; the old key is given up.

The old key is kept as a row that points to the record, so that a late delivery under it is refused and becomes nobody new.
"""

import uuid

from sqlmodel import Session

from kernel import audit, clock, outbox
from kernel.actor import Principal
from kernel.errors import Conflict, NotFound
from mdm import pending, sql
from mdm.events import REKEYED, OfRecord

BOTH = """
SELECT source_key, record_id, rekeyed_to, version_no, brand, region FROM source_record
WHERE source = %s AND source_key = ANY(%s) ORDER BY source_key FOR UPDATE
"""
# What is known of a key that was given up: only whose it was.
STUB = """
INSERT INTO source_record
  (record_id, source, source_key, brand, region, version_no, is_deleted, received_at, payload_hash, rekeyed_to)
SELECT %s, source, %s, brand, region, 0, true, now(), '', record_id FROM source_record WHERE record_id = %s
"""
AWAY = "UPDATE source_record SET source_key = %s WHERE record_id = %s"


def rekey(session: Session, caller: Principal, source: str, old_key: str, new_key: str) -> uuid.UUID:
    """Rename a record's key; the record's id. Idempotent. Locks both keys' records, in the order of keys.

    Raises: NotFound for an unknown old key; Conflict when the new key is another record's (or was one's), or the old one went to
    another key. A record may be renamed back.
    """
    found = {row[0]: row[1:] for row in sql.rows(session, BOTH, [source, sorted({old_key, new_key})])}
    if old_key not in found:
        detail = "The source has put no record under this key, or none that the API key may see."
        raise NotFound("There is no such record", code="unknown_record", detail=detail)
    record_id, rekeyed_to, version_no, brand, region = found[old_key]
    taken = found.get(new_key)
    if old_key == new_key or (taken is not None and rekeyed_to == taken[0]):
        return uuid.UUID(str(rekeyed_to or record_id))
    if rekeyed_to is not None:
        raise Conflict("The key was given up for another one", code="key_was_renamed")
    if taken is not None and taken[1] != record_id:
        raise Conflict("The new key is another record's, or was given up by one", code="key_in_use")
    _rename(session, record_id, source, old_key, new_key, taken[0] if taken else None)
    audit.record(session, caller.actor, "record.rekeyed", "record", str(record_id))
    outbox.emit(session, OfRecord(record_id, source, brand, region).event(REKEYED, version_no, "rekeyed"))
    return uuid.UUID(str(record_id))


def _rename(session: Session, record_id: uuid.UUID, source: str, old_key: str, new_key: str, stub_id: uuid.UUID | None) -> None:
    """Move the record to its new key, and leave a stub at the old one: when renamed back, the stub that stands in the way."""
    if stub_id is not None:
        sql.run(session, AWAY, [str(clock.uuid7()), stub_id])
    for table in ("source_record", "standard_record", "crosswalk"):
        sql.run(session, f"UPDATE {table} SET source_key = %s WHERE record_id = %s", [new_key, record_id])
    if stub_id is not None:
        sql.run(session, AWAY, [old_key, stub_id])
    else:
        sql.run(session, STUB, [clock.uuid7(), old_key, record_id])
    children = "UPDATE source_record SET parent_key = %s WHERE parent_source = %s AND parent_key = %s"
    sql.run(session, children, [new_key, source, old_key])
    sql.run(session, "UPDATE crosswalk SET state = 'pending' WHERE record_id = %s AND state <> 'deleted'", [record_id])
    pending.request(session, [record_id], "rekeyed", pending.INTERACTIVE_PRIORITY)
