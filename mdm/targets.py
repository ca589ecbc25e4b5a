"""What policy asks of matching, with what the store knows beside: how many records of a day there are. Only reads."""

import statistics
from dataclasses import replace
from datetime import timedelta

from sqlmodel import Session

from kernel import clock
from matching.calibration import Targets
from mdm import sql
from mdm.policy import Policy

MEASURED_DAYS = 28
FEWEST_DAYS = 3


def targets(session: Session, policy: Policy) -> Targets:
    """What policy asks, with the records of a day as measured where it does not say them."""
    asked = policy.targets()
    return asked if asked.records_per_day is not None else replace(asked, records_per_day=_records_per_day(session))


def _records_per_day(session: Session) -> float | None:
    """The median of the days of the last four weeks, so that a load is no day like others; None with fewer than three days."""
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    days = sql.rows(
        session,
        """SELECT count(*) FROM record_version WHERE received_at >= %s AND received_at < %s
           GROUP BY (received_at AT TIME ZONE 'UTC')::date""",
        [today - timedelta(days=MEASURED_DAYS), today],
    )
    return float(statistics.median(row[0] for row in days)) if len(days) >= FEWEST_DAYS else None
