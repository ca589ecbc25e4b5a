"""Blocking measured on labelled records: their keys, the pairs that truly are one customer, and what those weigh if compared."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import combinations

import pyarrow as pa

from matching.blocking import keys
from matching.blocking_report import KEYS_SCHEMA, TRUE_PAIRS_SCHEMA, BlockingReport, blocking_report
from matching.bulk import copy_pairs, forms_table, score_candidates
from matching.bulk_pairs import PAIRS_SCHEMA
from matching.engine import DEFAULT_MEMORY_LIMIT
from matching.evaluate import SECRET, Labelled
from matching.forms import comparison_form
from matching.hot_keys import LIMITS, HotLimits
from matching.model import Model
from matching.record import StandardRecord
from matching.standardize import form_hash


def measure(
    labelled: Sequence[Labelled], model: Model, limits: HotLimits = LIMITS, memory_limit: str = DEFAULT_MEMORY_LIMIT
) -> BlockingReport:
    """Measure blocking on labelled records; what would reach the guard line is weighed by the model."""
    filed = keys_table((item.record for item in labelled), SECRET)
    true_pairs = weighed_true_pairs(labelled, model)
    copies = copies_table(item.record for item in labelled)
    return blocking_report(filed, len(labelled), true_pairs, model.lines.guard, limits, memory_limit, copies)


def copies_table(records: Iterable[StandardRecord]) -> pa.Table:
    """Pair the exact copies among records, numbered from 0 in their order: PAIRS_SCHEMA."""
    hashes = [form_hash(record) for record in records]
    return copy_pairs(hashes, pa.array(range(len(hashes)), pa.int32())).cast(PAIRS_SCHEMA)


def keys_table(records: Iterable[StandardRecord], secret: bytes) -> pa.Table:
    """File records, numbered from 0 in their order, under all their keys: KEYS_SCHEMA."""
    rules, filed, holders = array("h"), array("q"), array("i")
    for position, record in enumerate(records):
        for rule, key in keys(record, secret):
            rules.append(rule)
            filed.append(key)
            holders.append(position)
    return pa.Table.from_arrays(
        [pa.array(rules, pa.int16()), pa.array(filed, pa.int64()), pa.array(holders, pa.int32())], schema=KEYS_SCHEMA
    )


def weighed_true_pairs(labelled: Sequence[Labelled], model: Model) -> pa.Table:
    """Weigh every pair of records with one label: TRUE_PAIRS_SCHEMA. All pairs of a customer, so quadratic in their records."""
    customers: dict[str, list[int]] = {}
    for position, item in enumerate(labelled):
        customers.setdefault(item.truth, []).append(position)
    several = [held for held in customers.values() if len(held) > 1]
    one, other = array("i"), array("i")
    for held in several:
        for a, b in combinations(held, 2):
            one.append(a)
            other.append(b)
    if not one:
        return TRUE_PAIRS_SCHEMA.empty_table()
    members = [position for held in several for position in held]
    forms = forms_table([str(at) for at in members], [comparison_form(labelled[at].record) for at in members], model.extras)
    pairs = pa.table(
        {"record_a": pa.array(one, pa.int32()).cast(pa.string()), "record_b": pa.array(other, pa.int32()).cast(pa.string())}
    )
    scored = score_candidates(model, forms, pairs)
    sides = [scored.column(side).cast(pa.int32()) for side in ("record_a", "record_b")]
    return pa.Table.from_arrays([*sides, scored.column("weight")], schema=TRUE_PAIRS_SCHEMA)
