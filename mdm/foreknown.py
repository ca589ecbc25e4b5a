"""What deciding in bulk finds out and settling would find out again: the evidence of pairs, and forms that were read and tried.

Never decides: whoever does not know it weighs and reads for himself, and comes to the same.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from matching.evidence import FormPair
from matching.units import Evidence, weight_key
from mdm.decisions import PairDecision
from mdm.evidence import form_key
from mdm.records import ComparedRecord, Pair
from mdm.versions import VersionSet

Known = tuple[FormPair, Evidence]


@dataclass(frozen=True, slots=True)
class Foreknown:
    """The decided pairs, heaviest first, the records as they were compared, and what is known by each pair's first record."""

    pairs: Sequence[Pair] = ()
    records: Mapping[uuid.UUID, ComparedRecord] = field(default_factory=dict)
    _evidence: Mapping[uuid.UUID, Sequence[Known]] = field(default_factory=dict)

    def about(self, records: Iterable[uuid.UUID]) -> list[Known]:
        """Give the evidence of the pairs among records that hang together."""
        return [known for record in records for known in self._evidence.get(record, ())]


def foreknown(versions: VersionSet, decisions: Iterable[PairDecision], records: Iterable[ComparedRecord | None]) -> Foreknown:
    """Gather what is known of decided pairs and compared records."""
    by_id = {record.record_id: record for record in records if record}
    keys = {record_id: form_key(versions, record) for record_id, record in by_id.items()}
    evidence: dict[uuid.UUID, list[Known]] = {}
    pairs: list[Pair] = []
    for one in sorted(decisions, key=attrgetter("weight"), reverse=True):
        pairs.append(one.pair)
        if one.evidence is not None:
            known = (weight_key(keys[one.record_a], keys[one.record_b]), one.evidence)
            evidence.setdefault(one.record_a, []).append(known)
    return Foreknown(pairs, by_id, evidence)
