"""Customers as a steward looks at them: golden records with what their records did, each read of them audited. Only reads."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from kernel import audit
from kernel.actor import Principal
from mdm import masking, sql
from mdm import policy as policies

_GOLDENS = """
SELECT golden_id, status, redirect_to, version, body FROM golden WHERE golden_id = ANY(%s) ORDER BY array_position(%s, golden_id)
"""
_LAST = """
SELECT c.record_id, last.kind, last.occurred_at, last.store
FROM crosswalk c CROSS JOIN LATERAL (
  SELECT kind, occurred_at, store FROM activity WHERE source = c.source AND record_key = c.source_key
  ORDER BY occurred_at DESC LIMIT 1) AS last
WHERE c.golden_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Last:
    """What a record did last, when, and where."""

    kind: str
    at: datetime
    store: str | None


@dataclass(frozen=True, slots=True)
class Member:
    """A record of a customer, and what it did last."""

    record_id: uuid.UUID
    source: str
    key: str
    last: Last | None


@dataclass(frozen=True, slots=True)
class Customer:
    """A golden record as it is stored. `values`: attribute to value and provenance."""

    golden_id: uuid.UUID
    status: str
    redirect_to: uuid.UUID | None
    version: int
    display_name: str | None
    values: Mapping[str, Mapping[str, Any]]
    members: tuple[Member, ...]

    @property
    def plain(self) -> dict[str, Any]:
        """Values without their provenance."""
        return {name: held["value"] for name, held in self.values.items()}


def names(session: Session, caller: Principal, golden_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Name customers of a list, within the caller's row scope; audited as one read."""
    found = sql.rows(session, "SELECT golden_id, body->>'display_name' FROM golden WHERE golden_id = ANY(%s)", [list(golden_ids)])
    if found:
        audit.record(session, caller.actor, "golden.listed", "golden", "", purpose="stewardship", detail={"goldens": len(found)})
    shown = (lambda name: name) if caller.sees_clear else masking.name
    return {golden_id: shown(name) for golden_id, name in found if name}


def read(session: Session, caller: Principal, golden_ids: Sequence[uuid.UUID]) -> list[Customer]:
    """Read golden records within the caller's row scope, in the order asked; those that are not there are left out."""
    ids = list(golden_ids)
    audit.record_alike(session, caller.actor, "golden.read", "golden", [str(one) for one in ids], purpose="stewardship")
    last = {record_id: Last(*rest) for record_id, *rest in sql.rows(session, _LAST, [ids])}
    found = [_customer(row, last) for row in sql.rows(session, _GOLDENS, [ids, ids])]
    if caller.sees_clear:
        return found
    private = policies.private_sources(session)
    return [masked(one, private) for one in found]


def masked(customer: Customer, private: Collection[str]) -> Customer:
    """The same for somebody who may not see personal values. `private`: the sources whose keys are personal."""
    members = tuple(replace(one, key=masking.key(one.source, one.key, private)) for one in customer.members)
    display_name = masking.name(customer.display_name) if customer.display_name else None
    return replace(customer, display_name=display_name, values=masking.values(customer.values), members=members)


def _customer(row: sql.Row, last: Mapping[uuid.UUID, Last]) -> Customer:
    golden_id, status, redirect_to, version, body = row
    members = (
        Member(record_id, one["source"], one["source_key"], last.get(record_id))
        for one in body.get("members", ())
        for record_id in [uuid.UUID(one["record_id"])]
    )
    return Customer(golden_id, status, redirect_to, version, body.get("display_name"), body.get("values", {}), tuple(members))
