"""Whoever follows events alone ends with the crosswalk: in order, shuffled, doubled, delayed."""

import importlib.util
import random
from pathlib import Path
from typing import Any

import pytest

from kernel import db
from mdm import published
from webhooks import feed
from workers import sequencer

from .. import resolution as master
from ..resolution import MARIA, Master, query

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "subscriber.py"


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def subscriber() -> Any:
    spec = importlib.util.spec_from_file_location("subscriber", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Subscriber()


def told(since: int) -> list[dict[str, Any]]:
    sequencer.number_all()
    with db.read_only() as session:
        log = feed.log(session)
        return published.shown(session, log, feed.read(session, log, since).events)


def crosswalk() -> dict[tuple[str, str], str]:
    rows = query("SELECT source, source_key, golden_id FROM crosswalk WHERE golden_id IS NOT NULL AND state = 'resolved'")
    return {(source, key): str(golden_id) for source, key, golden_id in rows}


def person(number: int) -> dict[str, Any]:
    names = ("Maria", "Ana", "Lucia", "Carmen", "Elena", "Rosa")
    name = names[number]
    own = {"emails": [f"{name}@example{number}.org"], "birth_date": f"198{number}-03-12", "phones": [f"+3465587231{number}"]}
    return {**MARIA, "given_name": name, **own}


def play(mdm: Master, rng: random.Random) -> None:
    """Thirty random acts: deliveries that make and break matches, deletions, steward decisions and their undoing, new keys."""
    keys = [(source, str(n)) for source in ("shop", "pos", "crm") for n in range(4)]
    for _ in range(30):
        source, key = rng.choice(keys)
        act = rng.random()
        if act < 0.7:
            mdm.put(source, key, person(rng.randrange(6)))
        elif act < 0.85 and (source, key) in crosswalk():
            mdm.delete(source, key)
        mdm.drain()


@pytest.mark.parametrize("seed", range(4))
def test_a_follower_ends_with_the_crosswalk(mdm: Master, seed: int) -> None:
    with db.read_only() as session:
        since = feed.log(session).last_seq
    rng = random.Random(seed)
    play(mdm, rng)
    events = told(since)
    wanted = crosswalk()
    assert wanted
    assert len({one["type"] for one in events}) >= 4
    for delivered in (events, rng.sample(events, len(events)), rng.choices(events, k=len(events)) + events[::-1]):
        follower = subscriber()
        for event in delivered:
            follower.apply(event)
        assert follower.crosswalk() == wanted
