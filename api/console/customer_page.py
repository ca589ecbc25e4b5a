"""What a customer's page is made of: values with their provenance, records, story, household, what is asked about them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from api import past
from api.console.values import BY_HAND, LABELS, label, lines, source_names
from consent.purposes import shipped
from kernel import audit, clock, db
from kernel.actor import Principal
from kernel.errors import MdmError, NotFound
from mdm import consent_reading, history, masking, related
from mdm import policy as policies
from mdm.history import Key, Step
from mdm.lookup import Held
from mdm.overrides import KeptOverride
from mdm.related import Relations
from stewardship import customers, overriding, queue
from stewardship.customers import Customer
from stewardship.queue import Task, Wanted
from stewardship.value_why import SENTENCES

MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class Runner:
    """A value that did not win, and whose it is."""

    lines: Sequence[str]
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Value:
    """One attribute as it is shown: its lines, where it comes from, why it won, and what else was said."""

    name: str
    label: str
    lines: Sequence[str]
    source: str
    at: datetime | None
    because: str
    runners: Sequence[Runner]

    @property
    def by_hand(self) -> bool:
        """Whether a steward set it."""
        return self.source == BY_HAND


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """All that the page of a customer shows. `asked_id`: the id that was asked for, where it leads to another one now.

    `withheld`: what is kept out of the purpose of whoever looks. `is_part`: records beyond their scope are left out, and with
    them all that is told of the whole.
    """

    customer: Customer
    asked_id: UUID | None
    values: Sequence[Value]
    steps: Sequence[Step]
    relations: Relations | None
    overrides: Sequence[KeptOverride]
    tasks: Sequence[Task]
    as_of: datetime | None
    consents: "Sequence[Consent] | None"
    withheld: Sequence[str] = ()
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    """What may be done with the customer: to which contact point, for what, why, and when that was said."""

    purpose: str
    channel: str
    brand: str
    contact_point: str
    answer: str
    reason: str
    said_at: datetime | None


def at(caller: Principal, golden_id: UUID, as_of: datetime | None) -> CustomerPage:
    """Read a customer, audited. Raises: NotFound, Gone; Invalid for a time to come."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        live_id, _ = history.living(session, golden_id)
        found = customers.read(session, caller, [live_id])
        tasks = queue.page(session, Wanted(golden_id=live_id), limit=10)
        relations = related.read(session, live_id) if as_of is None else None
        private = policies.private_sources(session)
        for action in ("golden.read_history", "golden.read_relationships"):
            audit.record(session, caller.actor, action, "golden", str(live_id))
    if not found:
        raise NotFound("There is no such golden record", code="unknown_golden")
    customer = found[0]
    if as_of is not None:
        customer = _then(customer, past.versions_at(caller, golden_id, as_of)[1].body)
        customer = customer if caller.sees_clear else customers.masked(customer, private)
    with db.transaction() as session:
        steps = history.steps(session, live_id, 0, MOST_STEPS)
    with db.read_only(db.Role.APP, caller.scope) as session:
        past.require_within(session, caller, *(one for step in steps for one in (step.before, step.version)))
    told = _values(customer)
    asked_id = golden_id if golden_id != live_id else None
    consents = _consents(caller, live_id, as_of) if caller.may("consents:read") else None
    page = CustomerPage(customer, asked_id, told, steps[::-1], relations, _overrides(caller, customer), tasks, as_of, consents)
    return page if caller.sees_clear else _masked(page, private)


def under_limits(caller: Principal, held: Held, golden_id: UUID) -> CustomerPage:
    """The page for somebody whose role works for a purpose, or who sees some of the records: the values that are left."""
    body = orjson.loads(held.body)
    live_id = UUID(body["golden_id"])
    of = Customer(live_id, held.status, None, held.version, body.get("display_name"), body.get("values", {}), _members_of(body))
    if not caller.sees_clear:
        with db.read_only(db.Role.APP, caller.scope) as session:
            of = customers.masked(of, policies.private_sources(session))
    asked_id, withheld = golden_id if golden_id != live_id else None, [label(name) for name in body.get("withheld", ())]
    return CustomerPage(of, asked_id, _values(of), (), None, (), (), None, None, withheld, not held.is_whole)


def _values(customer: Customer) -> list[Value]:
    order = {one: place for place, one in enumerate(_ordered(customer.values))}
    return sorted((_value(name, held) for name, held in customer.values.items()), key=lambda one: order[one.name])


def _masked(page: CustomerPage, private: Collection[str]) -> CustomerPage:
    """The same for somebody who may not see personal values; its customer is masked already."""
    relations = page.relations
    if relations is not None:
        relations = replace(relations, shown=[replace(one, display_name=_name(one.display_name)) for one in relations.shown])
    consents = page.consents and [replace(one, contact_point=masking.contact_point(one.contact_point)) for one in page.consents]
    overrides, steps = [_override(one) for one in page.overrides], [_step(one, private) for one in page.steps]
    return replace(page, steps=steps, relations=relations, overrides=overrides, consents=consents)


def _name(text: str | None) -> str | None:
    return masking.name(text) if text else None


def _override(one: KeptOverride) -> KeptOverride:
    override = replace(one.override, value=masking.field(one.override.attribute, one.override.value))
    return replace(one, override=override, reason=one.reason and masking.words(one.reason))


def _step(step: Step, private: Collection[str]) -> Step:
    def told(key: Key) -> Key:
        return key[0], masking.key(*key, private)

    return replace(
        step,
        joined=tuple(map(told, step.joined)),
        left=tuple(map(told, step.left)),
        because=tuple(replace(one, record=told(one.record), beside=told(one.beside)) for one in step.because),
        values={name: (masking.field(name, was), masking.field(name, becomes)) for name, (was, becomes) in step.values.items()},
        overrides=tuple(replace(one, reason=one.reason and masking.words(one.reason)) for one in step.overrides),
    )


def _consents(caller: Principal, golden_id: UUID, as_of: datetime | None) -> list[Consent]:
    """Read what the customer's consents amount to, audited, as `GET /v1/golden/{id}/consents` does."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        audit.record(session, caller.actor, "golden.read_consents", "golden", str(golden_id))
    read = consent_reading.read if as_of is None else consent_reading.read_past
    with db.read_only(db.Role.ENGINE) as session:
        told = read(session, shipped(), golden_id, as_of or clock.now(), caller.scope.brands)
    said = {one.entry.entry_id: one.entry.occurred_at or one.entry.recorded_at for one in told.entries}
    return [
        Consent(
            query.purpose, str(query.channel or "any way"), query.brand or "every brand",
            consent_reading.point_of(told.points, query.contact) or "", str(ruling.answer), str(ruling.reason),
            next((said[one] for one in ruling.entries if one in said), None),
        )
        for query, ruling in told.effective.items()
    ]  # fmt: skip


def _ordered(values: Mapping[str, Any]) -> list[str]:
    return [*(name for name in LABELS if name in values), *sorted(name for name in values if name not in LABELS)]


def _then(customer: Customer, body: Mapping[str, Any]) -> Customer:
    """The customer as it was told at another time."""
    return Customer(
        UUID(body["golden_id"]), body["status"], None, body["version"], body.get("display_name"), body.get("values", {}),
        _members_of(body),
    )  # fmt: skip


def _members_of(body: Mapping[str, Any]) -> tuple[customers.Member, ...]:
    return tuple(
        customers.Member(UUID(one["record_id"]), one["source"], one["source_key"], None) for one in body.get("members", ())
    )


def _value(name: str, held: Mapping[str, Any]) -> Value:
    told = held["provenance"]
    provenances = told if isinstance(told, list) else [told]
    first = provenances[0] if provenances else {}
    runners = [
        Runner(lines(name, one.get("value")), one["source"], datetime.fromisoformat(one["at"]))
        for provenance in provenances
        for one in provenance.get("runners_up", ())
        if one.get("value") is not None
    ]
    since = datetime.fromisoformat(first["at"]) if "at" in first else None
    because = SENTENCES.get(first.get("rule", ""), str(first.get("rule", "")).replace("_", " "))
    return Value(name, label(name), lines(name, held["value"]), source_names(told), since, because, runners)


def _overrides(caller: Principal, customer: Customer) -> list[KeptOverride]:
    try:
        return overriding.of_golden(db.transaction, caller, customer.golden_id)[1]
    except MdmError:  # An ended customer has none, and one beyond the steward's brands in part is not theirs to change.
        return []
