"""Settles all records: in portions that hang together, one after another or by a crew of processes at once.

Which records hang together is only guessed here, from decisions and golden ids, so that helpers rarely meet in one component;
what is right is the protocol's of `mdm.resolve`, whoever else is at work.
"""

import math
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kernel import db, log
from kernel.errors import Conflict
from matching.union import Union
from mdm import pending, sql, versions
from mdm.crew import Crew, crew
from mdm.foreknown import Foreknown, Known
from mdm.pending import Claim
from mdm.records import Pair
from mdm.resolve import Batch, OnChanges, Resolved, Resolver
from mdm.steps import Steps, snapshot

Progress = Callable[[int, int], None]
logger = log.get_logger()


def settle_all(batch: Batch, known: Foreknown, progress: Progress, size: int, crew: Crew | None = None) -> None:
    """Settle every record. `known` names the pairs that live decisions speak of; `size`: records of a portion. Raises: Conflict
    when another version set becomes current meanwhile."""
    with snapshot(batch.resolver.steps) as session:
        found = sql.rows(session, "SELECT record_id, golden_id FROM crosswalk ORDER BY record_id")
    groups = together([row[0] for row in found], [row[1] for row in found], known.pairs)
    done: set[uuid.UUID] = set()
    for settled in _alone(batch, groups, done, size, known) if crew is None else _by_crew(batch, groups, done, size, known, crew):
        done |= settled
        progress(len(done), len(found))


def together(
    records: Sequence[uuid.UUID], golden_ids: Sequence[uuid.UUID | None], pairs: Iterable[Pair]
) -> list[list[uuid.UUID]]:
    """Group records that a golden id or pairs connect, in the order of the first record of each group. `pairs`: heaviest first.

    Within a group, whoever hangs together closely stands side by side, at whatever line: groups are joined end to end, the
    nearest first. So a portion of a group that is too large for one meets few records of others.
    """
    place = {record.int: at for at, record in enumerate(records)}  # Millions: a number is hashed much quicker than an id.
    rows = _Rows(len(records))
    first: dict[uuid.UUID, int] = {}
    for at, golden_id in enumerate(golden_ids):
        if golden_id is not None:
            rows.join(first.setdefault(golden_id, at), at)
    for a, b in pairs:
        one, other = place.get(a.int), place.get(b.int)
        if one is not None and other is not None:
            rows.join(one, other)
    return [[records[at] for at in row] for row in rows]


class _Rows:
    """Numbers that stand in rows, each alone until its row is joined to another, end to end."""

    def __init__(self, count: int) -> None:
        self._union = Union[int]()
        self._after, self._last, self._length = [-1] * count, list(range(count)), [1] * count

    def join(self, one: int, other: int) -> None:
        """Put the shorter of two rows behind the other; its first number stands for all of a row."""
        head, second = self._union.first(one), self._union.first(other)
        if head != second:
            if self._length[head] < self._length[second]:  # Otherwise finding who stands for all would cost ever more.
                head, second = second, head
            self._union.join(head, second)
            self._after[self._last[head]] = second
            self._last[head] = self._last[second]
            self._length[head] += self._length[second]

    def __iter__(self) -> Iterator[list[int]]:
        seen: set[int] = set()
        for number in range(len(self._after)):
            if (at := self._union.first(number)) not in seen:
                seen.add(at)
                row = []
                while at >= 0:
                    row.append(at)
                    at = self._after[at]
                yield row


def portions(groups: Iterable[Sequence[uuid.UUID]], done: set[uuid.UUID], size: int) -> Iterator[list[uuid.UUID]]:
    """Yield portions of whole groups, without records that came along with an earlier one; a larger group is cut."""
    portion: list[uuid.UUID] = []
    for group in groups:
        left = [record for record in group if record not in done]
        if portion and len(portion) + len(left) > size:
            yield portion
            portion = []
        portion += left
        while len(portion) > size:
            yield portion[:size]
            portion = [record for record in portion[size:] if record not in done]
    if portion:
        yield portion


def _alone(
    batch: Batch, groups: list[list[uuid.UUID]], done: set[uuid.UUID], size: int, known: Foreknown
) -> Iterator[set[uuid.UUID]]:
    with batch.resolver.shelf(batch.versions).knowing(known.records):
        for portion in portions(groups, done, size):
            yield _settle(batch, portion, known.about(portion))


def _settle(batch: Batch, portion: Sequence[uuid.UUID], evidence: Iterable[Known] = ()) -> set[uuid.UUID]:
    """Settle a portion. One that fails is left to the workers, who find the record that is to blame."""
    try:
        batch.resolver.know(batch.versions, evidence)
        return batch.settle(frozenset(portion))
    except (*db.UNAVAILABLE, Conflict):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a record provokes must not stop the others
        logger.warning("reconcile_chunk_failed", records=len(portion), error=type(error).__name__)
        with batch.resolver.steps() as session:
            pending.request(session, portion, "reconcile_failed", fresh=False)
        batch.result += Resolved(failed=len(portion))
        return set(portion)


@dataclass(frozen=True, slots=True)
class Errand:
    """What every helper needs: how to open steps, for which version set, and who holds the claims. The leader prolongs them."""

    steps: Steps
    on_changes: OnChanges
    version_set_id: int
    owner: str
    load_id: uuid.UUID | None

    def batch(self) -> Batch:
        """Make a helper's own batch. Raises: Conflict when another version set is current by now."""
        with self.steps() as session:
            current = versions.current(session)
        if current.version_set_id != self.version_set_id:
            raise Conflict("Another version set has become current", code="version_set_replaced")
        return Batch(Resolver(self.steps, self.on_changes), current, {}, self.owner, math.inf, load_id=self.load_id)


class _Helper:
    """What a helper process holds between portions."""

    errand: Errand
    batch: Batch | None = None


def _begin(errand: Errand) -> None:
    _Helper.errand = errand


Given = tuple[Sequence[uuid.UUID], Sequence[Claim], Sequence[Known]]


def _help(given: Given) -> tuple[Sequence[uuid.UUID], Sequence[Claim], set[uuid.UUID], Resolved]:
    """Settle a portion, with the claims on it and what is known of it, in a helper process: the portion and the claims, all that
    is settled, what that came to."""
    if _Helper.batch is None:
        _Helper.batch = _Helper.errand.batch()
    batch = _Helper.batch
    portion, claims, evidence = given
    batch.result, batch.claims = Resolved(), {claim.record_id: claim for claim in claims}
    return portion, claims, _settle(batch, portion, evidence), batch.result


@contextmanager
def helpers(batch: Batch, processes: int) -> Iterator[Crew | None]:
    """Raise helpers for a batch, if there are to be any: they come up while the pairs are still looked for."""
    if processes == 1:
        yield None
        return
    errand = Errand(batch.resolver.steps, batch.resolver.on_changes, batch.versions.version_set_id, batch.owner, batch.load_id)
    with crew(processes, _begin, errand) as raised:
        yield raised


def _by_crew(
    batch: Batch, groups: list[list[uuid.UUID]], done: set[uuid.UUID], size: int, known: Foreknown, crew: Crew
) -> Iterator[set[uuid.UUID]]:
    """Settle by helpers, and then what they met but held no claim on: what hung together in ways that were not guessed."""
    pieces = ((one, _claims_on(batch, one), known.about(one)) for one in portions(groups, done, size))
    met: set[uuid.UUID] = set()
    for portion, claims, settled, result in crew.as_made(_help, pieces, batch.keep):
        batch.result += result
        met |= settled.difference(portion)
        for claim in claims:
            if claim.record_id in settled:
                batch.claims.pop(claim.record_id, None)
        yield settled
    if owed := met & batch.claims.keys():
        yield _settle(batch, sorted(owed))


def _claims_on(batch: Batch, portion: Iterable[uuid.UUID]) -> list[Claim]:
    return [batch.claims[record] for record in portion if record in batch.claims]
