"""Stored records for a measurement: the simulated retailer, taken in as `mdm import` does it."""

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from itertools import islice

import psycopg

from kernel import db
from kernel.actor import Principal
from kernel.settings import settings
from mdm import ingest, policy, versions
from mdm.incoming import Incoming
from mdm.policy import Policy
from sampledata.retailer import SimulatedRecord, simulate

CHUNK = 1_000
OPERATOR = Principal("bench", "bench", frozenset({"records:write"}), db.Scope())
# What a search or a new record meets does not hang on who was merged, so each record stands under a golden id of its own.
SETTLE = (
    "DELETE FROM pending_record",
    "UPDATE crosswalk SET state = 'resolved', golden_id = gen_random_uuid() WHERE golden_id IS NULL",
    "VACUUM ANALYZE",
)


def adopt() -> Policy:
    """Store the retailer's policy and the model that ships, and make both current."""
    text = resources.files("sampledata").joinpath("policy.yaml").read_text(encoding="utf-8")
    with db.transaction() as session:
        stored = policy.store(session, policy.parse(text), "bench")
        versions.adopt(session, stored)
    return stored


def records(count: int, seed: int) -> list[SimulatedRecord]:
    """The first records of a retailer of as many customers."""
    return list(islice(simulate(count, seed), count))


def store(rules: Policy, given: Sequence[SimulatedRecord]) -> None:
    """Take records in and settle them."""
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
