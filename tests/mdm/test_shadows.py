"""The shadow changes nothing that is stored, is bounded, and fails alone; what it shows is counts and record ids."""

import threading
import time
from dataclasses import replace

import pytest

from kernel import db
from matching.model import Lines, Model, default_model
from mdm import model_differences, models, reconcile, shadows, versions

from .. import resolution as master
from ..resolution import MARIA, Master, contents, partition, query, questions
from .test_resolve import outcome, retailer

# Believes the opposite of the model that rules: nearly everything is to be merged, and nothing is far enough apart.
EAGER = replace(default_model().with_lines(Lines(component=-30.0, guard=-25.0, merge=-20.0)), name="eager", fingerprint="")

# Would merge nobody.
SHY = replace(default_model().with_lines(Lines(guard=200.0, merge=210.0)), name="shy", fingerprint="")


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def watcher(mdm: Master) -> shadows.Watcher:
    return shadows.Watcher(db.transaction, mdm.resolver.shelf)


def begin(model: Model = EAGER) -> None:
    with db.transaction() as session:
        shadows.start(session, model, "a test")


def shown() -> shadows.Report:
    with db.read_only() as session:
        found = shadows.report(session)
    assert found is not None
    return found


def take_in(mdm: Master, look: shadows.Watcher | None = None) -> None:
    """A small retailer, a few records at a time, each batch looked at by the shadow as a worker does."""
    for source, item in retailer():
        outcomes = mdm.put_many(source, [item])
        mdm.drain()
        if look is not None:
            look.watch([one.record_id for one in outcomes])
            look._rest_until = 0.0  # Every batch, where a worker would rest.


def test_a_shadow_changes_no_partition_no_value_no_decision_and_no_task(mdm: Master) -> None:
    take_in(mdm)
    alone = outcome(), contents(), questions(), query("SELECT verdict, weight, reason_code FROM decision ORDER BY 2, 1, 3")
    master.empty_records()
    begin()
    take_in(mdm, watcher(mdm))
    beside = outcome(), contents(), questions(), query("SELECT verdict, weight, reason_code FROM decision ORDER BY 2, 1, 3")
    assert beside == alone
    assert sum(shown().counts.values()) > 50
    assert mdm.verify(deep=True).differences == ()


def test_where_the_two_differ_is_counted_and_shown_by_record_ids(mdm: Master) -> None:
    ids = [mdm.put(source, "1", MARIA).record_id for source in ("shop", "pos")]
    ids.append(mdm.put("shop", "2", MARIA | {"given_name": "Jose", "birth_date": None, "emails": []}).record_id)
    mdm.drain()
    begin(SHY)
    assert watcher(mdm).watch(ids) == 3
    found = shown()
    assert (found.name, found.counts[("match", "no_match")]) == ("shy", 1)
    differing = {verdicts: pairs for verdicts, pairs in found.counts.items() if verdicts[0] != verdicts[1]}
    assert sum(differing.values()) == len(found.examples)
    assert tuple(sorted(ids[:2])) in {one.pair for one in found.examples}
    columns = query("SELECT column_name FROM information_schema.columns WHERE table_name = 'shadow_example'")
    assert {name for (name,) in columns} == {
        "shadow_id", "record_a", "record_b", "verdict", "shadow_verdict", "weight", "shadow_weight", "seen_at",
    }  # fmt: skip


def test_examples_stop_at_a_few_and_go_when_the_next_shadow_begins(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadows, "EXAMPLES_A_VERDICT", 2)
    begin()
    take_in(mdm, watcher(mdm))
    by_verdicts: dict[tuple[str, str], int] = {}
    for one in shown().examples:
        by_verdicts[one.verdict, one.shadow_verdict] = by_verdicts.get((one.verdict, one.shadow_verdict), 0) + 1
    assert set(by_verdicts.values()) <= {1, 2}
    begin(default_model())
    assert query("SELECT count(*) FROM shadow_example") == [(0,)]
    assert query("SELECT count(*) FROM shadow_model WHERE ended_at IS NULL") == [(1,)]


def test_a_model_that_watches_itself_shows_no_difference(mdm: Master) -> None:
    begin(default_model())
    take_in(mdm, watcher(mdm))
    assert {one == other for one, other in shown().counts} == {True}
    assert shown().examples == []


def test_identity_domains_are_never_compared(mdm: Master) -> None:
    ids = [mdm.put(source, "1", MARIA).record_id for source in ("shop", "staff")]
    mdm.drain()
    begin()
    assert watcher(mdm).watch(ids) == 0


def test_without_a_shadow_it_does_not_even_look(mdm: Master) -> None:
    ids = [mdm.put("shop", "1", MARIA).record_id]
    mdm.drain()
    look = watcher(mdm)
    assert look.watch(ids) == 0
    assert look._rest_until > time.monotonic() + shadows.LOOK_FOR_A_SHADOW_SECONDS / 2


def test_it_rests_nineteen_times_as_long_as_it_looked(mdm: Master) -> None:
    ids = [mdm.put(source, "1", MARIA).record_id for source in ("shop", "pos")]
    mdm.drain()
    begin()
    look = watcher(mdm)
    started = time.monotonic()
    assert look.watch(ids) == 1
    spent = time.monotonic() - started
    assert 0 < look._rest_until - time.monotonic() <= shadows.REST_PER_SECOND * spent
    assert look.watch(ids) == 0


def test_a_look_that_fails_slowly_rests_as_long_as_one_that_succeeds(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database in trouble gives up each statement after seconds, and the shadow must not take the worker with it."""

    def give_up(*_: object) -> None:
        time.sleep(0.4)
        raise TimeoutError

    ids = [mdm.put("shop", "1", MARIA).record_id]
    mdm.drain()
    begin()
    monkeypatch.setattr(shadows, "_near", give_up)
    look = watcher(mdm)
    assert look.watch(ids) == 0
    assert look._rest_until - time.monotonic() > 0.4 * shadows.REST_PER_SECOND - 0.5


def test_examples_that_are_full_cost_no_statement(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadows, "EXAMPLES_A_VERDICT", 1)
    ids = [mdm.put(source, "1", MARIA).record_id for source in ("shop", "pos")]
    mdm.drain()
    begin(SHY)
    run, told = shadows.sql.run, []
    monkeypatch.setattr(shadows.sql, "run", lambda session, text, *more: told.append(text) or run(session, text, *more))
    for wanted in (1, 0):
        told.clear()
        assert watcher(mdm).watch(ids) == 1
        assert sum("shadow_example" in text for text in told) == wanted


def test_nothing_is_scored_while_a_transaction_is_open(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [mdm.put(source, "1", MARIA).record_id for source in ("shop", "pos")]
    mdm.drain()
    begin()
    compare, open_ones = shadows.compare, []

    def compared(*given: object) -> list[shadows.Compared]:
        open_ones.append(
            query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%%'")
        )
        return compare(*given)  # type: ignore[arg-type]  # What it was given.

    monkeypatch.setattr(shadows, "compare", compared)
    assert watcher(mdm).watch(ids) == 1
    assert open_ones == [[(0,)]]


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE model_version SET body = '{}' WHERE name = 'eager'",
        "DELETE FROM version_set",
        "UPDATE standard_record SET body = jsonb_set(body, '{emails}', '7')",
    ],
)
def test_a_failing_shadow_fails_alone(mdm: Master, fault: str) -> None:
    ids = [mdm.put(source, "1", MARIA).record_id for source in ("shop", "pos")]
    mdm.drain()
    before = partition()
    begin()
    query(fault.replace("DELETE FROM version_set", "UPDATE version_set SET is_current = false"))
    mdm.resolver = replace(mdm.resolver, _kept=None)
    assert watcher(mdm).watch(ids) == 0
    assert watcher(mdm).watch_stored() == 0
    assert partition() == before


def test_a_shadow_that_is_locked_out_gives_up_soon(mdm: Master) -> None:
    """Another worker holds the row of counts: the look is given up within its lock timeout, and nothing is lost but the look."""
    ids = [mdm.put(source, "1", MARIA).record_id for source in ("shop", "pos")]
    mdm.drain()
    begin()
    assert watcher(mdm).watch(ids) == 1
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with db.transaction() as session:
            session.connection().exec_driver_sql("UPDATE shadow_count SET pairs = pairs")
            held.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    started = time.monotonic()
    try:
        assert watcher(mdm).watch(ids) == 0
        assert time.monotonic() - started < 5
    finally:
        done.set()
        holder.join()
    assert sum(shown().counts.values()) == 1


def test_a_bulk_run_shows_a_sample(mdm: Master) -> None:
    for source, item in retailer():
        mdm.put_many(source, [item])
    begin()
    reconcile.reconcile(mdm.resolver)
    assert sum(shown().counts.values()) > 50
    assert mdm.verify().differences == ()


def test_stopping_keeps_what_was_shown(mdm: Master) -> None:
    begin()
    with db.transaction() as session:
        assert shadows.stop(session)
        assert not shadows.stop(session)
        assert not any(one.is_shadow for one in models.listed(session))
    assert shown().name == "eager"


def test_two_models_are_tried_on_the_same_stored_pairs(mdm: Master) -> None:
    take_in(mdm)
    with db.transaction() as session:
        versions.current(session)
        tried = [model_differences.on_stored(session, default_model(), EAGER, 40) for _ in range(2)]
        same = model_differences.on_stored(session, default_model(), default_model(), 40)
    assert tried[0] == tried[1]
    assert sum(tried[0].counts.values()) == tried[0].pairs == same.pairs > 0
    assert any(one != other for one, other in tried[0].counts)
    assert all(one == other for one, other in same.counts)
