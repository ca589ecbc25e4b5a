"""The columns of an export that say whom a file may be used to reach: what a consent check of each row's golden record answers.

Asked in the snapshot of the file, so that it is consistent with the event that the file names; whom to drop since is asked by
that cursor (`mdm.denials`). Of a golden record that is not live nothing is asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session

from consent.effective import EMAIL, KIND_OF
from consent.entries import Channel
from consent.purposes import Rules
from kernel.actor import Principal
from kernel.errors import Forbidden, Invalid
from mdm import consent_checks, masking, sql
from mdm.consent_checks import Check, LimitsOf
from mdm.export_files import Columns, Kind

NEEDS = "consents:check"
NAMES = ("consent", "consent_reason", "consent_contact_points")
PORTION = 2_000
_ID, _STATUS = 0, 1  # Where a row says which golden record it is of, and how that stands.


@dataclass(frozen=True, slots=True)
class Reach:
    """By which channel and in whose name somebody is to be reached; no channel for a purpose that reaches nobody."""

    channel: str | None = None
    brand: str | None = None

    @classmethod
    def of(cls, said: dict[str, Any] | None) -> "Reach | None":
        """Read what `said` wrote."""
        return None if said is None else cls(**said)

    def said(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self)


def check(rules: Rules, reach: Reach, purpose: str | None, caller: Principal) -> None:
    """Check what is asked of consent. Raises: Forbidden; Invalid for a purpose, channel or brand that cannot be asked about."""
    if not caller.may(NEEDS):
        raise Forbidden(f"The key needs the scope {NEEDS} as well", code="missing_scope", extra={"scope": NEEDS})
    known = rules.purposes.get(purpose or "")
    if known is None:
        raise Invalid("Consent is for a purpose: name one", code="unknown_purpose", extra={"known": sorted(rules.purposes)})
    if known.reaches and reach.channel is None:
        raise Invalid("This purpose reaches somebody: by which channel?", code="channel_missing")
    if reach.channel is not None and reach.channel not in set(Channel):
        raise Invalid("There is no such channel", code="unknown_channel", extra={"known": [str(one) for one in Channel]})


def columns(as_json: bool) -> Columns:
    """The columns; contact points as JSON, or as its text."""
    return dict(zip(NAMES, (Kind.TEXT, Kind.TEXT, Kind.JSON if as_json else Kind.TEXT), strict=True))


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of each row: for a purpose, as at a time, by what rules; `masked` for whoever may not see contact points."""

    reach: Reach
    purpose: str
    rules: Rules
    limits_of: LimitsOf
    at: datetime
    masked: bool = False


def beside(session: Session, asking: Asking, rows: Sequence[sql.Row]) -> Iterator[sql.Row]:
    """Give rows with their columns of consent, in the row scope of the session, some thousand a statement."""
    for begin in range(0, len(rows), PORTION):
        some = rows[begin : begin + PORTION]
        live = [UUID(row[_ID]) for row in some if row[_STATUS] == "live"]
        channel = Channel(asking.reach.channel) if asking.reach.channel else None
        checks = [Check(asking.purpose, channel, asking.reach.brand, one) for one in live]
        found = iter(consent_checks.check_in(session, asking.rules, checks, asking.at, asking.limits_of) if checks else ())
        for row in some:
            yield (*row, *(_told(next(found), asking, channel) if row[_STATUS] == "live" else (None, None, None)))


def _told(one: consent_checks.Checked, asking: Asking, channel: Channel | None) -> sql.Row:
    points: Any = list(one.contact_points)
    if asking.masked:
        points = masking.field("emails" if channel and KIND_OF.get(channel) == EMAIL else "phones", points)
    shown = orjson.dumps(points).decode() if channel in KIND_OF else None
    return (str(one.ruling.answer), str(one.ruling.reason), shown)
