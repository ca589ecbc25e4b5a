"""How good blocking is: for each rule what it brings, what only it brings, what it costs, and what its hot keys leave.

Pure: keys in, figures out. A value is never shown, nor a whole key: a key is named by the first digits of its hash.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import pyarrow as pa

from matching.blocking import REFINED_STEP, RULES
from matching.bulk_pairs import KEYS_SCHEMA, PAIRS_SCHEMA, PLACED, file_keys, grouped
from matching.engine import DEFAULT_MEMORY_LIMIT, engine
from matching.exact_copies import COPIES_NAME, COPIES_RULE
from matching.hot_keys import LIMITS, HotLimits

__all__ = ["KEYS_SCHEMA", "TRUE_PAIRS_SCHEMA", "BlockingReport", "LargeKey", "RuleReport", "blocking_report"]

MOST_LARGEST = 3
SHOWN_DIGITS = 4
TRUE_PAIRS_SCHEMA = pa.schema([("record_a", pa.int32()), ("record_b", pa.int32()), ("weight", pa.float64())])


@dataclass(frozen=True, slots=True)
class LargeKey:
    """One of the fullest keys of a rule: the first digits of the hash, and how many records hold it."""

    key: str
    records: int


@dataclass(frozen=True, slots=True)
class RuleReport:
    """What one rule does. `pairs` are the candidates it yields, those of its refined keys where a key is hot among them.

    `only_pairs`: candidates that no other rule yields; `true_pairs` and `only_true_pairs` of either are one customer, and
    `recall` is the share of all true pairs (None without labels). `largest_share`: of its pairs as they come from its keys one by
    one, those of the fullest key that is not hot. `hot_records` hold a hot key; `refined_pairs` come from refined keys instead.
    """

    rule: int
    name: str
    keys: int
    pairs: int
    only_pairs: int
    true_pairs: int | None
    only_true_pairs: int | None
    recall: float | None
    largest: tuple[LargeKey, ...]
    largest_share: float
    hot_keys: int
    hot_records: int
    refined_pairs: int


@dataclass(frozen=True, slots=True)
class BlockingReport:
    """The whole. Candidates per record: how many others a record is compared with, on average and for 99 of 100 records at most.

    `recall`: the share of all true pairs that become candidates; `recall_reaching`: of those that weigh at least the guard line,
    and so would be merged or asked about if they were compared. None where it is not known who is who.
    """

    records: int
    keys: int
    keyless: int
    unreachable: int
    pairs: int
    candidates_mean: float
    candidates_p99: int
    candidates_most: int
    true_pairs: int | None
    recall: float | None
    reaching_pairs: int | None
    recall_reaching: float | None
    rules: tuple[RuleReport, ...]

    def as_json(self) -> dict[str, Any]:
        """The figures by their names."""
        return asdict(self)


def blocking_report(
    keys: pa.Table,
    records: int,
    true_pairs: pa.Table | None = None,
    guard_weight: float = 0.0,
    limits: HotLimits = LIMITS,
    memory_limit: str = DEFAULT_MEMORY_LIMIT,
    copies: pa.Table | None = None,
    groups: pa.Array | None = None,
) -> BlockingReport:
    """Measure blocking on keys (KEYS_SCHEMA) of `records` records, numbered from 0; `copies` (PAIRS_SCHEMA): exact ones.

    `groups`, as `bulk_pairs.find_pairs` takes them: only records of one group are compared; None: all are of one.
    `true_pairs` (TRUE_PAIRS_SCHEMA, record_a < record_b): the pairs that are one customer, with what they weigh if compared.
    """
    with engine(memory_limit) as connection:
        file_keys(connection, keys, limits)
        connection.register("known", TRUE_PAIRS_SCHEMA.empty_table() if true_pairs is None else true_pairs)
        connection.register("copies", PAIRS_SCHEMA.empty_table() if copies is None else copies)
        connection.register("groups", grouped(pa.array([0] * records, pa.int32()) if groups is None else groups))
        for statement in _STEPS:
            connection.execute(statement)
        return _read(connection, records, guard_weight, labelled=true_pairs is not None)


_REPORTED = (*((rule.number, rule.name) for rule in RULES), (COPIES_RULE, COPIES_NAME))
# One bit a rule says who yields a pair; the bits from _REFINED_BIT on, by refined keys.
_REFINED_BIT = 31
_STEPS = (
    f"CREATE TABLE placed AS {PLACED}",
    """CREATE TABLE joined AS SELECT rule, blocking_key, sum(held * (held - 1) // 2)::BIGINT AS pairs
       FROM (SELECT rule, blocking_key, in_group, count(*) AS held FROM placed GROUP BY ALL) GROUP BY ALL""",
    f"""CREATE TABLE pairs AS SELECT record_a, record_b, bit_or(1::BIGINT << bit) AS rules FROM (
          SELECT a.record AS record_a, b.record AS record_b,
            a.rule % {REFINED_STEP} + CASE WHEN a.rule >= {REFINED_STEP} THEN {_REFINED_BIT} ELSE 0 END AS bit
          FROM placed AS a JOIN placed AS b ON a.blocking_key = b.blocking_key AND a.rule = b.rule AND a.record < b.record
            AND a.in_group = b.in_group
          UNION ALL SELECT record_a, record_b, {COPIES_RULE} FROM copies)
        GROUP BY ALL""",
    """CREATE TABLE found AS SELECT k.weight, coalesce(p.rules, 0) AS rules FROM known AS k
       LEFT JOIN pairs AS p USING (record_a, record_b)""",
    """CREATE TABLE company AS SELECT record, count(*) AS others
       FROM (SELECT record_a AS record FROM pairs UNION ALL SELECT record_b FROM pairs) GROUP BY ALL""",
)


def _read(connection: duckdb.DuckDBPyConnection, records: int, guard_weight: float, labelled: bool) -> BlockingReport:
    (pairs,) = _row(connection, "SELECT count(*) FROM pairs")
    keys, keyed = _row(connection, "SELECT count(*), count(DISTINCT record) FROM filed")
    (reachable,) = _row(
        connection,
        """SELECT count(DISTINCT record) FROM filed
           SEMI JOIN (SELECT * FROM population WHERE NOT hot) USING (rule, blocking_key)""",
    )
    p99 = connection.execute(
        "SELECT others FROM company ORDER BY others DESC LIMIT 1 OFFSET $rank", {"rank": records // 100}
    ).fetchall()
    (most,) = _row(connection, "SELECT coalesce(max(others), 0) FROM company")
    known, found, reaching, reached = _row(
        connection,
        """SELECT count(*), count(*) FILTER (rules <> 0), count(*) FILTER (weight >= $guard),
             count(*) FILTER (weight >= $guard AND rules <> 0) FROM found""",
        {"guard": guard_weight},
    )
    return BlockingReport(
        records=records,
        keys=keys,
        keyless=records - keyed,
        unreachable=keyed - reachable,
        pairs=pairs,
        candidates_mean=2 * pairs / records if records else 0.0,
        candidates_p99=p99[0][0] if p99 else 0,
        candidates_most=most,
        true_pairs=known if labelled else None,
        recall=_share(found, known) if labelled else None,
        reaching_pairs=reaching if labelled else None,
        recall_reaching=_share(reached, reaching) if labelled else None,
        rules=tuple(_rule(connection, number, name, known if labelled else None) for number, name in _REPORTED),
    )


def _rule(connection: duckdb.DuckDBPyConnection, number: int, name: str, true_pairs: int | None) -> RuleReport:
    bits = {"plain": 1 << number, "refined": 1 << number + _REFINED_BIT, "both": 1 << number | 1 << number + _REFINED_BIT}
    counted = """count(*) FILTER (rules & $both <> 0), count(*) FILTER (rules & $both <> 0 AND rules & ~$both = 0),
        count(*) FILTER (rules & $refined <> 0 AND rules & $plain = 0)"""
    pairs, only, refined = _row(connection, f"SELECT {counted} FROM pairs", bits)
    found, only_found, _ = _row(connection, f"SELECT {counted} FROM found", bits)
    of_rule = {"rule": number}
    keys, hot = _row(connection, "SELECT count(*), count(*) FILTER (hot) FROM population WHERE rule = $rule", of_rule)
    joined, fullest = _row(
        connection, "SELECT coalesce(sum(pairs), 0)::BIGINT, coalesce(max(pairs), 0) FROM joined WHERE rule = $rule", of_rule
    )
    (hot_records,) = _row(
        connection,
        """SELECT count(DISTINCT record) FROM filed
           SEMI JOIN (SELECT * FROM population WHERE hot AND rule = $rule) USING (rule, blocking_key)""",
        of_rule,
    )
    is_labelled = true_pairs is not None
    return RuleReport(
        rule=number,
        name=name,
        keys=keys,
        pairs=pairs,
        only_pairs=only,
        true_pairs=found if is_labelled else None,
        only_true_pairs=only_found if is_labelled else None,
        recall=_share(found, true_pairs) if true_pairs is not None else None,
        largest=_largest(connection, number),
        largest_share=_share(fullest, joined),
        hot_keys=hot,
        hot_records=hot_records,
        refined_pairs=refined,
    )


def _largest(connection: duckdb.DuckDBPyConnection, number: int) -> tuple[LargeKey, ...]:
    found = connection.execute(
        f"""SELECT blocking_key, held FROM population WHERE rule = $rule
            ORDER BY held DESC, blocking_key LIMIT {MOST_LARGEST}""",
        {"rule": number},
    ).fetchall()
    return tuple(LargeKey(f"{key % 2**64:016x}"[:SHOWN_DIGITS] + "…", held) for key, held in found)


def _row(connection: duckdb.DuckDBPyConnection, statement: str, parameters: dict[str, Any] | None = None) -> Sequence[Any]:
    return connection.execute(statement, parameters).fetchall()[0]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
