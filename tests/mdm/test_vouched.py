"""A number that its own scheme accepts is spared by the card mask where the mapping reads it as that, and nowhere else.

Every number here passes as a Diners card. The check digits of the identifiers were worked out by hand from the schemes' weights.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.standardize.identifiers import is_card_number
from mdm.cards import mask_cards
from mdm.documents import parse_document
from mdm.mapping_schema import Mapping
from mdm.mapping_values import lookup, spots
from mdm.vouched import vouched

CNPJ, SIRET, REGON, CARD = "38100031000197", "36252187400010", "36100024000016", "30569309025904"
PLAIN = "identifiers: {type: cnpj, value: tax_no}"
READ = "identifiers: {type: {path: kind}, issuer: {path: country}, value: no}"
EACH = "identifiers: {each: ids, type: {path: kind}, issuer: {path: country}, value: no}"


def mapping(fields: str) -> Mapping:
    return parse_document(Mapping, "fields:\n" + "\n".join(f"  {line}" for line in fields.splitlines()), "m.yaml")


@pytest.mark.parametrize("number", [CNPJ, SIRET, REGON, CARD])
def test_all_of_these_look_like_cards(number: str) -> None:
    assert is_card_number(number)
    assert mask_cards(number) == f"***{number[-4:]}"


@pytest.mark.parametrize(
    ("fields", "row", "expected"),
    [
        (PLAIN, {"tax_no": CNPJ, "note": CNPJ}, {("tax_no",)}),
        (PLAIN, {"tax_no": int(CNPJ)}, {("tax_no",)}),
        (PLAIN, {"tax_no": f" {CNPJ} "}, {("tax_no",)}),
        ("identifiers: {type: cnpj, value: ids.tax_no}", {"ids": {"tax_no": CNPJ}}, {("ids", "tax_no")}),
        ("identifiers: {type: cnpj, value: ids.tax_no}", {"ids.tax_no": CNPJ}, {("ids.tax_no",)}),
        ("identifiers: {type: cnpj, value: ids}", {"ids": [CARD, CNPJ]}, {("ids", 1)}),
        ("identifiers: {type: cnpj, value: {first: [a, b]}}", {"a": CARD, "b": CNPJ}, {("b",)}),
        ("identifiers: {type: siret, value: siret}", {"siret": SIRET}, {("siret",)}),
        ("identifiers: {type: company_number, issuer: FR, value: no}", {"no": SIRET}, {("no",)}),
        (READ, {"kind": "Tax number", "country": "Brazil", "no": CNPJ}, {("no",)}),
        (READ, {"kind": "regon", "no": REGON}, {("no",)}),
        (EACH, {"ids": [{"kind": "nif", "no": CNPJ}, {"kind": "CNPJ", "no": CNPJ}, {"no": CNPJ}]}, {("ids", 1, "no")}),
        (EACH, {"ids": {"kind": "siret", "no": SIRET}}, {("ids", "no")}),
        # Two kinds of number in one column: one of them is enough.
        ("identifiers: [{type: cpf, value: no}, {type: cnpj, value: no}]", {"no": CNPJ}, {("no",)}),
    ],
)
def test_what_the_scheme_of_its_mapping_accepts_is_spared(fields: str, row: dict[str, Any], expected: set[object]) -> None:
    assert vouched(mapping(fields), row) == expected


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        (PLAIN, {"tax_no": CARD}),
        (PLAIN, {"tax_no": SIRET}),
        (PLAIN, {"tax_no": f"{CNPJ} {CARD}"}),
        (PLAIN, {"note": CNPJ}),
        (PLAIN, {"tax_no": {"deeper": CNPJ}}),
        ("identifiers: {type: payment_token, value: no}", {"no": CNPJ}),
        ("identifiers: {type: company_number, value: no}", {"no": SIRET}),
        ("identifiers: {type: company_number, issuer: DE, value: no}", {"no": SIRET}),
        ("identifiers: {type: vat, issuer: FR, value: no}", {"no": SIRET}),
        ("loyalty_accounts: {programme: club, number: no}", {"no": CNPJ}),
        ("extras: {tax_no: no}", {"no": CNPJ}),
        # Whatever passes as a card passes for an IMEI, and any 16 digits do.
        ("identifiers: {type: imei, value: no}", {"no": "378282246310005"}),
        ("identifiers: {type: imei, value: no}", {"no": "4111111111111111"}),
        ("identifiers: [{type: cnpj, value: no}, {type: payment_token, value: no}]", {"no": CNPJ}),
        ("identifiers: {type: cnpj, value: no}\nloyalty_accounts: {programme: club, number: no}", {"no": CNPJ}),
        ("identifiers: {type: cnpj, value: {join: [no, branch]}}", {"no": CNPJ, "branch": "1"}),
        (READ, {"kind": ["cnpj", "siret"], "no": CNPJ}),
        (EACH, {"ids": [CNPJ, {"kind": "payment token", "no": CNPJ}]}),
    ],
)
def test_nothing_else_is(fields: str, row: dict[str, Any]) -> None:
    assert vouched(mapping(fields), row) == set()


def test_a_row_in_our_own_terms_says_itself_what_its_identifiers_are() -> None:
    row = {"identifiers": [{"type": "cnpj", "value": CNPJ}, {"type": "token", "value": CNPJ}, CNPJ], "note": CNPJ}
    assert vouched(Mapping(), row) == {("identifiers", 0, "value")}
    assert vouched(Mapping(), {"identifiers": CNPJ}) == vouched(Mapping(), {}) == set()


NAMES = st.sampled_from(["a", "b", "a.b", "0", "-1", "1"])
ROWS = st.recursive(st.sampled_from(["x", 1, None]), lambda i: st.lists(i, max_size=3) | st.dictionaries(NAMES, i, max_size=3))


def leaves(value: Any) -> list[Any]:
    return [leaf for one in value for leaf in leaves(one)] if isinstance(value, list) else [value]


@given(ROWS, st.lists(NAMES, min_size=1, max_size=3).map(".".join))
def test_places_are_where_a_lookup_reads(row: Any, path: str) -> None:
    found = list(spots(row, path))
    for spot, value in found:
        at = row
        for step in spot:
            at = at[step]
        assert at is value
    # A list that holds none where the path ends says nothing to a lookup; the spot is there all the same.
    assert [value for _, value in found if value is not None] == [one for one in leaves(lookup(row, path)) if one is not None]
