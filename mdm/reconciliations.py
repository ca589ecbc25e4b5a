"""Reconciliations as jobs: of everybody or of a part, planned only (also for another policy) or applied, with a report as result.

One at a time: each looks at everything and takes a worker and its memory, and a second would find what the first finds. Done by
a process of its own (workers.reconciler); killed anywhere it is begun again, under the same load, to the same end.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlmodel import Session

from kernel import audit, jobs
from kernel.actor import Principal
from kernel.errors import Conflict, MdmError
from kernel.jobs import Claim, Job
from kernel.settings import settings
from matching.engine import EngineName
from mdm import chunks, parts, plans, policy, reconcile, sql
from mdm.parts import Part
from mdm.plans import Plan, Planned
from mdm.policy import Policy
from mdm.reconcile_part import reconcile_part
from mdm.resolve import Resolved, Resolver

KIND = "reconciliation"
LONGEST_SECONDS = 12 * 3_600.0
MOST_BEGINNINGS = 5
MOST_TOLD, MOST_LOOKED_AT = 20, 50
TELL_SECONDS = 1.0


def begin(session: Session, part: Part, dry_run: bool, caller: Principal) -> uuid.UUID:
    """Open a reconciliation. Raises: Invalid for a source or brand that the policy does not name; Conflict while another runs."""
    parts.checked(policy.current(session), part)
    refuse_second(session)
    about = {"sources": list(part.sources), "brands": list(part.brands), "dry_run": dry_run}
    job_id = jobs.create_job(session, KIND, about, caller.name, chunks=[about])
    audit.record(session, caller.actor, "reconciliation.begun", "job", str(job_id), detail=about)
    return job_id


def begin_plan(session: Session, wanted: int, caller: Principal) -> uuid.UUID:
    """Open a plan of what a stored policy version would make of all records. Raises: NotFound; Conflict while another runs."""
    policy.by_version(session, wanted)
    refuse_second(session)
    ruling = policy.current(session).version
    about = {"sources": [], "brands": [], "dry_run": True, "policy": wanted, "instead_of": ruling}
    job_id = jobs.create_job(session, KIND, about, caller.name, chunks=[about])
    audit.record(session, caller.actor, "policy.planned", "policy", str(wanted), detail={"instead_of": ruling})
    return job_id


def latest_plan(session: Session, wanted: int) -> Job | None:
    """The latest plan for a policy version, among the last jobs of their kind."""
    return next((one for one in jobs.recent(session, MOST_LOOKED_AT, KIND) if one.params.get("policy") == wanted), None)


def refuse_second(session: Session, but: uuid.UUID | None = None) -> None:
    """Let nobody begin another until the transaction ends. Raises: Conflict while one is under way, `but` not counted."""
    sql.run(session, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [KIND])
    running = [one for one in jobs.recent(session, 2, KIND, only_open=True) if one.job_id != but]
    if running:
        detail = "It would find what this one finds: follow that one, or cancel it."
        raise Conflict(
            "A reconciliation is under way", code="reconciliation_under_way", detail=detail,
            extra={"job_id": str(running[0].job_id)},
        )  # fmt: skip


def work(resolver: Resolver, claim: Claim) -> None:
    """Do a reconciliation and keep its report. What no attempt can mend ends its job.

    Raises: Conflict when it is somebody else's, or nobody's any more.
    """
    part = Part(tuple(claim.params["sources"]), tuple(claim.params["brands"]))
    try:
        if claim.params["dry_run"]:
            found = plans.plan(resolver.steps, _wanted(resolver, claim), progress=_Telling(resolver, claim), part=part)
            done, result = found.records, told(found)
        else:
            resolved = _resolve(resolver, claim, part)
            done = resolved.records
            result = {name: value for name, value in asdict(resolved).items() if name != "restarts"}
    except Conflict:
        raise
    except MdmError as error:
        chunks.fail_job(resolver.steps, claim, error.code)
        return
    with resolver.steps() as session:
        if not claim.params["dry_run"]:
            result |= changes(session, claim.job_id)
        jobs.finish_chunk(session, claim, done_units=done)
        jobs.finish_job(session, claim.job_id, result=result)


def _wanted(resolver: Resolver, claim: Claim) -> Policy | None:
    """The policy that is planned for; None for the one that rules."""
    version = claim.params.get("policy")
    if version is None:
        return None
    with resolver.steps() as session:
        return policy.by_version(session, int(version))


def _resolve(resolver: Resolver, claim: Claim, part: Part) -> Resolved:
    """Resolve, again when another version set became current meanwhile."""
    for left in reversed(range(MOST_BEGINNINGS)):
        try:
            if not part.is_all:
                return reconcile_part(resolver, part, claim.job_id, _Telling(resolver, claim))
            ours = settings()
            with resolver.steps() as session:
                choice = reconcile.choose(
                    session, ours.bulk_from_records, ours.bulk_memory_limit, ours.bulk_processes, EngineName(ours.bulk_engine)
                )
            return reconcile.reconcile(resolver, _Telling(resolver, claim), choice=choice, load_id=claim.job_id)
        except Conflict as replaced:
            if not left or replaced.code != "version_set_replaced":
                raise
    raise AssertionError("the last attempt returns or raises")


class _Telling:
    """Tells the job how far its only chunk is, once a second. Raises: Conflict when the lease is lost or the job cancelled."""

    def __init__(self, resolver: Resolver, claim: Claim) -> None:
        self._steps, self._claim, self._told_at = resolver.steps, claim, 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._told_at < TELL_SECONDS:
            return
        self._told_at = time.monotonic()
        with self._steps() as session:
            jobs.heartbeat(session, self._claim, chunks.LEASE_SECONDS)
            jobs.checkpoint(session, self._claim.job_id, {"records": done, "of": total})


_CHANGES = """
WITH told AS (
  SELECT type, brands, sources, body FROM event WHERE load_id = %(load)s AND type LIKE 'golden.%%'
  UNION ALL SELECT type, brands, sources, body FROM outbox WHERE load_id = %(load)s AND type LIKE 'golden.%%')
SELECT 'events', type, count(*) FROM told GROUP BY type
UNION ALL SELECT 'brands', one, count(*) FROM told, unnest(brands) AS one GROUP BY one
UNION ALL SELECT 'sources', one, count(*) FROM told, unnest(sources) AS one GROUP BY one
UNION ALL SELECT 'retired_ids', '', coalesce(sum(jsonb_array_length(body -> 'retired_ids')), 0) FROM told"""


def changes(session: Session, load_id: uuid.UUID) -> dict[str, Any]:
    """Say what a load did to golden ids, by its events: how many of each type, whose, and how many ids were retired."""
    found: dict[str, Any] = {"events": {}, "brands": {}, "sources": {}}
    for what, name, count in sql.rows(session, _CHANGES, {"load": load_id}):
        if name:
            found[what][name] = int(count)
        elif what == "retired_ids":
            found[what] = int(count)
    return found


def told(plan: Plan) -> dict[str, Any]:
    """Say what a plan found as a job keeps it: without the keys of records, which may be personal and must be erasable."""
    return {
        "records": plan.records,
        "goldens": plan.goldens,
        "changes": plan.changes,
        "causes": dict(plan.causes),
        "attributes": dict(plan.attributes),
        "sources": dict(plan.sources),
        "brands": dict(plan.brands),
        "questions": {"before": plan.questions[0], "after": plan.questions[1]},
        "unread": plan.unread,
        "told": [_line(one) for one in plan.told[:MOST_TOLD]],
    }


def _line(one: Planned) -> Mapping[str, Any]:
    golden_id = str(one.golden_id) if one.golden_id else None
    return {"golden_id": golden_id, "cause": one.cause, "records": len(one.members), "values": list(one.values)}
