"""The bulk engine: candidate pairs from blocking keys, and their levels and weights, in DuckDB through Splink's SQL.

The same levels, the same weight, bit for bit, as `matching.score` gives online. Arrow in, Arrow out; decides nothing, stores
nothing.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from matching.comparisons import comparison_column, folded_extra, number_extra
from matching.engine import DEFAULT_MEMORY_LIMIT, engine
from matching.exact_copies import COPIES_SQL
from matching.forms import COLUMNS, LIST_COLUMNS, NUMBER_COLUMNS, RECORD_ID, ComparisonForm
from matching.hot_keys import LIMITS, HotLimits, pairs_sql
from matching.model import Model
from matching.score import frequency_adjustments

SCORED_AT_ONCE = 250_000
PAIRS_SCHEMA = pa.schema([("record_a", pa.string()), ("record_b", pa.string())])


def forms_table(record_ids: Sequence[str], forms: Sequence[ComparisonForm], extras: Sequence[tuple[str, str]] = ()) -> pa.Table:
    """Lay comparison forms out as an Arrow table: `record_id` and one column each, extras (name, kind) as extra<position>."""
    columns: dict[str, pa.Array] = {RECORD_ID: pa.array(record_ids, pa.string())}
    for column in COLUMNS:
        values = [getattr(form, column) for form in forms]
        columns[column] = pa.array(values, _arrow_type(column))
    for position, (name, _) in enumerate(extras):
        held = [dict(form.extras or ()).get(name) for form in forms]
        columns[f"extra{position}"] = pa.array([folded_extra(value) for value in held], pa.string())
        columns[f"extra{position}_number"] = pa.array([number_extra(value) for value in held], pa.float64())
    return pa.table(columns)


def _arrow_type(column: str) -> pa.DataType:
    if column in LIST_COLUMNS:
        return pa.list_(pa.string())
    return pa.int32() if column in NUMBER_COLUMNS else pa.string()


def candidate_pairs(keys: pa.Table, limits: HotLimits = LIMITS) -> pa.Table:
    """Join a table (blocking_key, record_id) with itself into distinct pairs (record_a < record_b), in order.

    A key of more records than its limit is hot and yields nothing; its refined keys stand in the same table and do.
    """
    with duckdb.connect() as connection:
        connection.register("given", keys)
        found = connection.sql(pairs_sql(limits).format(given="given") + " ORDER BY 1, 2")
        return found.to_arrow_table()


def copy_pairs(form_keys: Sequence[bytes], record_ids: pa.Array) -> pa.Table:
    """Pair each record with its next exact copy (record_a < record_b), in order: those of equal form keys."""
    with duckdb.connect() as connection:
        connection.register("given", pa.table({"form_key": pa.array(form_keys, pa.binary()), "record_id": record_ids}))
        return connection.sql(COPIES_SQL.format(given="given") + " ORDER BY 1, 2").to_arrow_table()


def all_pairs(*tables: pa.Table) -> pa.Table:
    """Give the pairs of several tables (record_a, record_b), each once and in order."""
    every = pa.concat_tables(tables).group_by(["record_a", "record_b"]).aggregate([])
    return every.sort_by([("record_a", "ascending"), ("record_b", "ascending")])


def by_position(pairs: pa.Table, ids: Sequence[str]) -> pa.Table:
    """Name the records of pairs by their position among `ids`, as decimal text; pairs with others are left out.

    What else stands beside a pair, such as its weight, stays there.
    """
    known = pa.array(ids, pa.string())
    for side in ("record_a", "record_b"):
        places = pc.cast(pc.index_in(pairs.column(side), value_set=known), pa.string())
        pairs = pairs.set_column(pairs.schema.get_field_index(side), side, places)
    return pairs.filter(pc.and_(pairs.column("record_a").is_valid(), pairs.column("record_b").is_valid()))


def score_candidates(
    model: Model, forms: pa.Table, pairs: pa.Table, least_weight: float | None = None, or_same_identifier: bool = False
) -> pa.Table:
    """Score pairs (record_a, record_b) of a `forms_table`: record_a, record_b, levels (list), weight; ordered by the two ids.

    Splink's SQL computes the levels; `weight` is summed over them as the online scorer sums it. `least_weight` drops pairs
    below it; `or_same_identifier` keeps those of them that share an identifier.
    """
    with pair_scorer(model, forms) as scorer:
        return scorer.score(pairs, least_weight, or_same_identifier)


@contextmanager
def pair_scorer(model: Model, forms: pa.Table, memory_limit: str = DEFAULT_MEMORY_LIMIT) -> "Iterator[PairScorer]":
    """Load a `forms_table` into DuckDB once, to score its pairs a slice at a time."""
    with engine(memory_limit) as connection:
        connection.register("given", forms)
        connection.register("given_adjustments", _adjusted_forms(model, forms))
        connection.execute("CREATE TABLE forms AS FROM given")
        connection.execute("CREATE TABLE adjusted AS FROM given_adjustments")
        yield PairScorer(model, connection)


class PairScorer:
    """Scores pairs of the forms that its connection holds."""

    def __init__(self, model: Model, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        from matching.splink_form import levels_sql  # noqa: PLC0415 - loading Splink takes half a second, in every process of ours.

        columns = ", ".join(f"gamma_{comparison_column(position)}" for position in range(len(model.comparisons)))
        self._weighed = f"""WITH {levels_sql(model)}, weighed AS (
              SELECT v.{RECORD_ID}_l AS record_a, v.{RECORD_ID}_r AS record_b, [{columns}]::TINYINT[] AS levels,
                {weight_sql(model)} AS weight
              FROM __splink__df_comparison_vectors AS v JOIN adjusted AS f ON f.{RECORD_ID} = v.{RECORD_ID}_l)"""

    def score(self, pairs: pa.Table, least_weight: float | None = None, or_same_identifier: bool = False) -> pa.Table:
        """Score pairs as `score_candidates` does. `or_same_identifier` keeps those below the line that share an identifier."""
        self._connection.register("__splink__blocked_id_pairs", _blocked(pairs))
        floor = "-inf" if least_weight is None else repr(least_weight)
        kept = f"weight >= CAST('{floor}' AS DOUBLE)"
        if or_same_identifier and least_weight is not None:
            kept += f" OR (record_a, record_b) IN ({_SAME_IDENTIFIER})"
        found = self._connection.sql(f"{self._weighed} SELECT * FROM weighed WHERE {kept} ORDER BY record_a, record_b")
        return found.to_arrow_table()

    def score_ahead(
        self, pairs: pa.Table, least_weight: float | None = None, or_same_identifier: bool = False
    ) -> Iterator[pa.Table]:
        """Score pairs, of ids or of whole numbers for them, a slice at a time and the next while the caller works on the last."""
        slices = (pairs.slice(start, SCORED_AT_ONCE) for start in range(0, pairs.num_rows, SCORED_AT_ONCE))
        with ThreadPoolExecutor(1) as ahead:
            yield from ahead.map(lambda some: self.score(some, least_weight, or_same_identifier), slices)


_SAME_IDENTIFIER = f"""
SELECT (p.join_key_l, p.join_key_r) FROM __splink__blocked_id_pairs AS p
JOIN (SELECT {RECORD_ID}, unnest(identifiers) AS identifier FROM forms) AS a ON a.{RECORD_ID} = p.join_key_l
JOIN (SELECT {RECORD_ID}, unnest(identifiers) AS identifier FROM forms) AS b
  ON b.{RECORD_ID} = p.join_key_r AND b.identifier = a.identifier"""


def _blocked(pairs: pa.Table) -> pa.Table:
    """Lay pairs out as Splink's table of blocked pairs."""
    return pa.table({
        "match_key": pa.repeat("0", pairs.num_rows),
        "join_key_l": pairs.column("record_a").cast(pa.string()),
        "join_key_r": pairs.column("record_b").cast(pa.string()),
    })  # fmt: skip


def weight_sql(model: Model) -> str:
    """Write the weight as SQL over gamma columns and adjustments: the same sum, in the same order, as the online scorer."""
    terms = [_number(model.prior_weight)]
    for position, (comparison, parameters) in enumerate(zip(model.comparisons, model.parameters, strict=True)):
        gamma = f"gamma_{comparison_column(position)}"
        top = len(parameters) - 1
        cases = " ".join(f"WHEN {top - step} THEN {_number(parameter.weight)}" for step, parameter in enumerate(parameters))
        terms.append(f"CASE {gamma} {cases} ELSE {_number(0.0)} END")
        adjusted = comparison.adjusted_level(model.frequencies)
        if adjusted is not None:
            number, column = adjusted
            terms.append(f"CASE WHEN {gamma} = {number} THEN f.{column} ELSE {_number(0.0)} END")
    return " + ".join(terms)


def _number(value: float) -> str:
    return f"CAST('{value!r}' AS DOUBLE)"


def _adjusted_forms(model: Model, forms: pa.Table) -> pa.Table:
    """Give for each record the frequency adjustment of its own values: in an agreement both sides hold the same."""
    columns: dict[str, Any] = {RECORD_ID: forms.column(RECORD_ID)}
    for column, adjust in frequency_adjustments(model).items():
        values = pc.unique(forms.column(column)).drop_null()  # Adjusted once each: most of them stand in many records.
        adjusted = pa.array([adjust(value) for value in values.to_pylist()], pa.float64())
        columns[column] = adjusted.take(pc.index_in(forms.column(column).combine_chunks(), value_set=values))
    return pa.table(columns)
