"""One customer by whatever is shown: a view, or an honest ambiguous, pending or none."""

import uuid
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import db
from kernel.actor import Principal
from mdm import ingest, program, rules
from mdm import policy as policies
from mdm.incoming import Incoming

ADA = {
    "given_name": "Ada",
    "surname": "Byron",
    "emails": ["Ada.Byron@gmail.com"],
    "phones": ["+44 20 7946 0958"],
    "loyalty_accounts": [{"programme": "main", "number": "LC-900817"}],
    "identifiers": [{"type": "national_id", "issuer": "ES", "value": "47159283Z"}],
}
WRITER = Principal("k", "test", frozenset({"records:write"}), db.Scope())


@pytest.fixture
def held(goldens: Any, policy: policies.Policy) -> Any:
    """Store a record as ingest does, and resolve it into a golden record by hand."""

    def store(key: str, record: dict[str, Any], golden_id: uuid.UUID | None = None, source: str = "pos") -> uuid.UUID | None:
        with db.transaction() as session:
            ingest.put_records(session, policy, source, [Incoming(key, record)], WRITER)
        if golden_id is not None:
            goldens.connection.execute(
                "UPDATE crosswalk SET state = 'resolved', golden_id = %s WHERE source_key = %s", [golden_id, key]
            )
            goldens.connection.execute("DELETE FROM pending_record USING crosswalk c WHERE c.golden_id = %s", [golden_id])
        return golden_id

    return store


def ask(api: TestClient, **body: Any) -> dict[str, Any]:
    answer = api.post("/v1/lookup", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    "identifier",
    [
        {"kind": "email", "value": " adabyron@GMAIL.com"},
        {"kind": "phone", "value": "020 7946 0958", "country": "GB"},
        {"kind": "phone", "value": "+442079460958"},
        {"kind": "loyalty", "value": "lc 900817"},
        {"kind": "loyalty", "value": "LC900817", "programme": "main"},
        {"kind": "national_id", "issuer": "ES", "value": "47159283-z"},
    ],
)
def test_each_identifier_finds_its_customer(api: TestClient, goldens: Any, held: Any, identifier: dict[str, str]) -> None:
    golden_id = held("1", ADA, goldens.add())
    found = ask(api, identifier=identifier)
    assert (found["result"], found["golden_id"], found["status"]) == ("found", str(golden_id), "live")
    assert found["view"] == {"golden_id": str(golden_id), "display_name": "Ada Byron", "flags": []}


def test_an_equal_tail_is_not_an_equal_phone(api: TestClient, goldens: Any, held: Any) -> None:
    held("1", ADA, goldens.add())
    assert ask(api, identifier={"kind": "phone", "value": "+34 91 7946 0958"})["result"] == "none"


def test_two_customers_with_one_phone_are_ambiguous_and_nobody_is_shown(api: TestClient, goldens: Any, held: Any) -> None:
    ids = sorted(str(held(key, {"phones": ["+442079460958"]}, goldens.add())) for key in "12")
    found = ask(api, identifier={"kind": "phone", "value": "+442079460958"})
    assert (found["result"], sorted(found["golden_ids"])) == ("ambiguous", ids)
    assert "view" not in found


def test_what_is_not_resolved_yet_is_pending_and_never_none(api: TestClient, held: Any) -> None:
    held("1", ADA)
    assert ask(api, identifier={"kind": "loyalty", "value": "LC-900817"})["result"] == "pending"
    assert ask(api, source_key={"source": "pos", "key": "1"})["result"] == "pending"
    assert ask(api, identifier={"kind": "loyalty", "value": "LC-000818"})["result"] == "none"
    assert ask(api, source_key={"source": "pos", "key": "2"})["result"] == "none"


def test_what_identifies_nobody_is_none_with_the_reason(api: TestClient, held: Any) -> None:
    for identifier in ({"kind": "email", "value": "noreply@example.org"}, {"kind": "phone", "value": "0000000"}):
        assert ask(api, identifier=identifier)["reason"] == "not_identifying"


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        ({"kind": "email", "value": "not an email"}, "unreadable"),
        ({"kind": "email", "value": "n/a"}, "not_identifying"),
        ({"kind": "phone", "value": "no number"}, "unreadable"),
        ({"kind": "phone", "value": "0171 2345678", "country": "DE"}, "not_identifying"),
        ({"kind": "phone", "value": "612795631"}, "country_needed"),
        ({"kind": "phone", "value": "61279563", "country": "ES"}, "unreadable"),
        ({"kind": "phone", "value": "612795631", "country": "ES"}, None),
        ({"kind": "loyalty", "value": "12345678"}, "not_identifying"),
        ({"kind": "loyalty", "value": "4111 1111 1111 1111"}, "unreadable"),
        ({"kind": "national_id", "value": "-"}, "not_identifying"),
    ],
)
def test_none_tells_a_typing_error_from_a_value_that_is_nobodys(api: TestClient, held: Any, identifier: Any, reason: str) -> None:
    found = ask(api, identifier=identifier)
    assert (found["result"], found.get("reason")) == ("none", reason)


def test_a_national_phone_that_somebody_gave_as_such_is_found_without_a_country(api: TestClient, goldens: Any, held: Any) -> None:
    held("1", {"phones": ["612795631"]}, goldens.add())
    assert ask(api, identifier={"kind": "phone", "value": "612 795 631"})["result"] == "found"


def test_by_source_key_and_by_merged_golden_id(api: TestClient, goldens: Any) -> None:
    lives = goldens.add(name="Ada Lovelace")
    merged = goldens.add("merged", lives)
    goldens.add_record("1", lives)
    by_key, by_id = ask(api, source_key={"source": "pos", "key": "1"}), ask(api, golden_id=str(merged))
    assert (by_key["golden_id"], by_id["golden_id"], by_id["requested_id"]) == (str(lives), str(lives), str(merged))
    assert by_id["view"]["flags"] == ["merged"]


def test_erased_and_unknown_ids_are_none_with_the_reason(api: TestClient, goldens: Any) -> None:
    assert ask(api, golden_id=str(goldens.add("erased")))["reason"] == "golden_erased"
    assert ask(api, golden_id=str(uuid.uuid4()))["reason"] == "unknown_golden"


def test_flags_warn_of_an_open_question_and_of_what_is_still_settling(api: TestClient, goldens: Any) -> None:
    golden_id = goldens.add()
    record_id = goldens.add_record("1", golden_id)
    goldens.connection.execute("INSERT INTO pending_record (record_id, reason) VALUES (%s, 'received')", [record_id])
    goldens.connection.execute(
        """INSERT INTO task (task_id, kind, question_key, golden_ids, record_ids, brands, reason_code, state, opened_at)
           VALUES (gen_random_uuid(), 'pair', 'q', %s, '{}', '{main}', 'review', 'open', now())""",
        [[golden_id]],
    )
    assert ask(api, golden_id=str(golden_id))["view"]["flags"] == ["in_review", "settling"]


def test_another_view_shows_other_fields(api: TestClient, goldens: Any) -> None:
    shown = ask(api, golden_id=str(goldens.add()), view="service")["view"]
    assert shown["extras.segment"] == "gold"
    assert shown["emails"][0]["value"] == "ada@example.org"
    assert "flags" not in shown


def test_another_brands_customer_is_none(api: TestClient, goldens: Any, held: Any, key: Any) -> None:
    held("1", ADA, goldens.add(brand="other"), source="shop")
    mine = key("lookup", brands=("main",))
    body = {"identifier": {"kind": "email", "value": "ada.byron@gmail.com"}}
    assert api.post("/v1/lookup", json=body, headers=mine).json()["result"] == "none"
    assert api.post("/v1/lookup", json=body).json()["result"] == "found"


def test_every_lookup_is_audited_and_no_value_is_in_it(api: TestClient, goldens: Any, held: Any) -> None:
    golden_id = held("1", ADA, goldens.add())
    ask(api, identifier={"kind": "email", "value": "ada.byron@gmail.com"})
    ask(api, identifier={"kind": "email", "value": "bea@example.org"})
    assert goldens.audit() == [
        ("lookup", "golden", str(golden_id), {}),
        ("lookup", "lookup", "", {"by": "email", "found": 0}),
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"golden_id": str(uuid.uuid4()), "source_key": {"source": "pos", "key": "1"}}, "invalid_request"),
        ({"identifier": {"kind": "shoe", "value": "38"}}, "unknown_identifier_kind"),
        ({"identifier": {"kind": "loyalty", "value": "38", "programme": "other"}}, "unknown_programme"),
        ({"identifier": {"kind": "email", "value": ""}}, "invalid_request"),
        ({"golden_id": str(uuid.uuid4()), "view": "till"}, "unknown_view"),
    ],
)
def test_questions_that_cannot_be_answered_are_problems(api: TestClient, body: dict[str, Any], code: str) -> None:
    answer = api.post("/v1/lookup", json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:customer-master:problem:{code}")


def test_an_idempotency_key_holds_a_read_to_one_request_and_keeps_no_answer(api: TestClient, goldens: Any) -> None:
    body = {"golden_id": str(goldens.add())}
    keyed = {"idempotency-key": "q1"}
    assert api.post("/v1/lookup", json=body, headers=keyed).json() == api.post("/v1/lookup", json=body, headers=keyed).json()
    assert api.post("/v1/lookup", json={"golden_id": str(uuid.uuid4())}, headers=keyed).status_code == 422
    assert api.post("/v1/lookup", json=body, headers={"idempotency-key": "q\x7f"}).status_code == 400
    assert goldens.connection.execute("SELECT response FROM idempotency").fetchall() == [(b"null",)]


def test_the_crosswalk_answers_each_key_in_order(api: TestClient, goldens: Any) -> None:
    golden_id = goldens.add()
    goldens.add_record("1", golden_id)
    goldens.add_record("2", None, "pending")
    goldens.add_record("3", None, "deleted")
    asked = [{"source": "pos", "key": key} for key in ("3", "1", "9", "2", "1")]
    answer = api.post("/v1/crosswalk:lookup", json={"records": asked})
    assert [(one["index"], one["resolution"], one["golden_id"]) for one in answer.json()["items"]] == [
        (0, "deleted", None),
        (1, "resolved", str(golden_id)),
        (2, "unknown", None),
        (3, "pending", None),
        (4, "resolved", str(golden_id)),
    ]
    assert api.post("/v1/crosswalk:lookup", json={"records": []}).status_code == 422
    assert api.post("/v1/crosswalk:lookup", json={"records": asked * 201}).status_code == 422
    assert api.post("/v1/crosswalk:lookup", json={"records": [{"source": "pos", "key": None}]}).status_code == 422


def test_none_while_records_are_being_renewed_says_so(api: TestClient, held: Any, goldens: Any) -> None:
    held("1", ADA, goldens.add())
    stranger = {"kind": "email", "value": "zoe@telefonica.net"}
    assert "reason" not in ask(api, identifier=stranger)
    goldens.connection.execute("UPDATE standard_record SET standardizer = '0'")
    rules.forget()
    assert ask(api, identifier=stranger)["reason"] == "records_being_renewed"
    goldens.connection.execute(
        "UPDATE standard_record SET refusal = 'wrong_type:surname', refused_standardizer = %s, refused_policy = policy_version",
        [program.stamp()],
    )
    rules.forget()
    assert ask(api, identifier=stranger)["reason"] == "records_refused"
    assert ask(api, identifier={"kind": "email", "value": "info@example.net"})["reason"] == "not_identifying"
