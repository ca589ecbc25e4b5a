"""Standardizes stored payloads again: to check what is stored, and to renew what an older program or policy made.

Opens sealed payloads, so only verification's deep form and the first resolution under another version set run it.
"""

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import orjson
from cryptography.exceptions import InvalidTag
from sqlmodel import Session

from kernel import clock
from kernel.errors import NotFound, Unavailable
from kernel.settings import settings
from mdm import key_rows, payloads, pending, program, record_rows, search_index, sql
from mdm import policy as policies
from mdm.differences import Difference, Kind
from mdm.incoming import Incoming, Prepared, SourceRules, prepare
from mdm.mapping_values import Problem
from mdm.policy import Policy
from mdm.record_rows import StandardRow
from mdm.sealing import DataKey
from mdm.standardized import standardized

MOST_TRIED = 20  # Keys of other records, to tell a secret that is another one from a key that was altered.
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
WHERE s.record_id = ANY(%(ids)s) AND {_GOOD_AGAIN}"""
# What a source no longer named left behind stays as an older standardizer wrote it: nothing is merged with it.
_NOT_LEFT = " AND (s.standardizer = %(standardizer)s OR s.source = ANY(%(named)s))"
_LOCKED = " FOR NO KEY UPDATE OF r"
# Every living record, whether or not it has a standard record: read by the policy that its standard record names, where this
# program made that, else by the one in force.
_LIVING = f"""
SELECT r.record_id, r.source, r.source_key,
  CASE WHEN s.standardizer = %(standardizer)s AND p.policy_version IS NOT NULL THEN s.policy_version ELSE %(policy)s END,
  r.version_no, coalesce(r.source_updated_at, r.received_at), k.wrapped_key, v.sealed_payload
FROM source_record r JOIN record_data_key k USING (record_id)
JOIN record_version v ON v.record_id = r.record_id AND v.version_no = r.version_no
LEFT JOIN standard_record s ON s.record_id = r.record_id LEFT JOIN policy_version p ON p.policy_version = s.policy_version
WHERE r.record_id = ANY(%(ids)s) AND NOT r.is_deleted AND r.rekeyed_to IS NULL AND (s.record_id IS NULL OR (true{_NOT_LEFT}))"""
_IN_ORDER = " ORDER BY r.source, r.source_key"
RulesOf = Callable[[str, int], SourceRules]


@dataclass(frozen=True, slots=True)
class _Again:
    """A record whose payload was opened. `row` is None when the rules cannot read it; `refusal` says why, where they name it.
    `unopened`: what came of opening a payload that was altered."""

    record_id: uuid.UUID
    row: StandardRow | None
    policy_version: int = 0
    refusal: Problem | None = None
    unopened: Exception | None = None
    parent: str | None = None


def differences(session: Session, record_ids: Sequence[uuid.UUID]) -> Iterator[Difference]:
    """Compare the standard records (and their blocking keys) of living records with their payloads, standardized again."""

    policy = policies.current(session)
    stored = _said(session, record_ids)
    for again in _again(session, _LIVING, _params(policy, record_ids), _rules_of_each(session)):
        for problem in _problems(again, stored.get(again.record_id)):
            yield Difference(Kind.STANDARD_RECORD, str(again.record_id), problem)
    yield from _without_payload(session, record_ids)


def _without_payload(session: Session, record_ids: Sequence[uuid.UUID]) -> list[Difference]:
    """Name the living records whose current version, or the key that opens it, is gone: nothing can be told from elsewhere."""
    found = sql.rows(
        session,
        """SELECT r.record_id FROM source_record r WHERE r.record_id = ANY(%s) AND NOT r.is_deleted AND r.rekeyed_to IS NULL
             AND NOT EXISTS (SELECT FROM record_version v JOIN record_data_key k USING (record_id)
               WHERE v.record_id = r.record_id AND v.version_no = r.version_no) ORDER BY 1""",
        [list(record_ids)],
    )
    return [Difference(Kind.STANDARD_RECORD, str(row[0]), "payload_missing") for row in found]


def restore(session: Session, policy: Policy, record_ids: Sequence[uuid.UUID]) -> list[Difference]:
    """Write the standard records, keys and terms of records anew where they are not what the payloads say; what differed.

    Locks the source records in the order of keys, as ingest does. What has changed is owed a resolution. Idempotent. A payload
    that the policy cannot read any more, and has no standard record, is named and left.
    """
    params = _params(policy, record_ids)
    found = list(_again(session, _LIVING + _IN_ORDER + _LOCKED, params, _rules_of_each(session)))
    stored = _said(session, record_ids)
    problems = {again.record_id: list(_problems(again, stored.get(again.record_id))) for again in found}
    lost = [again for again in found if problems[again.record_id] and again.row is not None]
    versions = {again.record_id: again.policy_version for again in lost}
    for again in lost:
        if again.row is not None:
            _replace(session, [again.row], (program.stamp(), versions[again.record_id]))
    gone = _drop_deleted(session, record_ids)
    pending.request(session, sorted({*versions, *gone}), pending.RESTORED, fresh=False)
    named = [Difference(Kind.STANDARD_RECORD, str(one), problem) for one, said in problems.items() for problem in said]
    named += _without_payload(session, record_ids)
    return [*named, *(Difference(Kind.STANDARD_RECORD, str(one), "of_a_deleted_record") for one in gone)]


def follow(session: Session, policy: Policy, record_ids: Sequence[uuid.UUID]) -> None:
    """Let everything filed of records follow the versions that have become current. The caller has locked the source records.

    Of what is deleted nothing stays, nor of a payload that cannot be read any more: what was filed says what counts no longer.
    """
    found = list(_again(session, _LIVING + _IN_ORDER, _params(policy, record_ids), _rules_of_each(session)))
    for version in sorted({again.policy_version for again in found if again.row}):
        rows = [again.row for again in found if again.row and again.policy_version == version]
        _replace(session, rows, (program.stamp(), version))
    record_rows.adopt_parents(session, {again.record_id: again.parent for again in found if again.row})
    _drop(session, sorted(set(record_ids) - {again.record_id for again in found if again.row}))


def _drop(session: Session, gone: Sequence[uuid.UUID]) -> None:
    if gone:
        record_rows.drop_standard(session, gone)
        record_rows.file_keys(session, (), gone)
        search_index.file_terms(session, (), gone)


def _drop_deleted(session: Session, record_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Take away what is left of deleted records: nothing of them is compared, filed or searched."""
    found = sql.rows(
        session,
        """SELECT r.record_id FROM source_record r WHERE r.record_id = ANY(%(ids)s) AND r.is_deleted AND r.rekeyed_to IS NULL
             AND (EXISTS (SELECT FROM standard_record s WHERE s.record_id = r.record_id)
             OR EXISTS (SELECT FROM blocking_key b WHERE b.record_id = r.record_id)
             OR EXISTS (SELECT FROM search_term t WHERE t.record_id = r.record_id))
           ORDER BY r.source, r.source_key FOR NO KEY UPDATE OF r""",
        {"ids": list(record_ids)},
    )
    gone = [row[0] for row in found]
    _drop(session, gone)
    return gone


def _params(policy: Policy, record_ids: Sequence[uuid.UUID]) -> dict[str, object]:
    named = list(policy.sources)
    return {"ids": list(record_ids), "standardizer": program.stamp(), "policy": policy.version, "named": named}


def _rules_of_each(session: Session) -> RulesOf:
    @cache
    def rules(source: str, policy_version: int) -> SourceRules:
        return _rules(policies.by_version(session, policy_version), source)

    return rules


def _problems(again: _Again, stored: sql.Row | None) -> Iterator[str]:
    """Say how the stored standard record of a record, with its keys and terms, is not what its payload says."""
    row = again.row
    if stored is None or row is None:
        yield "missing" if stored is None else "payload_unreadable"
        return
    form_hash, body, keys, appraised, form, searched, asserted, *about = stored
    said = (orjson.loads(row.said.body), row.said.form_hash, row.said.asserted)
    if said != (orjson.loads(body), bytes(form_hash), asserted):
        yield "says_something_else"
    if about != [row.source, row.source_key, row.brand, row.region, row.version_no, row.observed_at]:
        yield "differs_from_its_record"
    if sorted({key for key, _, _ in key_rows.unpacked(row.said.keys)}) != list(keys or ()):
        yield "filed_elsewhere"
    if row.said.terms != frozenset(searched or ()):
        yield "searched_otherwise"
    if form is not None and form != row.said.form:  # None: stored before there were any.
        yield "compared_otherwise"
    if appraised is not None and tuple(appraised) != row.said.appraisal:  # None: stored before there were appraisals.
        yield "appraised_otherwise"


def stale(session: Session, policy: Policy) -> list[uuid.UUID]:
    """Name the records that `refresh` has anything to do for, in the order in which it locks them."""
    params = {"standardizer": program.stamp(), "policy": policy.version}
    which = f"SELECT s.record_id FROM standard_record s WHERE ({_OLDER}) OR ({_GOOD_AGAIN}) ORDER BY s.source, s.source_key"
    return [row[0] for row in sql.rows(session, which, params)]


def refresh(session: Session, policy: Policy, record_ids: Sequence[uuid.UUID]) -> int:
    """Renew the standard records that another program or policy made; how many there were.

    Locks their source records in the order of keys, as ingest does. What the policy no longer reads stays as it was: a source it
    no longer names is merged with nothing, and a payload it refuses was usable when it came; that is noted with its reason.
    Raises: what opening a payload that was altered raises; then the caller finds the record that is to blame.
    """

    @cache
    def rules(source: str, _policy_version: int) -> SourceRules:
        return _rules(policy, source)

    params = {"ids": list(record_ids), "standardizer": program.stamp(), "policy": policy.version}
    rows: list[StandardRow] = []
    refused: dict[uuid.UUID, str] = {}
    for again in _again(session, _STORED + _STALE + _LOCKED, params, rules):
        if again.unopened is not None:
            raise again.unopened
        if again.row is not None:
            rows.append(again.row)
        elif again.refusal is not None:
            refused[again.record_id] = f"{again.refusal.code}:{again.refusal.field}"
    if refused:
        sql.run(session, _REFUSED, {**params, "ids": list(refused), "refusals": list(refused.values())})
    sql.run(session, _MADE_GOOD, params)
    if rows:
        _replace(session, rows, (program.stamp(), policy.version))
    return len(rows)


def _replace(session: Session, rows: Sequence[StandardRow], versions: tuple[str, int]) -> None:
    record_rows.replace_standard(session, rows, versions)
    record_rows.file_keys(session, rows, [row.record_id for row in rows])
    search_index.file_terms(session, rows, [row.record_id for row in rows])
    record_rows.move(session, rows)


def _rules(policy: Policy, source: str) -> SourceRules:
    return SourceRules.of(policy, source, settings().secret_for("payload-hash"))


def _said(session: Session, record_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, sql.Row]:
    found = sql.rows(
        session,
        """SELECT s.record_id, s.form_hash, s.body::text,
             (SELECT array_agg(b.blocking_key ORDER BY b.blocking_key) FROM blocking_key b WHERE b.record_id = s.record_id),
             s.appraisal, s.form, (SELECT array_agg(t.term) FROM search_term t
             WHERE t.record_id = s.record_id AND (t.brand, t.region) = (s.brand, s.region)),
             s.asserted_golden_id, s.source, s.source_key, s.brand, s.region, s.version_no, s.observed_at
           FROM standard_record s WHERE s.record_id = ANY(%s)""",
        [list(record_ids)],
    )
    return {row[0]: row[1:] for row in found}


def _opens_others(session: Session, record_id: uuid.UUID) -> bool:
    """Whether the service's key opens the keys of some other records: then it is theirs, and one that it does not open was
    altered."""
    found = sql.rows(
        session,
        "SELECT record_id, wrapped_key FROM record_data_key WHERE record_id <> %s LIMIT %s",
        [record_id, MOST_TRIED],
    )
    return any(_opens(other, bytes(wrapped)) for other, wrapped in found)


def _opens(record_id: uuid.UUID, wrapped: bytes) -> bool:
    with contextlib.suppress(ValueError, Unavailable):
        DataKey.unwrap(record_id, wrapped)
        return True
    return False


def _again(session: Session, statement: str, params: Mapping[str, object], rules: RulesOf) -> Iterator[_Again]:
    """Open the payloads that a statement names and standardize them by the rules of their source."""
    secret = settings().secret_for("blocking")
    for record_id, source, key, policy_version, version_no, observed_at, wrapped, sealed in sql.rows(session, statement, params):
        try:
            said = rules(source, policy_version)
        except NotFound:
            yield _Again(record_id, None)
            continue
        try:
            raw = DataKey.unwrap(record_id, bytes(wrapped)).open(bytes(sealed))
        except (ValueError, InvalidTag, Unavailable) as error:  # Altered past its writers, the key or what it seals.
            if isinstance(error, Unavailable) and not _opens_others(session, record_id):
                raise
            # Whoever is told Unavailable would wait for the service: it is the record that is to blame.
            yield _Again(record_id, None, unopened=InvalidTag() if isinstance(error, Unavailable) else error)
            continue
        parsed = payloads.parse(raw)
        prepared = prepare(said, Incoming(key, parsed, raw=raw), clock.now()) if isinstance(parsed, dict) else parsed
        if not isinstance(prepared, Prepared):
            yield _Again(record_id, None, refusal=prepared)
            continue
        made = standardized(prepared.input, said.context, secret, prepared.notes)
        row = StandardRow(record_id, version_no, source, key, said.source.brand, prepared.region or "", observed_at, made)
        yield _Again(record_id, row, policy_version, parent=prepared.parent)
