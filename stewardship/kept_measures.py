"""The measures of the report that read every record, as they were last told: what a page shows that may not wait for them.

What they say is the report's alone. They are told beside the sweeper, and by whoever reads them never.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from kernel import clock
from mdm import sql
from mdm.steps import Steps
from stewardship import governance

DUPLICATES, RECOGNISED, IN_TIME = "Duplicates within a source", "Recognised across channels", "Resolved in time"
KEPT = tuple(one for one in governance.MEASURES if one.name in {DUPLICATES, RECOGNISED, IN_TIME})
# Of what is told of a time: the last days, since a month that has just begun says nothing.
SPAN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Kept:
    """The rows of a measure, each by its columns, and when they were told."""

    measured_at: datetime
    rows: Sequence[Mapping[str, Any]]


def keep(steps: Steps) -> int:
    """Tell each measure anew and keep it; how many. One that takes too long leaves what was kept. May be done twice."""
    now = clock.now()
    found = {one.name: governance.rows(steps, one, now - SPAN, now) for one in KEPT}
    told = {one.name: rows for one in KEPT if (rows := found[one.name]) is not None}
    with steps() as session:
        for name, rows in told.items():
            sql.run(session, _KEEP, [name, now, json.dumps(rows)])
    return len(told)


_KEEP = """
INSERT INTO kept_measure AS k (name, measured_at, rows) VALUES (%s, %s, %s::jsonb)
ON CONFLICT (name) DO UPDATE SET measured_at = EXCLUDED.measured_at, rows = EXCLUDED.rows
WHERE k.measured_at <= EXCLUDED.measured_at"""


def read(session: Session) -> dict[str, Kept]:
    """The kept measures by their names; one that was never told, or by a program that told other columns, is not there."""
    found = {name: (at, rows) for name, at, rows in sql.rows(session, "SELECT name, measured_at, rows FROM kept_measure")}
    return {
        one.name: Kept(found[one.name][0], [dict(zip(one.columns, row, strict=True)) for row in found[one.name][1]])
        for one in KEPT
        if one.name in found and all(len(row) == len(one.columns) for row in found[one.name][1])
    }
