"""The standardized file of the bulk measurement: what standardization makes of each record, as columns.

The comparison form, its hash and the blocking keys stand beside the standard record, as they do in the store.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from matching.blocking import keys
from matching.bulk import copy_pairs, forms_table
from matching.bulk_engine import BulkEngine, DuckdbEngine
from matching.bulk_pairs import KEYS_SCHEMA, PAIRS_SCHEMA
from matching.cluster import Clustering
from matching.evaluate import SECRET, Prepared, resolve
from matching.forms import COLUMNS, LIST_COLUMNS, RECORD_ID, ComparisonForm, comparison_form
from matching.model import Model
from matching.record import StandardRecord, to_json
from matching.standardize import form_hash

# The columns beside those of the forms.
BODY, FORM_HASH, RULES, KEYS = "body", "form_hash", "rules", "keys"
SIDES = PAIRS_SCHEMA.names
DUCKDB = DuckdbEngine()


def standardized(names: Sequence[str], records: Sequence[StandardRecord]) -> pa.Table:
    """Lay records out as a piece of the file."""
    table = forms_table(names, [comparison_form(record) for record in records])
    filed = [keys(record, SECRET) for record in records]
    ends = pa.array(accumulate(map(len, filed), initial=0), pa.int32())
    held = {RULES: ("h", pa.int16(), 0), KEYS: ("q", pa.int64(), 1)}
    for name, (code, kind, place) in held.items():
        numbers = array(code, (one[place] for of in filed for one in of))
        table = table.append_column(name, pa.ListArray.from_arrays(ends, pa.array(numbers, kind)))
    table = table.append_column(FORM_HASH, pa.array([form_hash(record) for record in records], pa.binary()))
    return table.append_column(BODY, pa.array([orjson.dumps(to_json(record)) for record in records], pa.binary()))


def partition(path: Path, model: Model, engine: BulkEngine = DUCKDB) -> list[Clustering[str]]:
    """Partition the records of a file under a model, its pairs found and scored by an engine."""
    wanted = [name for name in parquet.read_schema(path).names if name != BODY]
    table = parquet.read_table(path, columns=wanted).combine_chunks()
    hashes, names = table.column(FORM_HASH).to_pylist(), table.column(RECORD_ID)
    pairs = _pairs(table, hashes, engine)
    by_place = table.set_column(table.column_names.index(RECORD_ID), RECORD_ID, _places(table).cast(pa.string()))
    prepared = Prepared(names.to_pylist(), _forms(table), hashes, _named(pairs, names), 0)
    scored = (_named(some, names) for some in engine.scored(model, by_place, pairs, model.lines.component))
    return resolve(prepared, model, scored=scored)


def _places(table: pa.Table) -> pa.Array:
    return pa.array(range(table.num_rows), pa.int32())


def _named(pairs: pa.Table, names: pa.ChunkedArray) -> pa.Table:
    """Call the records of pairs by their names, not by their places."""
    for at, side in enumerate(SIDES):
        pairs = pairs.set_column(at, side, names.take(pairs.column(side).cast(pa.int32())))
    return pairs


def _pairs(table: pa.Table, hashes: Sequence[bytes], engine: BulkEngine) -> pa.Table:
    """Find the candidate pairs, by places."""
    places = _places(table)
    rules, filed = (table.column(name).chunk(0) for name in (RULES, KEYS))
    holders = places.take(pc.list_parent_indices(filed))
    index = pa.Table.from_arrays([rules.flatten(), filed.flatten(), holders], schema=KEYS_SCHEMA)
    copies = copy_pairs(hashes, places).cast(PAIRS_SCHEMA)
    return engine.find_pairs(index, pa.repeat(pa.scalar(0, pa.int32()), len(places)), copies).pairs


def _forms(table: pa.Table) -> list[ComparisonForm]:
    """Give the comparison forms of a table without extras."""
    columns = (_tuples(of) if name in LIST_COLUMNS else of.to_pylist() for name in COLUMNS for of in (table.column(name),))
    return list(map(ComparisonForm, *columns))


def _tuples(column: pa.ChunkedArray) -> Iterator[tuple[str, ...] | None]:
    """Give each list of a column as a tuple, of the flat values: list by list, Arrow takes five times as long."""
    values = pc.list_flatten(column).to_pylist()
    start = 0
    for length in pc.list_value_length(column).to_pylist():
        yield None if length is None else tuple(values[start : start + length])
        start += length or 0
