"""Deliveries of several sources in one step: each record keeps what is its own source's."""

from typing import Any

import pytest

from kernel.actor import Principal
from kernel.db import Scope, read_only, transaction
from mdm import policy, sql
from mdm.incoming import Incoming
from mdm.ingest import put_all
from mdm.policy import Policy

WRITER = Principal("k", "till", frozenset({"records:write"}), Scope())
ANN = {"given_name": "Ann", "surname": "Lee", "birth_date": "1980-05-03", "emails": ["ann@lee.org"]}
POLICY = """
sources:
  pos: {channel_kind: pos, brand: main}
  shop: {channel_kind: ecommerce, brand: other, region: eu}
"""

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def rules(database: object) -> Policy:
    with transaction() as session:
        return policy.store(session, policy.parse(POLICY), "test")


def all_rows(statement: str) -> list[Any]:
    with read_only() as session:
        return sql.rows(session, statement)


def test_sources_taken_in_together_keep_what_is_theirs(rules: Policy) -> None:
    """The same key at two sources is two records, each with its own source's brand, region, channel and marks."""
    came = [
        ("shop", Incoming("A", ANN)), ("pos", Incoming("A", ANN)), ("shop", Incoming("A", None, delete=True)),
        ("pos", Incoming("", ANN)),
    ]  # fmt: skip
    with transaction() as session:
        found = put_all(session, rules, came, WRITER)
    assert [outcome.status for outcome in found] == ["created", "created", "deleted", "rejected"]
    rows = all_rows(
        """SELECT source, r.brand, r.region, r.is_deleted, c.brand, c.region, array_agg(DISTINCT v.channel), count(*)
           FROM source_record r JOIN crosswalk c USING (record_id, source, source_key) JOIN record_version v USING (record_id)
           GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1"""
    )
    assert rows == [
        ("pos", "main", "", False, "main", "", ["pos"], 1), ("shop", "other", "eu", True, "other", "eu", ["ecommerce"], 2),
    ]  # fmt: skip
    assert all_rows("SELECT source, brand FROM standard_record JOIN search_term USING (record_id, brand) GROUP BY 1, 2") == [
        ("pos", "main")
    ]
    assert all_rows("SELECT body ->> 'source', body ->> 'cause' FROM outbox ORDER BY 1") == [
        ("pos", "created"),
        ("shop", "deleted"),
    ]
    assert all_rows("SELECT source, code FROM reject") == [("pos", "key_missing")]


def test_what_came_together_is_asked_for_in_the_order_in_which_it_came(rules: Policy) -> None:
    """So that records of one customer, which often come one after the other, are resolved in one batch."""
    came = [("pos" if number % 3 else "shop", Incoming(f"{number:02}", ANN)) for number in range(40)]
    with transaction() as session:
        put_all(session, rules, came, WRITER)
    asked = all_rows("SELECT source_key FROM pending_record JOIN source_record USING (record_id) ORDER BY request_no")
    assert [key for (key,) in asked] == [f"{number:02}" for number in range(40)]
