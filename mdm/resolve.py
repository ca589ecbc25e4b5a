"""Resolution, one record or a batch: find pairs, decide, look at the component, write golden records. Three short transactions.

(1) claim and read candidates among all committed records, (2) score outside any transaction, (3) write decisions, (4) read the
closure and evaluate it, (5) lock, see that nothing changed meanwhile, write. Whoever commits keys second sees the first, so that
no pair is missed without a global lock. The edge gives the transactions, and what else to write with a change (stewards' tasks).
"""

import random
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Protocol, TypeVar

import psycopg
import sqlalchemy as sa
from sqlmodel import Session

from kernel import db, log
from kernel.settings import fault_point
from matching.evidence import FormPair
from matching.units import Evidence
from mdm import around, candidates, closure, decisions, golden, lapsing, merge_holds, pending, restandardize, sql, versions
from mdm.around import Evaluated, Kept
from mdm.decisions import PairDecision
from mdm.drafts import Drafter
from mdm.evaluation import Evaluation
from mdm.evidence import Weigher
from mdm.judge import pair_decisions
from mdm.records import ComparedRecord, Pair, Shelf
from mdm.steps import Steps, is_deadlock, snapshot
from mdm.steward_decisions import NOTHING, Supposed
from mdm.versions import VersionSet

MOST_RESTARTS = 5
RETRY_SECONDS = 1.0
# What comparing a misshapen value provokes.
MISSHAPEN = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)
T = TypeVar("T")
logger = log.get_logger()


class OnChanges(Protocol):
    """What else is written in the transaction that writes golden records."""

    def __call__(self, session: Session, evaluations: Sequence[Evaluation]) -> None: ...


def ignore_changes(session: Session, evaluations: Sequence[Evaluation]) -> None:
    """Write nothing else."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What one batch came to. `postponed` records met so much company that they went back to the queue; `failed` ones were in a
    portion that could not be settled, and are tried one by one by the workers; `held` ones would have been merged and wait,
    because automatic merging is on hold."""

    records: int = 0
    pairs: int = 0
    decisions: int = 0
    goldens: int = 0
    hot_keys: int = 0
    keyless: int = 0
    unreachable: int = 0
    partly_filed: int = 0
    restarts: int = 0
    postponed: int = 0
    failed: int = 0
    held: int = 0

    def __add__(self, other: "Resolved") -> "Resolved":
        return Resolved(*(getattr(self, name) + getattr(other, name) for name in (one.name for one in fields(Resolved))))


class Unusable(Exception):
    """A record of the batch cannot be decoded or compared. Says only what kind of error it met."""


@dataclass(slots=True)
class Resolver:
    """Resolves batches. Keeps between them what it has decoded and weighed."""

    steps: Steps
    on_changes: OnChanges = ignore_changes
    _kept: Kept | None = None
    _believes_forms: bool = False

    def resolve(self, claims: Sequence[pending.Claim], owner: str) -> Resolved:
        """Resolve claimed records. Leaves nothing half done: killed anywhere, the same claims may be resolved again.

        Stored forms are believed at first, since trying each out is a twentieth of the work. When one may have failed the batch
        they are read anew and tried out: one that cannot be compared is made again from its record, and harms nobody.
        """
        self._believes_forms = True
        try:
            return self._resolve(claims, owner)
        except MISSHAPEN:
            self._believes_forms = False
            return self._resolve(claims, owner)

    def _resolve(self, claims: Sequence[pending.Claim], owner: str) -> Resolved:
        with self.steps() as session:
            current = versions.current(session)
        batch = Batch(self, current, {claim.record_id: claim for claim in claims}, owner)
        try:
            batch.discover()
            fault_point("worker.decided")
            batch.settle(batch.touched.union(batch.claims))
        except Exception:
            batch.give_back(batch.claims.keys() - {claim.record_id for claim in claims})
            raise
        return batch.result

    def shelf(self, of: VersionSet) -> Shelf:
        """The decoded records for a version set."""
        return self._keeping(of).shelf

    def know(self, of: VersionSet, found: Iterable[tuple[FormPair, Evidence]]) -> None:
        """Remember the evidence of pairs that were weighed under a version set."""
        self._keeping(of).weigher.know(found)

    def _keeping(self, of: VersionSet) -> Kept:
        """What is kept for a version set; another set starts with nothing.

        Evidence is remembered by hashes of forms: once a text was written anew under its old name, none of it is believed.
        """
        believes = self._believes_forms
        if self._kept is None or self._kept.versions is not of or self._kept.believes_forms is not believes:
            shelf = Shelf(lambda form: of.scorer.pair(form, form), trusts_forms=True, believes_forms=believes)
            self._kept = Kept(of, shelf, Weigher(of), Drafter(of), believes)
        elif self._kept.shelf.rewritten:
            self._kept.shelf.rewritten = False
            self._kept = replace(self._kept, weigher=Weigher(of))
        return self._kept

    def evaluate_around(
        self,
        of: VersionSet,
        starts: Collection[uuid.UUID],
        beat: Callable[[], object],
        supposed: Supposed = NOTHING,
        asked: AbstractSet[uuid.UUID] = frozenset(),
    ) -> Evaluated:
        """Read the closure of some records in one snapshot, and evaluate it outside any transaction.

        A record that cannot be used is left out once it is quarantined; until then everything that hangs together with it waits.
        `beat` is called after each unit: a dense one takes a second to weigh. `supposed` decisions count as if they were stored.
        `asked` are the records that the caller was asked to resolve: golden records that hang on none of them, nor on anything
        else that changed, are not drafted. When there are none all are.
        """
        with snapshot(self.steps) as session:
            found = around.read(session, self._keeping(of), starts, supposed)
        return around.evaluated(self._keeping(of), found, beat, asked)

    def evaluate_each(self, of: VersionSet, starts: Collection[uuid.UUID], supposed: Sequence[Supposed]) -> list[Evaluated]:
        """The same for each of some suppositions, all in one snapshot: what several of them ask is read once."""
        kept = self._keeping(of)
        with snapshot(self.steps) as session, sql.remembering(session):
            found = [around.read(session, kept, starts, one) for one in supposed]
        return [around.evaluated(kept, one) for one in found]


@dataclass(slots=True)
class Batch:
    """One batch on its way through the steps. `touched` are the records whose decisions it changed.

    Claims are struck off as soon as their records are settled, whichever batch brought them along. The neighbours that lost a
    decision to this batch become claims of its own: should it die, they are owed.
    """

    resolver: Resolver
    versions: VersionSet
    claims: dict[uuid.UUID, pending.Claim]
    owner: str
    lease_seconds: float = pending.LEASE_SECONDS
    result: Resolved = field(default_factory=Resolved)
    touched: set[uuid.UUID] = field(default_factory=set)
    load_id: uuid.UUID | None = None
    _kept_at: float = field(default_factory=time.monotonic)

    def discover(self) -> None:
        """Steps 1 to 3: find the pairs of the batch, score them, write decisions. First what older versions made is renewed."""
        record_ids = list(self.claims)
        self.step(lambda session: self._begin(session, record_ids))
        with snapshot(self.resolver.steps) as session:
            found = candidates.find(session, self.versions, record_ids)
            named = {one for pair in found.pairs for one in pair}.union(record_ids)
            kept = decisions.live_about(session, record_ids)
            shelf = self.resolver.shelf(self.versions)
            own = shelf.load(session, record_ids)
            records: dict[uuid.UUID, ComparedRecord] = {**own, **shelf.compared(session, named.difference(record_ids))}
        self._refuse_unusable(records)
        made = pair_decisions(self.versions, found.pairs, records)
        fault_point("worker.scored")
        taken, self.touched = self.step(lambda session: self._decide(session, found, made, kept))
        self.adopt(taken)
        self.result += Resolved(
            records=len(record_ids),
            pairs=len(found.pairs),
            decisions=len(made),
            hot_keys=len(found.hot),
            keyless=len(found.keyless & records.keys()),
            unreachable=len(found.unreachable),
            partly_filed=candidates.partly_filed(own.values()),
        )

    def _begin(self, session: Session, record_ids: Sequence[uuid.UUID]) -> None:
        restandardize.refresh(session, self.versions.policy, record_ids)
        pending.extend(session, record_ids, self.owner, self.lease_seconds)

    def _decide(
        self, session: Session, found: candidates.Candidates, made: Sequence[PairDecision], kept: Mapping[uuid.UUID, Pair]
    ) -> tuple[list[pending.Claim], set[uuid.UUID]]:
        """Write decisions, end those of pairs that are none any more, and hold whoever lost one; who was touched at all."""
        pairs = {one.pair for one in made}
        gone = [decision_id for decision_id, pair in kept.items() if pair not in pairs]
        ended = decisions.supersede(session, gone, "no_longer_a_candidate")
        written = decisions.store(session, made, self.versions.decision_secret)
        candidates.mark(session, self.versions, found, [kept[one] for one in gone], written.changed)
        return self.hold(session, ended | written.lost), ended | written.changed

    def hold(self, session: Session, lost: Collection[uuid.UUID]) -> list[pending.Claim]:
        """Claim records that lost a decision: they are not found again from the batch's own. To be adopted when it stands."""
        return pending.take(session, set(lost) - self.claims.keys(), self.owner, "neighbour_changed", self.lease_seconds)

    def adopt(self, taken: Iterable[pending.Claim]) -> None:
        """Count claims as the batch's own."""
        self.claims.update((claim.record_id, claim) for claim in taken)

    def give_back(self, record_ids: Collection[uuid.UUID]) -> None:
        """Let go of claims as far as the database answers; a lease that cannot be given back runs out."""
        with suppress(*db.UNAVAILABLE), self.resolver.steps() as session:
            pending.release(session, sorted(record_ids), self.owner)

    def _refuse_unusable(self, records: Mapping[uuid.UUID, ComparedRecord]) -> None:
        """Fail when a record of the batch itself cannot be used; one that is only a neighbour is left out until it is mended."""
        unusable = self.resolver.shelf(self.versions).unusable
        for record_id in self.claims:
            if record_id in unusable and record_id not in records:
                raise Unusable(unusable[record_id])

    def settle(self, starts: AbstractSet[uuid.UUID]) -> set[uuid.UUID]:
        """Steps 4 and 5, again for whatever changed in between; what never comes to rest goes back to the queue.

        Gives all records that were settled, those that came along with the starts among them.
        """
        settled: set[uuid.UUID] = set()
        waiting = set(starts)
        for _ in range(MOST_RESTARTS):
            self.keep()
            evaluated = self.resolver.evaluate_around(self.versions, waiting, self.keep, asked=frozenset(self.claims))
            done = self.step(partial(self._write, evaluated=evaluated))
            fault_point("worker.written")
            settled |= done
            waiting -= done
            for record_id in done & self.claims.keys():
                del self.claims[record_id]
            if not waiting:
                return settled
            self.result += Resolved(restarts=1)
        self._postpone(waiting)
        return settled

    def step(self, act: Callable[[Session], T]) -> T:
        """Run one step, again when it met another worker in a circle."""
        for left in reversed(range(MOST_RESTARTS)):
            try:
                with self.resolver.steps() as session:
                    versions.still(session, self.versions)
                    return act(session)
            except (psycopg.Error, sa.exc.DBAPIError) as error:
                if not left or not is_deadlock(error):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def keep(self) -> None:
        """Prolong the leases before they run out; a dense component takes longer to weigh than a worker's death to be noticed."""
        if time.monotonic() - self._kept_at > self.lease_seconds / 4:
            self.step(lambda session: pending.extend(session, self.claims, self.owner, self.lease_seconds))
            self._kept_at = time.monotonic()

    def _write(self, session: Session, evaluated: Evaluated) -> set[uuid.UUID]:
        """Write the units that nothing touched meanwhile, but those that are on hold; give the records of both."""
        closure.lock(session, list(evaluated.digests))
        unchanged = closure.digests(session, list(evaluated.digests)).items() & evaluated.digests.items()
        rested = {record for record, _ in unchanged}
        ready = [(one, made) for one, made in evaluated.units if one.records.keys() <= rested]
        held = merge_holds.barred(merge_holds.in_force(session), (one for one, _ in ready))
        ready = [(one, made) for one, made in ready if one.records.keys().isdisjoint(held)]
        done = {record for one, _ in ready for record in one.records}
        reasons = pending.finish(session, [self.claims[record] for record in done & self.claims.keys()], self.owner)
        goldens = golden.write(session, self.versions, ready, reasons, self.load_id)
        self.resolver.on_changes(session, [one for one, _ in ready])
        if self.versions.blockers:
            lapsing.note(session, {known: at for one, _ in ready for known, at in one.lapses.items()}, done)
        if evaluated.outgrown:
            told = closure.outgrown(session, evaluated.outgrown, self.owner)
            pending.request(session, told, "component_too_large", fresh=False)
        if evaluated.waited_for:
            pending.request(session, sorted(evaluated.waited_for - self.claims.keys()), "unusable", fresh=False)
        merge_holds.park(session, self.claims, held, self.owner)
        self.result += Resolved(goldens=goldens, held=len(held & self.claims.keys()))
        fault_point("worker.writing")
        return done | held

    def _postpone(self, waiting: Collection[uuid.UUID]) -> None:
        """Give back what met too much company, with jitter; others whose component this batch changed are asked for as well."""
        mine = self.claims.keys()
        delay = RETRY_SECONDS * (0.5 + random.random())  # noqa: S311 - jitter, not a secret

        def give_back(session: Session) -> None:
            pending.request(session, sorted(set(waiting) - mine), "postponed", fresh=False)
            pending.release(session, sorted(mine & set(waiting)), self.owner, delay)

        self.step(give_back)
        self.result += Resolved(postponed=len(waiting))
