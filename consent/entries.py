"""Consent entries: what somebody did, or what became known, about one contact point or one person. Values only; pure.

An entry is never changed. `records` are those that it may speak of: the one that brought it, or the members of the golden record
that it was recorded for. What is counted of it, and for whom, is said by `consent.effective`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

Contact = str  # Opaque here: whoever stores it gives a keyed hash, tests a name.


class Channel(StrEnum):
    """By which way somebody is reached."""

    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"
    POST = "post"
    PUSH = "push"
    MESSENGER = "messenger"
    IN_STORE = "in_store"
    WEB = "web"


class State(StrEnum):
    """What an entry says. Only given, renewed and implied may permit anything."""

    GIVEN = "given"
    RENEWED = "renewed"
    IMPLIED = "implied"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"
    LIFTED = "lifted"
    REQUESTED = "requested"
    UNKNOWN = "unknown"


# Tuples: an enum hashes itself in Python, which takes longer than comparing with three.
POSITIVE = (State.GIVEN, State.RENEWED, State.IMPLIED)
DENYING = (State.REFUSED, State.WITHDRAWN, State.SUPPRESSED)
ENDING = (State.EXPIRED, State.INVALIDATED)  # They end what was given before, and deny nothing.
INERT = (State.REQUESTED, State.UNKNOWN, State.LIFTED)


class Suppression(StrEnum):
    """Why something is suppressed. Of GPC, DO_NOT_CALL, OBJECTION and REASSIGNED a later explicit act may go beyond it."""

    GPC = "gpc"
    DO_NOT_CALL = "do_not_call"
    OBJECTION = "objection"
    REASSIGNED = "reassigned"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    LITIGATION = "litigation"
    DECEASED = "deceased"
    MINOR = "minor"
    ERASED = "erased"


LIFTED_ONLY = (
    Suppression.BOUNCE,
    Suppression.COMPLAINT,
    Suppression.LITIGATION,
    Suppression.DECEASED,
    Suppression.MINOR,
    Suppression.ERASED,
)


# A global suppression forbids for the whole person or contact point, whatever is asked; each is told by its own name.
GLOBAL = (Suppression.DECEASED, Suppression.MINOR, Suppression.DO_NOT_CALL, Suppression.GPC)


class Basis(StrEnum):
    """The legal basis of what is done: GDPR Art. 6(1), in its order."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTERESTS = "vital_interests"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTERESTS = "legitimate_interests"


class Origin(StrEnum):
    """Whose word it is: the customer's own, an employee's about the customer, a system's, or what a file or source claims."""

    SUBJECT = "subject"
    AGENT = "agent"
    SYSTEM = "system"
    IMPORT = "import"


class Strength(StrEnum):
    """How plainly it was said, the plainest last."""

    IMPLIED = "implied"
    SOFT = "soft"
    EXPRESS = "express"
    EXPRESS_WRITTEN = "express_written"

    def reaches(self, other: "Strength") -> bool:
        """Whether it is at least as plain."""
        return _RANKS[self] >= _RANKS[other]


_RANKS = {one: rank for rank, one in enumerate(Strength)}


_PLAIN = (Strength.EXPRESS, Strength.EXPRESS_WRITTEN)
_ACTING = (Origin.SUBJECT, Origin.AGENT)


class Method(StrEnum):
    """How it was taken."""

    WEB_FORM = "web_form"
    DOUBLE_OPT_IN = "double_opt_in"
    ONE_CLICK = "one_click"
    PREFERENCE_CENTRE = "preference_centre"
    MESSAGE = "message"
    CALL = "call"
    PAPER = "paper"
    IN_PERSON = "in_person"
    SIGNAL = "signal"
    IMPORT = "import"
    API = "api"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. No contact point: it speaks of the person; no channel, purpose or brand: of all of them.

    `asked_at`: when the customer was asked, of a consent that was confirmed later; it counts from then. `implied_by`: the
    relation that implies it. `lifts`: the suppression that it ends. `parted_at`: since when its records are apart.
    """

    entry_id: UUID
    state: State
    recorded_at: datetime
    occurred_at: datetime | None = None
    contact: Contact | None = None
    channel: Channel | None = None
    purpose: str | None = None
    brand: str | None = None
    jurisdiction: str | None = None
    origin: Origin = Origin.IMPORT
    strength: Strength = Strength.EXPRESS
    is_evidenced: bool = False
    suppression: Suppression | None = None
    implied_by: str | None = None
    asked_at: datetime | None = None
    expires_at: datetime | None = None
    lifts: UUID | None = None
    records: frozenset[UUID] = frozenset()
    parted_at: datetime | None = None

    @property
    def counts_from(self) -> datetime | None:
        """Where it stands among other acts; None when nobody knows. A withdrawal counts from when it was made, whoever asked."""
        return (self.asked_at if self.state in POSITIVE else None) or self.occurred_at

    @property
    def is_explicit(self) -> bool:
        """Whether the customer said it in so many words, and that can be shown."""
        return self.origin is Origin.SUBJECT and self.is_evidenced and self.strength in _PLAIN

    @property
    def is_shown_act(self) -> bool:
        """Whether it is an act of the customer, of which there is evidence."""
        return self.is_evidenced and self.origin in _ACTING

    def parted(self, at: datetime) -> "Entry":
        """The same, once its records are not together any more; that stays."""
        return replace(self, parted_at=self.parted_at or at)


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody wants to do: reach this contact point by this channel, for this purpose, in the name of this brand."""

    purpose: str
    channel: Channel | None = None
    brand: str | None = None
    contact: Contact | None = None
