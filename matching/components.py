"""The capped component: how far resolution looks around a record before it weighs all cross pairs.

A ladder of lines, fixed by the model, bounds the work: at each rung only edges at or above its line count, and the first rung
whose component holds at most `cap` distinct standard forms is used. Components of a rung are nested in those of the rung below,
so all members of a component find the same one, wherever the search begins. Pure; edges come from the caller.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from matching.closure import R
from matching.decide import VETOES, Reason, Verdict
from matching.model import Lines
from matching.union import Union

T = TypeVar("T")

# Give the neighbours of these records (record to form hash) over edges at or above the line; None means stewards' matches only.
Reach = Callable[[frozenset[R], float | None], Mapping[R, bytes]]


@dataclass(frozen=True, slots=True)
class Edge(Generic[R]):
    """Two records that may be one customer. `decided` (a deterministic identifier) counts at every rung that has a line;
    `steward` (a match of a steward) at every rung. A steward's or a veto's `no_match` is no edge."""

    a: R
    b: R
    weight: float
    decided: bool = False
    steward: bool = False

    def reaches(self, line: float | None) -> bool:
        """Say whether the edge counts at the rung with this line."""
        return self.steward or (line is not None and (self.decided or self.weight >= line))


class PairEdge(NamedTuple):
    """A decided pair as an edge. What an identifier decides, and a contradiction that is asked about, reach at every line."""

    weight: float
    decided: bool

    def reaches(self, line: float) -> bool:
        """Say whether the edge counts at this line."""
        return self.decided or self.weight >= line


def edge_of(weight: float, reason_code: str, verdict: str) -> PairEdge | None:
    """Say what a pair's decision is to the graph of records: an edge, or nothing when a veto settles it."""
    if reason_code in VETOES:
        return PairEdge(weight, decided=True) if verdict == Verdict.REVIEW else None
    return PairEdge(weight, decided=reason_code == Reason.SHARED_IDENTIFIER)


@dataclass(frozen=True, slots=True)
class Component(Generic[R]):
    """The records within reach (record to form hash) and the rung at which they were few enough.

    `line` None: only stewards' matches hold it together, no pair is weighed (`partition(weights=None)`). `rung` above 0: the
    component at the component line was too large and is capped off: one task, keyed by the caller.
    """

    records: Mapping[R, bytes]
    rung: int
    line: float | None

    @property
    def capped_off(self) -> bool:
        return self.rung > 0


@dataclass(frozen=True, slots=True)
class Components(Generic[R]):
    """All capped components of a set of records, and those that were too large at the component line (one task each)."""

    components: tuple[Component[R], ...]
    too_large: tuple[frozenset[R], ...]


def capped_component(
    start: R, start_form: bytes, reach: Reach[R], lines: Lines, too_large: Sequence[AbstractSet[R]] = ()
) -> Component[R]:
    """Find the capped component of one record, breadth first, one call of `reach` a layer.

    The search at a rung stops as soon as more than `lines.cap` distinct forms are seen; the last rung (stewards' matches only) is
    never cut short, since a steward's match is not undone by size. Records that share a form cost nothing beyond being listed.
    `too_large` names, rung by rung, records whose component is known to be too large there, and so too large below: a search that
    comes upon one of them is of the same component, and ends. So of thousands that are glued, hardly one is searched far.
    """
    for rung, line in enumerate(lines.ladder()):
        known = too_large[rung] if line is not None and rung < len(too_large) else frozenset[R]()
        found = None if start in known else _search({start: start_form}, reach, line, None if line is None else lines.cap, known)
        if found is not None:
            return Component(found, rung, line)
    raise AssertionError("the last rung has no cap")


def _search(
    start: dict[R, bytes], reach: Reach[R], line: float | None, cap: int | None, too_large: AbstractSet[R]
) -> dict[R, bytes] | None:
    """Return everything in reach of the start, or None once it holds more than `cap` distinct forms, or one that is too large."""
    found, forms, frontier = dict(start), set(start.values()), frozenset(start)
    while frontier:
        fresh = {record: form for record, form in reach(frontier, line).items() if record not in found}
        found |= fresh
        forms |= set(fresh.values())
        if cap is not None and (len(forms) > cap or not too_large.isdisjoint(fresh)):
            return None
        frontier = frozenset(fresh)
    return found


def capped_components(forms: Mapping[R, bytes], edges: Iterable[Edge[R]], lines: Lines) -> Components[R]:
    """Cut a whole set of records into capped components: what `capped_component` finds from each record, in near-linear time.

    `forms` names every record with its form hash, records without an edge included; edges to records not named are an error.
    """
    done: list[Component[R]] = []
    too_large: list[frozenset[R]] = []
    waiting = [(set(forms), list(edges), 0)]
    ladder = lines.ladder()
    while waiting:
        records, among, rung = waiting.pop()
        line = ladder[rung]
        for part, inside in _connected(records, [edge for edge in among if edge.reaches(line)]):
            if line is None or len({forms[record] for record in part}) <= lines.cap:
                done.append(Component({record: forms[record] for record in part}, rung, line))
                continue
            waiting.append((part, inside, rung + 1))
            if rung == 0:
                too_large.append(frozenset(part))
    return Components(tuple(done), tuple(too_large))


def _connected(records: set[R], edges: list[Edge[R]]) -> Iterator[tuple[set[R], list[Edge[R]]]]:
    """Yield each connected set of records with the edges inside it."""
    union = Union[R]()
    for edge in edges:
        if edge.a not in records or edge.b not in records:
            raise KeyError(edge)
        union.join(edge.a, edge.b)
    parts: dict[R, tuple[set[R], list[Edge[R]]]] = {}
    for record in records:
        parts.setdefault(union.first(record), (set(), []))[0].add(record)
    for edge in edges:
        parts[union.first(edge.a)][1].append(edge)
    yield from parts.values()
