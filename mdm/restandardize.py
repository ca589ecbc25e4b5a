"""Standardizes stored payloads again and compares: does every standard record still say what its payload says?

Opens sealed payloads, so only verification's deep form runs it. Writes nothing.
"""

import uuid
from collections.abc import Iterator, Sequence
from functools import cache

import orjson
from sqlmodel import Session

from kernel import clock
from kernel.settings import settings
from matching import blocking
from matching.record import to_json
from matching.standardize import form_hash, standardize
from mdm import payloads, sql
from mdm import policy as policies
from mdm.differences import Difference, Kind
from mdm.incoming import Incoming, Prepared, SourceRules, prepare
from mdm.sealing import DataKey

_STORED = """
SELECT s.record_id, s.source, s.source_key, s.policy_version, s.form_hash, s.body::text, k.wrapped_key, v.sealed_payload,
  (SELECT array_agg(b.blocking_key ORDER BY b.blocking_key) FROM blocking_key b WHERE b.record_id = s.record_id)
FROM standard_record s JOIN record_data_key k USING (record_id)
JOIN record_version v ON v.record_id = s.record_id AND v.version_no = s.version_no
WHERE s.record_id = ANY(%s)"""


def differences(session: Session, record_ids: Sequence[uuid.UUID]) -> Iterator[Difference]:
    """Compare the standard records (and their blocking keys) of living records with their payloads, standardized again."""

    @cache
    def rules(source: str, policy_version: int) -> SourceRules:
        policy = policies.by_version(session, policy_version)
        return SourceRules.of(policy, source, settings().secret_for("payload-hash"))

    secret = settings().secret_for("blocking")
    for record_id, source, key, policy_version, stored_hash, body, wrapped, sealed, keys in sql.rows(
        session, _STORED, [list(record_ids)]
    ):
        said = rules(source, policy_version)
        raw = DataKey.unwrap(record_id, bytes(wrapped)).open(bytes(sealed))
        parsed = payloads.parse(raw)
        prepared = prepare(said, Incoming(key, parsed, raw=raw), clock.now()) if isinstance(parsed, dict) else parsed
        if not isinstance(prepared, Prepared):
            yield Difference(Kind.STANDARD_RECORD, str(record_id), "payload_unreadable")
            continue
        standard = standardize(prepared.input, said.context)
        wanted = orjson.loads(orjson.dumps(to_json(standard)))
        if wanted != orjson.loads(body) or form_hash(standard) != bytes(stored_hash):
            yield Difference(Kind.STANDARD_RECORD, str(record_id), "says_something_else")
        if sorted({one for _, one in blocking.keys(standard, secret)}) != list(keys or ()):
            yield Difference(Kind.STANDARD_RECORD, str(record_id), "filed_elsewhere")
