"""Why a golden record shows a value: who says it, what decided, and what each other value lost by.

Told from the stored provenance; what each other value lost by is worked out again from the records as they stand, and left out
when they no longer come to what is stored. Changes nothing.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlmodel import Session

from kernel import audit, db
from kernel.actor import Principal
from kernel.errors import NotFound
from mdm import history, overrides, sql, versions
from mdm.drafts import member_of
from mdm.override_values import as_member
from mdm.records import Shelf
from mdm.steps import snapshot
from mdm.survivorship import MemberRecord, ranking, survive
from mdm.survivorship_values import Candidate
from mdm.versions import VersionSet

# Said of what won, beside everything else that was said.
SENTENCES = {
    "holds": "it still holds, the other has run out",
    "steward": "a steward set it by hand",
    "latest_steward_act": "a steward set it last",
    "system_of_record": "its source is the system of record for this attribute",
    "usable": "it can be used for all that it is there for, the other cannot",
    "as_of": "it was known at a later time",
    "verified": "its source has verified it",
    "trust": "its source is trusted more, by how long ago it was observed",
    "recent": "it was observed later",
    "frequent": "more records say it",
    "complete": "more of it is known",
    "longest": "it is longer",
    "min": "it is the least",
    "max": "it is the greatest",
    "union": "all values of this attribute are kept",
    "only_value": "no record says anything else",
    "key_order": "nothing tells them apart, so the lower source and key decide",
}
_DECORATION = ("primary", "verified")


@dataclass(frozen=True, slots=True)
class Said:
    """A record that says a value, and when it was observed; a steward's with author, override and expiry. `key`: None if gone."""

    record_id: str
    source: str
    key: str | None
    at: str
    author: str | None = None
    override_id: str | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True)
class ValueKept:
    """A value that the golden record shows. `rule`: what decided; `behind`: of several, what puts it after the first."""

    value: Any
    rule: str
    said: Said
    also_said_by: tuple[Said, ...]
    behind: str | None = None


@dataclass(frozen=True, slots=True)
class ValueLost:
    """A value that the golden record does not show. `lost_by`: None while its records wait to be resolved."""

    value: Any
    said: Said
    lost_by: str | None


@dataclass(frozen=True, slots=True)
class ValueWhy:
    """Why an attribute is what it is. `settled`: the records come to what is stored; else what each lost by is not known."""

    golden_id: uuid.UUID
    version: int
    computed_at: datetime
    attribute: str
    values: tuple[ValueKept, ...]
    runners_up: tuple[ValueLost, ...]
    runners_up_left_out: int
    settled: bool


@dataclass(frozen=True, slots=True)
class _Stored:
    """The golden record as it is stored."""

    golden_id: uuid.UUID
    version: int
    computed_at: datetime
    body: Mapping[str, Any]

    def attribute(self, name: str) -> tuple[list[Any], list[dict[str, Any]]]:
        """The values of an attribute, each with its provenance. Raises: NotFound with the attributes that there are."""
        there = dict(self._attributes())
        if name not in there:
            detail = "The golden record has no value of it: no record says one, or there is no such attribute."
            raise NotFound("There is no such value", code="unknown_attribute", detail=detail, extra={"attributes": sorted(there)})
        value, provenance = there[name]
        return (value, provenance) if isinstance(provenance, list) else ([value], [provenance])

    def _attributes(self) -> Iterator[tuple[str, tuple[Any, Any]]]:
        for name, held in self.body.get("values", {}).items():
            if name == "extras":
                for own, value in held["value"].items():
                    yield f"extras.{own}", (value, held["provenance"][own])
            else:
                yield name, (held["value"], held["provenance"])


def value_why(caller: Principal, golden_id: uuid.UUID, attribute: str) -> ValueWhy:
    """Say why a golden record shows what it does. Blocks.

    Raises: NotFound for an id unknown within the scope and for an attribute without value, naming those there are; Gone.
    """
    with db.transaction(db.Role.APP, caller.scope) as session:
        live_id = _visible(session, golden_id)
        audit.record(session, caller.actor, "golden.read_why", "golden", str(live_id))
    with snapshot(db.transaction) as session:
        of = versions.current(session)
        row = sql.rows(session, "SELECT golden_id, version, computed_at, body FROM golden WHERE golden_id = %s", [live_id])[0]
        stored = _Stored(*row)
        values, origins = stored.attribute(attribute)
        members = _members(session, of, stored)
    return _why(of, stored, attribute, values, origins, members)


def _visible(session: Session, golden_id: uuid.UUID) -> uuid.UUID:
    """The live id of one that the caller may see; the record it was merged into must be theirs to see as well."""
    history.visible(session, golden_id)
    redirect: uuid.UUID | None = sql.rows(session, "SELECT redirect_to FROM golden WHERE golden_id = %s", [golden_id])[0][0]
    if redirect is not None:
        history.visible(session, redirect)
    return redirect or golden_id


def _members(session: Session, of: VersionSet, stored: _Stored) -> list[MemberRecord]:
    ids = [uuid.UUID(one["record_id"]) for one in stored.body.get("members", ())]
    records = Shelf(size=max(1, len(ids))).load(session, ids)
    said = [one for one in overrides.about(session, ids).values() if overrides.home_of(session, one) == stored.golden_id]
    context = of.policy.steward_context()
    return [*(member_of(one) for one in records.values()), *(as_member(one, context) for one in said)]


def _why(
    of: VersionSet,
    stored: _Stored,
    attribute: str,
    values: Sequence[Any],
    origins: Sequence[Mapping[str, Any]],
    members: Sequence[MemberRecord],
) -> ValueWhy:
    keys = {str(one.record_id): one.source_key for one in members}
    fresh = survive(members, of.survivorship, stored.computed_at)
    group, _, own = attribute.partition(".")
    now = [found.get(group, {}).get(own) if own else found.get(group) for found in (fresh.values, fresh.provenance)]
    several = isinstance(now[1], list)
    settled = _plain(now) == _plain([list(values), list(origins)] if several else [values[0], origins[0]])
    about = (stored.golden_id, stored.version, stored.computed_at, attribute)
    if not settled:
        kept = [ValueKept(value, origin["rule"], _said(origin, keys), ()) for value, origin in zip(values, origins, strict=True)]
        lost = [ValueLost(one["value"], _said(one, keys), None) for one in origins[0]["runners_up"] if "value" in one]
        return ValueWhy(*about, tuple(kept), tuple(lost), origins[0].get("runners_up_left_out", 0), settled=False)
    return _settled(about, ranking(members, of.survivorship, attribute, stored.computed_at), values, origins)


def _settled(
    about: tuple[uuid.UUID, int, datetime, str],
    ranked: Sequence[tuple[Candidate, str]],
    values: Sequence[Any],
    origins: Sequence[Mapping[str, Any]],
) -> ValueWhy:
    best: dict[Any, tuple[Candidate, str]] = {}
    for one, lost_by in ranked:
        best.setdefault(one.same, (one, lost_by))
    first = next(iter(best))
    kept: dict[Any, ValueKept] = {}
    for value, origin in zip(values, origins, strict=True):
        winner = next(one for one, _ in ranked if str(one.member.record_id) == origin["record_id"] and _is(one.value, value))
        records = {one.member.record_id: _said_by(one) for one, _ in ranked if one.same == winner.same}
        said = records.pop(winner.member.record_id)
        behind = best[winner.same][1] if winner.same != first and _is_ordered(value) else None
        kept[winner.same] = ValueKept(value, origin["rule"], said, tuple(records.values()), behind)
    lost = tuple(ValueLost(one.value, _said_by(one), by) for same, (one, by) in best.items() if same not in kept)
    return ValueWhy(*about, tuple(kept.values()), lost, 0, settled=True)


def _is_ordered(value: Any) -> bool:
    return isinstance(value, Mapping) and "primary" in value


def _is(offered: Any, value: Any) -> bool:
    """Whether a golden value is the one that a record offered; contact points say more as golden values."""
    plain = {name: part for name, part in value.items() if name not in _DECORATION} if _is_ordered(value) else value
    return bool(_plain(offered) == _plain(plain))


def _plain(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


def _said(origin: Mapping[str, Any], keys: Mapping[str, str]) -> Said:
    more = (origin.get(name) for name in ("author", "override_id", "expires_at"))
    return Said(origin["record_id"], origin["source"], keys.get(origin["record_id"]), origin["at"], *more)


def _said_by(one: Candidate) -> Said:
    member, act = one.member, one.member.act
    more = (act.author, str(act.override_id), _instant(member.expires_at)) if act else ()
    return Said(str(member.record_id), member.source, member.source_key, _instant(member.observed_at) or "", *more)


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
