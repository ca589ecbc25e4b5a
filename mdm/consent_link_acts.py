"""Records what customers do by their links: their own acts, with the link as evidence, in the transaction of whoever serves them.

A withdrawal is recorded against the contact point whoever holds it by then, also when nobody does any more. A consent is of the
record that the link was made for, else of whoever holds the contact point; of several customers it permits nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from consent import ledger
from consent.effective import Customer, are_parted
from consent.entries import POSITIVE, Entry, Method, Origin, State
from consent.ledger import Statement
from consent.links import Link
from consent.purposes import Rules
from kernel import audit, clock
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Gone, NotFound
from mdm import consent_customers, consent_writing, consents, sql, suppression
from mdm.consent_acts import Act
from mdm.contact_points import ContactPoint

# Whoever follows a link is the customer, as far as anybody can know; who made the link is in the audit log.
CUSTOMER = Principal("subject:link", "the customer", frozenset(), Scope())
_GOLDENS = "SELECT record_id, golden_id FROM consent_goldens(%s::uuid[])"
_KEY = "SELECT source, source_key FROM crosswalk WHERE record_id = %s"


@dataclass(frozen=True, slots=True)
class Reached:
    """The customer that a link reaches now, and the contact point in words as long as a record of the customer holds it."""

    customer: Customer
    point: ContactPoint | None


def reach(session: Session, rules: Rules, link: Link, at: datetime) -> Reached:
    """Find who is behind a link now, whatever was merged or split since it was made."""
    goldens = {row[1] for row in sql.rows(session, _GOLDENS, [[link.record_id]])}
    census = consent_customers.census(session, rules, goldens, () if goldens else [link.record_id])
    entries = ledger.read(session, census.records(), {*census.contacts(), link.contact}, at)
    found = [*census.customers(entries, at).values(), consent_customers.about_contact(entries, link.contact)]
    return Reached(found[0], census.points.get(link.contact))


def withdraw(session: Session, rules: Rules, link: Link, now: datetime) -> None:
    """Record that the customer wants no more of what the link is for."""
    said = Act(
        State.WITHDRAWN, link.purpose, link.channel, link.brand, occurred_at=now, origin=Origin.SUBJECT, method=Method.ONE_CLICK
    )
    record(session, rules, link, [said])


def record(session: Session, rules: Rules, link: Link, acts: Sequence[Act]) -> None:
    """Record acts about the contact point of a link as the customer's own."""
    suppression.any_erased(session)  # Until this ends nobody is erased, or it would write to a tombstone.
    shown = [replace(one, evidence={"link": link.reference, "kind": str(link.kind)}) for one in acts]
    point = reach(session, rules, link, clock.now()).point
    if point is None:
        _against(session, rules, link, [one for one in shown if one.state not in POSITIVE])
    else:
        of = _record_of(session, link)
        consents.record(session, rules, [_named(one, point, of) for one in shown], CUSTOMER)
    detail = {"kind": link.kind, "sent": len(acts)}
    audit.record(session, CUSTOMER.actor, "consent.recorded", "consent", link.reference, detail=detail)


def _named(one: Act, point: ContactPoint, record_: tuple[str, str] | None) -> Act:
    return replace(one, contact=point, record=record_ if one.state in POSITIVE else None)


def _record_of(session: Session, link: Link) -> tuple[str, str] | None:
    rows = sql.rows(session, _KEY, [link.record_id]) if link.is_of_record else []
    return (rows[0][0], rows[0][1]) if rows else None


def _against(session: Session, rules: Rules, link: Link, acts: Sequence[Act]) -> None:
    """Record what speaks against a contact point that nobody behind the link holds any more: by its hash alone."""
    made = [_statement(link, one) for one in acts]
    new = consent_writing.append(session, made)
    consent_writing.tell(session, rules, [one for one in made if one.entry.entry_id in new], clock.now())


def _statement(link: Link, act: Act) -> Statement:
    at = act.occurred_at
    said = ledger.entry_id("link", link.reference, act.state, act.purpose, act.channel, act.brand, at)
    entry = Entry(
        said, act.state, clock.now(), at, link.contact, act.channel, act.purpose, act.brand, origin=act.origin, is_evidenced=True,
        records=frozenset({link.record_id}),
    )  # fmt: skip
    return Statement(
        entry, CUSTOMER.actor, method=act.method, kind=link.contact_kind, notice=act.notice, evidence=act.evidence
    )  # fmt: skip


def confirm(session: Session, rules: Rules, link: Link, now: datetime) -> None:
    """Record the consent that the customer was asked for; it counts from when that was, so a withdrawal since then stands.

    Raises: NotFound when that request is not known any more, Gone for a link that was used: its entry is in the ledger.
    """
    suppression.any_erased(session)  # As above.
    asked = next(iter(ledger.kept(session, [link.request] if link.request else [])), None)
    if asked is None or asked.contact_point is None:
        raise NotFound("That request is not known", code="no_link")
    confirmed = _confirmation(link, asked, now)
    if not consent_writing.append(session, [confirmed]):
        raise Gone("This link was used", code="link_used")
    records = confirmed.entry.records
    if are_parted(records, dict(sql.rows(session, _GOLDENS, [sorted(records)]))):
        ledger.part(session, [confirmed.entry.entry_id], now)
    consent_writing.tell(session, rules, [confirmed], now)
    audit.record(session, CUSTOMER.actor, "consent.recorded", "consent", link.reference, detail={"kind": link.kind, "sent": 1})


def _confirmation(link: Link, asked: ledger.Kept, now: datetime) -> Statement:
    """The consent of a request, under an id that there is once for each request."""
    was = asked.entry
    entry = Entry(
        ledger.entry_id("confirmation", was.entry_id), State.GIVEN, now, now, was.contact, was.channel, was.purpose, was.brand,
        was.jurisdiction, Origin.SUBJECT, is_evidenced=True, asked_at=was.occurred_at, records=was.records,
    )  # fmt: skip
    return Statement(
        entry, CUSTOMER.actor, method=Method.DOUBLE_OPT_IN, kind=link.contact_kind, contact_point=asked.contact_point,
        notice=asked.notice, evidence={"link": link.reference, "kind": str(link.kind), "request": str(was.entry_id)},
    )  # fmt: skip
