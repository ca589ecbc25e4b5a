"""What an engine of the bulk path answers, and which one does: DuckDB in this process, or Spark.

Whoever asks need not know which: the pairs, levels and weights are the same, bit for bit. Arrow in, Arrow out; decides nothing,
stores nothing.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from matching.bulk import pair_scorer
from matching.bulk_pairs import BulkCandidates, find_pairs
from matching.engine import DEFAULT_MEMORY_LIMIT, EngineName
from matching.model import Model


class BulkEngine(Protocol):
    """The two questions of the bulk path. Records are their places: numbers in keys and pairs, decimal text in forms."""

    def find_pairs(self, keys: pa.Table, groups: pa.Array, copies: pa.Table | None = None) -> BulkCandidates:
        """Join keys into pairs of records of one group, as `bulk_pairs.find_pairs` says."""

    def scored(
        self, model: Model, forms: pa.Table, pairs: pa.Table, least_weight: float | None = None, or_same_identifier: bool = False
    ) -> Iterator[pa.Table]:
        """Score pairs (PAIRS_SCHEMA) of a `bulk.forms_table`: record_a, record_b (text), levels, weight; some at a time, in no
        order. `least_weight` and `or_same_identifier` keep what `bulk.score_candidates` keeps."""


@dataclass(frozen=True, slots=True)
class DuckdbEngine:
    """DuckDB in this process, through Splink's SQL: what does not fit into the limit spills to disk."""

    memory_limit: str = DEFAULT_MEMORY_LIMIT

    def find_pairs(self, keys: pa.Table, groups: pa.Array, copies: pa.Table | None = None) -> BulkCandidates:
        """Join keys into pairs."""
        return find_pairs(keys, groups, memory_limit=self.memory_limit, copies=copies)

    def scored(
        self, model: Model, forms: pa.Table, pairs: pa.Table, least_weight: float | None = None, or_same_identifier: bool = False
    ) -> Iterator[pa.Table]:
        """Score pairs, a slice at a time and the next while the caller works on the last."""
        with pair_scorer(model, forms, self.memory_limit) as scorer:
            yield from scorer.score_ahead(pairs, least_weight, or_same_identifier)


def bulk_engine(name: EngineName, memory_limit: str, processes: int = 1) -> AbstractContextManager[BulkEngine]:
    """Give an engine for the length of the block, within a memory limit; Spark works in so many tasks at once."""
    if name is EngineName.DUCKDB:
        return nullcontext(DuckdbEngine(memory_limit))
    from matching.spark import spark_engine  # noqa: PLC0415 - an extra, which few have installed.

    return spark_engine(memory_limit, processes)
