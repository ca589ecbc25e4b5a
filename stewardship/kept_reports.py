"""The report of a month as it was last told: a page that may not wait for what reads every record shows it, and when it was.

Told beside the sweeper, or by whoever asks for it anew; `mdm report` tells it at once and keeps nothing. What it says is the
report's alone, so that it can be told again at any time.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from kernel import clock
from mdm import sql
from mdm.steps import Steps
from stewardship import governance
from stewardship.governance import Cell, Month, Told

OFTEN = timedelta(hours=1)  # Of a million records a month takes ten seconds to tell.


@dataclass(frozen=True, slots=True)
class Report:
    """A month and what was told of it. `told_at`: before all that it says was read."""

    month: Month
    told_at: datetime
    told: Sequence[Told]


def keep(steps: Steps, month: Month) -> None:
    """Tell a month and keep it; one that was told later stays. Takes as long as the report does."""
    now = clock.now()
    told = governance.tell(steps, month)
    measures = [{"name": one.measure.name, "columns": one.measure.columns, "rows": one.rows} for one in told]
    with steps() as session:
        sql.run(session, _KEEP, [month.name, now, json.dumps(measures)])


_KEEP = """
INSERT INTO kept_report AS k (month, told_at, measures) VALUES (%s, %s, %s::jsonb)
ON CONFLICT (month) DO UPDATE SET told_at = EXCLUDED.told_at, measures = EXCLUDED.measures
WHERE k.told_at <= EXCLUDED.told_at"""


def keep_due(steps: Steps) -> int:
    """Tell this month where that is more than an hour old, and the month before once it is over; how many were told."""
    now = clock.now()
    this = Month.of(now.year, now.month)
    before = Month.of(*(this.since - timedelta(days=1)).timetuple()[:2])
    with steps() as session:
        at = {month.name: _told_at(session, month) for month in (this, before)}
    ends = ((this, now - OFTEN), (before, before.until))
    due = [month for month, since in ends if (told := at[month.name]) is None or told < since]
    for month in due:
        keep(steps, month)
    return len(due)


def _told_at(session: Session, month: Month) -> datetime | None:
    found = sql.rows(session, "SELECT told_at FROM kept_report WHERE month = %s", [month.name])
    return found[0][0] if found else None


def read(session: Session, month: Month) -> Report | None:
    """A month as it was last told, by its measures of today; None for one that was not told. A measure that was told in other
    columns by an older program is left out."""
    found = sql.rows(session, "SELECT told_at, measures FROM kept_report WHERE month = %s", [month.name])
    if not found:
        return None
    told_at, measures = found[0]
    kept = {one["name"]: one for one in measures if one["columns"] == list(_columns().get(one["name"], ()))}
    return Report(month, told_at, [_told(one, kept[one.name]) for one in governance.every() if one.name in kept])


def _columns() -> dict[str, tuple[str, ...]]:
    return {one.name: one.columns for one in governance.every()}


def _told(measure: governance.Measure, kept: Any) -> Told:
    rows: list[tuple[Cell, ...]] | None = None if kept["rows"] is None else [tuple(row) for row in kept["rows"]]
    return Told(measure, rows)
