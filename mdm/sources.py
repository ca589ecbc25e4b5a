"""Figures about sources: how many records each has, and when one of them last changed. Reads only.

They are counted when they are asked for, by commands and by what must not be wrong about a loss; pages show what was measured
(`mdm.quality_overview`).
"""

from collections.abc import Collection
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


def figures(session: Session, only: Collection[str] | None = None) -> dict[str, Figures]:
    """The figures of every source that ever sent a record, or of these alone. Reads all records of each."""
    which = "" if only is None else " WHERE source = ANY(%(only)s)"
    statement = f"""SELECT source, count(*) FILTER (WHERE NOT is_deleted), max(received_at)
      FROM source_record{which} GROUP BY source"""
    found = sql.rows(session, statement, {} if only is None else {"only": list(only)}) if only is None or only else []
    return {source: Figures(count, last) for source, count, last in found}
