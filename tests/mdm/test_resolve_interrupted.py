"""Resolution interrupted between any two of its steps, or in one, by another worker or by death: nothing is lost or left over."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlmodel import Session

from kernel import db
from mdm import closure, owed, resolve
from stewardship import tasks

from .. import resolution as master
from ..resolution import MARIA, Master, at, golden_of, query


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


STEPS_OF_A_BATCH = 6  # Version set, renewal, candidates, decisions, closure, write.


def interrupted(mdm: Master, step: int, by: Callable[[], object], when: str = "open") -> resolve.Resolver:
    """A resolver to which something happens once: just before it opens its n-th transaction, or before that one commits.

    Before a commit it happens beside, in a thread of its own: it may have to wait for the locks that the commit gives back.
    """
    opened = iter(range(1, 1_000))

    @contextmanager
    def steps() -> Iterator[Session]:
        number = next(opened)
        if number == step and when == "open":
            by()
        with db.transaction() as session:
            yield session
            beside = threading.Thread(target=by) if number == step and when == "commit" else None
            if beside:
                beside.start()
                beside.join(0.3)
        if beside:
            beside.join()

    return resolve.Resolver(steps, tasks.project)


def dying(step: int, when: str) -> resolve.Resolver:
    """A resolver whose process dies before its n-th transaction opens, or before that one commits."""
    opened = iter(range(1, 1_000))

    @contextmanager
    def steps() -> Iterator[Session]:
        number = next(opened)
        if number == step and when == "open":
            raise KeyboardInterrupt
        with db.transaction() as session:
            yield session
            if number == step:
                raise KeyboardInterrupt

    return resolve.Resolver(steps, tasks.project)


STRANGER = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-30", "emails": ["otto.becker@telefonica.net"]}
# What another worker does meanwhile with the till's record, and who is one customer in the end.
MEANWHILE: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None, int]] = {
    "comes": (None, MARIA, 1),
    "becomes the same": (STRANGER, MARIA, 1),
    "becomes another": (MARIA, STRANGER, 2),
    "goes": (MARIA, None, 1),
}


@pytest.mark.parametrize("what", MEANWHILE)
@pytest.mark.parametrize("when", ["open", "commit"])
@pytest.mark.parametrize("step", range(1, STEPS_OF_A_BATCH + 1))
def test_what_happens_in_between_is_not_lost(mdm: Master, step: int, when: str, what: str) -> None:
    """Another worker takes in and resolves a record of the same person while this one is between two steps, or in one."""
    before, after, goldens = MEANWHILE[what]
    if before:
        mdm.put("pos", "A", before, source_updated_at=at(1))
        mdm.drain()
    first = mdm.put("shop", "1", MARIA, source_updated_at=at(1)).record_id
    assert first is not None

    def other() -> None:
        outcome = mdm.put("pos", "A", after, source_updated_at=at(2), delete=after is None)
        assert outcome.record_id is not None
        owed.work(mdm.resolver, [outcome.record_id])

    resolved = owed.work(interrupted(mdm, step + 1, other, when), [first])  # The first transaction takes the claim.
    if (step, when, what) == (STEPS_OF_A_BATCH, "open", "comes"):
        assert resolved.restarts == 1
    mdm.drain()
    assert query("SELECT count(*) FROM golden WHERE status = 'live'") == [(goldens,)]
    assert (golden_of("shop", "1") == golden_of("pos", "A")) == (after == MARIA)
    assert mdm.verify().differences == ()


@pytest.mark.parametrize("what", MEANWHILE)
@pytest.mark.parametrize("when", ["open", "commit"])
@pytest.mark.parametrize("step", range(1, STEPS_OF_A_BATCH + 1))
def test_a_worker_killed_between_two_steps_leaves_nothing_half_done(mdm: Master, step: int, when: str, what: str) -> None:
    """The till's record changes; whoever resolves that dies. Before a commit: that step never happened."""
    before, after, goldens = MEANWHILE[what]
    mdm.put("shop", "1", MARIA, source_updated_at=at(1))
    if before:
        mdm.put("pos", "A", before, source_updated_at=at(1))
    mdm.drain()
    changed = mdm.put("pos", "A", after, source_updated_at=at(2), delete=after is None).record_id
    assert changed is not None

    with pytest.raises(KeyboardInterrupt):
        owed.work(dying(step + 1, when), [changed])
    query("UPDATE pending_record SET lease_until = now()")
    mdm.drain()
    assert query("SELECT count(*) FROM golden WHERE status = 'live'") == [(goldens,)]
    assert mdm.verify().differences == ()


def test_a_write_waits_for_whoever_holds_the_component(mdm: Master) -> None:
    """The crosswalk rows of the component are the lock: two writers of one component never write at once."""
    mdm.put("pos", "A", MARIA)
    mdm.drain()
    changed = mdm.put("shop", "1", MARIA).record_id
    assert changed is not None
    writer = threading.Thread(target=owed.work, args=(mdm.resolver, [changed]))
    with db.transaction() as session:
        closure.lock(session, [row[0] for row in query("SELECT record_id FROM crosswalk WHERE source = 'pos'")])
        writer.start()
        writer.join(1.0)
        assert writer.is_alive()
        assert golden_of("shop", "1") is None
    writer.join()
    assert golden_of("shop", "1") == golden_of("pos", "A")


SIX = [("Ana", "Ruiz"), ("Otto", "Becker"), ("Eva", "Novak"), ("Leo", "Silva"), ("Ida", "Costa"), ("Jan", "Weber")]


@pytest.mark.parametrize("step", range(1, STEPS_OF_A_BATCH + 1))
def test_neighbours_under_other_golden_ids_are_owed_what_a_dead_batch_took_from_them(mdm: Master, step: int) -> None:
    """Six people hold one number, too many for it to decide; one gives it up, and for five it does. None of them is asked for."""
    card = {"identifiers": [{"type": "national_id", "value": "12345678Z"}]}
    for number, (given, surname) in enumerate(SIX):
        mdm.put("shop", str(number), {"given_name": given, "surname": surname, **card}, source_updated_at=at(1))
    mdm.drain()
    assert query("SELECT count(*) FROM golden WHERE status = 'live'") == [(6,)]
    changed = mdm.put("shop", "0", {"given_name": "Ana", "surname": "Ruiz"}, source_updated_at=at(2)).record_id
    assert changed is not None
    with pytest.raises(KeyboardInterrupt):
        owed.work(dying(step + 1, "open"), [changed])
    query("UPDATE pending_record SET lease_until = now()")
    mdm.drain()
    assert query("SELECT count(*) FROM golden WHERE status = 'live'") == [(2,)]
    assert mdm.verify().differences == ()


@pytest.mark.parametrize("step", range(1, STEPS_OF_A_BATCH + 1))
def test_a_batch_that_fails_holds_no_neighbour(mdm: Master, step: int) -> None:
    """The record that is to blame is counted; the neighbours that the batch took from others are free at once."""
    card = {"identifiers": [{"type": "national_id", "value": "12345678Z"}]}
    for number, (given, surname) in enumerate(SIX):
        mdm.put("shop", str(number), {"given_name": given, "surname": surname, **card}, source_updated_at=at(1))
    mdm.drain()
    changed = mdm.put("shop", "0", {"given_name": "Ana", "surname": "Ruiz"}, source_updated_at=at(2)).record_id
    assert changed is not None

    def fail() -> None:
        raise RuntimeError

    owed.work(interrupted(mdm, step + 1, fail), [changed])
    assert query("SELECT count(*) FROM pending_record WHERE lease_owner IS NOT NULL") == [(0,)]
    assert query("SELECT record_id, error FROM pending_record WHERE attempts > 0") == [(changed, "RuntimeError")]
