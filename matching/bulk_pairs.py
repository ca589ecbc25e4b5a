"""Candidate pairs in bulk with records as positions: those that the online index finds, each once, within a memory limit.

Refined keys are asked only of records that hold a hot key, as online: while a key is not hot, the pairs of its refined keys are
among its own. Keys in, pairs out; decides nothing, stores nothing.
"""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from matching.blocking import REFINED_STEP
from matching.engine import DEFAULT_MEMORY_LIMIT, engine
from matching.hot_keys import LIMITS, HotLimits

PAIRS_SCHEMA = pa.schema([("record_a", pa.int32()), ("record_b", pa.int32())])
KEYS_SCHEMA = pa.schema([("rule", pa.int16()), ("blocking_key", pa.int64()), ("record", pa.int32())])
_FILE = (
    "CREATE TABLE filed AS SELECT DISTINCT rule::INTEGER AS rule, blocking_key, record FROM given",
    """CREATE TABLE population AS
       SELECT rule, blocking_key, count(*) AS held, count(*) > {limit} AS hot, rule >= {step} AS refined FROM filed
       GROUP BY rule, blocking_key""",
    """CREATE TABLE in_hot AS SELECT DISTINCT f.record FROM filed AS f
       SEMI JOIN (SELECT rule, blocking_key FROM population WHERE hot AND NOT refined) AS h USING (rule, blocking_key)""",
    """CREATE TABLE usable AS SELECT f.record, f.blocking_key, f.rule, p.refined
       FROM filed AS f JOIN population AS p USING (rule, blocking_key)
       WHERE NOT p.hot AND p.held > 1 AND (NOT p.refined OR f.record IN (FROM in_hot))""",
)
# A table of its own: joined in place, the planner may pair the groups first, which is every record with every other.
_PLACED = """CREATE TABLE placed AS
SELECT u.blocking_key, u.rule, u.record, g."group" FROM usable AS u JOIN groups AS g USING (record)"""
_PAIRS = """
SELECT DISTINCT a.record AS record_a, b.record AS record_b FROM placed AS a JOIN placed AS b
  ON a.blocking_key = b.blocking_key AND a.rule = b.rule AND a.record < b.record AND (a."group" = b."group") IS TRUE
UNION SELECT record_a, record_b FROM copies
ORDER BY 1, 2"""
_REACH = """
SELECT (SELECT count(*) FROM groups WHERE record NOT IN (SELECT record FROM filed)),
  (SELECT count(*) FROM groups SEMI JOIN filed USING (record)
   WHERE record NOT IN (SELECT record FROM filed SEMI JOIN (FROM population WHERE NOT hot) USING (rule, blocking_key)))"""


@dataclass(frozen=True, slots=True)
class BulkCandidates:
    """Pairs (record_a < record_b, in order), the hot keys, and how many records have no key, or only hot ones."""

    pairs: pa.Table
    hot: frozenset[int]
    keyless: int
    unreachable: int


def find_pairs(
    keys: pa.Table,
    groups: pa.Array,
    limits: HotLimits = LIMITS,
    memory_limit: str = DEFAULT_MEMORY_LIMIT,
    copies: pa.Table | None = None,
) -> BulkCandidates:
    """Join keys (KEYS_SCHEMA) into pairs of records of one group; `copies` (PAIRS_SCHEMA) are pairs besides.

    `groups` gives for each position its group; null: the record holds its keys hot like any other, and is in no pair.
    """
    with engine(memory_limit) as connection:
        file_keys(connection, keys, limits)
        places = pa.table({"record": pa.array(range(len(groups)), pa.int32()), "group": groups})
        connection.register("groups", places.filter(groups.is_valid()))
        connection.register("copies", PAIRS_SCHEMA.empty_table() if copies is None else copies)
        connection.execute(_PLACED)
        pairs = connection.sql(_PAIRS).to_arrow_table()
        keyless, unreachable = connection.execute(_REACH).fetchall()[0]
        hot = connection.execute("SELECT DISTINCT blocking_key FROM population WHERE hot").fetchall()
    return BulkCandidates(pairs, frozenset(row[0] for row in hot), keyless, unreachable)


def file_keys(connection: duckdb.DuckDBPyConnection, keys: pa.Table, limits: HotLimits) -> None:
    """Make the tables filed, population (held, hot, refined), in_hot and usable of keys."""
    connection.register("given", keys)
    for statement in _FILE:
        connection.execute(statement.format(limit=limits.sql(), step=REFINED_STEP))
