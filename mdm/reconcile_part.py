"""Resolves a part of all records anew, and whoever hangs together with them, batch by batch over the key index.

Comes to what reconciling everybody comes to for the records of the part: whoever is met is looked at anew as well, until nobody
is met that was not, and what an older program or policy made is renewed for all, since a record is found by its newest keys only.
"""

import uuid
from collections.abc import Sequence
from contextlib import suppress

from sqlmodel import Session

from kernel import db, log
from kernel.errors import Conflict
from mdm import candidates, loads, parts, pending, reconcile, versions
from mdm.parts import Part
from mdm.pending import Claim
from mdm.reconcile import CHUNK, LEASE_SECONDS, Progress
from mdm.resolve import Batch, Resolved, Resolver
from mdm.steps import snapshot

logger = log.get_logger()


def reconcile_part(
    resolver: Resolver,
    part: Part,
    load_id: uuid.UUID,
    progress: Progress = lambda _done, _total: None,
    chunk_size: int = CHUNK,
) -> Resolved:
    """Resolve a part anew. What another holds is asked for once more and left to the workers. Killed anywhere, it is begun again
    under the same `load_id`. Raises: Conflict when another version set becomes current meanwhile."""
    with resolver.steps() as session:
        current = versions.adopt(session)
        candidates.cool(session)
        loads.keep(session, load_id, loads.RECONCILE, list(current.policy.sources))
    reconcile.refresh(resolver, current)
    with snapshot(resolver.steps) as session:
        waiting = parts.records(session, part)
    batch = Batch(resolver, current, {}, str(load_id), LEASE_SECONDS, load_id=load_id)
    progress = loads.keeping(resolver.steps, load_id, list(current.policy.sources), progress)
    done: set[uuid.UUID] = set()
    try:
        while waiting:
            met: set[uuid.UUID] = set()
            for start in range(0, len(waiting), chunk_size):
                chunk = waiting[start : start + chunk_size]
                met |= _resolve(batch, chunk)
                done.update(chunk)
                progress(len(done), len(done) + len(waiting) - start - len(chunk))
            waiting = sorted(met - done)
    finally:
        batch.give_back(batch.claims.keys())
        with suppress(*db.UNAVAILABLE), resolver.steps() as session:
            loads.close(session, load_id, loads.RECONCILE, list(current.policy.sources))
    return batch.result


def _resolve(batch: Batch, chunk: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Resolve some records; all that were settled. What fails is left to the workers, who find the record that is to blame."""
    batch.claims = {claim.record_id: claim for claim in batch.step(lambda session: _hold(session, batch.owner, chunk))}
    batch.touched = set()
    try:
        batch.discover()
        settled = batch.settle(batch.touched.union(batch.claims))
    except (*db.UNAVAILABLE, Conflict):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a record provokes must not stop the others
        logger.warning("reconcile_chunk_failed", records=len(chunk), error=type(error).__name__)
        with batch.resolver.steps() as session:
            pending.request(session, chunk, "reconcile_failed", fresh=False)
        batch.result += Resolved(failed=len(chunk))
        settled = set()
    batch.give_back(batch.claims.keys())
    return settled


def _hold(session: Session, owner: str, chunk: Sequence[uuid.UUID]) -> list[Claim]:
    """Claim those of the records that are owed and free, then those that are not owed; the first are named by `take` as well."""
    pending.claim(session, chunk, owner, LEASE_SECONDS)
    return pending.take(session, chunk, owner, "reconcile", LEASE_SECONDS)
