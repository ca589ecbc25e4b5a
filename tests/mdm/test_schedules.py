"""A schedule opens its job once a slot: not twice when the clock goes back, once for all slots that were missed."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from kernel import db
from kernel.settings import Settings, configure, settings
from mdm import reconciliations, schedules
from mdm.parts import EVERYBODY

from .. import resolution as master
from ..resolution import WHO, Master, query

ALL = sorted(schedules.TIMES)


@pytest.fixture
def mdm(database: str) -> Iterator[Master]:
    given = settings()
    yield master.start()
    configure(given)


def fire() -> list[str]:
    """Look once; the kinds of the jobs that are there then."""
    schedules.fire_due(db.transaction)
    return [kind for (kind,) in query("SELECT kind FROM job ORDER BY kind")]


def rewind(days: int = 1) -> None:
    """As if so many days had gone by."""
    query("UPDATE schedule SET fired_slot = fired_slot - make_interval(days => %s)", days)


def test_a_new_schedule_begins_with_its_next_slot_and_fires_once_in_it(mdm: Master) -> None:
    assert fire() == []
    rewind()
    assert fire() == ["partitions", "privacy_retention", "quality", "reconciliation", "retention"]
    assert len(fire()) == 5
    ((params, created_by),) = query("SELECT params, created_by FROM job WHERE kind = 'reconciliation'")
    assert (params, created_by) == ({"sources": [], "brands": [], "dry_run": False}, "schedule")


def test_what_was_missed_for_days_fires_once(mdm: Master) -> None:
    fire()
    rewind(30)
    assert len(fire()) == 5
    query("UPDATE job SET state = 'finished', finished_at = now()")
    assert len(fire()) == 5


def test_a_clock_that_goes_back_fires_nothing_twice(mdm: Master) -> None:
    fire()
    rewind(-1)  # The clock stood a day later when they fired.
    assert fire() == []
    rewind(-400)
    assert fire() == []
    rewind()  # And is itself again, a day later.
    assert len(fire()) == 5


def test_what_is_still_to_be_done_is_not_opened_again(mdm: Master) -> None:
    """Workers were away, the sweeper was not: a week of nights is one night's work."""
    fire()
    with db.transaction() as session:
        mine = reconciliations.begin(session, EVERYBODY, True, WHO)
    for _ in range(3):
        rewind()
        fire()
    assert dict(query("SELECT kind, count(*) FROM job GROUP BY kind")) == dict.fromkeys(
        ["partitions", "privacy_retention", "quality", "reconciliation", "retention"], 1
    )
    assert query("SELECT job_id FROM job WHERE kind = 'reconciliation'") == [(mine,)]
    assert query("SELECT job_id FROM schedule WHERE name = 'reconcile'") == [(None,)]


def test_without_a_policy_nothing_is_reconciled_and_the_others_fire(database: str) -> None:
    fire()
    rewind()
    assert fire() == ["partitions", "privacy_retention", "quality", "retention"]


def test_settings_switch_off_and_set_times(mdm: Master) -> None:
    configure(settings().model_copy(update={"schedules": {"reconcile": "off", "retention": "*:07", "nightly": "01:00"}}))
    assert (schedules.times()["reconcile"], schedules.times()["retention"], schedules.unknown()) == ("off", "*:07", ["nightly"])
    fire()
    rewind()
    assert fire() == ["partitions", "privacy_retention", "quality", "retention"]
    with db.read_only() as session:
        told = {one.name: one for one in schedules.listed(session)}
    assert (sorted(told), told["reconcile"].next_slot) == (ALL, None)
    slot = told["retention"].next_slot
    assert slot is not None
    assert (slot.minute, told["retention"].job_id is None) == (7, False)


@pytest.mark.parametrize("at", ["24:00", "2:00", "12:60", "noon", "*"])
def test_a_time_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(ValidationError, match="schedules"):
        Settings(schedules={"reconcile": at})


def test_settings_reach_child_processes() -> None:
    assert '{"reconcile": "off"}' in Settings(schedules={"reconcile": "off"}).child_environment().values()
