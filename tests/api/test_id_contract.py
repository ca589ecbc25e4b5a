"""The table of docs/id-contract.md, line by line, on the whole pipeline: what an integrator who holds an id is told, and when."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import db
from mdm import policy as policies
from mdm import rekey
from mdm.incoming import Incoming
from mdm.reconcile import reconcile
from stewardship import privacy_erasure

from .. import resolution as master
from ..resolution import MARIA, Master, golden_of

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
Ask = Callable[[Any], dict[str, Any]]


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    return Master(policy)


@pytest.fixture
def ask(api: TestClient) -> Ask:
    """What both ways of asking say of an id; they say the same."""

    def standing(golden_id: Any) -> dict[str, Any]:
        answer = api.get(f"/v1/golden/{golden_id}")
        one = answer.json()
        (many,) = api.post("/v1/golden:resolve-ids", json={"ids": [str(golden_id)]}).json()["items"]
        if answer.status_code != 200:
            return {"code": answer.status_code, "status": many["status"]}
        told = {name: one[name] for name in ("status", "golden_id", "redirect_chain", "split_into")}
        assert told == {name: many[name] for name in told}
        return told

    return standing


def live(golden_id: Any, *split_into: Any) -> dict[str, Any]:
    mine = str(golden_id)
    return {"status": "live", "golden_id": mine, "redirect_chain": [mine], "split_into": [str(one) for one in split_into]}


def merged(golden_id: Any, into: Any, *split_into: Any) -> dict[str, Any]:
    chain = [str(golden_id), str(into)]
    return {"status": "merged", "golden_id": chain[1], "redirect_chain": chain, "split_into": [str(one) for one in split_into]}


def test_a_merge_and_its_undoing(mdm: Master, ask: Ask) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    older, younger = golden_of("pos", "1"), golden_of("mail", "2")
    assert (ask(older), ask(younger)) == (live(older), live(younger))
    mdm.put("mail", "2", MARIA)
    mdm.drain()
    assert (ask(older), ask(younger)) == (live(older), merged(younger, older))
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    assert (ask(older), ask(younger)) == (live(older), live(younger))


def test_an_import_that_merged_or_brought_is_undone(mdm: Master, ask: Ask) -> None:
    ada = {**OTTO, "given_name": "Ada", "birth_date": "1988-12-10", "emails": ["ada@telefonica.net"]}
    mdm.put("pos", "1", MARIA)
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    older, younger = golden_of("pos", "1"), golden_of("mail", "2")
    job_id = mdm.load("mail", Incoming("2", MARIA), Incoming("3", ada))
    mdm.drain()
    brought = golden_of("mail", "3")
    assert [ask(one) for one in (older, younger, brought)] == [live(older), merged(younger, older), live(brought)]
    mdm.undo_import(job_id)
    mdm.drain()
    assert [ask(one) for one in (older, younger)] == [live(older), live(younger)]
    assert (ask(brought)["status"], ask(brought)["golden_id"]) == ("ended", str(brought))
    mdm.load("mail", Incoming("3", ada))
    mdm.drain()
    assert ask(brought) == live(brought)


def test_what_was_merged_twice_is_one_step_away(mdm: Master, ask: Ask) -> None:
    """The eldest takes in the second after that had taken in the third: no id points to one that points on."""
    people = [{**OTTO, "given_name": name, "emails": [f"{name}@telefonica.net"]} for name in ("Ada", "Boris", "Carla")]
    for source, person in zip(("pos", "shop", "mail"), people, strict=True):
        mdm.put(source, "1", person)
        mdm.drain()
    first, second, third = (golden_of(source, "1") for source in ("pos", "shop", "mail"))
    mdm.put("mail", "1", people[1])
    mdm.drain()
    assert ask(third) == merged(third, second)
    for source in ("shop", "mail"):
        mdm.put(source, "1", people[0])
    mdm.drain()
    assert [ask(one) for one in (first, second, third)] == [live(first), merged(second, first), merged(third, first)]


def test_records_that_come_apart_are_told_of_by_the_id_they_leave(mdm: Master, ask: Ask) -> None:
    for source in ("pos", "shop", "mail"):
        mdm.put(source, "1", MARIA)
        mdm.drain()
    kept = golden_of("pos", "1")
    mdm.put("mail", "1", OTTO)
    mdm.drain()
    moved = golden_of("mail", "1")
    assert moved != kept
    assert (ask(kept), ask(moved)) == (live(kept, moved), live(moved))
    mdm.put(
        "shop", "1", {**MARIA, "given_name": "Ines", "birth_date": "1961-07-30", "emails": ["ines@telefonica.net"], "phones": []}
    )
    mdm.put("pos", "1", OTTO)
    mdm.drain()
    other = golden_of("shop", "1")
    assert (ask(kept), ask(moved), ask(other)) == (live(kept, other), merged(moved, kept), live(other))


def test_an_id_that_was_merged_away_tells_of_its_records_elsewhere(mdm: Master, ask: Ask) -> None:
    mdm.put("pos", "0", OTTO)
    mdm.drain()
    for source in ("pos", "shop", "mail"):
        mdm.put(source, "1", MARIA)
        mdm.drain()
    into, golden_id = golden_of("pos", "0"), golden_of("pos", "1")
    for source in ("pos", "shop"):
        mdm.put(source, "1", OTTO)
    mdm.drain()
    assert ask(golden_id) == merged(golden_id, into, golden_of("mail", "1"))


def test_an_id_whose_records_are_gone_goes_with_one_that_had_left_it(mdm: Master, ask: Ask) -> None:
    for source in ("pos", "mail"):
        mdm.put(source, "1", MARIA)
        mdm.drain()
    golden_id = golden_of("pos", "1")
    mdm.put("mail", "1", OTTO)
    mdm.drain()
    other = golden_of("mail", "1")
    mdm.delete("pos", "1")
    mdm.drain()
    assert (golden_of("mail", "1"), ask(golden_id), ask(other)) == (golden_id, live(golden_id), merged(other, golden_id))


def test_such_an_id_leads_to_the_older_one_under_which_that_record_lives(mdm: Master, ask: Ask) -> None:
    mdm.put("pos", "2", OTTO)
    mdm.drain()
    older = golden_of("pos", "2")
    for source in ("pos", "mail"):
        mdm.put(source, "1", MARIA)
        mdm.drain()
    golden_id = golden_of("pos", "1")
    mdm.put("mail", "1", OTTO)
    mdm.drain()
    mdm.delete("pos", "1")
    mdm.drain()
    assert (golden_of("mail", "1"), ask(golden_id), ask(older)) == (older, merged(golden_id, older), live(older))


def test_an_id_ends_with_its_last_record_and_lives_again_with_it(mdm: Master, ask: Ask) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    golden_id = golden_of("pos", "1")
    mdm.delete("pos", "1")
    mdm.drain()
    assert ask(golden_id)["status"] == "ended"
    assert ask(golden_id)["golden_id"] == str(golden_id)
    mdm.put("pos", "1", OTTO)
    mdm.drain()
    assert (golden_of("pos", "1"), ask(golden_id)) == (golden_id, live(golden_id))


def test_a_new_key_and_resolving_all_anew_change_no_id(mdm: Master, ask: Ask) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    before = golden_of("pos", "1"), golden_of("mail", "2")
    with db.transaction() as session:
        rekey.rekey(session, master.WHO, "pos", "1", "one")
    mdm.drain()
    reconcile(mdm.resolver)
    assert (golden_of("pos", "one"), golden_of("mail", "2")) == before
    assert [ask(one) for one in before] == [live(one) for one in before]


NEVER = "0198b0a1-0000-7000-8000-000000000000"
# Whatever else can be asked of an id.
ABOUT = (
    "?as_of=2026-01-01T00:00:00Z", "/history", "/relationships", "/how", "/attributes/name/why", "/overrides", "/activities",
    "/consents", "/preferences",
)  # fmt: skip


def test_an_id_that_was_never_issued_is_unknown(ask: Ask, policy: policies.Policy) -> None:
    assert ask(NEVER) == {"code": 404, "status": "unknown"}


def test_whatever_is_asked_of_an_id_that_ended_is_answered_and_only_acts_wait_for_its_return(
    mdm: Master, api: TestClient
) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    ended, other = str(golden_of("pos", "1")), str(golden_of("mail", "2"))
    mdm.delete("pos", "1")
    mdm.drain()
    for path in ("", "/history", "/relationships", "/how", "/overrides", "/consents", "/preferences", "/activities"):
        answer = api.get(f"/v1/golden/{ended}{path}")
        assert (path, answer.status_code) == (path, 200), answer.text
        told = answer.json()
        assert (path, told.get("golden_id", ended)) == (path, ended)
        assert (path, told.get("status", "ended")) == (path, "ended")
    sides = {"left": {"golden_id": ended}, "right": {"golden_id": other}}
    acts = [
        api.post("/v1/decisions?dry_run=true", json={"verdict": "match", "reason": "Both cards.", **sides}),
        api.post("/v1/explain:why", json=sides),
        api.post(f"/v1/golden/{ended}/overrides?dry_run=true", json={"attribute": "language", "value": "es", "reason": "Said."}),
    ]
    assert {(one.status_code, one.json()["type"].rpartition(":")[2]) for one in acts} == {(409, "golden_ended")}
    assert {one.json()["golden_id"] for one in acts} == {ended}


@pytest.mark.parametrize("of", ["never", "erased"])
def test_whatever_is_asked_of_an_id_that_is_not_there_names_the_timeline(mdm: Master, api: TestClient, of: str) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    asked, other = (NEVER if of == "never" else str(golden_of("pos", "1"))), golden_of("mail", "2")
    if of == "erased":
        records = [row[0] for row in master.query("SELECT record_id FROM crosswalk WHERE golden_id = %s", asked)]
        privacy_erasure.end(mdm.resolver, privacy_erasure.begin(db.transaction, uuid.uuid4(), records))
    timeline_id = api.get(f"/v1/golden/{other}").json()["timeline_id"]
    sides = {"left": {"golden_id": asked}, "right": {"golden_id": str(other)}}
    answers = [api.get(f"/v1/golden/{asked}{path}") for path in ("", *ABOUT)]
    answers += [
        api.post("/v1/decisions?dry_run=true", json={"verdict": "match", "reason": "Both cards.", **sides}),
        api.post("/v1/explain:why", json=sides),
        api.post(f"/v1/golden/{asked}/overrides?dry_run=true", json={"attribute": "language", "value": "es", "reason": "Said."}),
        api.post(f"/v1/golden/{asked}:reveal", json={"reason": "She called."}),
    ]
    problem = (404, "unknown_golden") if of == "never" else (410, "golden_erased")
    told = {(one.status_code, one.json()["type"].rpartition(":")[2], one.json().get("timeline_id")) for one in answers}
    assert told == {(*problem, timeline_id)}
    assert {one.json()["golden_id"] for one in answers} == {asked}
