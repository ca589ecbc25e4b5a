"""Everything held about a person, for the person: records, values with where they come from, decisions in plain words, accesses.

What further tables hold is found by what these declare, so that one that is added is exported as well.
Only what is theirs alone: a value that another's record brought, a note that speaks of another's record and whoever shares a
contact point are left out and counted.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlmodel import Session

from kernel import audit, clock
from kernel.actor import Principal
from kernel.errors import Conflict
from mdm import erasing, erasing_traces, overrides, sql
from mdm.erasing import Subject
from stewardship import privacy_catalogue, privacy_members, privacy_requests
from stewardship.privacy_requests import Request

Id = uuid.UUID
ALL = "all"
# What is told in a section of its own, opened, stripped of others' values or put into words.
TOLD_APART = frozenset(
    {"golden", "golden_version", "record_version", "source_record", "standard_record", "steward_record", "crosswalk"}
)
VERDICTS = {
    "match": "are the same customer",
    "no_match": "are different customers",
    "review": "may be the same customer, which a person has to look at",
}


def export(session: Session, caller: Principal, request_id: Id) -> dict[str, Any]:
    """Collect everything held about the person of a request; audited.

    Raises: NotFound; Conflict while the identity is not checked or a member is unanswered; as `privacy_requests.brought_up`.
    """
    found = privacy_requests.brought_up(session, caller, privacy_requests.find(session, request_id, lock=True))
    if found.identity != "passed" or found.unanswered:
        because = ["identity_not_checked"] * (found.identity != "passed") + ["members_unanswered"] * bool(found.unanswered)
        raise Conflict("Nothing is disclosed yet", code="export_blocked", extra={"because": because})
    of = erasing.subject(session, found.mine)
    golden_ids = _golden_ids(session, of)
    sections: Mapping[str, Callable[[], Any]] = {
        "golden_records": lambda: [_golden(session, one, of) for one in golden_ids],
        "records": lambda: _records(session, of),
        "set_by_hand": lambda: _overrides(session, of),
        "decisions": lambda: list(_decisions(session, of)),
        "events": lambda: _events(session, of, golden_ids),
        "accesses": lambda: _accesses(session, of, golden_ids),
        "other": lambda: _declared(session, of),
    }
    made = {name: section() for name, section in sections.items()}
    sharing = privacy_members.withheld(session, of.records, golden_ids)
    withheld = {"records_of_others": len(found.others), "sharing_a_contact": sharing}
    told = {"records": len(of.records)}
    audit.record(session, caller.actor, "privacy.exported", "privacy_request", str(request_id), detail=told)
    return {"request": _about(found), "made_at": clock.now(), "withheld": withheld, **made}


def _about(found: Request) -> dict[str, Any]:
    names = ("request_id", "kind", "reference", "received_at", "due_at", "extended_at", "identity", "identity_method")
    return {name: getattr(found, name) for name in names}


def _golden_ids(session: Session, of: Subject) -> list[Id]:
    found = sql.rows(
        session,
        "SELECT DISTINCT golden_id FROM crosswalk WHERE record_id = ANY(%s) AND golden_id IS NOT NULL ORDER BY 1",
        [list(of.records)],
    )
    return [row[0] for row in found]


def _golden(session: Session, golden_id: Id, of: Subject) -> dict[str, Any]:
    """A golden record with its past, of which only what the person's own records brought is told."""
    found = sql.rows(session, "SELECT status, body::text FROM golden WHERE golden_id = %s", [golden_id])
    past = sql.rows(
        session,
        """SELECT version, computed_at, cause, body::text FROM golden_version
           WHERE golden_id = %s AND members && %s::uuid[] ORDER BY version""",
        [golden_id, list(of.records)],
    )
    status, body = found[0]
    versions = [{"version": no, "at": at, "cause": cause, "values": _values(text, of)} for no, at, cause, text in past]
    return {"golden_id": golden_id, "status": status, "values": _values(body, of), "versions": versions}


def _values(text: str, of: Subject) -> dict[str, Any]:
    body = orjson.loads(text)
    mine = {str(one) for one in of.records}
    others = {one["record_id"] for one in body.get("members", ())} - mine
    told: dict[str, Any] = erasing.without(body, others)["values"]
    return told


def _records(session: Session, of: Subject) -> list[dict[str, Any]]:
    sent: dict[Id, list[dict[str, Any]]] = {}
    named = "SELECT record_id, version_no, received_at FROM record_version WHERE record_id = ANY(%s)"
    times = {row[:2]: row[2] for row in sql.rows(session, named, [list(of.records)])}
    for record_id, number, payload in erasing_traces.payloads(session, of.records):
        sent.setdefault(record_id, []).append({"version": number, "received_at": times[record_id, number], "sent": payload})
    standard = erasing_traces.standard(session, of.records)
    heads = sql.rows(
        session,
        """SELECT record_id, source, source_key, brand, region, created_at, is_deleted FROM source_record
           WHERE record_id = ANY(%s) ORDER BY source, source_key""",
        [list(of.records)],
    )
    return [
        {
            "record_id": record_id, "source": source, "source_key": key, "brand": brand, "region": region, "since": since,
            "is_deleted": deleted, "versions": sent.get(record_id, []), "understood_as": standard.get(record_id),
        }
        for record_id, source, key, brand, region, since, deleted in heads
    ]  # fmt: skip


def _overrides(session: Session, of: Subject) -> list[dict[str, Any]]:
    mine = set(of.records)
    return [
        {"attribute": one.override.attribute, "value": one.override.value, "at": one.override.set_at, "reason": one.reason}
        for one in overrides.said_of(session, of.records)
        if one.override.records <= mine
    ]


_DECISIONS = """
SELECT author, verdict, coalesce(left_records, ARRAY[record_a]), coalesce(right_records, ARRAY[record_b]), weight, created_at,
  superseded_at
FROM decision WHERE reason_code <> 'override' AND (record_a = ANY(%(ids)s) OR record_b = ANY(%(ids)s)
  OR left_records && %(ids)s::uuid[] OR right_records && %(ids)s::uuid[]) ORDER BY created_at, decision_id"""


def _decisions(session: Session, of: Subject) -> Iterator[str]:
    """Say each decision in a sentence; of another person's record no more than that it is one."""
    named = "SELECT record_id, source FROM source_record WHERE record_id = ANY(%s)"
    sources = {row[0]: row[1] for row in sql.rows(session, named, [list(of.records)])}
    for author, verdict, left, right, weight, at, ended in sql.rows(session, _DECISIONS, {"ids": list(of.records)}):
        who = "The service found" if author == "model" else "A member of staff decided"
        sides = " and ".join(_side(side, sources) for side in (left, right))
        bits = f", by evidence of {weight:.1f} bits" if weight is not None else ""
        over = f"; this no longer holds since {ended:%Y-%m-%d}" if ended else ""
        yield f"{at:%Y-%m-%d}: {who} that {sides} {VERDICTS[verdict]}{bits}{over}."


def _side(records: Sequence[Id], sources: Mapping[Id, str]) -> str:
    named = sorted({f"your record of {sources[one]}" if one in sources else "a record of somebody else" for one in records})
    return " with ".join(named)


def _events(session: Session, of: Subject, golden_ids: Sequence[Id]) -> list[dict[str, Any]]:
    """Which subscribers were told of the person, of what and when; events carry ids, never a value."""
    found = sql.rows(
        session,
        """SELECT ep.description, ep.url, e.type, e.occurred_at, d.state FROM webhook_delivery d
           JOIN event e USING (seq) JOIN webhook_endpoint ep USING (endpoint_id)
           WHERE d.subject_id = ANY(%s) ORDER BY e.seq, ep.endpoint_id""",
        [[*of.records, *golden_ids]],
    )
    names = ("subscriber", "address", "event", "at", "state")
    return [dict(zip(names, row, strict=True)) for row in found]


def _accesses(session: Session, of: Subject, golden_ids: Sequence[Id]) -> list[dict[str, Any]]:
    """Who looked at the person's data, by what kind of act and for which purpose; staff by their role, not their name."""
    found = sql.rows(
        session,
        """SELECT at, split_part(actor, ':', 1), action, purpose FROM audit
           WHERE object_type IN ('golden', 'record') AND object_id = ANY(%s) ORDER BY at, audit_id""",
        [[str(one) for one in (*of.records, *golden_ids)]],
    )
    return [dict(zip(("at", "by", "act", "purpose"), row, strict=True)) for row in found]


def _declared(session: Session, of: Subject) -> dict[str, list[dict[str, Any]]]:
    """Rows of every table that declares to export all, consents among them: those that speak of the person alone."""
    catalogue = privacy_catalogue.read(session)
    found: dict[str, list[dict[str, Any]]] = {}
    for table in catalogue.tables.values():
        exports = str(table.behaviour.get("export", "no")).split(",")[0].split(":")[0]
        theirs = catalogue.whose(table, wholly=True) if exports == ALL and table.name not in TOLD_APART else None
        if theirs:
            shown = ", ".join(name for name, kind in table.columns.items() if kind != "bytea")
            chosen = f"SELECT to_jsonb(t) FROM (SELECT {shown} FROM {table.name} WHERE {theirs}) t"
            rows = sql.rows(session, chosen, privacy_catalogue.parameters(of))
            found |= {table.name: [row[0] for row in rows]} if rows else {}
    return found
