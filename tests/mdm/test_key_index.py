"""The key index as the bulk engine reads it is the index, key for key; and the report on it counts what is stored."""

import json

import pytest
from typer.testing import CliRunner

from cli.main import build
from kernel import db
from matching.bulk_engine import bulk_engine
from matching.engine import EngineName
from mdm import discover, key_index, versions
from mdm.records import Shelf

from .. import resolution as master
from ..resolution import MARIA, Master, query


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start()
    made.put("shop", "1", MARIA)
    made.put("pos", "2", MARIA | {"phones": ["+34 612 345 678"]})
    made.put("pos", "3", {"gender": "female"})
    return made


def test_every_key_of_every_living_record_is_read_and_nothing_else(mdm: Master) -> None:
    with db.read_only(snapshot=True) as session:
        index = key_index.read(session)
    read = {(row["rule"], row["blocking_key"], index.record_ids[row["record"]]) for row in index.keys.to_pylist()}
    assert read == set(query("SELECT rule, blocking_key, record_id FROM blocking_key"))
    assert len(index.record_ids) == 3  # The one without any key as well.


def test_of_some_records_the_same_is_read(mdm: Master) -> None:
    with db.read_only(snapshot=True) as session:
        chosen = key_index.read(session).record_ids[1:]
        index = key_index.read_of(session, list(reversed(chosen)))
    read = {(row["rule"], row["blocking_key"], index.record_ids[row["record"]]) for row in index.keys.to_pylist()}
    assert list(index.record_ids) == list(chosen)
    assert read == set(query("SELECT rule, blocking_key, record_id FROM blocking_key WHERE record_id = ANY(%s)", chosen))


def test_the_report_on_stored_records_counts_the_pairs_that_resolution_compares(mdm: Master) -> None:
    """Whose identity domain is another is compared with nobody; of a source in stage shadow records are scored, so compared."""
    mdm.put("staff", "4", MARIA)
    mdm.put("trial", "5", MARIA)
    with db.transaction() as session:
        current = versions.current(session)
        everybody = discover.gather(session, current, Shelf())
    with bulk_engine(EngineName.DUCKDB, "1GB") as engine:
        compared = discover.in_bulk(current, everybody, engine).pairs
    done = CliRunner().invoke(build(["blocking"]), ["blocking", "report", "--output", "json"])
    found = json.loads(done.stdout)
    assert (found["records"], found["pairs"], compared) == (5, 3, 3)
    assert next(rule for rule in found["rules"] if rule["name"] == "e-mail")["pairs"] == 3


def test_the_stored_records_are_reported_on_without_truth(mdm: Master) -> None:
    done = CliRunner().invoke(build(["blocking"]), ["blocking", "report", "--output", "json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["records"], found["pairs"], found["keyless"], found["recall"]) == (3, 1, 1, None)
    shown = CliRunner().invoke(build(["blocking"]), ["blocking", "report", "--memory-limit", "1GB"])
    assert "1 record without any key: no candidate can be found for them." in " ".join(shown.stdout.split())
