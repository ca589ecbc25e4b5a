"""What the policy keeps out of a purpose is in no answer to a key, view or export of it, whichever record it came from."""

import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from api.app import create_app
from api.deps import Requires
from kernel import actor, db
from mdm import export_registry, rules, versions
from mdm import policy as policies
from stewardship import key_rotation

from ... import resolution as master
from ...resolution import Master, at, empty_records, golden_of
from ..conftest import EVERYTHING, Api
from .test_exports import begin, work
from .test_jobs import problem

SOURCES = ("shop", "pos", "crm")
LIMITED = ("birth_date", "preferred_store", "phones", "loyalty_accounts", "extras.segment", "address", "identifiers")
OPEN_TO_A_PURPOSE = {
    "lookup_find", "match_find", "golden_get", "golden_batch_get", "golden_resolve_ids",
    "exports_begin", "exports_get", "exports_content", "exports_remove",
}  # fmt: skip
POLICY = """
sources:
  shop: {channel_kind: ecommerce, brand: main, trust: 0.9%(shop)s}
  pos: {channel_kind: pos, brand: main, trust: 0.6%(pos)s}
  crm: {channel_kind: crm, brand: main, trust: 0.3%(crm)s}
identifiers: {card: {}}
loyalty_programmes: {main: {}}
extras: {segment: {kind: category}}
views:
  service: [golden_id, display_name, name, emails, phones, birth_date, address, preferred_store, loyalty_accounts, identifiers,
            extras.segment, activity]
  plain: [emails]
attributes: {%(attributes)s}
view_purposes: {plain: newsletter}
"""
MARIA: dict[str, Any] = {"given_name": "Maria", "surname": "Garcia Lopez", "emails": ["maria.garcia@telefonica.net"]}
FIELDS = ["name", "emails", *LIMITED]


def policy_of(attributes: Any = (), sources: Any = (), purpose: str = "marketing") -> policies.Policy:
    barred = {source: f", not_for: [{purpose}]" if source in sources else "" for source in SOURCES}
    named = ", ".join(f"{name}: {{not_for: [{purpose}]}}" for name in attributes)
    with db.transaction() as session:
        stored = policies.store(session, policies.parse(POLICY % {**barred, "attributes": named}), "test")
        versions.adopt(session, stored)
    rules.forget()
    return stored


def said_by(source: str) -> dict[str, Any]:
    """One customer, with a value of every attribute that nobody else says."""
    number = SOURCES.index(source) + 1
    return MARIA | {
        "birth_date": f"1984-03-1{number}", "preferred_store": f"{source}-store", "phones": [f"+3465587231{number}"],
        "emails": [*MARIA["emails"], f"{source}.only@telefonica.net"],
        "addresses": [{"line1": f"Calle {source}street {number}", "city": "Madrid", "postal_code": "28013", "country": "ES"}],
        "loyalty_accounts": [{"programme": "main", "number": f"{source}-LC-77{number}"}],
        "identifiers": [{"type": "card", "value": f"{source}card99{number}"}], "extras": {"segment": f"{source}segment"},
    }  # fmt: skip


def canaries(attribute: str, source: str) -> list[str]:
    """The texts by which a value of a source would show, however it is written."""
    number = SOURCES.index(source) + 1
    return {
        "birth_date": [f"1984-03-1{number}"], "preferred_store": [f"{source}-store"], "phones": [f"65587231{number}"],
        "address": [f"{source}street"], "loyalty_accounts": [f"{source}LC77{number}", f"{source}-LC-77{number}"],
        "identifiers": [f"{source}card99{number}"], "extras.segment": [f"{source}segment"], "emails": [f"{source}.only"],
    }[attribute]  # fmt: skip


def key(purpose: str | None) -> dict[str, str]:
    with db.transaction() as session:
        info, text = actor.create_key(session, "test", EVERYTHING)
        if purpose is not None:
            key_rotation.bind(session, info.key_id, purpose, "test")
    return {"authorization": f"Bearer {text}"}


@pytest.fixture
def api(database: str) -> Iterator[Api]:
    for left in export_registry.folder().iterdir():
        left.unlink()
    with Api(create_app()) as client:
        yield client


def resolved(ruling: policies.Policy, sources: Any = SOURCES) -> Master:
    """The records of some sources, of which the sources' own rows are one customer."""
    mdm = Master(ruling)
    for source in sources:
        mdm.put(source, "1", said_by(source), source_updated_at=at(SOURCES.index(source) + 1))
    mdm.drain()
    assert len(master.partition()) == 1
    return mdm


def answers(api: Api, headers: dict[str, str], purpose: str | None, fields: list[str]) -> dict[str, str]:
    """Everything that a caller of this purpose is answered of the customer."""
    golden_id = str(golden_of("shop", "1"))
    asked = {
        "get": api.get(f"/v1/golden/{golden_id}", headers=headers),
        "batch": api.post("/v1/golden:batch-get", json={"ids": [golden_id]}, headers=headers),
        "fields": api.post("/v1/golden:batch-get", json={"ids": [golden_id], "fields": FIELDS}, headers=headers),
        "lookup": api.post("/v1/lookup", json={"golden_id": golden_id, "view": "service"}, headers=headers),
        "match": api.post(
            "/v1/match",
            json={"record": MARIA, "view": "service"},
            headers=headers,
        ),
    }
    assert {one.status_code for one in asked.values()} == {200}, {name: one.text for name, one in asked.items()}
    files = {}
    for kind in ("ndjson", "csv"):
        export_id = begin(api, headers, kind="golden", format=kind, fields=fields, purpose=purpose).json()["export_id"]
        work()
        files[kind] = api.get(f"/v1/exports/{export_id}/content", headers=headers).text
    return {**{name: one.text for name, one in asked.items()}, **files}


def leaks(said: dict[str, str], attributes: Any, sources: Any) -> set[tuple[str, str]]:
    barred = [(one, source) for one in (*LIMITED, "emails") for source in SOURCES if one in attributes or source in sources]
    return {(place, word) for place, text in said.items() for pair in barred for word in canaries(*pair) if word in text}


@pytest.mark.parametrize("seed", range(8))
def test_no_value_that_is_kept_out_of_a_purpose_is_in_any_answer_under_it(api: Api, seed: int) -> None:
    chance = random.Random(seed)
    attributes = chance.sample(LIMITED, chance.randint(0, 4))
    sources = chance.sample(SOURCES[1:] if seed % 2 else SOURCES[:2], chance.randint(0 if attributes else 1, 2))
    resolved(policy_of(attributes, sources))
    usable = [name for name in FIELDS if name not in attributes]
    of_a_part = answers(api, key("newsletter"), None, usable)  # A part of marketing.
    by_a_wish = {"export": answers(api, key(None), "marketing", usable)["csv"]}
    assert leaks(of_a_part, attributes, sources) == set()
    assert leaks(by_a_wish, attributes, sources) == set()
    free = [(one, source) for one in usable[2:] for source in SOURCES if source not in sources]
    shown = {place for place, text in of_a_part.items() if any(word in text for pair in free for word in canaries(*pair))}
    assert shown == set(of_a_part)
    for other in (key("service"), key(None)):
        assert leaks(answers(api, other, None, FIELDS), attributes, sources), "limits of marketing are not those of others"


@pytest.mark.parametrize("without", [{"shop"}, {"crm"}, {"pos", "crm"}])
def test_the_values_are_those_that_the_other_records_would_have_given(api: Api, without: set[str]) -> None:
    ruling = policy_of(sources=without)
    resolved(ruling)
    limited = api.get(f"/v1/golden/{golden_of('shop', '1')}", headers=key("marketing")).json()["golden"]
    empty_records()
    left = [source for source in SOURCES if source not in without]
    resolved(ruling, left)
    alone = api.get(f"/v1/golden/{golden_of(left[0], '1')}", headers=key(None)).json()["golden"]

    def values(golden: dict[str, Any]) -> Any:
        return {name: one["value"] for name, one in golden["values"].items()}, golden["display_name"], golden["party"]

    assert values(limited) == values(alone)
    assert [one["source"] for one in limited["members"]] == [one["source"] for one in alone["members"]]
    assert orjson.dumps(limited["values"]).count(b'"source":"') == orjson.dumps(alone["values"]).count(b'"source":"')


def test_who_is_known_by_nothing_else_is_nobody_for_the_purpose(api: Api) -> None:
    mdm = Master(policy_of(sources=SOURCES))
    resolved(mdm.policy)
    golden_id, headers = str(golden_of("shop", "1")), key("marketing")
    assert problem(api.get(f"/v1/golden/{golden_id}", headers=headers)) == (403, "not_for_purpose")
    batch = api.post("/v1/golden:batch-get", json={"ids": [golden_id]}, headers=headers).json()["items"]
    assert batch == [{"requested_id": golden_id, "status": "not_for_purpose"}]
    looked_up = api.post("/v1/lookup", json={"golden_id": golden_id, "view": "service"}, headers=headers).json()
    assert (looked_up["result"], looked_up["reason"]) == ("none", "not_for_purpose")
    matched = api.post("/v1/match", json={"record": said_by("shop")}, headers=headers).json()
    assert (matched["candidates"], matched["searched"]["compared"]) == ([], 0)
    for kind, fields, rows in (("golden", ["emails"], 0), ("crosswalk", None, 0)):
        export_id = begin(api, headers, kind=kind, **({"fields": fields} if fields else {})).json()["export_id"]
        work()
        assert api.get(f"/v1/exports/{export_id}", headers=headers).json()["rows"] == rows


def test_nobody_is_found_by_what_may_not_be_used(api: Api) -> None:
    resolved(policy_of(["phones"], ["pos"]))
    headers = key("marketing")

    def ask(**asked: Any) -> tuple[str, str | None]:
        found = api.post("/v1/lookup", json={**asked, "view": "service"}, headers=headers).json()
        return found["result"], found.get("reason")

    assert ask(identifier={"kind": "phone", "value": "+34655872311"}) == ("none", "not_for_purpose")
    assert ask(source_key={"source": "pos", "key": "1"}) == ("none", "not_for_purpose")
    assert ask(identifier={"kind": "email", "value": "pos.only@telefonica.net"}) == ("none", None)
    assert ask(identifier={"kind": "email", "value": "crm.only@telefonica.net"}) == ("found", None)
    assert ask(source_key={"source": "crm", "key": "1"}) == ("found", None)
    by_phone = api.post("/v1/match", json={"record": {"phones": ["+34655872311"]}}, headers=headers).json()
    assert (by_phone["candidates"], by_phone["reason"]) == ([], "nothing_to_search_by")
    assert {"code": "not_for_purpose", "field": "phones"}.items() <= by_phone["notes"][0].items()


def test_a_view_is_under_the_limits_of_its_own_purpose_and_says_what_is_withheld(api: Api) -> None:
    resolved(policy_of(["birth_date"], ["shop"]))
    asked = {"golden_id": str(golden_of("shop", "1")), "view": "plain"}
    answer = api.post("/v1/lookup", json=asked, headers=key(None)).json()
    assert {one["value"].partition("@")[0] for one in answer["view"]["emails"]} == {"maria.garcia", "crm.only", "pos.only"}
    assert answer["withheld"] == ["birth_date"]
    assert "withheld" not in api.post("/v1/lookup", json={**asked, "view": "service"}, headers=key(None)).json()


def test_what_a_steward_set_counts_but_where_its_attribute_is_kept_out(api: Api) -> None:
    mdm = resolved(policy_of(["preferred_store"], ["shop"]))
    path, officer, marketing = f"/v1/golden/{golden_of('shop', '1')}", key(None), key("marketing")
    for attribute, value in (("birth_date", "1990-05-05"), ("preferred_store", "by hand")):
        wish = {"attribute": attribute, "value": value, "reason": "She said so."}
        token = api.post(f"{path}/overrides?dry_run=true", json=wish, headers=officer).json()["preview_token"]
        assert api.post(f"{path}/overrides", json={**wish, "preview_token": token}, headers=officer).status_code == 201
        mdm.drain()
    told = api.get(path, headers=marketing).text
    assert ("1990-05-05" in told, "by hand" in told) == (True, False)


def test_an_export_says_its_purpose_and_refuses_what_is_kept_out_of_it(api: Api) -> None:
    resolved(policy_of(["birth_date", "name"], ["pos"]))
    headers = key(None)
    for wish, barred in (
        ({"kind": "golden", "fields": ["emails", "birth_date"]}, ["birth_date"]),
        ({"kind": "golden", "fields": ["name.given", "display_name"]}, ["display_name", "name.given"]),
        ({"kind": "crosswalk", "sources": ["pos", "crm"]}, ["pos"]),
    ):
        refused = begin(api, headers, purpose="newsletter", **wish)
        assert (problem(refused), refused.json()["barred"]) == ((422, "not_for_purpose"), barred)
    assert problem(begin(api, headers, purpose="fun")) == (422, "unknown_purpose")
    assert begin(api, headers, purpose="surveys", kind="golden", fields=["birth_date"]).status_code == 202
    made = begin(api, headers, purpose="marketing").json()
    assert made["purpose"] == "marketing"
    work()
    file = api.get(f"/v1/exports/{made['export_id']}/content", headers=headers).text
    assert ('"source":"crm"' in file, '"source":"pos"' in file) == (True, False)


def test_a_limit_that_comes_while_an_export_waits_holds_as_well(api: Api) -> None:
    resolved(policy_of())
    headers = key("marketing")
    export_id = begin(api, headers, kind="golden", fields=["birth_date"]).json()["export_id"]
    policy_of(["birth_date"])
    work()
    told = api.get(f"/v1/exports/{export_id}", headers=headers).json()
    assert (told["state"], told["error"]) == ("failed", "not_for_purpose")


def test_a_key_has_no_file_that_was_made_for_another_purpose(api: Api) -> None:
    resolved(policy_of(["birth_date"]))
    marketing, free = key("marketing"), key(None)
    assert problem(begin(api, marketing, purpose="service")) == (403, "key_is_for_a_purpose")
    export_id = begin(api, free, kind="golden", fields=["birth_date"]).json()["export_id"]
    work()
    assert api.get(f"/v1/exports/{export_id}/content", headers=free).status_code == 200
    assert problem(api.get(f"/v1/exports/{export_id}/content", headers=marketing)) == (403, "key_is_for_a_purpose")


def test_a_key_that_is_for_a_purpose_reaches_only_what_is_held_to_its_limits(api: Api) -> None:
    routes = [context.original_route for context in iter_route_contexts(create_app().routes)]
    needs = [(one.unique_id, of.call) for one in routes if isinstance(one, APIRoute) for of in one.dependant.dependencies]
    assert {name for name, of in needs if isinstance(of, Requires) and of.is_limited} == OPEN_TO_A_PURPOSE
    resolved(policy_of())
    golden_id, headers = golden_of("shop", "1"), key("marketing")
    for path in (f"golden/{golden_id}/history", f"golden/{golden_id}/consents", "sources/shop/duplicates", "sources", "events"):
        assert problem(api.get(f"/v1/{path}", headers=headers)) == (403, "key_is_for_a_purpose"), path
    past = api.get(f"/v1/golden/{golden_id}", params={"as_of": "2026-03-05T00:00:00Z"}, headers=headers)
    assert problem(past) == (403, "key_is_for_a_purpose")
    assert problem(api.post("/v1/golden:search", json={"name": "maria"}, headers=headers)) == (403, "key_is_for_a_purpose")
