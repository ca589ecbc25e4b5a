"""Each documented example maps a typical row of its kind into what it should be."""

from pathlib import Path
from typing import Any

import pytest

from kernel import clock
from matching.record import StandardRecord
from matching.standardize import standardize
from mdm import policy
from mdm.files import FileRow
from mdm.imports import deliveries
from mdm.incoming import Incoming, Prepared, SourceRules, prepare

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


def read(name: str, row: dict[str, Any]) -> tuple[Incoming, StandardRecord]:
    found = policy.load(EXAMPLES / f"{name}.yaml")
    rules = SourceRules.of(found, next(iter(found.sources)), b"k")
    item = deliveries(rules.source)(FileRow(1, row))
    assert isinstance(item, Incoming), item
    made = prepare(rules, item, clock.now())
    assert isinstance(made, Prepared), made
    return item, standardize(made.input, rules.context)


def test_pos() -> None:
    row = {
        "cod_cliente": "T-1041", "nombre": "GARCIA LOPEZ, MARIA", "movil": "600123123",
        "fecha_nac": "03/05/1980", "tarjeta": "7712345",
        "tienda": "MAD-04", "confirmado": "", "ult_mod": "2026-02-11 18:20:00",
    }  # fmt: skip
    item, found = read("pos", row)
    assert item.key == "T-1041"
    assert found.name is not None
    assert (found.name.given_folded, found.name.surname_folded) == ("maria", "garcia lopez")
    assert found.phones[0].value == "+34600123123"
    assert found.birth_date is not None
    assert found.birth_date.text == "1980-05-03"
    assert (found.loyalty_accounts[0].programme, found.loyalty_accounts[0].number) == ("club", "7712345")


def test_shopify_customer() -> None:
    row = {
        "id": 706405506930370000, "first_name": "Ann", "last_name": "Lee", "email": "ann@lee.org", "verified_email": True,
        "updated_at": "2026-02-01T10:00:00+11:00", "email_marketing_consent": {"state": "subscribed"}, "total_spent": "512.10",
        "addresses": [{"address1": "12 High St", "city": "Sydney", "zip": "2000", "country_code": "AU", "phone": "0400 111 222"}],
        "metafields": {"golden_id": "0199"},
    }  # fmt: skip
    item, found = read("ecommerce", row)
    assert item.key == "706405506930370000"
    assert (found.emails[0].value, found.emails[0].verified) == ("ann@lee.org", True)
    assert found.phones[0].value == "+61400111222"
    assert found.addresses[0].postal_code == "2000"
    assert found.identifiers[0].echo
    assert found.identifiers[0].key is None
    assert found.consents[0]["state"] == "subscribed"
    assert [(extra.name, extra.value, extra.match) for extra in found.extras] == [("lifetime_value", "512.1", False)]


def test_odoo_partner() -> None:
    row = {
        "id": 41, "write_date": "2026-02-11 17:20:00", "is_company": False, "name": "Ann Lee", "email": "ann@lee.org",
        "phone": False, "street": "12 High St", "street2": False, "zip": "2000", "country_code": "AU",
        "parent_id": [7, "Lee Pty Ltd"], "vat": False, "ref": "0199", "active": True, "image_1920": "x" * 5_000,
    }  # fmt: skip
    item, found = read("erp", row)
    assert (item.key, item.delete) == ("41", False)
    assert found.name is not None
    assert (found.party, found.name.surname_folded) == ("person", "lee")
    assert (found.parent, found.phones, found.identifiers, found.asserted_golden_id) == ("7", (), (), None)
    assert not read_deleted("erp", {**row, "active": False})


def test_odoo_company() -> None:
    _, found = read(
        "erp", {"id": 7, "is_company": True, "name": "Lee Pty Ltd", "vat": "AU51824753556", "parent_id": False, "active": True}
    )
    assert (found.party, found.company_name, found.parent) == ("company", "Lee Pty Ltd", None)
    assert found.identifiers[0].type == "tax_number"


def read_deleted(name: str, row: dict[str, Any]) -> bool:
    found = policy.load(EXAMPLES / f"{name}.yaml")
    item = deliveries(next(iter(found.sources.values())))(FileRow(1, row))
    return isinstance(item, Incoming) and item.delete


def test_crm_contact() -> None:
    row = {
        "Id": "003A", "Version": 7, "FirstName": "Ann", "LastName": "Lee", "Birthdate": "1980-05-03", "Gender": "Ms",
        "Phones": {"Mobile": "+61400111222", "Home": None}, "AccountId": "001B", "IsDeleted": False,
    }  # fmt: skip
    item, found = read("crm", row)
    assert (item.source_version, found.gender, found.parent, len(found.phones)) == (7, "female", "001B", 1)
    assert read_deleted("crm", {**row, "IsDeleted": True})


def test_loyalty_account() -> None:
    row = {
        "card_no": "7712345",
        "first": "Anne",
        "last": "Martin",
        "dob_day": "3",
        "dob_month": "5",
        "dob_year": "1980",
        "points": 1250.0,
    }
    _, found = read("loyalty", row)
    assert found.birth_date is not None
    assert found.birth_date.text == "1980-05-03"
    assert found.loyalty_accounts[0].balance == "1250"


def test_return_with_an_american_date() -> None:
    _, found = read(
        "returns", {"return_no": "R-1", "customer": "Lee, Ann", "phone": "(415) 555-2671", "zip": "94103", "born": "5/3/1980"}
    )
    assert found.birth_date is not None
    assert found.birth_date.text == "1980-05-03"
    assert found.addresses[0].country == "US"


def test_acquired_customer() -> None:
    row = {
        "KDNR": "000417",
        "ANREDE": "Frau",
        "VORNAME": "Anne",
        "NAME": "Groß",
        "LAND": "D",
        "PLZ": "10115",
        "GEBJAHR": "1980",
        "TEL2": "-",
    }
    item, found = read("acquired", row)
    assert (item.key, found.gender, found.addresses[0].country, found.phones) == ("000417", "female", "DE", ())
    assert found.birth_date is not None
    assert found.birth_date.text == "1980"


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("marketplace", {"buyer_id": "A2", "ship-name": "Ann Lee", "ship-country": "AU"}),
        ("service", {"requester": {"id": 88, "name": "Ann Lee", "phone": "0400 111 222"}}),
        ("marketing", {"email_address": "ann@lee.org", "merge_fields": {"FNAME": "Ann", "LNAME": "Lee"}, "status": "subscribed"}),
        ("app", {"account": "u-81", "profile": {"nick": "Ann", "family": "Lee"}, "contacts": [], "device": {}}),
    ],
)
def test_other_kinds_name_the_person(name: str, row: dict[str, Any]) -> None:
    _, found = read(name, row)
    assert found.name is not None
    assert (found.name.given_folded, found.name.surname_folded) == ("ann", "lee")
