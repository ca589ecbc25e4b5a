"""Figures about sources: how many records each has, and when one of them last changed. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from mdm import sql


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a source: living records, and when a record last changed."""

    records: int = 0
    last_changed_at: datetime | None = None


NOTHING = Figures()


def figures(session: Session) -> dict[str, Figures]:
    """The figures of every source that ever sent a record. Reads the whole table of records."""
    found = sql.rows(
        session,
        "SELECT source, count(*) FILTER (WHERE NOT is_deleted), max(received_at) FROM source_record GROUP BY source",
    )
    return {source: Figures(count, last) for source, count, last in found}
