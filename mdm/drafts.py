"""Golden records as they should be: values with provenance, members, and a content hash. Pure; `mdm.golden` stores them.

The body is what `GET /v1/golden/{id}` gives. The content hash covers what the golden says, under names that mean the same
in every installation (source and key, never ids, versions or times of computing), so that two paths can be compared.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from mdm.changes import Standing, Status
from mdm.closure import GoldenHead, RecordHead
from mdm.evaluation import Evaluation
from mdm.override_values import Override, as_member, placed
from mdm.records import CurrentRecord
from mdm.survivorship import MemberRecord, survive
from mdm.versions import VersionSet

Id = uuid.UUID
# What a record says of itself by its own ids differs between installations; all else is content.
VOLATILE = frozenset({"record_id", "override_id"})
_OWN_IDS = tuple(f'"{name}":"'.encode() for name in sorted(VOLATILE))
MOST_REMEMBERED = 20_000
STAMPS = frozenset({"version", "version_set", "computed_at"})
# Consent is no value of a golden record: it hangs on channel, purpose and the time of asking. Older bodies say "not known".
CONSENT, ASKED_SEPARATELY = "consent", "asked separately: POST /v1/consent-checks"
# By then every golden record that an expired override counted for was asked for, by a clock that may be a minute off.
EXPIRY_GRACE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Draft:
    """A golden id's answer, without its version number and time."""

    golden_id: Id
    standing: Standing[Id, Id]
    brands: tuple[str, ...]
    regions: tuple[str, ...]
    body: Mapping[str, Any]
    content_hash: bytes

    @property
    def status(self) -> Status:
        """Live, merged or ended."""
        return self.standing.status

    @property
    def redirect_to(self) -> Id | None:
        """The live id, for a merged one."""
        return self.standing.redirect_to

    @property
    def split_into(self) -> tuple[Id, ...]:
        """Live ids that hold founders of this one."""
        return self.standing.split_into

    @property
    def members(self) -> frozenset[Id]:
        """The records of a live golden."""
        return self.standing.members

    def differs_from(self, head: GoldenHead) -> bool:
        """Whether a stored golden says something else."""
        said = (head.status, head.redirect_to, head.split_into, head.brands, head.regions, head.content_hash)
        return said != (str(self.status), self.redirect_to, self.split_into, self.brands, self.regions, self.content_hash)

    def stamped(self, version: int, version_set: Mapping[str, Any], computed_at: datetime) -> dict[str, Any]:
        """The body as it is stored."""
        return {**self.body, "version": version, "version_set": dict(version_set), "computed_at": computed_at.isoformat()}


@dataclass(frozen=True, slots=True)
class _Survived:
    """What some members amount to on one day, and what that hangs on."""

    of: tuple[CurrentRecord, ...]
    display_name: str | None
    party: str
    values: Mapping[str, Any]
    digest: str

    def holds(self, members: Sequence[CurrentRecord]) -> bool:
        """Whether it was made of the very same records: decoded once, so the same objects."""
        return all(
            one.standard is other.standard and one.observed_at == other.observed_at
            for one, other in zip(self.of, members, strict=True)
        )


@dataclass(slots=True)
class Drafter:
    """Drafts goldens under one version set. Remembers what members amount to: most goldens of a component stay as they are."""

    versions: VersionSet
    _known: dict[tuple[tuple[Id, ...], date], _Survived] = field(default_factory=dict)
    _set_by_hand: dict[Id, MemberRecord] = field(default_factory=dict)

    def drafts(
        self, evaluation: Evaluation, as_at: Mapping[Id, datetime], now: datetime, stand: AbstractSet[Id] = frozenset()
    ) -> list[Draft]:
        """Draft every golden id of a unit but those that `stand`. `as_at`: the time to which values are computed, if not now."""
        by_hand = overrides_of(evaluation)
        return [
            self._draft(evaluation, golden_id, standing, as_at.get(golden_id, now), by_hand.get(golden_id, ()))
            for golden_id, standing in evaluation.plan.standings.items()
            if standing.status is not Status.ERASED and golden_id not in stand
        ]

    def _draft(
        self,
        evaluation: Evaluation,
        golden_id: Id,
        standing: Standing[Id, Id],
        as_at: datetime,
        by_hand: Sequence[Override],
    ) -> Draft:
        of = standing.members or evaluation.closure.founders.get(golden_id, frozenset())
        heads = sorted((evaluation.records[one] for one in of if one in evaluation.records), key=_order_key)
        body: dict[str, Any] = {
            "golden_id": str(golden_id),
            "status": str(standing.status),
            "redirect_to": str(standing.redirect_to) if standing.redirect_to else None,
            "split_into": [str(one) for one in standing.split_into],
            "consent": ASKED_SEPARATELY,
        }
        said: dict[str, Any] = {"status": str(standing.status)}
        if standing.status is Status.LIVE:
            survived = self._survive(tuple(evaluation.current[head.record_id] for head in heads), as_at, by_hand)
            said |= {"values": survived.digest, "members": [_order_key(head) for head in heads]}
            body |= {
                "display_name": survived.display_name,
                "party": survived.party,
                "values": survived.values,
                "members": [
                    {"source": one.source, "source_key": one.source_key, "record_id": str(one.record_id)} for one in heads
                ],
            }
        brands = tuple(sorted({head.brand for head in heads}))
        regions = tuple(sorted({head.region for head in heads}))
        return Draft(golden_id, standing, brands, regions, body, content_hash(said))

    def _survive(self, members: tuple[CurrentRecord, ...], as_at: datetime, by_hand: Sequence[Override]) -> _Survived:
        if by_hand:  # Few have any, and what is in force hangs on the instant: not remembered.
            return _survived(members, self.versions, as_at, [self._member(one) for one in by_hand])
        key = (tuple(one.record_id for one in members), as_at.astimezone(UTC).date())
        known = self._known.get(key)
        if known is None or not known.holds(members):
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            known = self._known[key] = _survived(members, self.versions, as_at)
        return known

    def _member(self, override: Override) -> MemberRecord:
        known = self._set_by_hand.get(override.override_id)
        if known is None or known.observed_at != override.set_at:  # What was looked at and then stored has another time.
            if len(self._set_by_hand) >= MOST_REMEMBERED:
                self._set_by_hand.clear()
            known = self._set_by_hand[override.override_id] = as_member(override, self.versions.policy.steward_context())
        return known


def overrides_of(evaluation: Evaluation) -> Mapping[Id, Sequence[Override]]:
    """Give each golden id of a unit the overrides that belong to it, expired ones among them."""
    if not evaluation.closure.overrides:
        return {}
    age = {record: (head.created_at, head.source, head.source_key) for record, head in evaluation.records.items()}
    return placed(evaluation.closure.overrides, evaluation.plan.crosswalk, age)


def judged_at(evaluation: Evaluation, computed_at: Mapping[Id, datetime], now: datetime) -> Mapping[Id, datetime]:
    """As at which time each golden's values must be what they are: when they were computed, or when an override expired since."""
    lapsed = {
        golden_id: max((one.expires_at for one in held if one.expires_at and one.expires_at <= now - EXPIRY_GRACE), default=None)
        for golden_id, held in overrides_of(evaluation).items()
    }
    return {golden_id: max(at, lapsed.get(golden_id) or at) for golden_id, at in computed_at.items()}


def _survived(
    members: tuple[CurrentRecord, ...], versions: VersionSet, as_at: datetime, by_hand: Sequence[MemberRecord] = ()
) -> _Survived:
    found = survive([*(member_of(one) for one in members), *by_hand], versions.survivorship, as_at)
    values = {name: {"value": value, "provenance": found.provenance[name]} for name, value in found.values.items()}
    digest = values_digest(values)
    return _Survived(members, found.display_name, found.values.get("party", "unknown"), values, digest)


def _order_key(head: RecordHead) -> tuple[str, str]:
    return (head.source, head.source_key)


def member_of(record: CurrentRecord) -> MemberRecord:
    """Take of a record what survivorship looks at."""
    return MemberRecord(record.record_id, record.source, record.source_key, record.observed_at, record.standard)


def values_digest(values: Mapping[str, Any]) -> str:
    """Hash values as `content_hash` does what is portable of them: taking the ids out of the text is a tenth of the work.

    An id stands before another member of its object, never last; the quotes inside a text are escaped, so that no text looks so.
    """
    if any(own in name for name in values.get("extras", {}).get("value", ()) for own in VOLATILE):  # The user's own attribute.
        return content_hash(_portable(values)).hex()
    text = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    for name in _OWN_IDS:
        if name in text:
            first, *others = text.split(name)
            text = first + b"".join([other.partition(b'",')[2] for other in others])
    return hashlib.sha256(text).hexdigest()


def _portable(value: Any) -> Any:
    """Leave out what differs between installations that hold the same records."""
    if type(value) is str:
        return value
    if isinstance(value, dict | Mapping):
        return {name: _portable(item) for name, item in value.items() if name not in VOLATILE}
    if isinstance(value, list | tuple):
        return [_portable(item) for item in value]
    return value


def content_hash(said: Any) -> bytes:
    """Hash JSON-ready data by its canonical JSON."""
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


def rehash(body: Mapping[str, Any]) -> bytes:
    """Compute the content hash that a stored body should have been stored with."""
    said: dict[str, Any] = {"status": body.get("status")}
    if said["status"] == Status.LIVE:
        members = [(one["source"], one["source_key"]) for one in body.get("members", ())]
        said |= {"values": content_hash(_portable(body.get("values"))).hex(), "members": members}
    return content_hash(said)


def body_hash(body: Mapping[str, Any]) -> bytes:
    """Hash a stored body by what it says, so that an edit past `mdm.golden` shows; its stamps are left out."""
    if not isinstance(body, Mapping):  # Whoever edits past `mdm.golden` may write any JSON.
        return content_hash(body)
    return content_hash({name: item for name, item in body.items() if name not in STAMPS and name != CONSENT})
