"""A value set by hand that has expired is asked about until it is set anew or withdrawn."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import clock, db
from kernel.errors import Invalid
from mdm.expired_overrides import expired
from mdm.override_values import Override
from mdm.resolve import Resolver
from stewardship import answering, overriding, tasks
from stewardship.answering import Answer
from stewardship.overriding import OverrideWish
from workers.sweeper import sweep

from .. import resolution as master
from ..resolution import MARIA, WHO, Master, golden_of, query

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOME, RECORD = UUID(int=1), UUID(int=2)


def override(number: int, attribute: str, expires_in_hours: int | None) -> Override:
    expires_at = None if expires_in_hours is None else NOON + timedelta(hours=expires_in_hours)
    return Override(
        UUID(int=100 + number), attribute, "es", "ana", NOON + timedelta(days=number - 9), expires_at, frozenset({RECORD})
    )


@given(st.lists(st.tuples(st.sampled_from(["language", "name"]), st.sampled_from([None, -1, 0, 1])), max_size=5), st.randoms())
def test_only_the_last_of_an_attribute_is_asked_about_and_in_no_order(told: list[tuple[str, int | None]], drawn: Any) -> None:
    held = [override(number, *one) for number, one in enumerate(told)]
    shuffled = drawn.sample(held, len(held))
    found = {one.override_id for _, one in expired(shuffled, {RECORD: HOME}, {RECORD: NOON}, NOON)}
    last = {one.attribute: one for one in held}.values()
    assert found == {one.override_id for one in last if one.expires_at and one.expires_at <= NOON}


@pytest.fixture
def later() -> Iterator[Any]:
    """Lets a test say how much later it is."""
    yield lambda much: clock.set_source(lambda: datetime.now().astimezone() + much)
    clock.set_source(None)


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start()
    made.put("shop", "1", MARIA)
    made.put("pos", "1", {**MARIA, "language": "en"})
    made.drain()
    return made


def set_by_hand(mdm: Master, hours: float = 1) -> UUID:
    golden_id = golden_of("shop", "1")
    assert golden_id is not None
    resolver = Resolver(db.transaction, tasks.project)
    wish = OverrideWish(golden_id, "language", "es", "She said so.", clock.now() + timedelta(hours=hours))
    made = overriding.make(resolver, WHO, wish, overriding.look(resolver, WHO, wish).token)
    mdm.drain()
    return made


def lapse(mdm: Master, later: Any, hours: float = 1) -> None:
    later(timedelta(hours=hours, seconds=1))
    sweep()
    mdm.drain()


def asked() -> list[tuple[str, str]]:
    return [tuple(row) for row in query("SELECT kind, reason_code FROM task WHERE state = 'open'")]


def test_it_is_asked_once_it_has_expired_and_verified(mdm: Master, later: Any) -> None:
    set_by_hand(mdm)
    assert asked() == []
    lapse(mdm, later)
    assert asked() == [("override_expired", "language")]
    assert mdm.verify().differences == ()
    later(timedelta(hours=2))
    sweep()
    mdm.drain()
    assert (asked(), mdm.verify().differences) == ([("override_expired", "language")], ())


def test_whoever_sets_it_anew_has_answered(mdm: Master, later: Any) -> None:
    set_by_hand(mdm)
    lapse(mdm, later)
    set_by_hand(mdm, hours=24)
    assert asked() == []
    assert query("SELECT closed_because FROM task") == [("no_longer_in_doubt",)]
    assert mdm.verify().differences == ()


def test_whoever_withdraws_it_has_answered(mdm: Master, later: Any) -> None:
    made = set_by_hand(mdm)
    lapse(mdm, later)
    golden_id = golden_of("shop", "1")
    assert golden_id is not None
    resolver = Resolver(db.transaction, tasks.project)
    token = overriding.look_back(resolver, WHO, golden_id, made).token
    overriding.withdraw(resolver, WHO, golden_id, made, "It holds no more.", token)
    mdm.drain()
    assert (asked(), mdm.verify().differences) == ([], ())


def test_a_yes_or_no_is_no_answer_to_it(mdm: Master, later: Any) -> None:
    set_by_hand(mdm)
    lapse(mdm, later)
    ((task_id,),) = query("SELECT task_id FROM task WHERE state = 'open'")
    with pytest.raises(Invalid) as refused:
        answering.look(Resolver(db.transaction), WHO, task_id, Answer("match", "Yes."))
    assert refused.value.code == "answered_by_the_value"
