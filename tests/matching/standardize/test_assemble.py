"""The whole record: total, idempotent, and never a key where nobody is identified."""

import time
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from matching.record import Note, StandardRecord, from_json, to_json
from matching.standardize import Context, ExtraRule, as_input, form_hash, standardize

from .strategies import EXAMPLES, contexts, inputs, json_values


@given(inputs, contexts)
@settings(max_examples=EXAMPLES)
def test_standardizing_is_total_and_idempotent(data: dict[str, Any], context: Context) -> None:
    record = standardize(data, context)
    again = standardize(as_input(record), context)
    assert replace(again, notes=()) == replace(record, notes=())
    assert form_hash(again) == form_hash(record)


@given(json_values, contexts)
@settings(max_examples=EXAMPLES)
def test_any_json_is_taken(data: Any, context: Context) -> None:
    assert isinstance(standardize(data, context), StandardRecord)


@given(inputs, contexts)
@settings(max_examples=EXAMPLES)
def test_a_record_can_be_stored_and_read_back(data: dict[str, Any], context: Context) -> None:
    record = standardize(data, context)
    stored = orjson.dumps(to_json(record))
    assert b"\\u0000" not in stored
    assert from_json(StandardRecord, orjson.loads(stored)) == record


@pytest.mark.parametrize(
    "text", ["a" * 1_000, " " * 1_000, "1" * 1_000, "@" * 1_000, "(" * 1_000, "a@" * 500, "1/" * 500, "St " * 333, "& " * 500]
)
def test_the_longest_values_take_no_longer_than_their_length(text: str) -> None:
    started = time.process_time()
    fields = ("name", "given_name", "surname", "company_name", "birth_date", "gender")
    data: dict[str, Any] = dict.fromkeys(fields, text) | {
        "emails": [text],
        "phones": [text],
        "addresses": [text, {"street": text}],
    }
    standardize(data, Context("US"))
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    "text", ["x1 " + "," * 994 + " q7", "x1 " + ", " * 497 + "q7", "|-" * 500, "-" * 500 + "/" * 500, "( " * 499 + "!"]
)
def test_a_long_run_of_signs_is_read_once(text: str) -> None:
    standardize({"phones": ["1"], "addresses": ["1 A"]}, Context("US"))  # Tables are read once a process.
    started = time.process_time()
    standardize({"name": text, "company_name": text, "phones": [text, f"{text} 1"], "addresses": [{"city": text}]}, Context("US"))
    assert time.process_time() - started < 0.2


def test_what_is_too_long_or_of_the_wrong_type_is_noted() -> None:
    record = standardize({"surname": "x" * 1_001, "given_name": ["John"], "emails": ["a" * 2_000]}, Context())
    assert record.name is None
    assert {Note("surname", "too_long"), Note("given_name", "wrong_type"), Note("emails", "too_long")} <= set(record.notes)


def test_the_shops_own_contact_points_identify_nobody() -> None:
    context = Context("AU", shared_values=frozenset({"Till1@Shop.com.au", "(02) 9374 4000"}))
    record = standardize({"emails": ["till1@shop.com.au", "anna@bigpond.com"], "phones": ["+61 2 9374 4000"]}, context)
    assert [(email.key, email.flags) for email in record.emails] == [(None, ("shared",)), ("anna@bigpond.com", ())]
    assert [(phone.key, phone.flags) for phone in record.phones] == [(None, ("shared",))]


def test_an_echo_is_kept_and_is_no_key() -> None:
    record = standardize({"emails": [{"value": "anna@bigpond.com", "echo": True}]}, Context())
    assert [(email.value, email.key, email.echo) for email in record.emails] == [("anna@bigpond.com", None, True)]
    assert form_hash(record) == form_hash(standardize({}, Context()))


def test_what_the_source_says_itself_wins_over_its_echo() -> None:
    record = standardize({"emails": [{"value": "anna@bigpond.com", "echo": True}, "anna@bigpond.com"]}, Context())
    assert [(email.key, email.echo) for email in record.emails] == [("anna@bigpond.com", False)]


def test_a_repeated_contact_point_is_one_and_verified_when_one_is() -> None:
    record = standardize({"emails": ["J.Smith@gmail.com", {"value": "jsmith@gmail.com", "verified": True}]}, Context())
    assert [(email.value, email.verified) for email in record.emails] == [("J.Smith@gmail.com", True)]


def test_a_phone_takes_its_country_from_the_address() -> None:
    record = standardize({"phones": ["06 12 34 56 79"], "addresses": [{"city": "Lyon", "country": "France"}]}, Context("US"))
    assert record.phones[0].key == "+33612345679"


def test_balances_tiers_and_spelling_do_not_change_the_evidence() -> None:
    def card(balance: str) -> dict[str, Any]:
        return {
            "surname": "Smith",
            "loyalty_accounts": [{"programme": "Club", "number": "77-123", "balance": balance, "tier": "gold"}],
        }

    one, other = standardize(card("5"), Context()), standardize(card("7") | {"surname": "SMITH"}, Context())
    assert one != other
    assert form_hash(one) == form_hash(other)


def test_a_placeholder_card_is_no_evidence() -> None:
    cards = [{"programme": "Club", "number": "0000000"}]
    one, other = (
        standardize({"surname": "Smith"}, Context()),
        standardize({"surname": "Smith", "loyalty_accounts": cards}, Context()),
    )
    assert form_hash(one) == form_hash(other)


def test_a_couple_is_not_the_one_of_them_whose_name_is_written() -> None:
    """Both were one form, so that a couple's record was merged with his as its copy, unasked."""
    titled, his, couple = (
        standardize({"name": f"{title} John Smith".strip()}, Context("GB")) for title in ("Mr", "", "Mr & Mrs")
    )
    assert form_hash(titled) == form_hash(his)
    assert form_hash(couple) != form_hash(his)


def test_a_new_birth_date_changes_the_evidence() -> None:
    one, other = (standardize({"surname": "Smith", "birth_date": text}, Context()) for text in ("1985-03-12", "1985-03-13"))
    assert form_hash(one) != form_hash(other)


def test_extras_are_read_as_their_kind() -> None:
    kinds = {"visits": ExtraRule("number"), "member_since": ExtraRule("date"), "segment": ExtraRule("category", True)}
    given_extras = {"visits": "0012.50", "member_since": "2020-01-05", "segment": "VIP", "free": "Text", "bad": {"nested": 1}}
    record = standardize({"extras": given_extras}, Context(extra_kinds=kinds))
    assert [(extra.name, extra.value, extra.match) for extra in record.extras] == [
        ("free", "Text", False),
        ("member_since", "2020-01-05", False),
        ("segment", "vip", True),
        ("visits", "12.5", False),
    ]


@pytest.mark.parametrize(
    ("text", "gender"), [("F", "female"), ("weiblich", "female"), ("Herr", "male"), ("1", "male"), ("X", "other"), ("?", None)]
)
def test_genders(text: str, gender: str | None) -> None:
    assert standardize({"gender": text}, Context()).gender == gender


@pytest.mark.parametrize(
    ("text", "kept", "codes"),
    [
        ("pt-br", "pt-BR", []),
        ("nds", "nds", []),
        ("xq", "xq", ["unknown_code"]),
        ("xq-DE", "xq-DE", ["unknown_code"]),
        ("German", None, ["unreadable"]),
    ],
    ids=["known", "three_letters", "unknown", "unknown_with_region", "no_tag"],
)
def test_a_language_of_no_known_code_is_kept_and_told(text: str, kept: str | None, codes: list[str]) -> None:
    record = standardize({"language": text}, Context())
    assert record.language == kept
    assert [note.code for note in record.notes if note.attribute == "language"] == codes


@pytest.mark.parametrize("name", ["party", "maiden_name", "name_suffix", "name_prefix"])
def test_no_field_of_the_name_side_is_lost_in_silence(name: str) -> None:
    record = standardize({name: "Xyzzy"}, Context())
    assert "Xyzzy" in str(to_json(record)) or record.notes
    assert record.notes
