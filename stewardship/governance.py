"""The report for those who answer for the data: each figure with its formula, who owns it, and where the list behind it stands.

Made of what is stored, for a month; what is told as it stands now says so. Figures and names of sources, kinds and people who
work here, never a value of a customer. Only reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlmodel import Session

from kernel.db import Scope
from mdm import sql
from mdm.steps import Steps
from stewardship import precision, second_looks
from stewardship.precision import Interval

LONGEST = "30s"
Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Month:
    """A month of UTC: from its first moment to the first of the next."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, year: int, month: int) -> "Month":
        """Raises: ValueError for a month that there is not."""
        following = (year + 1, 1) if month == 12 else (year, month + 1)
        return cls(datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC))

    @property
    def name(self) -> str:
        """As `2026-11`."""
        return f"{self.since:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Measure:
    """One part of the report. `statement` gives its rows under `columns`; `behind` says where each single case is listed.

    A column whose name ends in `share` holds a share of 1. `is_now`: as it stands when it is asked, not of the month.
    """

    name: str
    formula: str
    owner: str
    behind: str
    columns: tuple[str, ...]
    statement: str
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A measure and its rows; None when it took too long to be told."""

    measure: Measure
    rows: Sequence[tuple[Cell, ...]] | None

    @property
    def figures(self) -> frozenset[int]:
        """The columns, from the second on, that hold numbers: they stand under each other by their digits."""
        rows = self.rows or ()
        return frozenset(at for row in rows for at, cell in enumerate(row) if at and isinstance(cell, int | float))


MEASURES = (
    Measure(
        "Duplicates within a source", "records less the golden ids that they live under", "the source's owner",
        "GET /v1/sources/{source}/duplicates", ("source", "records", "customers", "duplicates", "share"),
        """SELECT source, count(*), count(DISTINCT golden_id), count(*) - count(DISTINCT golden_id),
             1 - count(DISTINCT golden_id)::float / count(*)
           FROM crosswalk WHERE state = 'resolved' GROUP BY 1 ORDER BY 1""", is_now=True,
    ),
    Measure(
        "Recognised across channels", "customers by how many sources know them", "customer data lead",
        "POST /v1/golden:search", ("sources", "customers", "share"),
        """SELECT sources, count(*), count(*) / sum(count(*)) OVER ()::float
           FROM (SELECT golden_id, count(DISTINCT source) AS sources FROM crosswalk WHERE state = 'resolved' GROUP BY 1) AS known
           GROUP BY 1 ORDER BY 1""", is_now=True,
    ),
    Measure(
        "Loyalty enrolment", "of the customers with an account, the share that has one number alone", "loyalty lead",
        "GET /v1/golden/{id}", ("programme", "customers", "with several numbers", "accurate share"),
        """SELECT coalesce(programme, ''), count(*), count(*) FILTER (WHERE numbers > 1), avg((numbers = 1)::int)::float
           FROM (SELECT account ->> 'programme' AS programme, g.golden_id, count(DISTINCT account ->> 'number') AS numbers
                 FROM golden g, jsonb_array_elements(g.body #> '{values,loyalty_accounts,value}') AS account
                 WHERE g.status = 'live' AND jsonb_typeof(g.body #> '{values,loyalty_accounts,value}') = 'array'
                 GROUP BY 1, 2) AS held
           GROUP BY 1 ORDER BY 1""", is_now=True,
    ),
    Measure(
        "Resolved in time", "from the arrival of a record's last version to its golden id", "operations",
        "GET /v1/records/{source}/{key}", ("source", "records", "within 60 s share", "slowest of 20, seconds"),
        """SELECT source, count(*), avg((seconds <= 60)::int)::float, percentile_disc(0.95) WITHIN GROUP (ORDER BY seconds)
           FROM (SELECT r.source, extract(epoch FROM c.resolved_at - r.received_at)::float AS seconds
                 FROM source_record r JOIN crosswalk c USING (record_id)
                 WHERE c.resolved_at >= r.received_at AND r.received_at >= %(since)s AND r.received_at < %(until)s) AS taken
           GROUP BY 1 ORDER BY 1""",
    ),
    Measure(
        "Quality below its floor", "breaches that began in the month, or were open in it", "the source's owner",
        "mdm quality SOURCE", ("source", "field", "figure", "share", "floor share", "days"),
        """SELECT source, field, figure, share, floor,
             extract(day FROM least(coalesce(ended_at, now()), %(until)s) - greatest(began_at, %(since)s))::int
           FROM quality_breach WHERE began_at < %(until)s AND coalesce(ended_at, now()) >= %(since)s ORDER BY 1, 2, 3""",
    ),
    Measure(
        "Values set by hand", "values that stewards set or took back", "stewardship lead", "/console/operations/audit",
        ("act", "times", "by how many people"),
        """SELECT action, count(*), count(DISTINCT actor) FROM audit
           WHERE action LIKE 'override.%%' AND action <> 'override.read' AND at >= %(since)s AND at < %(until)s
           GROUP BY 1 ORDER BY 1""",
    ),
    Measure(
        "The queue", "questions that came, that were closed, and that were open at the end", "stewardship lead",
        "/console/tasks", ("kind", "came", "closed", "open at the end", "oldest, days", "minutes an answer"),
        """SELECT t.kind, count(*) FILTER (WHERE opened_at >= %(since)s), count(*) FILTER (WHERE closed_at < %(until)s),
             count(*) FILTER (WHERE closed_at IS NULL OR closed_at >= %(until)s),
             extract(day FROM least(now(), %(until)s)
               - min(opened_at) FILTER (WHERE closed_at IS NULL OR closed_at >= %(until)s))::int,
             round((avg(d.worked_seconds) FILTER (WHERE d.settled_at < %(until)s) / 60)::numeric, 1)::float
           FROM task t LEFT JOIN task_desk d USING (task_id)
           WHERE opened_at < %(until)s AND coalesce(closed_at, now()) >= %(since)s GROUP BY 1 ORDER BY 1""",
    ),
    Measure(
        "Stewards' answers", "answers of the month, and those among them that hold no more", "stewardship lead",
        "/console/tasks?show=closed", ("steward", "answers", "one customer share", "taken back"),
        """SELECT d.settled_by, count(*), avg((d.verdict = 'match')::int)::float,
             count(*) FILTER (WHERE said.superseded_at IS NOT NULL)
           FROM task_desk d LEFT JOIN decision said ON said.decision_id = d.decision_id
           WHERE d.settled_at >= %(since)s AND d.settled_at < %(until)s GROUP BY 1 ORDER BY 2 DESC, 1""",
    ),
    Measure(
        "What ruled", "version sets that began to rule in the month, and who wrote their policy", "customer data lead",
        "/console/operations/policies", ("version set", "since (UTC)", "policy", "written by", "model"),
        """SELECT v.version_set_id, to_char(v.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), v.policy_version,
             p.created_by, left(v.model, 12)
           FROM version_set v JOIN policy_version p USING (policy_version)
           WHERE v.created_at >= %(since)s AND v.created_at < %(until)s ORDER BY 1""",
    ),
    Measure(
        "What took two persons", "proposals of the month: who asked, who was the second, what became of them",
        "customer data lead", "mdm approvals list --all", ("kind", "asked by", "decided by", "state", "times"),
        """SELECT kind, asked_by, coalesce(decided_by, ''), state, count(*) FROM approval
           WHERE asked_at >= %(since)s AND asked_at < %(until)s GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4""",
    ),
    Measure(
        "Merging on hold", "holds in force at some time of the month", "stewardship lead", "mdm merging",
        ("sources", "by", "since (UTC)", "hours"),
        """SELECT coalesce(array_to_string(sources, ' with '), 'all'), held_by,
             to_char(began_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
             round((extract(epoch FROM least(coalesce(ended_at, now()), %(until)s) - greatest(began_at, %(since)s))
                    / 3600)::numeric, 1)::float
           FROM merge_hold WHERE began_at < %(until)s AND coalesce(ended_at, now()) >= %(since)s ORDER BY began_at""",
    ),
    Measure(
        "Drift", "of the last week against when the model came to rule: index of weights, else difference of shares",
        "data science", "mdm quality SOURCE", ("figure", "of", "was share", "is share", "moved by", "of so many", "too far"),
        """SELECT what, name, before, now, round(distance::numeric, 3)::float, counted, CASE WHEN is_beyond THEN 'yes' ELSE '' END
           FROM drift_day WHERE day = (SELECT max(day) FROM drift_day) ORDER BY NOT is_beyond, what, name""", is_now=True,
    ),
    Measure(
        "Consent", "acts recorded in the month", "privacy officer", "GET /v1/golden/{id}/consents",
        ("purpose", "state", "acts"),
        """SELECT coalesce(purpose, 'all'), state, count(*) FROM consent_entry
           WHERE recorded_at >= %(since)s AND recorded_at < %(until)s GROUP BY 1, 2 ORDER BY 1, 2""",
    ),
    Measure(
        "Privacy requests", "requests that came in the month, and how many of them were late", "privacy officer",
        "mdm privacy list", ("kind", "came", "closed", "late"),
        """SELECT kind, count(*), count(closed_at), count(*) FILTER (WHERE coalesce(closed_at, now()) > due_at)
           FROM privacy_request WHERE received_at >= %(since)s AND received_at < %(until)s GROUP BY 1 ORDER BY 1""",
    ),
)  # fmt: skip
PRECISION = Measure(
    "Precision of automatic merges",
    "of the merges that stewards checked in 90 days the share that is right, with its 95 % interval (Wilson)", "stewardship lead",
    "/console/tasks?kind=audit", ("merges", "right share", "low share", "high share", "checked"), "", is_now=True,
)  # fmt: skip
AGREEMENT = Measure(
    "Steward agreement",
    "of the answers of the month that another steward gave again, unseen: how many are the same (95 % interval, Wilson), and"
    " kappa: what is agreed beyond chance, of what chance leaves (Cohen)", "stewardship lead", "GET /v1/second-looks",
    ("question", "asked twice", "same share", "low share", "high share", "kappa", "kappa low", "kappa high"), "",
)  # fmt: skip


def tell(steps: Steps, month: Month) -> list[Told]:
    """Tell every measure, each in a step of its own: one that takes longer than LONGEST costs no other."""
    found = {measure.name: rows(steps, measure, month.since, month.until) for measure in MEASURES}
    with steps() as session:
        found[PRECISION.name], found[AGREEMENT.name] = _precision(session), _agreement(session, month)
    return [Told(measure, found[measure.name]) for measure in every()]


def every() -> list[Measure]:
    """Name all measures, in the order in which they are told."""
    answers = next(at for at, one in enumerate(MEASURES) if one.name == "Stewards' answers") + 1
    return [*MEASURES[:3], PRECISION, *MEASURES[3:answers], AGREEMENT, *MEASURES[answers:]]


def rows(steps: Steps, measure: Measure, since: datetime, until: datetime) -> list[tuple[Cell, ...]] | None:
    """The rows of a measure for a span of time, in a step of its own; None when they took longer than LONGEST."""
    try:
        with steps() as session:
            sql.run(session, f"SET LOCAL statement_timeout = '{LONGEST}'")
            return list(sql.rows(session, measure.statement, {"since": since, "until": until}))
    except psycopg.errors.QueryCanceled:
        return None


def _precision(session: Session) -> list[tuple[Cell, ...]]:
    found = precision.read(session, Scope())
    bands = [(band.name.removeprefix("merged_").replace("_", " "), band.precision, band.answers) for band in found.bands]
    bands.append(("all that were checked", found.precision, found.answers))
    return [(name, told.share, told.low, told.high, answers) for name, told, answers in bands if told]


def _agreement(session: Session, month: Month) -> list[tuple[Cell, ...]]:
    found = second_looks.agreement(session, month.since, month.until)
    return [(one.kind, one.asked_twice, one.agreed.share, one.agreed.low, one.agreed.high, *_three(one.kappa)) for one in found]


def _three(told: Interval | None) -> tuple[float | None, float | None, float | None]:
    return (round(told.share, 2), round(told.low, 2), round(told.high, 2)) if told else (None, None, None)


def as_json(month: Month, told: Sequence[Told]) -> dict[str, Any]:
    """The report as data."""
    return {"month": month.name, "measures": [_measure_json(one) for one in told]}


def _measure_json(one: Told) -> Mapping[str, Any]:
    said = {name: getattr(one.measure, name) for name in ("name", "formula", "owner", "behind", "is_now")}
    rows = None if one.rows is None else [dict(zip(one.measure.columns, row, strict=True)) for row in one.rows]
    return {**said, "rows": rows}


def shown(column: str, value: Cell) -> str:
    """A cell as people read it."""
    if value is None:
        return "not known"
    if column.endswith("share"):
        return f"{value:.1%}".replace("%", " %")
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else value
