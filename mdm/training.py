"""Train a model on the stored records, as `matching.train` does on any, and fit it to what stewards decided and policy asks.

Only reads; storing a model is `mdm.models`', adopting one `mdm.versions`'.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from operator import attrgetter

import pyarrow as pa
import pyarrow.compute as pc
from sqlmodel import Session

from kernel.errors import Conflict
from matching.bulk_pairs import find_pairs
from matching.calibration import Forecast
from matching.fitting import DecidedPair, Place, fit_to_place
from matching.model import Model
from matching.train import TrainingRefused, train
from mdm import decisions, key_index, sql, versions
from mdm.discover import by_domain
from mdm.key_index import KeyIndex
from mdm.records import CurrentRecord, Shelf, living
from mdm.targets import targets
from mdm.versions import VersionSet

# Beyond so many records a sample teaches the same. On a million stored it took five minutes and 2.8 GB.
MOST_READ = 200_000
MOST_PAIRS_OF_A_DECISION = 16
MOST_DECISIONS = 5_000
IN_ORDER = attrgetter("order_key")


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was trained on the stored records, and what its lines come to."""

    model: Model
    forecast: Forecast


def train_on_stored(session: Session, name: str) -> Trained:
    """Train on the current standard records, starting from the current model. Holds the forms that it reads in memory.

    Of more than MOST_READ records it reads an even sample. Raises: Conflict (training_refused) with the reason when the data
    cannot train a model that is fit for use.
    """
    current = versions.current(session)
    stored, index = _read(session)
    said = decisions.stewards(session)[-MOST_DECISIONS:]
    decided_on = {record_id for one in said for record_id in (*one.left, *one.right)}
    wanted = decided_on.union(index.record_ids)
    records = Shelf(size=len(wanted)).load(session, wanted)
    # In the order of their keys, not of their arrival; one that cannot be decoded teaches nothing.
    ids = sorted((one for one in index.record_ids if one in records), key=lambda one: IN_ORDER(records[one]))
    extras = tuple((extra, str(rule.kind)) for extra, rule in sorted(current.policy.extras.items()) if rule.match)
    named = [records[one] for one in ids]
    forms = [record.form for record in named]
    pairs = _pairs(current, index, records, ids)
    try:
        model = train(forms, pairs, current.model, extras, name, records=stored)
    except TrainingRefused as refused:
        raise Conflict(f"No model was trained: {refused}. The current one stays.", code="training_refused") from refused
    decided = list(_decided(said, records))
    asked = frozenset(place for place, record in enumerate(named) if current.asks(record.source))
    place = Place(targets(session, current.policy), current.identifier_rules, asked, stored)
    return Trained(*fit_to_place(model, forms, pairs, decided, place))


def _read(session: Session) -> tuple[int, KeyIndex]:
    """Read the keys of all records, or of an even sample when they are many, and say of how many (0: these are all). The same
    records give the same sample wherever they are stored: it goes by a hash of their source keys."""
    stored = living(session)
    if stored <= MOST_READ:
        return 0, key_index.read(session)
    found = sql.rows(
        session,
        "SELECT record_id FROM standard_record ORDER BY md5(source || chr(31) || source_key), record_id LIMIT %s",
        [MOST_READ],
    )
    return stored, key_index.read_of(session, [row[0] for row in found])


def _pairs(
    current: VersionSet, index: KeyIndex, records: Mapping[uuid.UUID, CurrentRecord], ids: Sequence[uuid.UUID]
) -> pa.Table:
    """Find the candidates among `ids`, by their places there as decimal text; never those of different identity domains, or of a
    source that is scored only."""
    usable = (records.get(one) for one in index.record_ids)
    groups = by_domain(current, (one.source if one and current.merges(one.source) else None for one in usable))
    found = find_pairs(index.keys, groups).pairs
    place = {one: at for at, one in enumerate(ids)}
    places = pa.array([place.get(one) for one in index.record_ids], pa.int32())
    sides = [places.take(found.column(side)) for side in ("record_a", "record_b")]
    ordered = {"record_a": pc.min_element_wise(*sides), "record_b": pc.max_element_wise(*sides)}
    placed = pa.table(ordered).sort_by([("record_a", "ascending"), ("record_b", "ascending")])
    return pa.table({side: placed.column(side).cast(pa.string()) for side in ordered})


def _decided(said: Sequence[decisions.StewardDecision], records: Mapping[uuid.UUID, CurrentRecord]) -> Iterator[DecidedPair]:
    """Yield the pairs of what stewards decided; those of one decision count as one together."""
    for number, one in enumerate(said):
        sides = [sorted((records[each] for each in side if each in records), key=IN_ORDER) for side in (one.left, one.right)]
        pairs = list(islice(product(*sides), MOST_PAIRS_OF_A_DECISION))
        yield from (DecidedPair(a.form, b.form, one.is_match, 1.0 / len(pairs), number) for a, b in pairs)
