"""Lets go of one attribute of records: out of all versions of their payloads, what is filed of them, the past of golden records.

The hash of a payload stays, so that a source which sends the same again is told that nothing changed, and brings nothing back.
What the golden record says follows when the records are resolved, which is asked for. In the caller's transaction; idempotent.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from sqlmodel import Session

from mdm import decisions, erasing, kept_days, payloads, pending, restandardize, sql
from mdm import policy as policies
from mdm.drafts import rehash
from mdm.erasing import Subject
from mdm.policy import Policy
from mdm.sealing import DataKey

Id = uuid.UUID
REASON = "value_released"
_VERSIONS = """
SELECT v.record_id, v.version_no, v.received_at, r.source, k.wrapped_key, v.sealed_payload
FROM record_version v JOIN source_record r USING (record_id) JOIN record_data_key k USING (record_id)
WHERE v.record_id = ANY(%s) AND v.sealed_payload IS NOT NULL"""
_RESEAL = "UPDATE record_version SET sealed_payload = %s WHERE record_id = %s AND version_no = %s AND received_at = %s"
# A version of a record is one immutable text, which whoever has read it may remember: what is written anew is another version.
# All of a record are numbered on, with the deliveries between them, so that they stand in the order in which they came.
_NUMBERS = """
SELECT r.record_id, greatest(r.version_no, max(v.version_no)) FROM source_record r JOIN record_version v USING (record_id)
WHERE r.record_id = ANY(%s) AND NOT r.is_deleted AND r.rekeyed_to IS NULL GROUP BY r.record_id"""
_BY = "unnest(%(ids)s::uuid[], %(by)s::int[]) AS n (record_id, by)"
_NUMBERED_ON = (
    f"UPDATE record_version v SET version_no = version_no + n.by FROM {_BY} WHERE v.record_id = n.record_id",
    f"""UPDATE record_sighting s SET version_no = version_no + n.by, after_no = after_no + n.by FROM {_BY}
        WHERE s.record_id = n.record_id""",
    f"UPDATE source_record r SET version_no = version_no + n.by FROM {_BY} WHERE r.record_id = n.record_id",
)
_PAST = """
SELECT golden_id, version, computed_at, body::text FROM golden_version
WHERE members && %(ids)s::uuid[] AND body -> 'values' ? %(group)s"""
_SAID = """
SELECT d.decision_id FROM decision d JOIN steward_record s ON s.record_id = d.decision_id
WHERE d.reason_code = 'override' AND d.right_records && %(ids)s::uuid[] AND d.created_at < %(before)s
  AND s.attribute = %(attribute)s AND s.sealed_statement <> ''"""
_EMPTIED = """
UPDATE steward_record SET wrapped_key = NULL, sealed_statement = '', attribute = '', expires_at = NULL
WHERE record_id = ANY(%s)"""


def let_go(session: Session, policy: Policy, record_ids: Sequence[Id], attribute: str, before: datetime) -> int:
    """Let go of an attribute of records, and of what stewards set of it before a time; of how many records it is held still.

    Held still is what cannot be opened, or comes from the policy itself (a constant). Locks the records.
    """
    erasing.lock(session, Subject(tuple(record_ids), (), ()))
    held_it = sorted(_rewrite(session, record_ids, _paths(session, attribute)))
    _number_on(session, held_it)
    restandardize.follow(session, policy, held_it)
    _strip_past(session, attribute, record_ids)
    said = [row[0] for row in sql.rows(session, _SAID, {"ids": list(record_ids), "before": before, "attribute": attribute})]
    decisions.supersede(session, said, REASON)
    sql.run(session, _EMPTIED, [said])
    pending.request(session, list(record_ids) if said else held_it, REASON, fresh=False)
    bodies = sql.rows(session, "SELECT body::text FROM standard_record WHERE record_id = ANY(%s)", [list(record_ids)])
    return sum(kept_days.holds(orjson.loads(text), attribute) for (text,) in bodies)


def _paths(session: Session, attribute: str) -> Mapping[str, Collection[str]]:
    """Where payloads of each source may hold an attribute, by every policy under which one was ever taken in."""
    found: dict[str, set[str]] = {}
    for (version,) in sql.rows(session, "SELECT policy_version FROM policy_version"):
        for name, source in policies.by_version(session, version).sources.items():
            found.setdefault(name, set()).update(kept_days.paths(source, attribute))
    return found


def _rewrite(session: Session, record_ids: Sequence[Id], paths: Mapping[str, Collection[str]]) -> set[Id]:
    """Write payloads anew without what stands at the paths of their source; the records of which one said anything there."""
    held_it: set[Id] = set()
    for record_id, version_no, received_at, source, wrapped, sealed in sql.rows(session, _VERSIONS, [list(record_ids)]):
        try:
            key = DataKey.unwrap(record_id, bytes(wrapped))
            said = orjson.loads(key.open(bytes(sealed)))
        except (InvalidTag, ValueError):  # Altered past its writers: verification names it.
            continue
        left = said
        for path in paths.get(source, ()):
            left = kept_days.dropped(left, path.split("."))
        if left is not said:
            sql.run(session, _RESEAL, [key.seal(payloads.dumps(left)), record_id, version_no, received_at])
            held_it.add(record_id)
    return held_it


def _number_on(session: Session, record_ids: Sequence[Id]) -> None:
    numbers = sql.rows(session, _NUMBERS, [list(record_ids)])
    for statement in _NUMBERED_ON if numbers else ():
        sql.run(session, statement, {"ids": [row[0] for row in numbers], "by": [row[1] for row in numbers]})


def _strip_past(session: Session, attribute: str, record_ids: Sequence[Id]) -> None:
    group = attribute.partition(".")[0]
    gone = {str(one) for one in record_ids}
    for golden_id, version, computed_at, text in sql.rows(session, _PAST, {"ids": list(record_ids), "group": group}):
        body = orjson.loads(text)
        left = _without(body, attribute, gone)
        if left is not body:
            sql.run(session, erasing.STRIPPED, [orjson.dumps(left).decode(), rehash(left), golden_id, version, computed_at])


def _without(body: dict[str, Any], attribute: str, gone: Collection[str]) -> dict[str, Any]:
    """Take an attribute out of a golden record's body where one of some records brought anything to it."""
    group, _, own = attribute.partition(".")
    held = body["values"][group]
    if not own:
        named = erasing.names(orjson.dumps(held), gone)
        return {**body, "values": {name: one for name, one in body["values"].items() if name != group}} if named else body
    if own not in held["value"] or not erasing.names(orjson.dumps(held["provenance"].get(own)), gone):
        return body
    left = {part: {name: one for name, one in of.items() if name != own} for part, of in held.items()}
    return {**body, "values": {**body["values"], group: left}}
