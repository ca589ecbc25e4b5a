"""Search before create: the right customer with the right certainty, two that fit alike said so, nothing stored."""

import uuid
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import db
from kernel.actor import Principal
from matching.blocking import HOT_LIMIT
from mdm import ingest, program, rules, versions
from mdm import policy as policies
from mdm.incoming import Incoming

ADA = {
    "given_name": "Ada",
    "surname": "Byron",
    "birth_date": "1985-12-10",
    "emails": ["ada.byron@example.org"],
    "phones": ["+442079460958"],
    "addresses": [{"line1": "12 St James Square", "city": "London", "postal_code": "SW1Y 4LB", "country": "GB"}],
}
SON = {**ADA, "given_name": "Byron", "birth_date": "2006-05-12", "emails": ["b.byron@example.org"]}
WRITER = Principal("k", "test", frozenset({"records:write"}), db.Scope())


@pytest.fixture
def held(goldens: Any, policy: policies.Policy) -> Any:
    """Store records as ingest does, resolved by hand into one new golden record."""

    def store(*records: dict[str, Any], brand: str = "main", source: str = "pos") -> str:
        golden_id = goldens.add(brand=brand)
        for record in records:
            key = str(uuid.uuid4())
            with db.transaction() as session:
                ingest.put_records(session, policy, source, [Incoming(key, record)], WRITER)
            goldens.connection.execute(
                "UPDATE crosswalk SET state = 'resolved', golden_id = %s WHERE source_key = %s", [golden_id, key]
            )
        goldens.connection.execute("DELETE FROM pending_record")
        return str(golden_id)

    return store


def ask(api: TestClient, record: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = api.post("/v1/match", json={"record": record, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_same_person_with_a_typo_is_strong(api: TestClient, held: Any) -> None:
    ada = held(ADA, {**ADA, "surname": "Biron"})
    held({"given_name": "Grace", "surname": "Hopper", "birth_date": "1906-12-09", "emails": ["grace@example.org"]})
    found = ask(api, {**ADA, "given_name": "Adda"})
    assert (found["certainty"], found["ambiguous"]) == ("strong", False)
    assert [(one["golden_id"], one["records"]) for one in found["candidates"]] == [(ada, 2)]
    assert "explanation" not in found["candidates"][0]


def test_the_son_at_the_same_address_is_not_the_mother(api: TestClient, held: Any) -> None:
    held(ADA)
    assert ask(api, SON)["certainty"] in {"none", "possible"}


def test_nobody_fits_a_stranger(api: TestClient, held: Any) -> None:
    held(ADA)
    found = ask(api, {"given_name": "Zoe", "surname": "Quist", "emails": ["zq@example.net"]})
    assert (found["certainty"], found["candidates"]) == ("none", [])
    assert found["searched"]["keys"] > 0


def test_two_goldens_of_one_person_are_ambiguous(api: TestClient, held: Any) -> None:
    ids = {held(ADA), held(ADA)}
    found = ask(api, ADA)
    assert found["ambiguous"] is True
    assert {one["golden_id"] for one in found["candidates"]} == ids


def test_a_record_that_says_nothing_is_none_and_shows_that_nothing_was_searched(api: TestClient, held: Any) -> None:
    held(ADA)
    assert ask(api, {"gender": "female"})["searched"] == {
        "keys": 0,
        "hot_keys": 0,
        "compared": 0,
        "stale_records": 0,
        "refused_records": 0,
    }


@pytest.mark.parametrize("source", [{}, {"source": "pos"}])
def test_a_misnamed_record_says_that_nothing_of_it_was_understood(api: TestClient, held: Any, source: dict[str, str]) -> None:
    held(ADA)
    found = ask(api, {"firstname": "Ada", "mail": "ada.byron@example.org"}, **source)
    assert (found["certainty"], found["reason"]) == ("none", "nothing_mapped")
    assert [(note["code"], note["field"]) for note in found["notes"]] == [
        ("unmapped_field", "firstname"),
        ("unmapped_field", "mail"),
    ]
    assert "byron" not in str(found)


def test_what_is_understood_and_finds_nobody_says_which_value_is_no_use(api: TestClient, held: Any) -> None:
    found = ask(api, {"gender": "female", "emails": ["zed@nowhere", "info@telefonica.net"]})
    assert (found["certainty"], found["reason"]) == ("none", "nothing_to_search_by")
    assert {(note["code"], note["field"]) for note in found["notes"]} >= {("invalid", "emails"), ("role", "emails")}
    assert all(note["detail"] for note in found["notes"])


def test_values_that_were_not_searched_by_are_told(api: TestClient, held: Any) -> None:
    found = ask(api, {"given_name": "Ada", "emails": [f"a{n}@x{n}shop.org" for n in range(33)]})
    assert [note["field"] for note in found["notes"] if note["code"] == "too_many_to_file"] == ["emails"]
    assert all(note["detail"].startswith("More values") for note in found["notes"])


def test_a_national_phone_is_told_to_need_its_country(api: TestClient, held: Any) -> None:
    found = ask(api, {"given_name": "Ada", "phones": ["020 7946 0958"]})
    assert ("country_needed", "phones") in {(note["code"], note["field"]) for note in found["notes"]}
    there = ask(api, {"given_name": "Ada", "phones": [{"value": "020 7946 0958", "country": "GB"}]})
    assert "country_needed" not in {note["code"] for note in there["notes"]}


def test_a_record_that_can_be_searched_for_has_no_reason(api: TestClient, held: Any) -> None:
    found = ask(api, {**ADA, "emails": ["ada.byron@telefonica.net"]}, source="pos")
    assert ("reason" in found, found["notes"]) == (False, [])


def test_a_refused_field_is_pointed_to_where_it_stands_in_the_request(api: TestClient) -> None:
    answer = api.post("/v1/match", json={"record": {"emails": [{"value": {"a": 1}}]}, "source": "pos"})
    (told,) = answer.json()["errors"]
    assert (told["pointer"], told["attribute"]) == ("/record/emails/0/value", "emails.value")


def test_the_sources_are_listed_only_to_a_key_that_may_list_them(api: TestClient, key: Any) -> None:
    body = {"record": {}, "source": "nowhere"}
    assert api.post("/v1/match", json=body).json()["sources"] == ["mail", "pos", "shop"]
    assert "sources" not in api.post("/v1/match", json=body, headers=key("match")).json()
    mine = key("match", "records:read", brands=("other",))
    assert api.post("/v1/match", json=body, headers=mine).json()["sources"] == ["shop"]


def test_a_record_that_is_not_resolved_yet_is_found_without_golden_id(api: TestClient) -> None:
    api.put("/v1/sources/pos/records/1", json=ADA)
    found = ask(api, ADA)
    assert found["certainty"] == "strong"
    assert "golden_id" not in found["candidates"][0] or found["candidates"][0]["golden_id"] is None


@pytest.mark.parametrize("form", ["NULL", "'[\"of another program\"]'", "'no form'"])
def test_a_record_whose_stored_form_cannot_be_read_is_compared_by_what_it_says(
    api: TestClient, held: Any, goldens: Any, form: str
) -> None:
    ada = held(ADA)
    before = ask(api, {**ADA, "given_name": "Adda"}, explain=True)
    goldens.connection.execute(f"UPDATE standard_record SET form = {form}, standardizer = '0'")  # Nobody has read that one yet.
    found = ask(api, {**ADA, "given_name": "Adda"}, explain=True)
    assert found["candidates"] == before["candidates"]
    assert found["candidates"][0]["golden_id"] == ada


def test_a_record_that_cannot_be_read_at_all_stands_in_no_search_and_fails_none(api: TestClient, held: Any, goldens: Any) -> None:
    """It stands for a record of an older program, whose own resolution fails and is told; the till's search must not."""
    ada = held(ADA)
    held(ADA)
    goldens.connection.execute(
        "UPDATE standard_record SET form = NULL, standardizer = '0', body = jsonb_set(body, '{emails}', '7')"
        " WHERE record_id = (SELECT record_id FROM crosswalk WHERE golden_id <> %s)",
        [ada],
    )
    assert [one["golden_id"] for one in ask(api, ADA)["candidates"]] == [ada]


def test_a_hot_key_is_searched_by_its_refinements(api: TestClient, goldens: Any, policy: policies.Policy) -> None:
    crowd = [
        Incoming(str(n), {"given_name": f"{chr(97 + n % 26)}na", "surname": f"q{n}", "phones": ADA["phones"]})
        for n in range(HOT_LIMIT + 1)
    ]
    with db.transaction() as session:
        ingest.put_records(session, policy, "pos", crowd, WRITER)
    found = ask(api, {"given_name": "bea", "surname": "quint", "phones": ADA["phones"]})
    assert found["searched"]["hot_keys"] == 1
    assert found["searched"]["compared"] == sum(1 for n in range(HOT_LIMIT + 1) if n % 26 == 1)


def test_an_identifier_decides_however_little_else_speaks_for_it(api: TestClient, held: Any, policy: policies.Policy) -> None:
    with db.transaction() as session:
        decides = policies.parse(policy.text.replace("one_value_per_person", "one_person_per_value"))
        versions.adopt(session, policies.store(session, decides, "test"))
    rules.forget()
    number = [{"type": "national_id", "issuer": "ES", "value": "47291836H"}]
    ada = held({**ADA, "gender": "female", "identifiers": number})
    other = {"given_name": "Quentin", "surname": "Zoller", "birth_date": "1950-02-03", "gender": "male"}
    reached = {"emails": ["q.zoller@telefonica.net"], "phones": ["+4930901820"], "identifiers": number}
    (found,) = ask(api, {**other, **reached}, explain=True)["candidates"]
    assert (found["golden_id"], found["certainty"], found["explanation"]["reason"]) == (ada, "exact", "shared_identifier")
    assert found["explanation"]["match_weight"] < 0


def test_a_search_is_audited_by_what_it_looked_at(api: TestClient, held: Any, goldens: Any) -> None:
    held(ADA, SON)
    found = ask(api, ADA)["searched"]
    assert goldens.audit() == [("match", "match", "", {"keys": found["keys"], "compared": 2})]


def test_another_brands_customers_are_not_found(api: TestClient, held: Any, key: Any) -> None:
    held(ADA, brand="other", source="shop")
    mine = key("match", brands=("main",))
    assert api.post("/v1/match", json={"record": ADA}, headers=mine).json()["certainty"] == "none"
    assert ask(api, ADA)["certainty"] == "strong"


def test_evidence_needs_its_own_scope(api: TestClient, held: Any, key: Any) -> None:
    held(ADA)
    refused = api.post("/v1/match", json={"record": ADA, "explain": True}, headers=key("match"))
    assert (refused.status_code, refused.json()["scope"]) == (403, "match:explain")
    evidence = ask(api, ADA, explain=True)["candidates"][0]["explanation"]
    assert evidence["levels"]["birth_date"] == "exact"
    assert evidence["match_weight"] > 0
    assert 0.99 < evidence["match_probability"] <= 1


def test_a_view_is_shown_and_audited(api: TestClient, held: Any, goldens: Any) -> None:
    ada = held(ADA)
    found = ask(api, ADA, view="checkout", source="pos")
    assert found["candidates"][0]["view"]["display_name"] == "Ada Byron"
    assert [row[:3] for row in goldens.audit()] == [("match", "match", ""), ("match", "golden", ada)]


def test_nothing_is_stored(api: TestClient, held: Any, goldens: Any) -> None:
    held(ADA)
    tables = ("source_record", "standard_record", "blocking_key", "pending_record", "reject", "decision", "outbox")
    count = " UNION ALL ".join(f"SELECT count(*) FROM {table}" for table in tables)
    before = goldens.connection.execute(count).fetchall()
    ask(api, {**ADA, "given_name": "Adda"})
    assert goldens.connection.execute(count).fetchall() == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"record": {}, "source": "nowhere"}, 404, "unknown_source"),
        ({"record": {"given_name": "a" * 1001}}, 422, "value_too_long"),
        ({"record": {"given_name": {"a": 1}}, "source": "pos"}, 422, "wrong_type"),
        ({"record": {"x": "\x00"}}, 422, "nul_character"),
        ({"record": []}, 422, "invalid_request"),
        ({"record": {}, "limit": 0}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_searched_for_is_a_problem(api: TestClient, body: dict[str, Any], status: int, code: str) -> None:
    answer = api.post("/v1/match", json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:customer-master:problem:{code}")


def test_without_a_version_set_matching_is_unavailable(api: TestClient, goldens: Any) -> None:
    goldens.connection.execute("UPDATE version_set SET is_current = false")
    rules.forget()
    answer = api.post("/v1/match", json={"record": ADA})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:customer-master:problem:no_version_set")


def test_a_search_says_how_many_records_it_may_have_missed(api: TestClient, held: Any, goldens: Any) -> None:
    held(ADA, SON)
    assert ask(api, ADA)["searched"]["stale_records"] == 0
    goldens.connection.execute("UPDATE standard_record SET standardizer = '0' WHERE body ->> 'birth_date' LIKE '%2006%'")
    rules.forget()
    assert ask(api, ADA)["searched"]["stale_records"] == 1
    goldens.connection.execute(
        """UPDATE standard_record SET refusal = 'wrong_type:surname', refused_standardizer = %s, refused_policy = policy_version
           WHERE standardizer = '0'""",
        [program.stamp()],
    )
    rules.forget()
    searched = ask(api, ADA)["searched"]
    assert (searched["stale_records"], searched["refused_records"]) == (0, 1)
