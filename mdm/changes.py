"""From a partition and the founder ledger to a change plan: which golden id each part lives under, and where the others point.

Pure: the same parts, founders and orders give the same standings, whatever was current before; `current` only says what changed.
An id is never reused, and every id concerned gets exactly one standing. Storing the plan is `mdm.golden`'s.
"""

from collections.abc import Callable, Container, Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

G = TypeVar("G", bound=Hashable)
R = TypeVar("R", bound=Hashable)


class Status(StrEnum):
    """What has become of a golden id. ERASED is given by erasure only; a plan never leaves it and never brings it about."""

    LIVE = "live"
    MERGED = "merged"
    ENDED = "ended"
    ERASED = "erased"


class Cause(StrEnum):
    """Why the standing of an id changed; when several hold, the first of this list is named.

    CREATED: issued by this plan (or not in `current`: a rebuild). REVIVED: ended before, lives again. ENDED: no founder lives.
    MERGED: lives no longer, redirects. RESTORED: redirected, lives again. REDIRECTED: points to another live id.
    SPLIT: lost records to another live id. ABSORBED: gained records that lived under another id. JOINED: gained records that
    lived nowhere. LEFT: lost records that live nowhere now. POINTERS: only `split_into` changed.
    """

    CREATED = "created"
    REVIVED = "revived"
    ENDED = "ended"
    MERGED = "merged"
    RESTORED = "restored"
    REDIRECTED = "redirected"
    SPLIT = "split"
    ABSORBED = "absorbed"
    JOINED = "joined"
    LEFT = "left"
    POINTERS = "pointers"


@dataclass(frozen=True, slots=True)
class Standing(Generic[G, R]):
    """How an id answers. `redirect_to` (MERGED only) is a live id. `members` (LIVE only) are the records of its part.

    `split_into`: the live ids, oldest issue first, under which founders of this id live that are not with it (for a MERGED id:
    not under `redirect_to`).
    """

    status: Status
    redirect_to: G | None = None
    split_into: tuple[G, ...] = ()
    members: frozenset[R] = frozenset()


@dataclass(frozen=True, slots=True)
class Change(Generic[G, R]):
    """An id whose standing is not what it was. `before` is None for an id that this plan issued."""

    golden_id: G
    cause: Cause
    before: Standing[G, R] | None
    after: Standing[G, R]


@dataclass(frozen=True, slots=True)
class ChangePlan(Generic[G, R]):
    """What to write: `issued` ids in the order in which they must be issued, the standing of every id concerned (issued ones
    included), rows to append to the founder ledger, record to golden id for every record of the parts, and what changed."""

    issued: tuple[G, ...]
    standings: Mapping[G, Standing[G, R]]
    founders_added: Mapping[G, frozenset[R]]
    crosswalk: Mapping[R, G]
    changes: tuple[Change[G, R], ...]


class IncompleteFounders(ValueError):
    """A founder stands in no part and is not gone: the plan was not given the whole closure. An error of the caller."""


def plan(
    parts: Iterable[frozenset[R]],
    founders: Mapping[G, frozenset[R]],
    issue_order: Mapping[G, Any],
    record_order: Mapping[R, Any],
    current: Mapping[G, Standing[G, R]],
    *,
    gone: Container[R],
    issue: Callable[[frozenset[R]], G],
) -> ChangePlan[G, R]:
    """Give each part its golden id and each id its standing.

    Taking ids from the oldest: an id belongs to the part with most of its founders (tie: the part that holds the oldest of them).
    A part lives under the oldest id that belongs to it, and its other ids redirect there; a part with none gets a new id.
    `parts` are disjoint and closed over the ledger: with a part come all ids founded by its records, and with an id all parts
    that hold its founders. `founders` has all founders of each of these ids (an id whose founders are all gone ends).
    `issue_order` and `record_order` sort ids by age of issue, and records by age (ties by source and source key).
    `gone` are the records that live nowhere: deleted, erased, shadow. `issue` makes a new id for a part; it is called in the
    order of the parts' oldest records.
    Raises: IncompleteFounders; ValueError when parts overlap or `issue` returns an id that was issued before.
    """
    homes = _homes(parts)
    old = sorted((g for g in founders if not _is_erased(current.get(g))), key=issue_order.__getitem__)
    owner = {g: _owner(founders[g], homes, record_order, gone) for g in old}
    named = {part: g for g in reversed(old) if (part := owner[g]) is not None}
    unnamed = sorted(set(homes.values()) - named.keys(), key=lambda part: min(record_order[record] for record in part))
    new = {issue(part): part for part in unnamed}
    if len(new) < len(unnamed) or any(g in new for g in (*issue_order, *current, *founders)):
        raise ValueError("an id was issued twice")
    named.update({part: g for g, part in new.items()})
    crosswalk = {record: named[part] for record, part in homes.items()}
    rank = {g: number for number, g in enumerate((*old, *new))}
    standings = {g: _standing(g, part, named, founders.get(g, frozenset()), crosswalk, rank) for g, part in (owner | new).items()}
    founded = frozenset[R]().union(*founders.values())
    added = {g: records for part, g in named.items() if (records := part if g in new else part - founded)}
    return ChangePlan(tuple(new), standings, added, crosswalk, _changes(standings, current, crosswalk))


def _homes(parts: Iterable[frozenset[R]]) -> dict[R, frozenset[R]]:
    """Map each record to its part. Raises: ValueError when a part is empty or two parts share a record."""
    homes: dict[R, frozenset[R]] = {}
    for part in parts:
        if not part or not homes.keys().isdisjoint(part):
            raise ValueError("parts must be disjoint and not empty")
        homes.update(dict.fromkeys(part, part))
    return homes


def _is_erased(standing: Standing[G, R] | None) -> bool:
    return standing is not None and standing.status is Status.ERASED


def _owner(
    founders: frozenset[R], homes: Mapping[R, frozenset[R]], record_order: Mapping[R, Any], gone: Container[R]
) -> frozenset[R] | None:
    if any(record not in gone for record in founders - homes.keys()):
        raise IncompleteFounders("a founder stands in no part and is not gone")
    return home_of(founders, homes, record_order)


def home_of(founders: frozenset[R], homes: Mapping[R, frozenset[R]], record_order: Mapping[R, Any]) -> frozenset[R] | None:
    """Find the part with most of these founders (tie: the one that holds the oldest of them); None when none is in a part."""
    counts: dict[frozenset[R], int] = {}
    for record in founders & homes.keys():
        counts[homes[record]] = counts.get(homes[record], 0) + 1
    most = max(counts.values(), default=0)
    tied = [part for part, count in counts.items() if count == most]
    return min(tied, key=lambda part: min(record_order[record] for record in part & founders), default=None)


def _standing(
    g: G,
    part: frozenset[R] | None,
    named: Mapping[frozenset[R], G],
    founders: frozenset[R],
    crosswalk: Mapping[R, G],
    rank: Mapping[G, int],
) -> Standing[G, R]:
    if part is None:
        return Standing(Status.ENDED)
    home = named[part]
    elsewhere = {crosswalk[record] for record in founders if record in crosswalk} - {home}
    split_into = tuple(sorted(elsewhere, key=rank.__getitem__))
    return Standing(Status.LIVE, None, split_into, part) if home == g else Standing(Status.MERGED, home, split_into)


def _changes(
    standings: Mapping[G, Standing[G, R]], current: Mapping[G, Standing[G, R]], crosswalk: Mapping[R, G]
) -> tuple[Change[G, R], ...]:
    lived = frozenset(record for standing in current.values() for record in standing.members)
    return tuple(
        Change(g, _cause(current.get(g), after, lived, crosswalk), current.get(g), after)
        for g, after in standings.items()
        if current.get(g) != after
    )


def _cause(before: Standing[G, R] | None, after: Standing[G, R], lived: frozenset[R], crosswalk: Mapping[R, G]) -> Cause:
    if before is None:
        return Cause.CREATED
    if after.status is Status.ENDED:
        return Cause.ENDED
    if after.status is Status.MERGED:
        redirected = Cause.REDIRECTED if before.redirect_to != after.redirect_to else Cause.POINTERS
        return redirected if before.status is Status.MERGED else Cause.MERGED
    if before.status is not Status.LIVE:
        return Cause.REVIVED if before.status is Status.ENDED else Cause.RESTORED
    return _cause_of_members(before.members - after.members, after.members - before.members, lived, crosswalk)


def _cause_of_members(lost: frozenset[R], gained: frozenset[R], lived: frozenset[R], crosswalk: Mapping[R, G]) -> Cause:
    if any(record in crosswalk for record in lost):
        return Cause.SPLIT
    if gained:
        return Cause.ABSORBED if gained & lived else Cause.JOINED
    return Cause.LEFT if lost else Cause.POINTERS
