"""Reads one source record as it stands, payload opened, and audits that somebody did."""

from typing import Any

import orjson
from sqlmodel import Session

from kernel import audit
from kernel.actor import Principal
from kernel.errors import NotFound
from mdm import appraisal, sql
from mdm.lookup import resolution
from mdm.sealing import DataKey

RECORD = """
SELECT r.record_id, r.version_no, r.is_deleted, r.source_version, r.source_updated_at, r.received_at,
       c.state, c.golden_id::text, p.record_id IS NOT NULL, p.quarantined_at IS NOT NULL,
       s.body::text, s.appraisal, k.wrapped_key, v.sealed_payload
FROM source_record r
JOIN crosswalk c USING (record_id)
LEFT JOIN pending_record p USING (record_id)
LEFT JOIN standard_record s USING (record_id)
LEFT JOIN record_data_key k USING (record_id)
LEFT JOIN LATERAL (SELECT sealed_payload FROM record_version v
                   WHERE v.record_id = r.record_id AND v.version_no = r.version_no ORDER BY v.received_at DESC LIMIT 1) v ON true
WHERE r.source = %s AND r.source_key = %s AND r.rekeyed_to IS NULL
"""


def read(session: Session, caller: Principal, source: str, key: str) -> dict[str, Any]:
    """Read a record by its source and key, in the caller's row scope, as JSON-ready data. Raises: NotFound."""
    found = sql.rows(session, RECORD, [source, key])
    if not found:
        detail = "The source has put no record under this key, or none that the API key may see."
        raise NotFound("There is no such record", code="unknown_record", detail=detail)
    (
        record_id,
        version_no,
        is_deleted,
        source_version,
        source_updated_at,
        received_at,
        *stands,
        body,
        appraised,
        wrapped,
        sealed,
    ) = found[0]
    audit.record(session, caller.actor, "record.read", "record", str(record_id))
    readable = not is_deleted and wrapped is not None and sealed is not None
    return {
        "record_id": record_id,
        "source": source,
        "version_no": version_no,
        "is_deleted": is_deleted,
        "source_version": source_version,
        "source_updated_at": source_updated_at,
        "received_at": received_at,
        "resolution": resolution(*stands),
        "golden_id": stands[1],
        "payload": orjson.Fragment(DataKey.unwrap(record_id, bytes(wrapped)).open(bytes(sealed))) if readable else None,
        "standard": orjson.Fragment(body) if body and not is_deleted else None,
        "quality": appraisal.told(appraised) if appraised is not None and not is_deleted else None,
    }
