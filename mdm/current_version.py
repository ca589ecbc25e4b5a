"""Which version of a record is current: the greatest source version, else the latest source time, else the last to arrive.

Pure. A deletion is a version like any other, so that a late one never resurrects. What comes without a source version is placed
behind the version that is current when it arrives: the source gave no other order than arrival. What an undone import delivered
counts as if it had never come (`replay`).
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations, takewhile

SUPERSEDES = frozenset({"created", "changed", "deleted"})
# Of imports that only repeat a record so many are noted: a nightly file repeats it for years.
MOST_IMPORTS_NOTED = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a version stands in its source's own order."""

    source_version: int | None = None
    source_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One version as received: its content's hash (deletions have a hash of their own) and its place in the source's order."""

    payload_hash: bytes
    is_deleted: bool = False
    mark: Mark = Mark()


@dataclass(frozen=True, slots=True)
class Current:
    """The current version of a record. `mark` is the greatest place reached, also by a re-delivery of the same content."""

    version: Version
    mark: Mark


@dataclass(frozen=True, slots=True)
class Delivered:
    """One delivery as the log keeps it: what it said, which kept version of its record that is, and by which import it came."""

    version: Version
    version_no: int
    received_at: datetime
    job_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Stands:
    """What a record stands at: its current version, the number under which that is kept, and when it was received."""

    current: Current
    version_no: int
    received_at: datetime


def replay(log: Iterable[Delivered]) -> Stands | None:
    """Let deliveries arrive in their order; None when there are none: nobody ever said anything of the record."""
    stands: Stands | None = None
    for one in log:
        current, status = arrive(stands.current if stands else None, one.version)
        if stands is None or status in SUPERSEDES:
            stands = Stands(current, one.version_no, one.received_at)
        elif current is not stands.current:
            stands = replace(stands, current=current)
    return stands


def without_import(log: Iterable[Delivered], job_id: uuid.UUID) -> list[Delivered]:
    """The deliveries that count when an import does not."""
    return [one for one in log if one.job_id != job_id]


def counts_without(log: Sequence[Delivered], said: Delivered) -> bool:
    """Whether a delivery that changes nothing now would if imports of the log were undone, so that it must be kept.

    Asked of every choice among the last few imports, and for one that comes by none, of all of them together.
    """
    said_last = {one.job_id for one in takewhile(lambda one: one.version == said.version, reversed(log))}
    if None in said_last or (said.job_id is not None and len(said_last) > MOST_IMPORTS_NOTED):
        return False  # Whichever are undone, one of these is left.
    imports = list(dict.fromkeys(one.job_id for one in reversed(log) if one.job_id not in (None, said.job_id)))
    last = imports[:MOST_IMPORTS_NOTED]
    undone = [frozenset(some) for count in range(1, len(last) + 1) for some in combinations(last, count)]
    if said.job_id is None and len(imports) > len(last):
        undone.append(frozenset(imports))
    return any(_changes([one for one in log if one.job_id not in some], said.version) for some in undone)


def _changes(log: Iterable[Delivered], version: Version) -> bool:
    stands = replay(log)
    return stands is None or arrive(stands.current, version)[0] != stands.current


def arrive(current: Current | None, incoming: Version) -> tuple[Current, str]:
    """Let a version arrive: the current version afterwards, and `created`, `changed`, `deleted`, `same` or `superseded`."""
    if current is None:
        return Current(incoming, incoming.mark), "deleted" if incoming.is_deleted else "created"
    mark = _placed(current.mark, incoming.mark)
    later = _is_later(current.mark, mark)
    if (incoming.payload_hash, incoming.is_deleted) == (current.version.payload_hash, current.version.is_deleted):
        return (Current(current.version, mark), "same") if later else (current, "same")
    if not later:
        return current, "superseded"
    return Current(incoming, mark), "deleted" if incoming.is_deleted else "changed"


def _placed(current: Mark, incoming: Mark) -> Mark:
    """Where an incoming version stands: what it does not say itself, it takes from the version current on its arrival."""
    if incoming.source_version is not None and incoming.source_version != current.source_version:
        return incoming
    return Mark(current.source_version, incoming.source_updated_at or current.source_updated_at)


def _is_later(current: Mark, placed: Mark) -> bool:
    """Ties go to the one that arrives; a version of the source's own beats none."""
    if placed.source_version != current.source_version:
        return current.source_version is None or (placed.source_version or 0) > current.source_version
    if placed.source_updated_at is None or current.source_updated_at is None:
        return True
    return placed.source_updated_at >= current.source_updated_at
