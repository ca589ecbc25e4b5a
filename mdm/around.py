"""The closure of some records, read in one snapshot and evaluated outside any: what it amounts to, and what that hangs on.

Never writes. `mdm.resolve` opens the steps, and writes what comes of it.
"""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlmodel import Session

from kernel import clock
from mdm import closure, pending
from mdm.closure import Closure
from mdm.drafts import Draft, Drafter
from mdm.evaluation import Evaluation, evaluate
from mdm.evidence import Weigher
from mdm.records import CurrentRecord, Shelf
from mdm.steward_decisions import NOTHING, Supposed
from mdm.versions import VersionSet


@dataclass(frozen=True, slots=True)
class Kept:
    """What a resolver keeps between batches, of one version set."""

    versions: VersionSet
    shelf: Shelf
    weigher: Weigher
    drafter: Drafter
    believes_forms: bool


@dataclass(frozen=True, slots=True)
class Around:
    """What was read. `unusable` records are left out of it; what hangs together with those `waited_for` is not evaluated."""

    closure: Closure
    digests: Mapping[uuid.UUID, str]
    records: Mapping[uuid.UUID, CurrentRecord]
    unusable: frozenset[uuid.UUID]
    waited_for: frozenset[uuid.UUID]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What the closure of some records amounts to, and the digests that must still hold when it is written.

    `waited_for`: records that cannot be used and have not been given up; nothing that hangs together with them is evaluated.
    """

    units: Sequence[tuple[Evaluation, Sequence[Draft]]]
    digests: Mapping[uuid.UUID, str]
    outgrown: Mapping[uuid.UUID, int]
    waited_for: frozenset[uuid.UUID]


def read(session: Session, kept: Kept, starts: Collection[uuid.UUID], supposed: Supposed = NOTHING) -> Around:
    """Read the closure of some records, as it would be with what is supposed, and all that it takes to evaluate it."""
    found = closure.read(session, starts, kept.versions, supposed=supposed)
    digests = closure.digests(session, list(found.records))
    living = [one for component in found.components for one in component.records]
    records = kept.shelf.load(session, living)
    unusable = frozenset(living) - records.keys()
    given_up = pending.given_up(session, unusable) if unusable else set()
    return Around(found, digests, records, unusable, unusable - given_up)


def evaluated(
    kept: Kept, found: Around, beat: Callable[[], object] = lambda: None, asked: AbstractSet[uuid.UUID] = frozenset()
) -> Evaluated:
    """Evaluate what was read. `beat` and `asked`: as of `Resolver.evaluate_around`."""
    units = [one for one in closure.split(found.closure) if found.waited_for.isdisjoint(one.records)]
    units = [closure.without(one, found.unusable) for one in units]
    now = clock.now()
    drafts = []
    for one in evaluate(kept.weigher, units, found.records, lambda _: clock.uuid7(), now):
        stand = one.stands(asked, kept.versions.version_set_id) if asked else frozenset[uuid.UUID]()
        drafts.append((one, kept.drafter.drafts(one, {}, now, stand)))
        beat()
    return Evaluated(drafts, found.digests, found.closure.outgrown, found.waited_for)
