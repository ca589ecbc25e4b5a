"""Give a record another source key: its source renamed it. The record, its versions and its golden id stay.

The old key keeps a marker, so that a late delivery under it is told to use the new one instead of making a second record.
"""

import uuid

from sqlmodel import Session

from kernel import clock, outbox
from kernel.actor import Principal
from kernel.errors import Conflict, Forbidden, Invalid, NotFound
from mdm import pending, record_rows, sql
from mdm.incoming import DELETION_HASH, key_problem
from mdm.policy import Policy

REKEYED = "record.rekeyed"


def rekey(session: Session, policy: Policy, source: str, old_key: str, new_key: str, principal: Principal) -> uuid.UUID:
    """Rename a record's key; its id. Idempotent: done again, it changes nothing.

    Locks both keys in order. Raises: NotFound, Forbidden, Invalid (bad key), Conflict (key_taken, key_was_renamed).
    """
    declared = policy.source(source)
    if principal.scope.brands is not None and declared.brand not in principal.scope.brands:
        raise Forbidden("This key may not write records of this source's brand", code="outside_scope")
    problem = key_problem(new_key)
    if problem is not None:
        raise Invalid("The new key cannot be used", code=problem.code)
    found = record_rows.locked(session, source, [old_key, new_key])
    old, new = found.get(old_key), found.get(new_key)
    if old is None:
        raise NotFound("The source has no record of this key", code="unknown_record")
    if old.rekeyed or old_key == new_key:
        return _renamed_before(session, old.record_id, old_key, new_key)
    if new is not None and not (new.rekeyed and _target(session, new.record_id) == old.record_id):
        raise Conflict("The new key belongs to another record", code="key_taken")
    if new is not None:  # Renamed back: the marker that the first renaming left makes room.
        for table in ("crosswalk", "source_record"):
            sql.run(session, f"DELETE FROM {table} WHERE record_id = %s", [new.record_id])  # noqa: S608 - two names of ours
    _rename(session, source, declared.brand, old, (old_key, new_key))
    pending.request(session, [old.record_id], "rekeyed", pending.INTERACTIVE_PRIORITY)
    outbox.emit(session, REKEYED, old.record_id, old.version_no, {"source": source, "cause": "rekeyed"})
    return old.record_id


def _rename(session: Session, source: str, brand: str, old: record_rows.Stored, keys: tuple[str, str]) -> None:
    """Move every copy of the key, point the record's children at the new one, and mark the old."""
    for table in ("source_record", "standard_record", "crosswalk"):
        sql.run(session, f"UPDATE {table} SET source_key = %s WHERE record_id = %s", [keys[1], old.record_id])  # noqa: S608 - three names of ours
    sql.run(
        session,
        "UPDATE source_record SET parent_key = %s WHERE parent_source = %s AND parent_key = %s",
        [keys[1], source, keys[0]],
    )
    marker = {"id": clock.uuid7(), "source": source, "key": keys[0], "brand": brand, "region": old.region}
    sql.run(
        session,
        """INSERT INTO source_record (record_id, source, source_key, brand, region, version_no, is_deleted, received_at,
                                      payload_hash, rekeyed_to)
           VALUES (%(id)s, %(source)s, %(key)s, %(brand)s, %(region)s, 0, true, %(now)s, %(hash)s, %(target)s)""",
        marker | {"now": clock.now(), "hash": DELETION_HASH, "target": old.record_id},
    )
    sql.run(
        session,
        """INSERT INTO crosswalk (record_id, source, source_key, brand, region, state, version_no)
           VALUES (%(id)s, %(source)s, %(key)s, %(brand)s, %(region)s, 'deleted', 0)""",
        marker,
    )


def _target(session: Session, marker_id: uuid.UUID) -> uuid.UUID | None:
    found = sql.rows(session, "SELECT rekeyed_to FROM source_record WHERE record_id = %s", [marker_id])
    target: uuid.UUID | None = found[0][0] if found else None
    return target


def _renamed_before(session: Session, record_id: uuid.UUID, old_key: str, new_key: str) -> uuid.UUID:
    if old_key == new_key:
        return record_id
    found = sql.rows(
        session,
        """SELECT t.record_id, t.source_key FROM source_record m JOIN source_record t ON t.record_id = m.rekeyed_to
           WHERE m.record_id = %s""",
        [record_id],
    )
    target, now_named = found[0]
    if now_named != new_key:
        raise Conflict("This key was given up for another one before", code="key_was_renamed")
    renamed: uuid.UUID = target
    return renamed
