"""What a customer can choose by a link, how it stands, and what of it the customer changed. Writes by `mdm.consent_link_acts`.

Only what was changed on the page is recorded: what was shown and left alone is no act, also when it has changed meanwhile.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from consent.effective import DEVICE, EMAIL, PHONE, judge
from consent.entries import Channel, Method, Origin, Query, State
from consent.links import Link
from consent.preferences import Key, Preference, of_brand
from consent.purposes import Rules
from kernel import audit, clock
from mdm import consent_link_acts, preferences
from mdm.consent_acts import Act
from mdm.consent_link_acts import CUSTOMER, Reached

NOTICE = "preference-page-1"
CHANNELS = {EMAIL: (Channel.EMAIL,), PHONE: (Channel.SMS, Channel.PHONE, Channel.MESSENGER), DEVICE: (Channel.PUSH,)}
# What is left of the whole that is taken back stands after it, or no act of one moment could say both.
_AFTER = timedelta(microseconds=1)
Chosen = AbstractSet[tuple[str, Channel]]


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that may be sent by a channel, and whether it may be now."""

    purpose: str
    title: str
    channel: Channel
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class Preferences:
    """All choices of a link. `shown`: the contact point, mostly hidden; None when nobody behind the link holds it any more."""

    choices: tuple[Choice, ...]
    shown: str | None
    language: str | None = None
    frequency: str | None = None
    topics: tuple[str, ...] = ()


def read(session: Session, rules: Rules, link: Link, at: datetime) -> Preferences:
    """Read how the choices of a link stand."""
    reached = consent_link_acts.reach(session, rules, link, at)
    made = tuple(
        Choice(
            purpose, rules.purposes[purpose].title, channel,
            judge(reached.customer, Query(purpose, channel, link.brand, link.contact), rules, at).permits,
        )
        for purpose, channel in _offered(rules, link)
    )  # fmt: skip
    if reached.point is None:
        return Preferences(made, None)
    said = {key: one.value for key, one in _said(session, reached, link).items()}
    return Preferences(
        made, _hidden(reached.point.shown), said.get(Key.LANGUAGE), said.get(Key.FREQUENCY), tuple(said.get(Key.TOPICS) or ())
    )


def _said(session: Session, reached: Reached, link: Link) -> dict[Key, Preference]:
    return of_brand(preferences.of_records(session, sorted(reached.customer.records)), link.brand)


def choose(session: Session, rules: Rules, link: Link, chosen: Mapping[Key, Any]) -> None:
    """Record how the customer wants to be dealt with, of what differs from how it stands; nothing once nobody holds the point.

    It is of the record that the link was made for, else of all records of the customer.
    """
    reached = consent_link_acts.reach(session, rules, link, clock.now())
    if reached.point is None or link.purpose is not None:
        return
    said = _said(session, reached, link)
    changed = {key: value for key, value in chosen.items() if value != (said[key].value if key in said else None)}
    records = {link.record_id} if link.is_of_record else set(reached.customer.records)
    if changed and preferences.choose(session, records, link.brand, changed, CUSTOMER):
        detail = {"kind": link.kind, "chosen": len(changed)}
        audit.record(session, CUSTOMER.actor, "preference.recorded", "consent", link.reference, detail=detail)


def _offered(rules: Rules, link: Link) -> Iterator[tuple[str, Channel]]:
    """What consent is asked for that reaches the contact point, as far as the link goes."""
    for channel in CHANNELS[link.contact_kind]:
        for name, purpose in rules.purposes.items():
            if purpose.reaches and purpose.covers_all and link.purpose in {None, name} and link.channel in {None, channel}:
                yield name, channel


def _hidden(shown: str) -> str:
    """Enough of a contact point for its holder to know it."""
    name, at, domain = shown.partition("@")
    return f"{name[:1]}…@{domain}" if at else f"…{shown[-2:]}"


def save(session: Session, rules: Rules, link: Link, shown: Chosen, wanted: Chosen, now: datetime) -> None:
    """Record what the customer changed: what was allowed as shown and is no longer wanted, and the other way round."""
    offered = list(_offered(rules, link))
    acts = [_act(link, State.WITHDRAWN, one, now) for one in offered if one in shown and one not in wanted]
    acts += [_act(link, State.GIVEN, one, now + _AFTER) for one in offered if one in wanted and one not in shown]
    if acts:
        consent_link_acts.record(session, rules, link, acts)


def save_nothing(session: Session, rules: Rules, link: Link, now: datetime) -> None:
    """Record that the customer wants nothing of all that the link goes for."""
    consent_link_acts.record(session, rules, link, [_act(link, State.WITHDRAWN, (link.purpose, link.channel), now)])


def _act(link: Link, state: State, of: tuple[str | None, Channel | None], at: datetime) -> Act:
    purpose, channel = of
    return Act(
        state, purpose, channel, link.brand, occurred_at=at, origin=Origin.SUBJECT, method=Method.PREFERENCE_CENTRE, notice=NOTICE
    )  # fmt: skip
