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
# Each made of `given` (KEYS_SCHEMA) and of those before it. DuckDB and Spark read one text, here and below.
FILED = {
    "filed": "SELECT DISTINCT CAST(rule AS INTEGER) AS rule, blocking_key, record FROM given",
    "population": """SELECT rule, blocking_key, count(*) AS held, count(*) > {limit} AS hot, rule >= {step} AS refined
       FROM filed GROUP BY rule, blocking_key""",
    "in_hot": """SELECT DISTINCT f.record FROM filed AS f
       SEMI JOIN (SELECT rule, blocking_key FROM population WHERE hot AND NOT refined) AS h USING (rule, blocking_key)""",
    "usable": """SELECT f.record, f.blocking_key, f.rule, p.refined
       FROM filed AS f JOIN population AS p USING (rule, blocking_key)
       WHERE NOT p.hot AND p.held > 1 AND (NOT p.refined OR f.record IN (SELECT record FROM in_hot))""",
}
# A table of its own: joined in place, the planner may pair the groups first, which is every record with every other.
PLACED = "SELECT u.blocking_key, u.rule, u.record, g.in_group FROM usable AS u JOIN groups AS g USING (record)"
PAIRS = """
SELECT DISTINCT a.record AS record_a, b.record AS record_b FROM placed AS a JOIN placed AS b
  ON a.blocking_key = b.blocking_key AND a.rule = b.rule AND a.record < b.record AND (a.in_group = b.in_group) IS TRUE
UNION SELECT record_a, record_b FROM copies"""
REACH = """
SELECT (SELECT count(*) FROM groups ANTI JOIN filed USING (record)),
  (SELECT count(*) FROM groups SEMI JOIN filed USING (record) ANTI JOIN
   (SELECT f.record FROM filed AS f
    SEMI JOIN (SELECT rule, blocking_key FROM population WHERE NOT hot) AS c USING (rule, blocking_key)) AS met USING (record))"""
HOT = "SELECT DISTINCT blocking_key FROM population WHERE hot"


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
        connection.register("groups", grouped(groups))
        connection.register("copies", PAIRS_SCHEMA.empty_table() if copies is None else copies)
        connection.execute(f"CREATE TABLE placed AS {PLACED}")
        pairs = connection.sql(f"{PAIRS} ORDER BY 1, 2").to_arrow_table()
        keyless, unreachable = connection.execute(REACH).fetchall()[0]
        hot = connection.execute(HOT).fetchall()
    return BulkCandidates(pairs, frozenset(row[0] for row in hot), keyless, unreachable)


def file_keys(connection: duckdb.DuckDBPyConnection, keys: pa.Table, limits: HotLimits) -> None:
    """Make the tables filed, population (held, hot, refined), in_hot and usable of keys."""
    connection.register("given", keys)
    for name, statement in filed_sql(limits).items():
        connection.execute(f"CREATE TABLE {name} AS {statement}")


def filed_sql(limits: HotLimits) -> dict[str, str]:
    """Write how each of those tables is made, in their order."""
    return {name: statement.format(limit=limits.sql(), step=REFINED_STEP) for name, statement in FILED.items()}


def grouped(groups: pa.Array) -> pa.Table:
    """Lay out who is of a group: record, in_group."""
    places = pa.table({"record": pa.array(range(len(groups)), pa.int32()), "in_group": groups})
    return places.filter(groups.is_valid())
