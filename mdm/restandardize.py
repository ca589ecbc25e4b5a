"""Standardizes stored payloads again: to check what is stored, and to renew what an older program or policy made.

Opens sealed payloads, so only verification's deep form and the first resolution under another version set run it.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import orjson
from sqlmodel import Session

from kernel import clock
from kernel.errors import NotFound
from kernel.settings import settings
from mdm import key_rows, payloads, program, record_rows, search_index, sql
from mdm import policy as policies
from mdm.differences import Difference, Kind
from mdm.incoming import Incoming, Prepared, SourceRules, prepare
from mdm.mapping_values import Problem
from mdm.policy import Policy
from mdm.record_rows import StandardRow
from mdm.sealing import DataKey
from mdm.standardized import standardized

_STORED = """
SELECT s.record_id, s.source, s.source_key, s.policy_version, s.version_no, s.observed_at, k.wrapped_key, v.sealed_payload
FROM standard_record s JOIN source_record r USING (record_id) JOIN record_data_key k USING (record_id)
JOIN record_version v ON v.record_id = s.record_id AND v.version_no = s.version_no
WHERE s.record_id = ANY(%(ids)s)"""
# What these versions made already, or refused already, needs no second reading.
_OLDER = """(s.standardizer, s.policy_version) <> (%(standardizer)s, %(policy)s)
  AND (s.refused_standardizer, s.refused_policy) IS DISTINCT FROM (%(standardizer)s, %(policy)s)"""
_STALE = f" AND {_OLDER} ORDER BY s.source, s.source_key"
_REFUSED = """
UPDATE standard_record s SET refusal = r.refusal, refused_standardizer = %(standardizer)s, refused_policy = %(policy)s
FROM unnest(%(ids)s::uuid[], %(refusals)s::text[]) AS r (id, refusal) WHERE s.record_id = r.id"""
# Versions that come back make good what others refused in between.
_GOOD_AGAIN = "s.refusal IS NOT NULL AND (s.standardizer, s.policy_version) = (%(standardizer)s, %(policy)s)"
_MADE_GOOD = f"""
UPDATE standard_record s SET refusal = NULL, refused_standardizer = NULL, refused_policy = NULL
WHERE s.record_id = ANY(%(ids)s) AND {_GOOD_AGAIN}"""  # noqa: S608 - a constant above.
# What a source no longer named left behind stays as an older standardizer wrote it: nothing is merged with it.
_NOT_LEFT = " AND (s.standardizer = %(standardizer)s OR s.source = ANY(%(named)s))"
_LOCKED = " FOR NO KEY UPDATE OF r"
RulesOf = Callable[[str, int], SourceRules]


@dataclass(frozen=True, slots=True)
class _Again:
    """A record whose payload was opened. `row` is None when the rules cannot read it; `refusal` says why, where they name it."""

    record_id: uuid.UUID
    row: StandardRow | None
    refusal: Problem | None = None


def differences(session: Session, record_ids: Sequence[uuid.UUID]) -> Iterator[Difference]:
    """Compare the standard records (and their blocking keys) of living records with their payloads, standardized again."""

    @cache
    def rules(source: str, policy_version: int) -> SourceRules:
        return _rules(policies.by_version(session, policy_version), source)

    stored = _said(session, record_ids)
    params = {"ids": list(record_ids), "standardizer": program.stamp(), "named": list(policies.current(session).sources)}
    for again in _again(session, _STORED + _NOT_LEFT, params, rules):
        record_id = str(again.record_id)
        if again.row is None:
            yield Difference(Kind.STANDARD_RECORD, record_id, "payload_unreadable")
            continue
        stored_hash, body, keys, appraised, form, searched = stored[again.record_id]
        if orjson.loads(again.row.said.body) != orjson.loads(body) or again.row.said.form_hash != bytes(stored_hash):
            yield Difference(Kind.STANDARD_RECORD, record_id, "says_something_else")
        if sorted(key for key, _, _ in key_rows.unpacked(again.row.said.keys)) != list(keys or ()):
            yield Difference(Kind.STANDARD_RECORD, record_id, "filed_elsewhere")
        if again.row.said.terms != frozenset(searched or ()):
            yield Difference(Kind.STANDARD_RECORD, record_id, "searched_otherwise")
        if form is not None and form != again.row.said.form:  # None: stored before there were any.
            yield Difference(Kind.STANDARD_RECORD, record_id, "compared_otherwise")
        if appraised is not None and tuple(appraised) != again.row.said.appraisal:  # None: stored before there were appraisals.
            yield Difference(Kind.STANDARD_RECORD, record_id, "appraised_otherwise")


def stale(session: Session, policy: Policy) -> list[uuid.UUID]:
    """Name the records that `refresh` has anything to do for, in the order in which it locks them."""
    params = {"standardizer": program.stamp(), "policy": policy.version}
    which = f"SELECT s.record_id FROM standard_record s WHERE ({_OLDER}) OR ({_GOOD_AGAIN}) ORDER BY s.source, s.source_key"  # noqa: S608 - constants.
    return [row[0] for row in sql.rows(session, which, params)]


def refresh(session: Session, policy: Policy, record_ids: Sequence[uuid.UUID]) -> int:
    """Renew the standard records that another program or policy made; how many there were.

    Locks their source records in the order of keys, as ingest does. What the policy no longer reads stays as it was: a source it
    no longer names is merged with nothing, and a payload it refuses was usable when it came; that is noted with its reason.
    """

    @cache
    def rules(source: str, _policy_version: int) -> SourceRules:
        return _rules(policy, source)

    params = {"ids": list(record_ids), "standardizer": program.stamp(), "policy": policy.version}
    rows: list[StandardRow] = []
    refused: dict[uuid.UUID, str] = {}
    for again in _again(session, _STORED + _STALE + _LOCKED, params, rules):
        if again.row is not None:
            rows.append(again.row)
        elif again.refusal is not None:
            refused[again.record_id] = f"{again.refusal.code}:{again.refusal.field}"
    record_rows.lock_standard(session, [*refused, *(row.record_id for row in rows)])
    if refused:
        sql.run(session, _REFUSED, {**params, "ids": list(refused), "refusals": list(refused.values())})
    sql.run(session, _MADE_GOOD, params)
    if rows:
        record_rows.replace_standard(session, rows, (program.stamp(), policy.version))
        record_rows.file_keys(session, rows, [row.record_id for row in rows])
        search_index.file_terms(session, rows, [row.record_id for row in rows])
        record_rows.move(session, rows)
    return len(rows)


def _rules(policy: Policy, source: str) -> SourceRules:
    return SourceRules.of(policy, source, settings().secret_for("payload-hash"))


def _said(session: Session, record_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, sql.Row]:
    found = sql.rows(
        session,
        """SELECT s.record_id, s.form_hash, s.body::text,
             (SELECT array_agg(b.blocking_key ORDER BY b.blocking_key) FROM blocking_key b WHERE b.record_id = s.record_id),
             s.appraisal, s.form, (SELECT array_agg(t.term) FROM search_term t WHERE t.record_id = s.record_id)
           FROM standard_record s WHERE s.record_id = ANY(%s)""",
        [list(record_ids)],
    )
    return {row[0]: row[1:] for row in found}


def _again(session: Session, statement: str, params: Mapping[str, object], rules: RulesOf) -> Iterator[_Again]:
    """Open the payloads that a statement names and standardize them by the rules of their source."""
    secret = settings().secret_for("blocking")
    for record_id, source, key, policy_version, version_no, observed_at, wrapped, sealed in sql.rows(session, statement, params):
        try:
            said = rules(source, policy_version)
        except NotFound:
            yield _Again(record_id, None)
            continue
        raw = DataKey.unwrap(record_id, bytes(wrapped)).open(bytes(sealed))
        parsed = payloads.parse(raw)
        prepared = prepare(said, Incoming(key, parsed, raw=raw), clock.now()) if isinstance(parsed, dict) else parsed
        if not isinstance(prepared, Prepared):
            yield _Again(record_id, None, prepared)
            continue
        made = standardized(prepared.input, said.context, secret, prepared.notes)
        row = StandardRow(record_id, version_no, source, key, said.source.brand, prepared.region or "", observed_at, made)
        yield _Again(record_id, row)
