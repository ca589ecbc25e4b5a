"""A mapping turns any row into canonical input, says what it could not read, and never raises."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.documents import DocumentError, parse_document
from mdm.mapping import Mapped, apply, load_mapping
from mdm.mapping_schema import Mapping
from mdm.mapping_values import Problem, text_of


def mapping(fields: str, **more: Any) -> Mapping:
    text = "fields:\n" + "\n".join(f"  {line}" for line in fields.strip().splitlines())
    return parse_document(Mapping, text, "m.yaml").model_copy(update=more)


def read(fields: str, row: dict[str, Any], **more: Any) -> dict[str, Any]:
    return apply(mapping(fields, **more), row).input


@pytest.mark.parametrize(
    ("fields", "row", "expected"),
    [
        ("given_name: first", {"first": " Ann "}, {"given_name": "Ann"}),
        ("given_name: person.first", {"person": {"first": "Ann"}}, {"given_name": "Ann"}),
        ("given_name: person.first", {"person.first": "Ann"}, {"given_name": "Ann"}),
        ("given_name: names.0", {"names": ["Ann", "Lee"]}, {"given_name": "Ann"}),
        ("given_name: names.-1", {"names": ["Ann", "Lee"]}, {"given_name": "Lee"}),
        ("given_name: first", {"first": ""}, {}),
        ("given_name: first", {"first": None}, {}),
        ("given_name: first.second", {"first": 3}, {}),
        ("party: {const: company}", {}, {"party": "company"}),
        ("name: {join: [first, last]}", {"first": "Ann", "last": "Lee"}, {"name": "Ann Lee"}),
        ("name: {join: [first, middle, last]}", {"first": "Ann", "last": "Lee"}, {"name": "Ann Lee"}),
        ("birth_date: {join: [y, m, d], with: '-'}", {"y": 1980, "m": 5, "d": 3}, {"birth_date": "1980-5-3"}),
        ("birth_date: {join: [y, m, d], with: '-'}", {"y": 1980, "d": 3}, {"birth_date": "1980"}),
        ("given_name: {first: [nick, first]}", {"nick": " ", "first": "Ann"}, {"given_name": "Ann"}),
        ("surname: {path: name, split: ',', part: 0}", {"name": "Lee, Ann"}, {"surname": "Lee"}),
        ("surname: {path: name, split: ',', part: 2}", {"name": "Lee, Ann"}, {}),
        ("gender: {path: sex, map: {M: male, F: female}}", {"sex": "m"}, {"gender": "male"}),
        ("gender: {path: sex, map: {1: male, 2: female}}", {"sex": 2.0}, {"gender": "female"}),
        ("gender: {path: sex, map: {M: male}, default: other}", {"sex": "X"}, {"gender": "other"}),
        ("gender: {path: sex, map: {M: male}, default: null}", {"sex": "X"}, {}),
        ("emails: email", {"email": "a@b.org"}, {"emails": [{"value": "a@b.org"}]}),
        ("emails: [email, {path: other}]", {"other": "c@d.org"}, {"emails": [{"value": "c@d.org"}]}),
        ("emails: {path: all, split: ';'}", {"all": "a@b; c@d;"}, {"emails": [{"value": "a@b"}, {"value": "c@d"}]}),
        ("emails: [{value: e, verified: ok}]", {"e": "a@b", "ok": True}, {"emails": [{"value": "a@b", "verified": True}]}),
        ("emails: [{value: e, verified: ok}]", {"e": "a@b.org", "ok": "no"}, {"emails": [{"value": "a@b.org"}]}),
        ("phones: [{value: p, country: {const: AU}}]", {"p": 6129999.0}, {"phones": [{"value": "6129999", "country": "AU"}]}),
        ("addresses: {city: town, country: {const: AU}}", {"town": None}, {}),
        (
            "addresses: [{each: addresses, line1: address1, postal_code: zip}]",
            {"addresses": [{"address1": "1 Rd", "zip": "2000"}, {"zip": ""}, {"address1": "2 Rd"}]},
            {"addresses": [{"line1": "1 Rd", "postal_code": "2000"}, {"line1": "2 Rd"}]},
        ),
        (
            "identifiers: [{type: national_id, issuer: AU, value: soc}]", {"soc": 12},
            {"identifiers": [{"type": "national_id", "issuer": "AU", "value": "12"}]},
        ),
        (
            "identifiers: [{each: ids, type: {path: kind}, value: no}]", {"ids": [{"kind": "passport", "no": "X1"}]},
            {"identifiers": [{"type": "passport", "value": "X1"}]},
        ),
        (
            "loyalty_accounts: [{programme: club, number: card, balance: points}]", {"card": "77", "points": 1.5},
            {"loyalty_accounts": [{"programme": "club", "number": "77", "balance": "1.5"}]},
        ),
        (
            "consents: [{purpose: email_marketing, state: c.state, at: c.at}]", {"c": {"state": "subscribed", "at": "2024"}},
            {"consents": [{"purpose": "email_marketing", "state": "subscribed", "at": "2024"}]},
        ),
        ("extras: {segment: seg}", {"seg": "vip"}, {"extras": {"segment": "vip"}}),
    ],
)  # fmt: skip
def test_a_field_is_read_as_declared(fields: str, row: dict[str, Any], expected: dict[str, Any]) -> None:
    assert read(fields, row) == expected


def test_values_declared_empty_are_nothing() -> None:
    row = {"first": False, "last": "N/A", "e": "NULL"}
    assert read("given_name: first\nsurname: last\nemails: e", row, empty=(False, "n/a", "NULL")) == {}


def test_what_a_map_names_is_not_empty() -> None:
    fields = "party: {path: is_company, map: {true: company, false: person}}\nsurname: name"
    assert read(fields, {"is_company": False, "name": False}, empty=(False,)) == {"party": "person"}


@pytest.mark.parametrize(
    ("fields", "row", "code", "field"),
    [
        ("given_name: first", {"first": {"a": 1}}, "wrong_type", "given_name"),
        ("given_name: first", {"first": ["a", "b"]}, "wrong_type", "given_name"),
        ("emails: [{each: list, value: e}]", {"list": "x"}, "wrong_type", "emails"),
        ("emails: e", {"e": [{"a": 1}]}, "wrong_type", "emails.value"),
        ("gender: {path: sex, map: {M: male}}", {"sex": "X"}, "value_not_in_map", "gender"),
    ],
)
def test_what_cannot_be_read_is_a_problem(fields: str, row: dict[str, Any], code: str, field: str) -> None:
    assert apply(mapping(fields), row).problems == (Problem(code, field),)


def test_fields_that_no_rule_reads_are_named() -> None:
    found = apply(mapping("given_name: person.first\nsurname: last"), {"person": {"first": "A", "x": 1}, "last": "B", "shoe": 44})
    assert found.unmapped == ("shoe",)


def test_a_row_in_our_own_terms_needs_no_mapping() -> None:
    row = {
        "given_name": "Ann", "emails": ["a@b.org", {"value": "c@d.org", "verified": True}], "extras": {"segment": "vip"},
        "addresses": [{"line1": "1 Rd", "country": "AU"}], "identifiers": [{"type": "passport", "value": 7}], "shoe": 44,
    }  # fmt: skip
    assert apply(Mapping(), row) == Mapped(
        {
            "given_name": "Ann", "emails": [{"value": "a@b.org"}, {"value": "c@d.org", "verified": True}],
            "addresses": [{"line1": "1 Rd", "country": "AU"}], "identifiers": [{"type": "passport", "value": "7"}],
            "extras": {"segment": "vip"},
        },
        (), ("shoe",),
    )  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        {"surname": {"x": 1}}, {"extras": 3}, {"extras": {"a": {}}}, {"emails": True}, {"addresses": "1 Rd"},
        {"addresses": ["1 Rd"]}, {"consents": "yes"},
    ],
)  # fmt: skip
def test_a_row_in_our_own_terms_of_the_wrong_type_is_a_problem(row: dict[str, Any]) -> None:
    assert [problem.code for problem in apply(Mapping(), row).problems] == ["wrong_type"]


@pytest.mark.parametrize(
    ("row", "items"),
    [
        ({"emails": "a@b.org"}, {"emails": [{"value": "a@b.org"}]}),
        ({"phones": 612345678}, {"phones": [{"value": "612345678"}]}),
        ({"loyalty_accounts": "77"}, {"loyalty_accounts": [{"number": "77"}]}),
        ({"identifiers": ["7"]}, {"identifiers": [{"value": "7"}]}),
        ({"emails": " ", "addresses": ""}, {}),
    ],
)
def test_a_bare_value_in_our_own_terms_is_a_list_of_one(row: dict[str, Any], items: dict[str, Any]) -> None:
    """A CSV file has no lists: its column `emails` holds one address."""
    assert apply(Mapping(), row) == Mapped(items)


def test_echoed_values_are_marked_or_left_out() -> None:
    fields = "given_name: sync.first\nemails: [{value: sync.email}, email]\nextras: {tier: sync.tier}"
    row = {"sync": {"first": "Ann", "email": "a@b.org", "tier": "gold"}, "email": "c@d.org"}
    found = apply(mapping(fields), row, frozenset({"sync"}))
    assert found.input == {"emails": [{"echo": True, "value": "a@b.org"}, {"value": "c@d.org"}]}
    assert found.unmapped == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4155550000.0, "4155550000"), (1.5, "1.5"), (True, "true"), (False, "false"), (7, "7"), (Decimal("10.50"), "10.50"),
        (datetime.date(2024, 5, 1), "2024-05-01"), (float("nan"), None), (float("inf"), None), (Decimal("NaN"), None),
        ("  ", None), ({}, None), ([], None), (1e300, "1e+300"),
    ],
)  # fmt: skip
def test_scalars_become_text(value: Any, text: str | None) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fields:\n  given: x", "m.yaml:2: fields.given: is not known here; look for a misspelling"),
        (
            "fields:\n  given_name: {path: a, const: b}",
            "m.yaml:2: fields.given_name: needs exactly one of path, const, join, first",
        ),
        (
            "fields:\n  emails:\n    - {value: x, verifed: y}",
            "m.yaml:3: fields.emails.0.verifed: is not known here; look for a misspelling",
        ),
        ("fields:\n  emails:\n    - {verified: y, each: z}", "m.yaml:3: fields.emails.0.value: is missing"),
        ("fields:\n  surname: {path: a, part: 1}", "m.yaml:2: fields.surname: 'part' needs 'split'"),
        ("fields: {surname: a, surname: b}", "m.yaml:1: the key 'surname' stands twice"),
        ("fields: [", "m.yaml:1: expected the node content, but found '<stream end>'"),
        ("- a", "m.yaml:1: must be a mapping of keys to values"),
        ("", "m.yaml:1: is empty"),
        ("[" * 5_000, "m.yaml:1: is nested too deep"),
        ("date_order: DYM", "m.yaml:1: date_order: Input should be 'DMY', 'MDY' or 'YMD'"),
    ],
)
def test_a_broken_mapping_says_file_line_and_field(
    tmp_path: Path, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_mapping("m.yaml")
    assert str(caught.value) == message


def test_every_fault_is_named_not_only_the_first() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(Mapping, "default_country: uk\nfields:\n  given: x\n  surname: [1, 2]\n", "m.yaml")
    assert [fault.line for fault in caught.value.faults] == [1, 3, 4]


def test_a_missing_file_is_said_so() -> None:
    with pytest.raises(DocumentError, match="No such file"):
        load_mapping("nowhere.yaml")


def test_plain_words_keep_their_meaning() -> None:
    """YAML 1.1 would read NO as false, 007 as 7 and a date as a date."""
    made = mapping("gender: {path: sex, map: {NO: female, 007: male, 1900-01-01: other}}")
    assert apply(made, {"sex": "no"}).input == {"gender": "female"}
    assert apply(made, {"sex": "007"}).input == {"gender": "male"}
    assert apply(made, {"sex": "1900-01-01"}).input == {"gender": "other"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "value", "0"]), inner, max_size=3),
)
EVERYTHING = mapping("""
name: {join: [a, b.a, {path: a, split: x}]}
given_name: {first: [a.b, b]}
gender: {path: a.0.b, map: {1: male}}
emails: [a, {path: b, split: ","}, {each: a, value: value, verified: b}]
addresses: [{each: a.b, line1: a, city: b.0}, {line1: a.value}]
identifiers: [{type: {path: b}, value: a}]
extras: {x: a.b.0}
""")


@given(st.dictionaries(st.sampled_from(["a", "b", "a.b", "name", "emails", "addresses", "extras", "surname"]), JSON))
def test_any_row_gives_texts_and_never_raises(row: dict[str, Any]) -> None:
    for made in (EVERYTHING, Mapping()):
        found = apply(made, row)
        for name, value in found.input.items():
            if name == "extras":
                assert all(isinstance(text, str) and text == text.strip() != "" for text in value.values())
            elif isinstance(value, list):
                assert all(isinstance(text, str | bool) for item in value for text in item.values())
            else:
                assert value.strip() == value != ""


@pytest.mark.parametrize("row", [{"phones": {"a": 1}}, {"addresses": [{"colour": "red"}]}, {"identifiers": [{"x": "y"}]}])
def test_an_item_of_which_nothing_is_read_is_told(row: dict[str, Any]) -> None:
    found = apply(Mapping(), row)
    assert [problem.code for problem in found.problems] == ["unread_item"]


@pytest.mark.parametrize("row", [{"phones": []}, {"phones": {}}, {"phones": [{"value": None}]}, {"addresses": [{"city": ""}]}])
def test_an_empty_item_is_nothing_to_tell(row: dict[str, Any]) -> None:
    assert apply(Mapping(), row).problems == ()
