"""What somebody decided in a day is taken back as one: on what was looked at, nobody else's, and within the caller's scope."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import actor, clock, db
from mdm import policy as policies
from stewardship import decision_sets

from ...resolution import MARIA, Master, contents, partition, query
from .test_decision_sets import PEOPLE, send, side, wish

URL = "/v1/decisions:undo-day"


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    made = Master(policy)
    for number, person in enumerate(PEOPLE):
        made.put("pos", str(number), person)
    made.put("shop", "0", MARIA)
    made.drain()
    return made


def steward(name: str, brands: tuple[str, ...] | None = None) -> dict[str, str]:
    """The headers of a steward of a name."""
    with db.transaction() as session:
        _, text = actor.create_key(session, name, ("decisions:write",), brands)
    return {"authorization": f"Bearer {text}"}


def decide(api: TestClient, mdm: Master, who: dict[str, str], body: dict[str, Any]) -> None:
    token = api.post("/v1/decisions?dry_run=true", json=body, headers=who).json()["preview_token"]
    assert api.post("/v1/decisions", json=body | {"preview_token": token}, headers=who).status_code == 201
    mdm.drain()


def day_of(name: str) -> dict[str, Any]:
    return {"by": name, "day": clock.now().date().isoformat(), "reason": "Wrong screen."}


def test_a_day_is_taken_back_whole_and_nobody_elses(api: TestClient, mdm: Master) -> None:
    decide(api, mdm, steward("otto"), wish("match", 2, 3))
    before = contents()
    maria = steward("maria")
    decide(api, mdm, maria, wish("match", 0, 1))
    decide(api, mdm, maria, wish("no_match", 1, 2))
    seen, done = send(api, URL, day_of("maria"))
    mdm.drain()
    assert sorted(one["cause"] for one in seen["changed"]) == ["restored", "split"]
    assert (done["by"], done["decisions"], contents()) == ("maria", 2, before)
    assert query("SELECT count(*) FROM audit WHERE action = 'decision.take_back'") == [(2,)]
    assert mdm.verify().differences == ()
    again = api.post(URL, json=day_of("maria"), params={"dry_run": True})
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (404, "nothing_decided")


def test_a_day_is_taken_back_on_what_was_seen_only(api: TestClient, mdm: Master) -> None:
    maria = steward("maria")
    decide(api, mdm, maria, wish("match", 0, 1))
    body = day_of("maria")
    assert api.post(URL, json=body).status_code == 428
    token = api.post(URL, json=body, params={"dry_run": True}).json()["preview_token"]
    decide(api, mdm, maria, wish("match", 1, 2))
    stale = api.post(URL, json=body | {"preview_token": token})
    assert (stale.status_code, len(partition())) == (412, 3)


def test_a_day_beyond_the_scope_or_too_full_is_refused(api: TestClient, mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    maria = steward("maria")
    decide(api, mdm, maria, wish("match", 0, 1))
    decide(api, mdm, maria, {**wish("match", 2, 3), "right": {"records": [{"source": "shop", "key": "0"}]}, "left": side(2)})
    ask = {"json": day_of("maria"), "params": {"dry_run": True}}
    assert api.post(URL, headers=steward("ines", ("main",)), **ask).status_code == 404
    monkeypatch.setattr(decision_sets, "MOST_DECISIONS", 1)
    full = api.post(URL, **ask)
    assert (full.status_code, full.json()["type"].rpartition(":")[2]) == (422, "too_many_decisions")
