"""The graph of live decisions around some records, read from the log a layer at a time and never further than the cap asks.

Nodes are living records of sources that may be merged; edges are the model's live decisions and stewards' matches. Only reads.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sqlmodel import Session

from matching.components import Component, PairEdge, capped_component
from mdm import decisions, exact_copies, sql
from mdm.records import Pair
from mdm.steward_decisions import NOTHING, Supposed
from mdm.versions import VersionSet

PREFETCH_LAYERS, PREFETCH_EACH = 8, 5
EdgesOf = Callable[[Session, Collection[uuid.UUID]], Mapping[Pair, PairEdge]]


@dataclass(slots=True)
class Graph:
    """What has been read so far. `edges_of` reads the edges of pairs; `supposed` decisions count as if they were stored."""

    session: Session
    of: VersionSet
    edges_of: EdgesOf = decisions.edges
    supposed: Supposed = NOTHING
    forms: dict[uuid.UUID, bytes] = field(default_factory=dict)
    rules: dict[uuid.UUID, decisions.StewardDecision] = field(default_factory=dict)
    edges: dict[uuid.UUID, dict[uuid.UUID, PairEdge]] = field(default_factory=dict)
    # Neighbours of components that a rung no longer holds, by the highest such rung: they may not know it yet. Each tells the
    # next, so that all of a component hear of it, however large it is and wherever the searches in it stopped.
    outgrown: dict[uuid.UUID, int] = field(default_factory=dict)
    _too_large: list[set[uuid.UUID]] = field(default_factory=list)
    _matched: dict[uuid.UUID, set[uuid.UUID]] = field(default_factory=dict)
    _asked: set[uuid.UUID] = field(default_factory=set)
    _done: set[uuid.UUID] = field(default_factory=set)
    # Layers of one component that had not been read for all: so many are a chain of copies, and link by link a statement each.
    _missed: int = 0

    def components(self, starts: Iterable[uuid.UUID]) -> list[Component[uuid.UUID]]:
        """Find the capped components of the records, each once in the graph's life; what may not be merged is in none."""
        wanted = sorted(set(starts) - self._done)
        self._prefetch(wanted)
        found: list[Component[uuid.UUID]] = []
        for start in wanted:
            if start in self.forms and start not in self._done:
                component = self._component(start)
                found.append(component)
                self._done.update(component.records)
        return found

    def _component(self, start: uuid.UUID) -> Component[uuid.UUID]:
        reached: dict[float | None, set[uuid.UUID]] = {}

        def reach(frontier: frozenset[uuid.UUID], line: float | None) -> dict[uuid.UUID, bytes]:
            found = self._reach(frontier, line)
            reached.setdefault(line, set()).update(found, frontier)
            return found

        self._missed = 0
        component = capped_component(start, self.forms[start], reach, self.of.lines, self._too_large)
        if component.capped_off:
            self._note_outgrown(component, reached)
        return component

    def _note_outgrown(self, component: Component[uuid.UUID], reached: Mapping[float | None, AbstractSet[uuid.UUID]]) -> None:
        """Note who is of a component that was too large for a rung, and so for those below, and whom the component's own tell."""
        self._too_large.extend(set() for _ in range(component.rung - len(self._too_large)))
        for rung, line in enumerate(self.of.lines.ladder()[: component.rung]):
            for known in self._too_large[: rung + 1]:
                known.update(reached.get(line, ()), component.records)
            for record in component.records:
                for other, edge in self.edges.get(record, {}).items():
                    if line is not None and edge.reaches(line) and other not in component.records:
                        self.outgrown[other] = max(rung, self.outgrown.get(other, rung))

    def _reach(self, frontier: frozenset[uuid.UUID], line: float | None) -> dict[uuid.UUID, bytes]:
        missing = frontier - self._asked
        if missing:
            self._missed += 1
            self._load(missing if self._missed <= PREFETCH_LAYERS else missing | exact_copies.same_form(self.session, missing))
        near = self._matched_with(frontier)
        if line is not None:
            near |= {other for one in frontier for other, edge in self.edges.get(one, {}).items() if edge.reaches(line)}
        return {record: self.forms[record] for record in near - frontier if record in self.forms}

    def _matched_with(self, frontier: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Close stewards' matches over each other; a deleted record still carries the match from one side to the other."""
        found: set[uuid.UUID] = set()
        waiting = {record for record in frontier if record in self._matched}
        while waiting:
            fresh = {other for record in waiting for other in self._matched.get(record, ())} - found
            self._load(fresh)
            found |= fresh
            waiting = fresh - self.forms.keys()
        return found

    def _prefetch(self, starts: Collection[uuid.UUID]) -> None:
        """Read layers for all starts together: nearly always whole components, in a handful of statements.

        Alone, a component costs statements for each of its layers. A layer that would read more than is likely to be needed is
        left to the searches: where thousands hang together, each of them ends soon, at what another found to be too large.
        """
        most = len(self._asked) + len(starts) * PREFETCH_EACH + self.of.lines.cap
        frontier = set(starts)
        for _ in range(PREFETCH_LAYERS):
            if not frontier or len(self._asked) + len(frontier) > most:
                break
            self._load(frontier)
            near = {other for record in frontier for other in (*self.edges.get(record, ()), *self._matched.get(record, ()))}
            frontier = near - self._asked

    def _load(self, records: Collection[uuid.UUID]) -> None:
        missing = set(records) - self._asked
        if not missing:
            return
        self._asked |= missing
        pairs = self.edges_of(self.session, missing)
        fresh = self.supposed.about(decisions.steward_rules(self.session, missing), missing)
        self.rules |= fresh
        for rule in fresh.values():
            for record in rule.records if rule.is_match else ():
                self._matched.setdefault(record, set()).update(rule.records)
        self._know({one for pair in pairs for one in pair} | missing | {one for rule in fresh.values() for one in rule.records})
        for (a, b), edge in pairs.items():
            if a in self.forms and b in self.forms:
                self.edges.setdefault(a, {})[b] = edge
                self.edges.setdefault(b, {})[a] = edge

    def _know(self, records: Collection[uuid.UUID]) -> None:
        unknown = [record for record in records if record not in self.forms]
        found = sql.rows(
            self.session, "SELECT record_id, source, form_hash FROM standard_record WHERE record_id = ANY(%s)", [unknown]
        )
        self.forms.update((record, bytes(form)) for record, source, form in found if self.of.merges(source))
