"""Writes golden records, their versions, founders, redirects and the crosswalk, and says so in the outbox. Their only writer.

Set-based: a handful of statements whatever the number of goldens. Writes what it is given; the caller has locked the crosswalk
rows of the records and knows that nothing changed since the drafts were made.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlmodel import Session

from consent.purposes import shipped
from kernel import clock, outbox
from mdm import consent_changes, crosswalk_history, golden_events, sql
from mdm.closure import RecordHead
from mdm.consent_changes import Moves
from mdm.drafts import Draft
from mdm.evaluation import Evaluation
from mdm.versions import VersionSet

VALUES = "values"
NO_REASONS: Mapping[uuid.UUID, str] = {}


@dataclass(frozen=True, slots=True)
class _Row:
    """A golden as it will be stored."""

    draft: Draft
    version: int
    cause: str
    body: dict[str, Any]


def write(
    session: Session,
    versions: VersionSet,
    evaluated: Sequence[tuple[Evaluation, Sequence[Draft]]],
    reasons: Mapping[uuid.UUID, str] = NO_REASONS,
    load_id: uuid.UUID | None = None,
) -> int:
    """Write what differs from what is stored, many units with one set of statements; the number of goldens that changed.

    `reasons`: why each record was asked to be resolved; `load_id`: the load that the changes are part of. Events tell of both.
    """
    now = _later(evaluation for evaluation, _ in evaluated)
    changed = [row for evaluation, drafts in evaluated for row in _changed(versions, evaluation, drafts, now)]
    restamped = [
        draft.golden_id for evaluation, drafts in evaluated for draft in drafts if _is_restamped(versions, evaluation, draft)
    ]
    before = _values_before(session, [row for row in changed if row.version > 1])
    _store(session, versions, changed, now)
    _restamp(session, versions, restamped)
    _add_founders(session, [evaluation for evaluation, _ in evaluated])
    _point(session, versions, [evaluation for evaluation, _ in evaluated], now)
    because = {id_: golden_events.because(why) for id_, why in _reasons(evaluated, reasons)}
    told = [_told(row, before.get(row.draft.golden_id, {}), because) for row in changed]
    consents = consent_changes.follow(session, shipped(), moves([evaluation for evaluation, _ in evaluated]), now)
    outbox.emit_all(session, [*golden_events.about(told, [evaluation for evaluation, _ in evaluated], load_id), *consents])
    return len(changed)


def _later(evaluations: Iterable[Evaluation]) -> datetime:
    """The time now, and later than any answer so far of these ids: founders and the past are told by the order of these times,
    and a worker's clock may be behind that of the one before it."""
    latest = max((head.computed_at for one in evaluations for head in one.closure.goldens.values()), default=None)
    now = clock.now()
    return now if latest is None or now > latest else latest + timedelta(microseconds=1)


def _changed(versions: VersionSet, evaluation: Evaluation, drafts: Sequence[Draft], now: datetime) -> list[_Row]:
    causes = {change.golden_id: change.cause for change in evaluation.plan.changes}
    rows = []
    for draft in drafts:
        head = evaluation.closure.goldens.get(draft.golden_id)
        cause = causes.get(draft.golden_id)
        if cause is None and head and not draft.differs_from(head):
            continue
        version = head.version + 1 if head else 1
        rows.append(_Row(draft, version, str(cause or VALUES), draft.stamped(version, versions.label, now)))
    return rows


def _is_restamped(versions: VersionSet, evaluation: Evaluation, draft: Draft) -> bool:
    """Another version set came to the very same answer: its number is noted, nobody needs to hear of it."""
    head = evaluation.closure.goldens.get(draft.golden_id)
    return head is not None and head.version_set_id != versions.version_set_id and not draft.differs_from(head)


def _store(session: Session, versions: VersionSet, rows: Sequence[_Row], now: datetime) -> None:
    """Insert or update the goldens and append their versions: one statement. Ids are numbered in the order of the rows."""
    if rows:
        sql.run(session, _STORE, _columns(rows) | {"set": versions.version_set_id, "now": now})


def _columns(rows: Sequence[_Row]) -> dict[str, Any]:
    """Lay goldens out by column; what is a list itself travels as text, since an array of arrays must be rectangular."""
    drafts = [row.draft for row in rows]
    return {
        "golden_id": sql.array([one.golden_id for one in drafts]),
        "is_new": [row.version == 1 for row in rows],
        "status": [str(one.status) for one in drafts],
        "redirect_to": sql.array([one.redirect_to for one in drafts]),
        "split_into": [sql.array(one.split_into) for one in drafts],
        "version": [row.version for row in rows],
        "brands": [sql.array(one.brands) for one in drafts],
        "regions": [sql.array(one.regions) for one in drafts],
        "members": [sql.array(sorted(one.members)) for one in drafts],
        "body": [orjson.dumps(row.body).decode() for row in rows],
        "content_hash": sql.array([one.content_hash for one in drafts]),
        "cause": [row.cause for row in rows],
    }


# The bodies by column, as text: out of one JSON document of all rows PostgreSQL reads each of them twice.
_STORE = """
WITH n AS MATERIALIZED (
  SELECT golden_id, is_new, status, redirect_to, split_into::uuid[], version, brands::text[], regions::text[], members::uuid[],
    body::jsonb, content_hash, cause, place
  FROM unnest(%(golden_id)s::uuid[], %(is_new)s::boolean[], %(status)s::text[], %(redirect_to)s::uuid[], %(split_into)s::text[],
    %(version)s::bigint[], %(brands)s::text[], %(regions)s::text[], %(members)s::text[], %(body)b::text[],
    %(content_hash)s::bytea[], %(cause)s::text[]) WITH ORDINALITY AS r (
    golden_id, is_new, status, redirect_to, split_into, version, brands, regions, members, body, content_hash, cause, place)),
inserted AS (
  INSERT INTO golden (golden_id, status, redirect_to, split_into, version, brands, regions, body, content_hash, version_set_id,
    computed_at)
  SELECT golden_id, status, redirect_to, split_into, version, brands, regions, body, content_hash, %(set)s, %(now)s
  FROM n WHERE is_new ORDER BY place),
updated AS (
  UPDATE golden g SET status = n.status, redirect_to = n.redirect_to, split_into = n.split_into, version = n.version,
    brands = n.brands, regions = n.regions, body = n.body, content_hash = n.content_hash, version_set_id = %(set)s,
    computed_at = %(now)s
  FROM n WHERE g.golden_id = n.golden_id AND NOT n.is_new)
INSERT INTO golden_version (golden_id, version, computed_at, status, redirect_to, members, body, content_hash, version_set_id,
  cause)
SELECT golden_id, version, %(now)s, status, redirect_to, members, body, content_hash, %(set)s, cause FROM n"""


def _restamp(session: Session, versions: VersionSet, golden_ids: Sequence[uuid.UUID]) -> None:
    if golden_ids:
        sql.run(
            session,
            """UPDATE golden SET version_set_id = %(set)s, body = jsonb_set(body, '{version_set}', %(label)s::jsonb)
               WHERE golden_id = ANY(%(ids)s)""",
            {"ids": list(golden_ids), "set": versions.version_set_id, "label": orjson.dumps(versions.label).decode()},
        )


def _add_founders(session: Session, evaluations: Sequence[Evaluation]) -> None:
    added = [
        (golden_id, record)
        for one in evaluations
        for golden_id, records in one.plan.founders_added.items()
        for record in sorted(records)
    ]
    if added:
        sql.run(
            session,
            """INSERT INTO founder (golden_id, record_id) SELECT * FROM unnest(%s::uuid[], %s::uuid[]) ON CONFLICT DO NOTHING""",
            [[golden_id for golden_id, _ in added], [record for _, record in added]],
        )


def _point(session: Session, versions: VersionSet, evaluations: Sequence[Evaluation], now: datetime) -> None:
    """Point each record to its golden id. A record that is still owed something stays pending, with the id it has by now."""
    heads = [(one, head) for one in evaluations for head in one.records.values()]
    if not heads:
        return
    sql.run(
        session,
        _POINT,
        {
            "record_id": [head.record_id for _, head in heads],
            "golden_id": [one.plan.crosswalk.get(head.record_id) for one, head in heads],
            "settled": [one.settled_state(head, versions.merges) for one, head in heads],
            "version_no": [head.version_no for _, head in heads],
            "rung": [one.rungs.get(head.record_id, 0) for one, head in heads],
            "has_moved": [_has_moved(one, head, versions) for one, head in heads],
            "now": now,
        },
    )


_POINT = f"""
WITH n AS (
  SELECT u.*, CASE WHEN EXISTS (SELECT FROM pending_record p WHERE p.record_id = u.record_id) THEN 'pending' ELSE u.settled END
    AS state
  FROM unnest(%(record_id)s::uuid[], %(golden_id)s::uuid[], %(settled)s::text[], %(version_no)s::int[], %(rung)s::smallint[],
    %(has_moved)s::boolean[]) AS u (record_id, golden_id, settled, version_no, rung, has_moved)),
noted AS ({crosswalk_history.NOTE})
UPDATE crosswalk c SET golden_id = n.golden_id, state = n.state, version_no = n.version_no, rung = n.rung,
  resolved_at = CASE WHEN n.state = 'resolved' THEN %(now)s END
FROM n WHERE c.record_id = n.record_id
  AND (c.golden_id, c.state, c.version_no, c.rung) IS DISTINCT FROM (n.golden_id, n.state, n.version_no, n.rung)
"""


def moves(evaluations: Iterable[Evaluation]) -> Moves:
    """Where each record lived and lives."""
    heads = {record_id: (one, head) for one in evaluations for record_id, head in one.records.items()}
    after = {record_id: one.plan.crosswalk.get(record_id) for record_id, (one, _) in heads.items()}
    return Moves({record_id: head.golden_id for record_id, (_, head) in heads.items()}, after)


def _has_moved(one: Evaluation, head: RecordHead, versions: VersionSet) -> bool:
    """Whether it lives under another id than before; or under none, in another state."""
    golden_id = one.plan.crosswalk.get(head.record_id)
    return golden_id != head.golden_id or (golden_id is None and one.settled_state(head, versions.merges) != head.state)


def _values_before(session: Session, rows: Sequence[_Row]) -> dict[uuid.UUID, Mapping[str, Any]]:
    """Read what the goldens that are about to change have said so far."""
    if not rows:
        return {}
    found = sql.rows(
        session,
        "SELECT golden_id, body -> 'values' FROM golden WHERE golden_id = ANY(%s)",
        [[row.draft.golden_id for row in rows]],
    )
    return {golden_id: values or {} for golden_id, values in found}


def _reasons(
    evaluated: Sequence[tuple[Evaluation, Sequence[Draft]]], reasons: Mapping[uuid.UUID, str]
) -> Iterator[tuple[uuid.UUID, list[str]]]:
    """Give each drafted golden id the reasons for which records of its unit were resolved."""
    for evaluation, drafts in evaluated:
        of_unit = [reasons[record] for record in evaluation.records if record in reasons]
        yield from ((draft.golden_id, of_unit) for draft in drafts)


def _told(row: _Row, before: Mapping[str, Any], because: Mapping[uuid.UUID, str]) -> golden_events.Written:
    after = row.draft.body.get("values", {})
    changed = [name for name in before.keys() | after.keys() if _value(before, name) != _value(after, name)]
    return golden_events.Written(row.draft, row.version, row.cause, changed, because[row.draft.golden_id])


def _value(values: Mapping[str, Any], name: str) -> Any:
    return values[name]["value"] if name in values else None
