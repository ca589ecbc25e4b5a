"""The job resolves what is owed and leaves alone what is not."""

import pytest

from kernel import db
from matching.model import default_model
from mdm import shadows
from workers import jobs

from .. import resolution as master
from ..resolution import MARIA, Master, partition, query


@pytest.fixture
def mdm(database: str) -> Master:
    jobs.resolver.cache_clear()
    jobs.watcher.cache_clear()
    return master.start()


def test_a_message_resolves_its_records_and_a_second_one_finds_nothing_to_do(mdm: Master) -> None:
    ids = [str(mdm.put(source, "1", MARIA).record_id) for source in ("shop", "pos")]
    jobs.resolve_records(ids)
    assert len(partition()) == 1
    before = query("SELECT version, computed_at FROM golden")
    jobs.resolve_records(ids)
    assert query("SELECT version, computed_at FROM golden") == before


def test_tasks_are_written_with_the_golden_records(mdm: Master) -> None:
    ids = [str(mdm.put(source, "1", MARIA).record_id) for source in ("shop", "bought")]
    jobs.resolve_records(ids)
    assert query("SELECT kind, state FROM task") == [("pair", "open")]


def test_a_shadow_looks_at_what_a_job_has_resolved(mdm: Master) -> None:
    ids = [str(mdm.put(source, "1", MARIA).record_id) for source in ("shop", "pos")]
    with db.transaction() as session:
        shadows.start(session, default_model(), "a test")
    jobs.resolve_records(ids)
    assert len(partition()) == 1
    assert query("SELECT verdict, shadow_verdict, pairs FROM shadow_count") == [("match", "match", 1)]


def test_what_else_is_due_is_resolved_with_a_message_and_looked_at_by_the_shadow(mdm: Master) -> None:
    ids = [str(mdm.put(source, "1", MARIA).record_id) for source in ("shop", "pos")]
    with db.transaction() as session:
        shadows.start(session, default_model(), "a test")
    jobs.resolve_records(ids[:1])
    assert len(partition()) == 1
    assert query("SELECT count(*) FROM pending_record") == [(0,)]
    assert query("SELECT verdict, shadow_verdict, pairs FROM shadow_count") == [("match", "match", 1)]
