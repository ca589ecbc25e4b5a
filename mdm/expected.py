"""The decisions that there should be, found again for verification: key by key as online, or all at once by the bulk engine."""

import uuid
from collections.abc import Collection, Mapping, Sequence

from sqlmodel import Session

from kernel.settings import settings
from matching.bulk_engine import DuckdbEngine
from matching.components import PairEdge, edge_of
from mdm import discover, sql
from mdm.decisions import PairDecision
from mdm.records import Pair, Shelf
from mdm.versions import VersionSet

Id = uuid.UUID


class Expected:
    """The decisions that there should be, found when asked for. The graph takes its edges here: a wrong row misleads nobody."""

    def __init__(self, session: Session, current: VersionSet, shelf: Shelf) -> None:
        self._session, self._versions, self._shelf = session, current, shelf
        self._known: dict[Id, dict[Pair, PairDecision]] = {}
        # What was found of records that nobody has asked about yet: a pair is scored once, by whichever is asked about first.
        self._ahead: dict[Id, dict[Pair, PairDecision]] = {}

    def about(self, record_ids: Collection[Id]) -> dict[Pair, PairDecision]:
        """The decisions about any of the records."""
        missing = [record_id for record_id in record_ids if record_id not in self._known]
        if missing:
            found = discover.online(self._session, self._versions, self._shelf, missing, beside=self._known.keys())
            self.learn(missing, found.decisions)
        return {pair: one for record_id in record_ids for pair, one in self._known[record_id].items()}

    def learn(self, record_ids: Collection[Id], found: Sequence[PairDecision]) -> None:
        """Note all decisions about some records, but those about pairs with records that were learnt of before."""
        for record_id in record_ids:
            self._known[record_id] = self._ahead.pop(record_id, {})
        for one in found:
            for record_id in one.pair:
                known = self._known.get(record_id)
                (self._ahead.setdefault(record_id, {}) if known is None else known)[one.pair] = one

    def edges(self, _session: Session, record_ids: Collection[Id]) -> Mapping[Pair, PairEdge]:
        """The same as edges of the graph."""
        made = ((pair, edge_of(one.weight, one.reason_code, one.verdict)) for pair, one in self.about(record_ids).items())
        return {pair: edge for pair, edge in made if edge}


class BulkExpected(Expected):
    """The same decisions, all found at once by the bulk engine: the other path than the one that wrote them online."""

    def __init__(self, session: Session, current: VersionSet, shelf: Shelf) -> None:
        super().__init__(session, current, shelf)
        ids = [row[0] for row in sql.rows(session, "SELECT record_id FROM crosswalk")]
        everybody = discover.gather(session, current, Shelf())
        # Always DuckDB, which is everywhere: what Spark wrote, another engine checks.
        self.learn(ids, discover.in_bulk(current, everybody, DuckdbEngine(settings().bulk_memory_limit)).decisions)
