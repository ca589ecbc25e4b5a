"""Works off what is owed: claims records, resolves them, and finds by halving which record a failing batch fails by.

For a worker whom a bell has told of some records, and for whoever drains all that there is without a broker.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import fields

from kernel import clock, db, log
from kernel.errors import Conflict
from kernel.settings import fault_point
from mdm import candidates, instruments, pending, traces, versions
from mdm.resolve import RETRY_SECONDS, Resolved, Resolver, Unusable
from mdm.steps import is_deadlock

DRAIN_POLL_SECONDS = 0.1
logger = log.get_logger()


def work(resolver: Resolver, record_ids: Sequence[uuid.UUID]) -> Resolved:
    """Resolve those of the records that are owed and free. A batch that fails is halved until a record fails alone."""
    owner = str(clock.uuid7())
    with resolver.steps() as session:
        versions.current(session)  # Before anything is claimed: without a model the records wait, and none of them is to blame.
        claims = pending.claim(session, record_ids, owner)
    fault_point("worker.claimed")
    with traces.shared("resolve", [claim.trace_parent for claim in claims], {"mdm.records": len(claims)}):
        return _attempt(resolver, claims, owner)


def _attempt(resolver: Resolver, claims: Sequence[pending.Claim], owner: str) -> Resolved:
    if not claims:
        return Resolved()
    begun = time.perf_counter()
    try:
        done = resolver.resolve(claims, owner)
        instruments.resolved("done", time.perf_counter() - begun)
        logger.info("resolved", **{one.name: getattr(done, one.name) for one in fields(done)})
        return done
    except db.UNAVAILABLE as error:
        if not is_deadlock(error):
            raise  # Nothing can be noted now; the lease ends by itself and the rows are rung again.
        with resolver.steps() as session:  # Nothing is wrong with the records or with this worker: neither is blamed.
            pending.release(session, [claim.record_id for claim in claims], owner, RETRY_SECONDS)
        return Resolved(postponed=len(claims))
    except Conflict:
        with resolver.steps() as session:
            pending.release(session, [claim.record_id for claim in claims], owner)
        return Resolved(postponed=len(claims))
    except Exception as error:  # noqa: BLE001 - whatever a record provokes must not stop the others
        instruments.resolved("failed", time.perf_counter() - begun)
        logger.warning("resolve_failed", records=len(claims), error=type(error).__name__)
        if len(claims) == 1:
            said = str(error) if isinstance(error, Unusable) else type(error).__name__
            with resolver.steps() as session:
                pending.fail(session, claims[0].record_id, owner, said)
            return Resolved()
        half = len(claims) // 2
        return _attempt(resolver, claims[:half], owner) + _attempt(resolver, claims[half:], owner)


def drain(resolver: Resolver, batch_size: int = pending.BATCH_SIZE, patience_seconds: float = 30.0) -> Resolved:
    """Resolve all that is owed, in this process, without a broker. Waits for what is postponed or held by others, to a limit."""
    total, waited = Resolved(), 0.0
    while waited < patience_seconds:
        owner = str(clock.uuid7())
        with resolver.steps() as session:
            versions.current(session)
            candidates.cool(session)
            claims = pending.claim_next(session, owner, batch_size)
            left = claims or pending.backlog(session).open
        if not left:
            break
        total += _attempt(resolver, claims, owner)
        if not claims:
            time.sleep(DRAIN_POLL_SECONDS)
            waited += DRAIN_POLL_SECONDS
    return total
