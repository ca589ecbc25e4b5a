"""Whatever happens to records, the past says where each stood; versions of golden records tell it again, but for the shadow."""

import asyncio
import random
from datetime import datetime, timedelta

import pytest
from alembic.command import downgrade, upgrade
from alembic.script import ScriptDirectory

from cli import migrations
from kernel import clock, db
from mdm import crosswalk_history, policy, rekey, versions
from mdm.crosswalk_history import CrossedThen

from .. import resolution as master
from ..resolution import MARIA, WHO, Key, Master, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
INES = {"given_name": "Ines", "surname": "Duarte", "birth_date": "1977-05-05", "emails": ["ines.duarte@telefonica.net"]}
RECORDS = [(source, str(number)) for source in ("shop", "pos", "trial") for number in range(2)]
Stood = dict[Key, tuple[str, object]]


def then(when: datetime) -> dict[Key, CrossedThen]:
    async def ask() -> list[CrossedThen]:
        try:
            return (await crosswalk_history.as_of(WHO, RECORDS, when))[1]
        finally:
            await db.close_async_pool()

    return dict(zip(RECORDS, asyncio.run(ask()), strict=True))


def stands() -> Stood:
    """Where records are now, when nothing is owed."""
    rows = query("SELECT source, rtrim(source_key, chr(39)), state, golden_id::text FROM crosswalk")
    return {(source, key): (state, golden_id) for source, key, state, golden_id in rows}


def act(mdm: Master, chosen: random.Random, renamed: dict[Key, str]) -> None:
    source, key = record = chosen.choice(RECORDS)
    name = renamed.get(record, key)
    if chosen.random() < 0.2:
        mdm.delete(source, name)
    elif chosen.random() < 0.1 and (source, key) in stands():
        with db.transaction() as session:
            rekey.rekey(session, WHO, source, name, name + "'")
        renamed[record] = name + "'"
    else:
        mdm.put(source, name, chosen.choice([MARIA, OTTO, INES]))


@pytest.fixture(params=[1, 2, 3])
def remembered(database: str, request: pytest.FixtureRequest) -> list[tuple[datetime, Stood]]:
    """A random history, in which the shadow source goes live halfway: where everybody stood after each of its steps."""
    chosen, renamed = random.Random(request.param), dict[Key, str]()
    mdm = master.start()
    told = []
    for step in range(24):
        if step == 12:
            with db.transaction() as session:
                mdm.policy = policy.store(session, policy.parse(master.POLICY.replace(", stage: shadow", "")), "test")
                versions.adopt(session, mdm.policy)
        act(mdm, chosen, renamed)
        mdm.drain()
        told.append((clock.now(), stands()))
    assert mdm.verify().differences == ()
    return told


def test_the_past_is_what_was_so_then(remembered: list[tuple[datetime, Stood]]) -> None:
    for when, stood in remembered:
        said = {key: (one.resolution, one.golden_id) for key, one in then(when).items() if one.resolution != "not_known_yet"}
        assert said == stood
        assert all(one.since <= when for one in then(when).values() if one.since and one.resolution != "not_known_yet")
    assert len({tuple(sorted(stood.items(), key=str)) for _, stood in remembered}) > 12, "next to nothing happened"


def test_an_older_store_learns_its_past_from_golden_versions(remembered: list[tuple[datetime, Stood]]) -> None:
    config = migrations._config()
    before = ScriptDirectory.from_config(config).get_revision("0020")
    assert before is not None
    db.dispose()
    downgrade(config, str(before.down_revision))
    upgrade(config, "head")
    for when, stood in remembered:
        told = then(when)
        for key, (state, golden_id) in stood.items():
            assert told[key].golden_id == golden_id
            if state == "resolved":
                assert told[key].resolution == "resolved"
    assert {key: one.golden_id for key, one in then(clock.now()).items() if one.record_id} == {
        key: golden_id for key, (_, golden_id) in stands().items()
    }
    assert verified() == ()


def verified() -> tuple[object, ...]:
    with db.transaction() as session:
        current = versions.current(session)
    return Master(current.policy).verify().differences


def test_a_clock_that_is_behind_anothers_puts_no_move_before_the_last(database: str) -> None:
    """Of two hosts the second notes the later move, an hour earlier by its own clock."""
    mdm = master.start()
    mdm.put("shop", "0", MARIA)
    mdm.put("pos", "0", OTTO)
    mdm.drain()
    behind = clock.now() - timedelta(hours=1)
    clock.set_source(lambda: behind)
    try:
        mdm.put("pos", "0", MARIA)
        mdm.drain()
    finally:
        clock.set_source(None)
    told = then(clock.now())
    assert {told[key].golden_id for key in (("shop", "0"), ("pos", "0"))} == {golden_id for _, golden_id in stands().values()}
    assert len({golden_id for _, golden_id in stands().values()}) == 1
    assert mdm.verify().differences == ()
