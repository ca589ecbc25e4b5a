"""Golden records as they may be used for a purpose: without the attributes and the sources that the policy keeps out of it.

Where a record of a golden record is of a source that is kept out, its values are computed anew from the others, by the same rules
and as at the same time; so they are never those of a record that may not be used, whichever won before. Stores nothing.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlmodel import Session

from matching.record import StandardRecord, from_json
from mdm import overrides, sql
from mdm.override_values import as_member
from mdm.policy import Policy
from mdm.purposes import EXTRAS, Limits
from mdm.survivorship import MemberRecord, display_name, survive

Body = dict[str, Any]


def beyond(session: Session, bodies: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Name the members of golden records that are beyond the row scope of a session, which is that of whoever reads."""
    members = {one["record_id"] for body in bodies for one in body.get("members", ())}
    rows = sql.rows(session, "SELECT record_id::text FROM crosswalk WHERE record_id = ANY(%s::uuid[])", [sorted(members)])
    return frozenset(members - {record_id for (record_id,) in rows})


def under(
    session: Session,
    policy: Policy,
    bodies: Sequence[Mapping[str, Any]],
    limits: Limits,
    hidden: Collection[str] = frozenset(),
) -> list[Body | None]:
    """Give bodies of golden records, in their order, under some limits; None for one of which nothing is left.

    `hidden`: records that are kept out whatever the purpose (`beyond`). `withheld` of each names the attributes that are kept
    out, whether or not it had any. A few statements for all, of the engine's role: what a golden record says is of all its
    records, whoever reads it.
    """
    left = [_left(body, limits.sources, hidden) for body in bodies]
    touched = [of for body, of in zip(bodies, left, strict=True) if len(of) < len(body.get("members", ()))]
    records = _records(session, [uuid.UUID(one["record_id"]) for of in touched for one in of])
    by_hand = _set_by_hand(session, policy, list(records))
    found: list[Body | None] = []
    for body, of in zip(bodies, left, strict=True):
        if len(of) == len(body.get("members", ())):
            found.append(_without(body, limits))
        elif of:
            golden_id = uuid.UUID(body["golden_id"])
            members = [records[uuid.UUID(one["record_id"])] for one in of if uuid.UUID(one["record_id"]) in records]
            found.append(_without(_computed(policy, body, of, [*members, *by_hand.get(golden_id, ())]), limits))
        else:
            found.append(None)
    return found


def _left(body: Mapping[str, Any], sources: Collection[str], hidden: Collection[str]) -> list[Mapping[str, Any]]:
    members = body.get("members", ())
    return [one for one in members if one["source"] not in sources and one["record_id"] not in hidden]


def _records(session: Session, record_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, MemberRecord]:
    rows = sql.rows(
        session,
        "SELECT record_id, source, source_key, observed_at, body::text FROM standard_record WHERE record_id = ANY(%s)",
        [list(record_ids)],
    )
    return {
        record_id: MemberRecord(record_id, source, key, observed_at, from_json(StandardRecord, orjson.loads(text)))
        for record_id, source, key, observed_at, text in rows
    }


def _set_by_hand(session: Session, policy: Policy, record_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[MemberRecord]]:
    """What stewards set, by the golden record that it belongs to; not what they said of records that are kept out alone."""
    found: dict[uuid.UUID, list[MemberRecord]] = {}
    for one in overrides.about(session, record_ids).values():
        home = overrides.home_of(session, one)
        if home is not None:
            found.setdefault(home, []).append(as_member(one, policy.steward_context()))
    return found


def _computed(policy: Policy, body: Mapping[str, Any], of: Sequence[Mapping[str, Any]], members: Sequence[MemberRecord]) -> Body:
    found = survive(members, policy.survivorship_rules(), datetime.fromisoformat(body["computed_at"]))
    values = {name: {"value": value, "provenance": found.provenance[name]} for name, value in found.values.items()}
    return {**body, "values": values, "party": found.values.get("party", "unknown"), "members": list(of)}


def _without(body: Mapping[str, Any], limits: Limits) -> Body:
    values = {name: one for name, one in body.get("values", {}).items() if name not in limits.attributes}
    if EXTRAS in values:
        own = {part: _own(held, limits.attributes) for part, held in values.pop(EXTRAS).items()}
        values |= {EXTRAS: own} if own["value"] else {}
    shown: Body = {**body, **({"withheld": sorted(limits.attributes)} if limits else {})}
    if "values" in body:
        shown |= {"values": values, "display_name": display_name({name: one["value"] for name, one in values.items()})}
    return shown


def _own(held: Mapping[str, Any], kept_out: Collection[str]) -> dict[str, Any]:
    return {name: one for name, one in held.items() if f"{EXTRAS}.{name}" not in kept_out}
