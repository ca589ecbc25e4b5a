"""Makes links for customers: of a contact point that a customer holds, for something. Nothing of a link is stored.

One to confirm also records that the customer was asked. What customers then do by a link is recorded by `mdm.consent_link_acts`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from consent import links
from consent.entries import Channel, Method, State
from consent.links import Link, LinkKind
from consent.purposes import Rules
from kernel import audit
from kernel.actor import Principal
from kernel.errors import Invalid, NotFound
from mdm import consent_customers, consents, sql
from mdm.consent_acts import Act
from mdm.contact_points import ContactPoint

_RECORD = """
SELECT c.record_id, c.golden_id, c.brand FROM source_record s
JOIN crosswalk c ON c.record_id = coalesce(s.rekeyed_to, s.record_id) WHERE s.source = %s AND s.source_key = %s"""
_LIVING = """
SELECT live.golden_id FROM golden g JOIN golden live ON live.golden_id = coalesce(g.redirect_to, g.golden_id)
WHERE g.golden_id = %s AND live.status = 'live'"""


@dataclass(frozen=True, slots=True)
class Wish:
    """A link that somebody wants: for whom, of which contact point, for what."""

    kind: LinkKind
    contact: ContactPoint
    golden_id: UUID | None = None
    record: tuple[str, str] | None = None
    purpose: str | None = None
    channel: Channel | None = None
    brand: str | None = None
    notice: str | None = None


def issue(session: Session, rules: Rules, wish: Wish, principal: Principal, now: datetime) -> Link:
    """Make a link, in the row scope of the session. One to confirm also records that the customer was asked.

    Raises: NotFound for a customer that is not known, Invalid for a contact point that the customer does not hold.
    """
    if principal.scope.brands is not None and wish.brand not in principal.scope.brands:
        raise Invalid("The link must be of a brand within the key's scope", code="outside_scope")
    if wish.kind is LinkKind.CONFIRM and (wish.purpose is None or wish.channel is None):
        missing = "purpose_missing" if wish.purpose is None else "channel_missing"
        raise Invalid("What is to be confirmed must name its purpose and its channel", code=missing)
    record_id, contact, brand = _holder(session, rules, wish)
    brand = wish.brand or (None if wish.kind is LinkKind.UNSUBSCRIBE else brand)
    request = _request(session, rules, wish, principal, now) if wish.kind is LinkKind.CONFIRM else None
    from_ = _from(session, wish.kind, record_id, now)
    made = Link(
        wish.kind, contact, wish.contact.kind, record_id, wish.record is not None, from_ + links.LIVES[wish.kind], wish.purpose,
        wish.channel, brand, request,
    )  # fmt: skip
    audit.record(session, principal.actor, "consent.link_made", "consent", made.reference, detail={"kind": wish.kind})
    return made


def _from(session: Session, kind: LinkKind, record_id: UUID, now: datetime) -> datetime:
    """From when a link counts: after all that were revoked, for links know whole seconds only."""
    revoked_at = links.revoked_at(session, kind, record_id)
    second = now.replace(microsecond=0)
    return second if revoked_at is None else max(second, revoked_at.replace(microsecond=0) + timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class Revocation:
    """Links that shall be followed no more: one by its id, or those of a customer by a golden id or a record."""

    kinds: frozenset[LinkKind]
    link_id: str | None = None
    golden_id: UUID | None = None
    record: tuple[str, str] | None = None


def revoke(session: Session, rules: Rules, wish: Revocation, principal: Principal, now: datetime) -> int:
    """Let links be followed no more, in the row scope of the session; of how many records. Links made afterwards are good.

    Of a customer, the links of all records that are that customer now. Raises: NotFound for one that is not known.
    """
    found = _members(session, rules, wish) if wish.link_id is None else []
    links.revoke(session, wish.kinds, now, principal.actor, found, wish.link_id)
    detail = {"kinds": sorted(wish.kinds), "records": len(found)}
    subject = wish.link_id or str(wish.golden_id or found[0])
    audit.record(session, principal.actor, "consent.links_revoked", "consent", subject, detail=detail)
    return len(found)


def _members(session: Session, rules: Rules, wish: Revocation) -> list[UUID]:
    if wish.record is not None:
        rows = sql.rows(session, _RECORD, list(wish.record))
        goldens, alone = [row[1] for row in rows if row[1]], [row[0] for row in rows if not row[1]]
    else:
        rows = sql.rows(session, _LIVING, [wish.golden_id])
        goldens, alone = [row[0] for row in rows], []
    if not rows:
        raise NotFound("There is no such customer within the key's scope", code="unknown_customer")
    return consent_customers.census(session, rules, goldens, alone).records()


def _holder(session: Session, rules: Rules, wish: Wish) -> tuple[UUID, str, str | None]:
    """The record by which the holder is found, the hash of the contact point, and the brand of a record that was named."""
    if wish.record is not None:
        rows = sql.rows(session, _RECORD, list(wish.record))
        goldens, own = [row[1] for row in rows if row[1]], [row[0] for row in rows]
    else:
        rows = sql.rows(session, _LIVING, [wish.golden_id])
        goldens, own = [row[0] for row in rows], None
    if not rows:
        raise NotFound("There is no such customer within the key's scope", code="unknown_customer")
    census = consent_customers.census(session, rules, goldens, own or ())
    contact = census.hash_of(wish.contact)
    members = (one for found in census.members.values() for one in found if own is None or one.record_id in own)
    held = sorted(one.record_id for one in members if any(holding.contact == contact for holding in one.holdings))
    if not held:
        raise Invalid("The customer does not hold this contact point", code="contact_point_not_held")
    return held[0], contact, rows[0][2] if own else None


def _request(session: Session, rules: Rules, wish: Wish, principal: Principal, now: datetime) -> UUID:
    """Record that the customer was asked. Raises: Invalid."""
    asked = Act(
        State.REQUESTED, wish.purpose, wish.channel, wish.brand, wish.golden_id, wish.record, wish.contact, occurred_at=now,
        method=Method.DOUBLE_OPT_IN, notice=wish.notice,
    )  # fmt: skip
    (outcome,) = consents.record(session, rules, [asked], principal)
    if outcome.entry_id is None:
        raise Invalid("The customer cannot be asked for this", code=outcome.problem.code if outcome.problem else None)
    return outcome.entry_id
