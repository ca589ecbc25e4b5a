"""The whole service on Spark and on DuckDB: the same decisions, customers and golden values; one finds no fault in the other."""

from dataclasses import replace
from datetime import datetime
from itertools import islice

import pytest
from pyspark.sql import SparkSession

from kernel.db import read_only
from matching.blocking import HOT_LIMIT
from matching.engine import EngineName
from mdm import pending, reconcile
from mdm.incoming import Incoming
from mdm.resolve import Resolved
from sampledata.files import policy_text
from sampledata.retailer import simulate

from .. import resolution as master
from ..mdm.test_candidates import person
from ..resolution import MARIA, Master, at, contents, empty_records, partition, query, questions

CUSTOMERS, SIMULATED, COPIES = 150, 400, 5
# Beside those of the retailer: what crosses a hot limit, what is scored only, and what is another world of people.
MORE_SOURCES = """
  shop: {channel_kind: ecommerce, brand: alder, trust: 0.7}
  trial: {channel_kind: marketing, brand: alder, stage: shadow}
  staff: {channel_kind: crm, brand: alder, identity_domain: staff}
"""


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start(policy_text().replace("sources:\n", f"sources:{MORE_SOURCES}", 1))


def take_in(mdm: Master) -> None:
    """Simulated customers; a crowd on one phone; copies in three sources, of which one is a shadow and one another domain."""
    by_source: dict[str, list[Incoming]] = {}
    for one in islice(simulate(CUSTOMERS, 5), SIMULATED):
        updated = datetime.fromisoformat(one.updated_at)
        by_source.setdefault(one.source, []).append(Incoming(one.key, one.payload, source_updated_at=updated))
    for source in ("shop", "trial", "staff"):
        by_source[source] = [Incoming(f"copy{number}", MARIA, source_updated_at=at(1)) for number in range(COPIES)]
    by_source["shop"] += [Incoming(f"crowd{n}", person(n), source_updated_at=at(2)) for n in range(HOT_LIMIT + 40)]
    for source, items in by_source.items():
        mdm.put_many(source, items, pending.BULK_PRIORITY)


def resolved(mdm: Master, engine: EngineName) -> Resolved:
    """Resolve all in bulk as `mdm reconcile --engine` does."""
    with read_only() as session:
        choice = reconcile.choose(session, 0, engine=engine)
    return reconcile.reconcile(mdm.resolver, choice=choice)


def came_to() -> tuple[object, ...]:
    """Decisions with all that they say, by the keys of their records; the partition, golden values and questions."""
    said = query(
        """SELECT least((a.source, a.source_key), (b.source, b.source_key))::text,
             greatest((a.source, a.source_key), (b.source, b.source_key))::text, verdict, weight, levels, reason_code
           FROM decision JOIN crosswalk AS a ON a.record_id = record_a JOIN crosswalk AS b ON b.record_id = record_b
           WHERE superseded_at IS NULL ORDER BY 1, 2"""
    )
    return said, partition(), contents(), questions()


def test_spark_comes_to_what_duckdb_comes_to(mdm: Master, session: SparkSession) -> None:
    take_in(mdm)
    by_duckdb, expected = resolved(mdm, EngineName.DUCKDB), came_to()
    empty_records()
    take_in(mdm)
    by_spark = resolved(mdm, EngineName.SPARK)
    for found, other in zip(came_to(), expected, strict=True):
        assert found == other
    assert by_spark == by_duckdb
    assert (by_spark.hot_keys > 0, by_spark.decisions > 100, by_spark.postponed) == (True, True, 0)
    assert mdm.verify(deep=True).differences == ()
    again = replace(resolved(mdm, EngineName.DUCKDB), goldens=by_spark.goldens)
    assert (again, came_to()) == (by_spark, expected), "the other engine finds nothing to change"
