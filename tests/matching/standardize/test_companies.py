"""Companies: the table, and who is a company at all."""

from typing import Any

import pytest

from matching.record import PartyKind
from matching.standardize import Context, standardize
from matching.standardize.companies import read_company

from .tables import rows


@pytest.mark.parametrize(("name", "expected"), rows("companies"))
def test_companies(name: str, expected: list[Any]) -> None:
    shown, key, form, _ = read_company(name)
    assert [key, form] == expected
    assert shown == name


@pytest.mark.parametrize(
    ("data", "party"),
    [
        ({"name": "ACME GmbH"}, PartyKind.COMPANY),
        ({"surname": "Bin Laden Trading LLC"}, PartyKind.COMPANY),
        ({"name": "株式会社トヨタ"}, PartyKind.COMPANY),
        ({"name": "Telefónica S.A."}, PartyKind.COMPANY),
        ({"name": "Hamburg Logistics"}, PartyKind.COMPANY),
        ({"company_name": "ACME"}, PartyKind.COMPANY),
        ({"name": "John Smith"}, PartyKind.PERSON),
        ({"name": "Charlotte Church"}, PartyKind.PERSON),
        ({"name": "Anna Co"}, PartyKind.PERSON),
        ({"name": "KIM SE"}, PartyKind.PERSON),
        ({"given_name": "Ana", "surname": "Comercio"}, PartyKind.PERSON),
        ({"name": "John Smith", "company_name": "ACME GmbH"}, PartyKind.PERSON),
        ({"name": "GUEST"}, PartyKind.UNKNOWN),
        ({"emails": ["a@b.de"]}, PartyKind.UNKNOWN),
        ({"name": "John Smith", "party": "company"}, PartyKind.COMPANY),
        ({"name": "ACME GmbH", "party": "person"}, PartyKind.PERSON),
    ],
)
def test_person_or_company(data: dict[str, Any], party: PartyKind) -> None:
    assert standardize(data, Context()).party is party


def test_a_company_in_a_persons_field_moves_with_its_evidence() -> None:
    record = standardize({"name": "ACME GmbH"}, Context())
    assert (record.name, record.company_key) == (None, "acme")
    assert {"company_in_name", "legal_form"} <= {note.code for note in record.notes}
