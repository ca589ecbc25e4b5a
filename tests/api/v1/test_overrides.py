"""Values set by hand, on the whole pipeline: looked at first, in force over every record, following their records, expiring."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import clock, db
from matching.model import Lines, default_model
from mdm import decisions, versions
from mdm import policy as policies
from mdm.drafts import EXPIRY_GRACE
from mdm.reconcile import reconcile
from workers.sweeper import sweep

from ...resolution import MARIA, Master, contents, golden_of, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
WHY = "She said so on the phone."
PROBLEM = "urn:customer-master:problem:"
MADRID = {"lines": ["Calle Luna 9"], "city": "Madrid", "postal_code": "28004", "country": "ES"}


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    made = Master(policy)
    made.put("pos", "1", MARIA | {"language": "en"})
    made.put("mail", "2", MARIA | {"language": "en"})
    made.put("shop", "3", OTTO | {"language": "de"})
    made.drain()
    assert golden_of("pos", "1") == golden_of("mail", "2") != golden_of("shop", "3")
    return made


def wish(attribute: str = "language", value: Any = "es", **more: Any) -> dict[str, Any]:
    return {"attribute": attribute, "value": value, "reason": WHY, **more}


def look(api: TestClient, body: dict[str, Any], golden: Any = None) -> dict[str, Any]:
    answer = api.post(f"/v1/golden/{golden or golden_of('pos', '1')}/overrides?dry_run=true", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def put(api: TestClient, mdm: Master, body: dict[str, Any], golden: Any = None) -> dict[str, Any]:
    golden = golden or golden_of("pos", "1")
    token = look(api, body, golden)["preview_token"]
    answer = api.post(f"/v1/golden/{golden}/overrides", json=body | {"preview_token": token})
    assert answer.status_code == 201, answer.text
    mdm.drain()
    return dict(answer.json())


def withdraw(api: TestClient, mdm: Master, override_id: str, golden: Any = None) -> None:
    url, body = f"/v1/golden/{golden or golden_of('pos', '1')}/overrides/{override_id}:withdraw", {"reason": "I misheard."}
    token = api.post(url, params={"dry_run": True}, json=body).json()["preview_token"]
    answer = api.post(url, json=body | {"preview_token": token})
    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn"), answer.text
    mdm.drain()


def shown(api: TestClient, attribute: str = "language", source: str = "pos", key: str = "1") -> Any:
    return api.get(f"/v1/golden/{golden_of(source, key)}").json()["golden"]["values"].get(attribute)


def decide(api: TestClient, mdm: Master, verdict: str, left: Any, right: Any) -> str:
    body = {"verdict": verdict, "left": left, "right": right, "reason": WHY}
    token = api.post("/v1/decisions?dry_run=true", json=body).json()["preview_token"]
    answer = api.post("/v1/decisions", json=body | {"preview_token": token})
    assert answer.status_code == 201, answer.text
    mdm.drain()
    return str(answer.json()["decision_id"])


def failed(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(PROBLEM)


def refused(api: TestClient, **body: Any) -> tuple[int, str]:
    return failed(api.post(f"/v1/golden/{golden_of('pos', '1')}/overrides?dry_run=true", json=wish(**body)))


def named(source: str, key: str) -> dict[str, Any]:
    return {"records": [{"source": source, "key": key}]}


def test_a_preview_says_which_value_would_change_and_stores_nothing(api: TestClient, mdm: Master) -> None:
    before = contents(), query("SELECT count(*) FROM steward_record")
    (changed,) = look(api, wish())["changed"]
    assert (changed["cause"], changed["before"]["values"], changed["after"]["values"]) == (
        "values",
        {"language": "en"},
        {"language": "es"},
    )
    assert (contents(), query("SELECT count(*) FROM steward_record")) == before


def test_an_override_beats_every_record_and_only_for_its_attribute(api: TestClient, mdm: Master) -> None:
    before = api.get(f"/v1/golden/{golden_of('pos', '1')}").json()["golden"]
    put_one = put(api, mdm, wish())
    after = api.get(f"/v1/golden/{golden_of('pos', '1')}").json()["golden"]
    told = after["values"].pop("language")
    before["values"].pop("language")
    assert (told["value"], after["values"], after["members"]) == ("es", before["values"], before["members"])
    origin = told["provenance"]
    assert (origin["source"], origin["rule"], origin["override_id"]) == ("steward", "steward", put_one["override_id"])
    assert (origin["author"].split(":")[0], origin["expires_at"]) == ("steward", None)
    assert [one["value"] for one in origin["runners_up"]] == ["en"]
    assert mdm.verify(deep=True).differences == ()


def test_it_survives_updates_rebuild_retraining_and_every_record_that_says_otherwise(api: TestClient, mdm: Master) -> None:
    put(api, mdm, wish())
    mdm.put("pos", "1", MARIA | {"language": "fr"})
    mdm.put("mail", "2", MARIA | {"language": "fr", "emails": ["new@telefonica.net"]})
    mdm.drain()
    assert shown(api)["value"] == "es"
    reconcile(mdm.resolver)
    assert (shown(api)["value"], mdm.verify(deep=True).differences) == ("es", ())
    with db.transaction() as session:
        versions.adopt(session, model=default_model().with_lines(Lines(merge=12.0)))
    mdm.drain()
    assert (shown(api)["value"], mdm.verify(deep=True).differences) == ("es", ())


def test_withdrawn_it_leaves_no_trace_in_the_golden_record(api: TestClient, mdm: Master) -> None:
    before = contents()
    made = put(api, mdm, wish())
    assert contents() != before
    withdraw(api, mdm, made["override_id"])
    assert contents() == before
    (kept,) = api.get(f"/v1/golden/{golden_of('pos', '1')}/overrides").json()["items"]
    assert (kept["state"], kept["reason"], kept["value"]) == ("withdrawn", WHY, "es")
    assert mdm.verify().differences == ()


def test_the_latest_wins_and_the_one_before_comes_back(api: TestClient, mdm: Master) -> None:
    put(api, mdm, wish())
    second = put(api, mdm, wish(value="pt"))
    assert (shown(api)["value"], shown(api)["provenance"]["rule"]) == ("pt", "latest_steward_act")
    withdraw(api, mdm, second["override_id"])
    assert shown(api)["value"] == "es"


def test_an_address_is_set_whole_and_never_mixed(api: TestClient, mdm: Master) -> None:
    put(api, mdm, wish("address", MADRID))
    value = shown(api, "address")["value"]
    assert (value["lines"], value["postal_code"], value["street"]) == (["Calle Luna 9"], "28004", "Calle Luna")
    assert "Mayor" not in str(value)


def test_an_email_becomes_the_primary_one_and_hides_none(api: TestClient, mdm: Master) -> None:
    put(api, mdm, wish("emails", "maria@garcia.es"))
    emails = shown(api, "emails")["value"]
    assert [(one["value"], one["primary"]) for one in emails] == [("maria@garcia.es", True), (MARIA["emails"][0], False)]
    assert mdm.verify().differences == ()


def test_an_extra_of_the_policy_is_set_by_hand(api: TestClient, mdm: Master) -> None:
    put(api, mdm, wish("extras.segment", "gold"))
    assert shown(api, "extras")["value"] == {"segment": "gold"}


def test_it_is_no_evidence_and_no_member(api: TestClient, mdm: Master) -> None:
    """Otto's mailbox on Maria's golden record draws no record of Otto's to her: nothing is filed or founded by it."""
    stored = [query(f"SELECT count(*) FROM {table}") for table in ("blocking_key", "crosswalk", "founder", "source_record")]
    put(api, mdm, wish("emails", OTTO["emails"][0]))
    assert stored == [
        query(f"SELECT count(*) FROM {table}") for table in ("blocking_key", "crosswalk", "founder", "source_record")
    ]
    mdm.put("shop", "3", MARIA | {"emails": OTTO["emails"], "given_name": "Otto", "birth_date": None, "phones": []})
    mdm.drain()
    assert golden_of("shop", "3") != golden_of("pos", "1")
    assert mdm.verify(deep=True).differences == ()


def test_it_goes_along_in_a_merge_and_back_when_that_is_undone(api: TestClient, mdm: Master) -> None:
    put(api, mdm, wish(), golden_of("shop", "3"))
    before = contents()
    merged = decide(api, mdm, "match", named("pos", "1"), named("shop", "3"))
    assert golden_of("pos", "1") == golden_of("shop", "3")
    assert (shown(api)["value"], shown(api)["provenance"]["source"]) == ("es", "steward")
    token = api.post(f"/v1/decisions/{merged}:undo?dry_run=true", json={"reason": WHY}).json()["preview_token"]
    api.post(f"/v1/decisions/{merged}:undo", json={"reason": WHY, "preview_token": token})
    mdm.drain()
    assert contents() == before
    assert (shown(api)["value"], shown(api, source="shop", key="3")["value"]) == ("en", "es")
    assert mdm.verify(deep=True).differences == ()


def test_after_a_split_it_stays_with_most_of_its_records_and_with_one_part_alone(api: TestClient, mdm: Master) -> None:
    mdm.put("mail", "4", MARIA | {"language": "en"})
    mdm.drain()
    golden = golden_of("pos", "1")
    put(api, mdm, wish())
    decide(api, mdm, "no_match", {"golden_id": str(golden)} | named("pos", "1"), {"golden_id": str(golden)})
    assert golden_of("pos", "1") != golden_of("mail", "2") == golden_of("mail", "4")
    assert (shown(api)["value"], shown(api, source="mail", key="2")["value"]) == ("en", "es")
    assert api.get(f"/v1/golden/{golden_of('pos', '1')}/overrides").json()["items"] == []
    assert len(api.get(f"/v1/golden/{golden_of('mail', '2')}/overrides").json()["items"]) == 1
    assert mdm.verify(deep=True).differences == ()


def test_records_parted_long_ago_do_not_each_claim_it(api: TestClient, mdm: Master) -> None:
    """The two are founders of different ids and share no component: only the override still speaks of both."""
    merged = decide(api, mdm, "match", named("pos", "1"), named("shop", "3"))
    put(api, mdm, wish())
    token = api.post(f"/v1/decisions/{merged}:undo?dry_run=true", json={"reason": WHY}).json()["preview_token"]
    api.post(f"/v1/decisions/{merged}:undo", json={"reason": WHY, "preview_token": token})
    mdm.drain()
    mdm.put("shop", "3", OTTO | {"language": "fr"})
    mdm.drain()
    assert (shown(api)["value"], shown(api, source="shop", key="3")["value"]) == ("es", "fr")
    assert mdm.verify(deep=True).differences == ()


def test_it_rests_while_its_records_are_deleted_and_returns_with_them(api: TestClient, mdm: Master) -> None:
    put(api, mdm, wish(), golden_of("shop", "3"))
    mdm.delete("shop", "3")
    mdm.drain()
    mdm.put("shop", "3", OTTO)
    mdm.drain()
    assert shown(api, source="shop", key="3")["value"] == "es"
    assert mdm.verify().differences == ()


def test_an_expired_one_counts_no_longer_once_the_sweeper_has_passed(api: TestClient, mdm: Master, time: Any) -> None:
    before = contents()
    put(api, mdm, wish(expires_at=(clock.now() + timedelta(hours=1)).isoformat()))
    assert (sweep(), shown(api)["value"], mdm.verify().differences) == (0, "es", ())
    time(timedelta(hours=1, seconds=1))
    assert sweep() == 2
    mdm.drain()
    assert (contents(), mdm.verify().differences) == (before, ())
    (kept,) = api.get(f"/v1/golden/{golden_of('pos', '1')}/overrides").json()["items"]
    assert kept["state"] == "expired"
    time(timedelta(hours=1, seconds=62))
    assert (sweep(), sweep()) == (2, 0)


def test_an_expiry_that_nobody_asked_for_is_found_by_verification(api: TestClient, mdm: Master, time: Any) -> None:
    put(api, mdm, wish(expires_at=(clock.now() + timedelta(hours=1)).isoformat()))
    time(timedelta(hours=1, seconds=1) + EXPIRY_GRACE)
    found = {(one.kind, one.problem) for one in mdm.verify().differences}
    assert found == {("golden_value", "says_something_else"), ("task", "missing")}
    sweep()
    mdm.drain()
    assert mdm.verify().differences == ()


def test_it_needs_the_preview_of_what_it_changes(api: TestClient, mdm: Master) -> None:
    url = f"/v1/golden/{golden_of('pos', '1')}/overrides"
    assert failed(api.post(url, json=wish())) == (428, "preview_needed")
    token = look(api, wish())["preview_token"]
    assert failed(api.post(url, json=wish(value="pt") | {"preview_token": token})) == (412, "preview_outdated")
    mdm.put("pos", "1", MARIA | {"language": "fr"})
    mdm.drain()
    assert failed(api.post(url, json=wish() | {"preview_token": token})) == (412, "preview_outdated")
    assert query("SELECT count(*) FROM steward_record") == [(0,)]


def test_what_cannot_be_set_is_refused(api: TestClient, mdm: Master) -> None:
    answer = api.post(f"/v1/golden/{golden_of('pos', '1')}/overrides?dry_run=true", json=wish("shoe_size", "42"))
    assert failed(answer) == (422, "unknown_attribute")
    assert "language" in answer.json()["attributes"]
    assert "extras.segment" in answer.json()["attributes"]
    assert refused(api, attribute="identifiers", value="1") == (422, "unknown_attribute")
    assert refused(api, expires_at="2020-01-01T00:00:00Z") == (422, "expires_in_past")
    assert failed(api.post(f"/v1/golden/{golden_of('pos', '1')}/overrides", json=wish() | {"reason": " "})) == (
        422,
        "reason_needed",
    )
    body = {name: value for name, value in wish().items() if name != "reason"}
    assert api.post(f"/v1/golden/{golden_of('pos', '1')}/overrides", json=body).status_code == 422


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("birth_date", "hello"), ("birth_date", "1980-13-45"), ("gender", "zz"), ("language", "???"), ("party", "zz"),
        ("emails", "foo"), ("emails", "a@b.com; c@d.com"), ("phones", "655872310"), ("phones", "+34 12"), ("name", "Maria"),
        ("name", {"first": "Maria"}), ("name", {"given": "GUEST"}), ("address", {"town": "Madrid"}), ("address", "Calle Mayor 5"),
        ("language", {"given": "x"}),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused_and_not_repeated(api: TestClient, mdm: Master, attribute: str, value: Any) -> None:
    url = f"/v1/golden/{golden_of('pos', '1')}/overrides?dry_run=true"
    answer = api.post(url, json=wish(attribute, value))
    assert failed(answer) == (422, "value_unreadable")
    assert "foo" not in answer.text


def test_a_golden_record_that_ended_or_was_erased_or_is_nobodys_takes_none(api: TestClient, mdm: Master) -> None:
    mdm.delete("shop", "3")
    golden = golden_of("shop", "3")
    mdm.drain()
    url = f"/v1/golden/{golden}/overrides?dry_run=true"
    assert failed(api.post(url, json=wish())) == (409, "golden_ended")
    query("UPDATE golden SET status = 'erased' WHERE golden_id = %s", golden)
    assert failed(api.post(url, json=wish())) == (410, "golden_erased")
    other = "/v1/golden/01890000-0000-7000-8000-000000000000/overrides"
    assert failed(api.post(f"{other}?dry_run=true", json=wish())) == (404, "unknown_golden")
    assert failed(api.get(other)) == (404, "unknown_golden")


def test_nobody_sets_or_reads_what_another_brand_holds(api: TestClient, mdm: Master, key: Any) -> None:
    made, golden = put(api, mdm, wish(), golden_of("shop", "3")), golden_of("shop", "3")
    mine = key("decisions:write", brands=("main",))
    url = f"/v1/golden/{golden}/overrides"
    assert api.post(f"{url}?dry_run=true", json=wish(), headers=mine).status_code == 404
    assert api.get(url, headers=mine).status_code == 404
    assert api.post(f"{url}/{made['override_id']}:withdraw", json={"reason": WHY}, headers=mine).status_code == 404
    foreign = f"/v1/golden/{golden_of('pos', '1')}/overrides/{made['override_id']}:withdraw"
    assert failed(api.post(foreign, json={"reason": WHY})) == (404, "unknown_override")


def test_setting_reading_and_withdrawing_are_audited(api: TestClient, mdm: Master) -> None:
    made = put(api, mdm, wish())
    api.get(f"/v1/golden/{golden_of('pos', '1')}/overrides")
    withdraw(api, mdm, made["override_id"])
    actions = [row[0] for row in query("SELECT action FROM audit", role=db.Role.OWNER)]
    assert {"override.set", "override.read", "decision.take_back", "decision.preview"} <= set(actions)


def test_what_is_said_is_sealed_and_teaches_no_model(api: TestClient, mdm: Master) -> None:
    put(api, mdm, wish("emails", "maria@garcia.es"))
    ((row,),) = query("SELECT steward_record::text FROM steward_record")
    assert b"garcia".hex() not in row
    assert "garcia" not in row
    with db.transaction() as session:
        assert decisions.stewards(session) == []


def test_the_values_of_a_merged_id_are_told_under_the_id_it_lives_by(api: TestClient, mdm: Master) -> None:
    put(api, mdm, wish())
    older, younger = str(golden_of("pos", "1")), str(golden_of("shop", "3"))
    decide(api, mdm, "match", {"golden_id": older}, {"golden_id": younger})
    told = api.get(f"/v1/golden/{younger}/overrides").json()
    assert (told["requested_id"], told["golden_id"], len(told["items"])) == (younger, older, 1)


@pytest.mark.parametrize("value", ['"\\ud83d"', '{"given": "\\ud83d"}', "NaN", "[" * 3_000 + "]" * 3_000])
def test_what_is_no_json_is_refused_whatever_holds_it(api: TestClient, mdm: Master, value: str) -> None:
    body = '{"attribute": "name", "reason": "She said so.", "value": ' + value + "}"
    answer = api.post(
        f"/v1/golden/{golden_of('pos', '1')}/overrides?dry_run=true", content=body, headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["type"]) == (422, PROBLEM + "invalid_json")
