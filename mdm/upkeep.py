"""Upkeep as jobs: what is kept for a time only is let go of, the coming months get their partitions, quality is measured.

Each is one chunk that may be done twice: what is gone is gone. What fails says so by its job.
"""

import uuid
from collections.abc import Callable, Mapping
from functools import partial

from sqlmodel import Session

from kernel import jobs
from kernel.jobs import Claim
from mdm import drift_measure, exports, idempotency, quality_breaches, rejects, sql, uploads
from mdm.chunks import Kind
from mdm.steps import Steps
from webhooks import deliveries, feed

Act = Callable[[Steps], Mapping[str, int]]
# Rows of a month without one fall into the default partition, from which that month could not be taken out again in passing.
MONTHS_AHEAD = 3
MAKE_PARTITIONS = """SELECT ensure_month_partitions(oid::regclass, %s) FROM pg_class
WHERE relkind = 'p' AND relnamespace = 'public'::regnamespace"""


def let_go(steps: Steps) -> dict[str, int]:
    """Let go of old answers, deliveries, rejected rows, uploads and exports, and of months of events; how many of each.

    Endpoints that had not heard yet what goes are disabled in the same step.
    """
    with steps() as session:
        answers = idempotency.forget_old(session)
    with steps() as session:
        months, delivered = feed.forget_old(session), deliveries.forget_old(session)
        disabled = deliveries.disable_overtaken(session)
    with steps() as session:
        uploaded = uploads.forget_old(session)
    with steps() as session:
        rejected = rejects.forget_old(session)
    events = {"event_months": months, "deliveries": delivered, "endpoints_disabled": disabled}
    return {"answers": answers, **events, "rejects": rejected, "uploads": uploaded, "exports": exports.tidy(steps)}


def make_partitions(steps: Steps) -> dict[str, int]:
    """Make the partitions of the coming months for every table that is partitioned by time; idempotent."""
    with steps() as session:
        sql.rows(session, MAKE_PARTITIONS, [MONTHS_AHEAD])
    return {}


def measure(steps: Steps) -> dict[str, int]:
    """Measure the quality of every source, at the end of a day what the day's figures stay, and how far what comes has moved."""
    return {"breaches_opened": quality_breaches.run(steps), "drifts": drift_measure.run(steps)}


def _work(act: Act, steps: Steps, claim: Claim) -> None:
    result = act(steps)
    with steps() as session:
        jobs.finish_chunk(session, claim)
        jobs.finish_job(session, claim.job_id, result=result)


ACTS: Mapping[str, Act] = {"retention": let_go, "partitions": make_partitions, "quality": measure}
KINDS = tuple(Kind(name, partial(_work, act), lambda _: 0) for name, act in ACTS.items())


def begin(session: Session, kind: str, created_by: str) -> uuid.UUID | None:
    """Open the job of one of them; None while one of the kind is still to be done, which will do what this one would."""
    if jobs.recent(session, 1, kind, only_open=True):
        return None
    return jobs.create_job(session, kind, {}, created_by, chunks=[{}])
