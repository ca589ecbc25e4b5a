"""Train a model on the stored records, as `matching.train` does on any, and fit it to what stewards decided and policy asks.

Only reads; storing a model is `mdm.models`', adopting one `mdm.versions`'.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

import pyarrow as pa
from sqlmodel import Session

from kernel.errors import Conflict
from matching.bulk import by_position, candidate_pairs
from matching.calibration import Forecast
from matching.fitting import DecidedPair, Place, fit_to_place
from matching.model import Model
from matching.train import TrainingRefused, train
from mdm import decisions, sql, versions
from mdm.discover import read_keys
from mdm.records import CurrentRecord, Shelf
from mdm.targets import targets
from mdm.versions import VersionSet

MOST_PAIRS_OF_A_DECISION = 16
MOST_DECISIONS = 5_000


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was trained on the stored records, and what its lines come to."""

    model: Model
    forecast: Forecast


def train_on_stored(session: Session, name: str) -> Trained:
    """Train on the current standard records, starting from the current model. Holds all forms in memory.

    Raises: Conflict (training_refused) with the reason when the data cannot train a model that is fit for use.
    """
    current = versions.current(session)
    ids = [row[0] for row in sql.rows(session, "SELECT record_id FROM standard_record ORDER BY source, source_key")]
    records = Shelf(size=len(ids)).load(session, ids)
    extras = tuple((extra, str(rule.kind)) for extra, rule in sorted(current.policy.extras.items()) if rule.match)
    ids = [one for one in ids if one in records]  # One that cannot be decoded teaches nothing.
    named = [records[one] for one in ids]
    forms = [record.form for record in named]
    pairs = _comparable(current, named, by_position(candidate_pairs(read_keys(session)), [str(one) for one in ids]))
    try:
        model = train(forms, pairs, current.model, extras, name)
    except TrainingRefused as refused:
        raise Conflict(f"No model was trained: {refused}. The current one stays.", code="training_refused") from refused
    decided = list(_decided(decisions.stewards(session)[-MOST_DECISIONS:], records))
    asked = frozenset(place for place, record in enumerate(named) if current.asks(record.source))
    place = Place(targets(session, current.policy), current.identifier_rules, asked)
    return Trained(*fit_to_place(model, forms, pairs, decided, place))


def _comparable(current: VersionSet, named: Sequence[CurrentRecord], pairs: pa.Table) -> pa.Table:
    """Leave out the pairs that never become one: of different identity domains, or of a source that is scored only."""
    homes = [current.domain(record.source) if current.merges(record.source) else None for record in named]
    columns = (pairs.column("record_a").to_pylist(), pairs.column("record_b").to_pylist())
    kept = [homes[int(a)] is not None and homes[int(a)] == homes[int(b)] for a, b in zip(*columns, strict=True)]
    return pairs.filter(pa.array(kept, pa.bool_()))


def _decided(said: Sequence[decisions.StewardDecision], records: Mapping[uuid.UUID, CurrentRecord]) -> Iterator[DecidedPair]:
    """Yield the pairs of what stewards decided; those of one decision count as one together."""
    for number, one in enumerate(said):
        sides = [sorted((records[each] for each in side if each in records), key=_order) for side in (one.left, one.right)]
        pairs = list(islice(product(*sides), MOST_PAIRS_OF_A_DECISION))
        yield from (DecidedPair(a.form, b.form, one.verdict == "match", 1.0 / len(pairs), number) for a, b in pairs)


def _order(record: CurrentRecord) -> tuple[str, str]:
    return record.order_key
