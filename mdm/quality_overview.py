"""The quality of all sources at a glance, as last measured: what is worst of each, what is below its floor, how late it is.

Figures only; each source's own page says the rest (`mdm.quality_reading`). Only reads.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from mdm import quality, sql
from mdm.policy import Policy
from mdm.quality import Counts, Figure
from mdm.quality_breaches import still_open
from mdm.quality_reading import timeliness

_LATEST = """
SELECT source, measured_at, body FROM quality_day
WHERE (source, day) IN (SELECT source, max(day) FROM quality_day GROUP BY source) ORDER BY source"""


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """A source as last measured. `worst`: the attribute of which the least of what is said is valid, and that share; None where
    too few records say anything. `below`: figures below the floor of the policy. `times`: as `quality_reading.timeliness`."""

    source: str
    measured_at: datetime
    records: int
    worst: tuple[str, float] | None
    below: int
    times: Mapping[str, Any]


def read(session: Session, ruling: Policy) -> list[SourceQuality]:
    """Every measured source of a policy, in the session's row scope, by name."""
    below = Counter(one.source for one in still_open(session))
    return [_read(row, below[row[0]], ruling) for row in sql.rows(session, _LATEST) if row[0] in ruling.sources]


def _read(row: sql.Row, below: int, ruling: Policy) -> SourceQuality:
    source, measured_at, body = row
    counts = Counts.of(body["all"])
    times = timeliness(ruling.source(source).fresh_within, body["times"], counts.records)
    return SourceQuality(source, measured_at, counts.records, _worst(counts), below, times)


def _worst(counts: Counts) -> tuple[str, float] | None:
    told = (name for name in counts.fields if quality.is_told(counts, name, Figure.VALID))
    shares = ((name, counts.fields[name].share(Figure.VALID, counts.records)) for name in told)
    return min(((name, share) for name, share in shares if share is not None), key=lambda one: one[1], default=None)
