"""Stored records for a measurement: the simulated retailer, taken in as `mdm import` does it."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice

import psycopg

from kernel import db
from kernel.actor import Principal
from kernel.settings import settings
from mdm import ingest, policy, versions
from mdm.incoming import Incoming
from mdm.policy import Policy
from sampledata.files import policy_text
from sampledata.retailer import SimulatedRecord, simulate

CHUNK = 1_000
OPERATOR = Principal("bench", "bench", frozenset({"records:write"}), db.Scope())
# What a search reads does not hang on who was merged, so each record may stand under a golden id of its own.
SETTLE = (
    """CREATE TEMP TABLE own AS SELECT record_id, gen_random_uuid() AS golden_id, brand, region, max(version_set_id) AS set_id
       FROM crosswalk, version_set WHERE golden_id IS NULL GROUP BY record_id""",
    """INSERT INTO golden (golden_id, status, version, brands, regions, body, content_hash, version_set_id, computed_at)
       SELECT golden_id, 'live', 1, ARRAY[brand], ARRAY[region], '{}', '\\x00', set_id, now() FROM own""",
    "UPDATE crosswalk c SET state = 'resolved', golden_id = own.golden_id FROM own WHERE own.record_id = c.record_id",
    "DROP TABLE own",
    "DELETE FROM pending_record",
    "VACUUM ANALYZE",
)


def adopt() -> Policy:
    """Store the retailer's policy and the model that ships, and make both current."""
    with db.transaction() as session:
        stored = policy.store(session, policy.parse(policy_text()), "bench")
        versions.adopt(session, stored)
    return stored


def records(count: int, seed: int) -> list[SimulatedRecord]:
    """The first records of a retailer of as many customers."""
    return list(islice(simulate(count, seed), count))


def store(rules: Policy, given: Sequence[SimulatedRecord]) -> None:
    """Take records in and settle them, each by itself: fit for searching, not for resolving."""
    by_source: dict[str, list[Incoming]] = {}
    for one in given:
        raw = json.dumps(one.payload, ensure_ascii=False).encode()
        by_source.setdefault(one.source, []).append(Incoming(one.key, one.payload, raw=raw))
    for source, items in by_source.items():
        for chunk in _chunks(items):
            with db.transaction() as session:
                ingest.put_records(session, rules, source, chunk, OPERATOR)
    with psycopg.connect(settings().require_database_url(), autocommit=True) as connection:
        for statement in SETTLE:
            connection.execute(statement)


def _chunks(items: Sequence[Incoming]) -> Iterator[Sequence[Incoming]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
