"""Which version of a record is current: the greatest source version, else the latest source time, else the last to arrive.

Pure. A deletion is a version like any other, so that a late one never resurrects. What comes without a source version is placed
behind the version that is current when it arrives: the source gave no other order than arrival.
"""

from dataclasses import dataclass
from datetime import datetime


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
