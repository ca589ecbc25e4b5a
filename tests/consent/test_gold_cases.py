"""Named cases, each from a published failure: what must be answered, and why."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from consent.effective import Customer, Holding, Member, judge, judge_contact
from consent.entries import Channel, Entry, Origin, Query, State, Strength, Suppression
from consent.status import Ruling

from .world import RULES, START, World, day

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("gold.yaml").read_text(encoding="utf-8"))


def test_there_are_enough_cases_and_each_says_where_it_is_from_and_why() -> None:
    assert len(CASES) >= 30
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert all(case["from"] and case["why"] and any("ask" in step for step in case["steps"]) for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_gold_case_is_answered_as_it_must_be(case: dict[str, Any]) -> None:
    names = {name: uuid.uuid5(uuid.NAMESPACE_OID, name) for name in case["records"]}
    world = World({names[name]: _member(names[name], held) for name, held in case["records"].items()})
    world.parts = [frozenset({one}) for one in names.values()]
    for step in case["steps"]:
        if "merge" in step:
            left, right = (world.with_(names[name]) for name in step["merge"])
            world.merge(left, right)
        elif "split" in step:
            off = frozenset(names[name] for name in step["split"])
            world.split(world.with_(next(iter(off))), off)
        elif "ask" in step:
            found = _asked(world, names, step)
            assert (str(found.answer), str(found.reason)) == (step["answer"], step.get("reason", str(found.reason))), step
        else:
            _say(world, names, step)


def _member(record: uuid.UUID, held: Any) -> Member:
    said = held if isinstance(held, dict) else {"mails": held}
    since, until = (day(said[name]) if name in said else None for name in ("since", "until"))
    mails = [Holding(one, "email", since, until) for one in said.get("mails", ())]
    numbers = [Holding(one, "phone", since, until) for one in said.get("phones", ())]
    return Member(record, (*mails, *numbers), frozenset({said.get("law", "EU")}))


def _say(world: World, names: dict[str, uuid.UUID], step: dict[str, Any]) -> None:
    contact, lifts = step.get("contact"), step.get("lift") and world.entries[-1].entry_id
    channel = Channel(named) if (named := step.get("channel", "email")) else None
    entry = Entry(
        uuid.uuid4(),
        State.LIFTED if lifts else State(step["say"]),
        START,
        None if step["day"] is None else day(step["day"]),
        contact,
        channel,
        step.get("purpose", "marketing"),
        step.get("brand", "main"),
        origin=Origin(step.get("origin", "subject")),
        strength=Strength(step.get("strength", "express")),
        is_evidenced=step.get("evidenced", True),
        suppression=Suppression(step["suppression"]) if "suppression" in step else None,
        implied_by=step.get("implied_by"),
        asked_at=day(step["asked"]) if "asked" in step else None,
        lifts=lifts or None,
    )
    if "by" in step:
        records = frozenset({names[step["by"]]})
    else:
        part = world.with_(names[step["of"]])
        holding = {one for one in part if any(held.contact == contact for held in world.members[one].holdings)}
        records = frozenset(holding or part)
    if lifts:
        world.entries.append(replace(entry, records=records))
    else:
        world.say(entry, records)


def _asked(world: World, names: dict[str, uuid.UUID], step: dict[str, Any]) -> Ruling:
    channel = Channel(named) if (named := step.get("channel", "email")) else None
    query = Query(step.get("purpose", "marketing"), channel, step.get("brand", "main"), step.get("contact"))
    at = day(step.get("at", 10))
    if step["ask"] == "nobody":
        return judge_contact([world.customer(part) for part in world.parts], Customer((), ()), query, RULES, at)
    return judge(world.customer(world.with_(names[step["ask"]])), query, RULES, at)
