"""A consent act as it is sent, and what may be wrong with it by itself. Pure; who it names is looked up by `mdm.consents`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from consent.effective import KIND_OF
from consent.entries import POSITIVE, Basis, Channel, Method, Origin, State, Strength, Suppression
from consent.purposes import UNKNOWN_PLACE, Rules
from mdm.contact_points import ContactPoint
from mdm.mapping_values import Problem

LATEST_AHEAD = timedelta(minutes=5)  # Clocks differ; what is of the future is no act yet.


@dataclass(frozen=True, slots=True)
class Act:
    """An act as it is sent, its values of the right kind. Names a golden record, a record, or a contact point alone."""

    state: State
    purpose: str | None = None
    channel: Channel | None = None
    brand: str | None = None
    golden_id: UUID | None = None
    record: tuple[str, str] | None = None
    contact: ContactPoint | None = None
    occurred_at: datetime | None = None
    asked_at: datetime | None = None
    expires_at: datetime | None = None
    jurisdiction: str | None = None
    basis: Basis = Basis.CONSENT
    origin: Origin = Origin.SYSTEM
    strength: Strength = Strength.EXPRESS
    method: Method = Method.API
    suppression: Suppression | None = None
    implied_by: str | None = None
    lifts: UUID | None = None
    notice: str | None = None
    evidence: Mapping[str, Any] | None = None
    reason: str | None = None


def problem_of(act: Act, rules: Rules, now: datetime) -> Problem | None:
    """What is wrong with an act by itself, the first of it, or None."""
    return next(_problems(act, rules, now), None)


def _problems(act: Act, rules: Rules, now: datetime) -> Iterator[Problem]:
    if act.golden_id is not None and act.record is not None:
        yield Problem("two_subjects", "record")
    if all(one is None for one in (act.golden_id, act.record, act.contact, act.lifts)):
        yield Problem("no_subject", "contact_point")
    if act.purpose is not None and act.purpose not in rules.purposes:
        yield Problem("unknown_purpose", "purpose")
    if act.jurisdiction is not None and (act.jurisdiction not in rules.places or act.jurisdiction == UNKNOWN_PLACE):
        yield Problem("unknown_jurisdiction", "jurisdiction")
    for name in ("occurred_at", "asked_at"):
        at: datetime | None = getattr(act, name)
        if at is not None and at > now + LATEST_AHEAD:
            yield Problem("time_in_future", name)
    if act.asked_at is not None and act.occurred_at is not None and act.asked_at > act.occurred_at:
        yield Problem("asked_after_it_occurred", "asked_at")
    if act.state in POSITIVE:
        yield from _of_positive(act, rules)
    yield from _of_suppression(act)
    if act.contact and act.channel and KIND_OF.get(act.channel) not in {None, act.contact.kind}:
        yield Problem("contact_point_of_another_channel", "channel")


def _of_positive(act: Act, rules: Rules) -> Iterator[Problem]:
    """A consent is for something definite: a purpose, and where messages are meant, a channel and a contact point of it."""
    if act.purpose is None:
        yield Problem("purpose_missing", "purpose")
    elif act.purpose in rules.purposes and rules.purposes[act.purpose].reaches and act.channel is None:
        yield Problem("channel_missing", "channel")
    if act.channel in KIND_OF and act.contact is None:
        yield Problem("contact_point_missing", "contact_point")
    if (act.state is State.IMPLIED) != (act.implied_by is not None):
        yield Problem("implied_by_what", "implied_by")


def _of_suppression(act: Act) -> Iterator[Problem]:
    if (act.state is State.SUPPRESSED) != (act.suppression is not None):
        yield Problem("suppression_and_state_differ", "suppression")
    if (act.state is State.LIFTED) != (act.lifts is not None):
        yield Problem("lift_and_state_differ", "lifts")
    if act.state is State.LIFTED and not act.reason:
        yield Problem("lift_needs_reason", "reason")
