"""An installation to soak in this process: a database of its own, the retailer's policy, any number of resolving threads.

What must not depend on order or interruption is read here as one value, under names that mean the same in every installation.
"""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from bench.server import own_database
from kernel import db
from mdm import owed, policy, reconcile, resolve, verify, versions
from mdm.ingest import Outcome as Taken
from sampledata.files import policy_text
from soak.population import Delivery
from stewardship import tasks
from tests.resolution import Master, contents, empty_records, partition, query, questions

BATCHES = (1, 2, 7, 40, 200)
MOST_BATCHES = 60
MOST_SHOWN = 8
RECORDS = """SELECT source, source_key, source_version, is_deleted, payload_hash, source_updated_at FROM source_record
             WHERE rekeyed_to IS NULL"""
PAIRS = """SELECT a.source, a.source_key, b.source, b.source_key, d.author, d.verdict, d.weight, d.reason_code
           FROM decision d JOIN crosswalk a ON a.record_id = d.record_a JOIN crosswalk b ON b.record_id = d.record_b
           WHERE d.superseded_at IS NULL"""


def adopt_policy(more: str = "") -> policy.Policy:
    """Let the simulated retailer's policy rule; `more` are further sources, as YAML."""
    with db.transaction() as session:
        text = policy_text().replace("sources:\n", f"sources:\n{more}", 1)
        stored = policy.store(session, policy.parse(text), "soak")
        versions.adopt(session, stored)
    return stored


def state() -> dict[str, Any]:
    """All that must be the same: records, decisions about pairs, partition, what the golden records say, questions."""
    pairs = {(frozenset({tuple(row[:2]), tuple(row[2:4])}), *row[4:]) for row in query(PAIRS)}
    return {
        "records": {tuple(map(str, row)) for row in query(RECORDS)},
        "decisions": pairs,
        "partition": set(partition()),
        "contents": set(contents().items()),
        "questions": questions(),
    }


def differences(wanted: dict[str, Any], found: dict[str, Any], what: str) -> list[str]:
    """Say in which respect two states differ, with some examples."""
    told = []
    for name, one in wanted.items():
        missing, extra = one - found[name], found[name] - one
        if missing or extra:
            shown = {"missing": list(missing)[:MOST_SHOWN], "extra": list(extra)[:MOST_SHOWN]}
            told.append(f"{what}: {name} differ, {len(missing)} missing and {len(extra)} extra: {shown}")
    return told


class Place:
    """The installation of this process."""

    def __init__(self, more: str = "") -> None:
        self.master = Master(adopt_policy(more))

    def empty(self) -> None:
        """Begin with no record."""
        empty_records()

    def deliver(self, rng: random.Random, deliveries: Sequence[Delivery]) -> list[Taken]:
        """Take deliveries in, in this order, in batches of random size; a batch has one source."""
        taken: list[Taken] = []
        batch: list[Delivery] = []
        most = rng.choice(BATCHES)
        for one in deliveries:
            if batch and (one.source != batch[0].source or len(batch) >= most):
                taken += self._take(batch)
                batch, most = [], rng.choice(BATCHES)
            batch.append(one)
        return taken + (self._take(batch) if batch else [])

    def _take(self, batch: Sequence[Delivery]) -> list[Taken]:
        taken = self.master.put_many(batch[0].source, [one.item() for one in batch])
        refused = [one.problem for one in taken if one.problem]
        if refused:
            raise ValueError(f"the retailer's own records were refused: {refused[:3]}")
        return taken

    def settle(self, rng: random.Random, is_last: bool = False) -> str:
        """Resolve what is owed, by threads in random batches or in bulk; in the middle perhaps only some of it."""
        chance = rng.random()
        if chance < 0.25 and not is_last:
            return self._some(rng)
        path = self.in_bulk(rng) if chance < 0.5 else self._drain(rng, rng.choice((1, 1, 2, 3)))
        if is_last:
            self.master.drain()
        return path

    def _some(self, rng: random.Random) -> str:
        """Resolve some of the records that are owed, and leave the others for later."""
        waiting = [row[0] for row in query("SELECT record_id FROM pending_record ORDER BY request_no")]
        owed.work(self.master.resolver, rng.sample(waiting, min(len(waiting), rng.choice(BATCHES))))
        return "some"

    def in_bulk(self, rng: random.Random) -> str:
        """Resolve everything by the bulk engine."""
        reconcile.reconcile(self.master.resolver, chunk_size=rng.choice((7, 50, 500)))
        return "bulk"

    def _drain(self, rng: random.Random, workers: int) -> str:
        """Resolve by several threads at once. Each batch costs its whole components, so a large run is not done one by one."""
        ((waiting,),) = query("SELECT count(*) FROM pending_record")
        size = rng.choice([one for one in BATCHES if one * MOST_BATCHES >= waiting] or BATCHES[-1:])
        resolvers = [resolve.Resolver(db.transaction, tasks.project) for _ in range(workers)]
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda one: owed.drain(one, size), resolvers))
        return f"{workers} in batches of {size}"

    def complaints(self, deep: bool = False) -> list[str]:
        """What is owed still, and what verification names."""
        owed = query("SELECT reason, attempts, error FROM pending_record")
        report = (verify.verify_deep if deep else verify.verify)(db.transaction, tasks)
        found = [f"{len(owed)} records are owed a resolution still: {owed[:MOST_SHOWN]}"] if owed else []
        if report.differences:
            shown = [f"{one.kind} {one.id} {one.problem}" for one in report.differences[:MOST_SHOWN]]
            found.append(f"verify{' --deep' if deep else ''} names {len(report.differences)} differences: {shown}")
        return found


@contextmanager
def own_place(more: str = "") -> Iterator[Place]:
    """Give an empty installation that is gone with the block; `more` are further sources, as YAML."""
    with own_database(durable=False):
        yield Place(more)
