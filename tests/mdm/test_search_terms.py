"""The terms of a record and of a question: what is typed as it was sent finds it; what is too short is refused by its name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid
from matching.standardize import Context, standardize
from mdm import policy as policies
from mdm.search_terms import LONGEST_TERM, Asked, Range, ranges, terms

POLICY = policies.parse(
    """
sources: {pos: {channel_kind: pos, brand: main}}
identifiers: {national_id: {}, company_no: {}}
loyalty_programmes: {main: {}}
views: {checkout: [golden_id]}
"""
)


def termed(**data: Any) -> set[str]:
    return set(terms(standardize(data, Context(default_country="PT"))))


def asked(**of: str) -> list[Range]:
    return ranges(POLICY, Asked(**of))


def meets(held: set[str], wanted: list[Range]) -> bool:
    met = [one for one in wanted if any(one.low <= term <= one.high for term in held)]
    return all(sum(one.criterion == r.criterion for one in met) >= r.needed for r in wanted)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"name": "Dr. José van der Berg-O'Brien"}, {"njose", "nvan", "nder", "nberg", "nobrien"}),
        ({"given_name": "小龙", "surname": "李"}, {"nxiaolong", "nli"}),
        ({"company_name": "Müller & Söhne GmbH"}, {"nmuller", "nand", "nsohne", "ngmbh"}),
        ({"emails": ["J.Smith+x@GMail.com"]}, {"ej.smith+x@gmail.com", "ejsmith@gmail.com"}),
        ({"emails": ["info@acme.com"]}, {"einfo@acme.com"}),
        ({"phones": ["912 645 871"]}, {"p178546219153"}),
        ({"identifiers": [{"type": "national_id", "value": "AB-123 45"}]}, {"iAB12345"}),
        ({"loyalty_accounts": [{"programme": "main", "number": "00 12-34"}]}, {"i001234"}),
        ({"addresses": [{"postal_code": "1000-205", "city": "Lisboa"}]}, {"z1000205"}),
        ({"name": "GUEST"}, set()),
    ],
)  # fmt: skip
def test_a_record_is_found_by(data: dict[str, Any], expected: set[str]) -> None:
    assert termed(**data) == expected


@pytest.mark.parametrize(
    ("data", "typed"),
    [
        ({"given_name": "Zoë", "surname": "Σωτηρίου"}, {"name": "ZOE"}),
        ({"given_name": "Иван", "surname": "Петров"}, {"name": "petrov iv"}),
        ({"given_name": "Ivan", "surname": "Petrov"}, {"name": "Петров"}),
        ({"given_name": "J", "surname": "Smith"}, {"name": "j smi"}),
        ({"phones": ["+351 912 645 871"]}, {"phone": "912645871", "country": "PT"}),
        ({"phones": ["+351 912 645 871"]}, {"phone": "00351912645871"}),
        ({"phones": ["+351 912 645 871"]}, {"phone": "5 871"}),
        ({"phones": ["+351 912 600 071"]}, {"phone": "00071"}),
        ({"phones": ["+44 7400 123456"]}, {"phone": "07400 123456"}),
        ({"emails": ["j.smith@gmail.com"]}, {"email": "JSmith@googlemail.com"}),
        ({"loyalty_accounts": [{"programme": "main", "number": "00 12-34"}]}, {"identifier": "0012-34"}),
    ],
)  # fmt: skip
def test_what_is_typed_finds(data: dict[str, Any], typed: dict[str, str]) -> None:
    assert meets(termed(**data), asked(**typed))


@pytest.mark.parametrize(
    ("data", "typed"),
    [
        ({"given_name": "Ann"}, {"name": "nn"}),
        ({"given_name": "Ann", "surname": "Lee"}, {"name": "ann leeds"}),
        ({"phones": ["+351 912 645 871"]}, {"phone": "912645"}),
        ({"phones": ["+351 912 645 871"]}, {"phone": "0871"}),
        ({"emails": ["ann@lee.org"]}, {"email": "ann@lee.or"}),
        ({"identifiers": [{"type": "national_id", "value": "AB-123 45"}]}, {"identifier": "AB-123 4"}),
    ],
)  # fmt: skip
def test_what_is_typed_does_not_find(data: dict[str, Any], typed: dict[str, str]) -> None:
    assert not meets(termed(**data), asked(**typed))


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({"name": "q"}, "criterion_too_short"),
        ({"name": "q x ç"}, "criterion_too_short"),
        ({"name": "?! "}, "criterion_unreadable"),
        ({"phone": "+3 5"}, "criterion_too_short"),
        ({"phone": "001"}, "criterion_too_short"),
        ({"phone": "call me"}, "criterion_too_short"),
        ({"identifier": "7"}, "criterion_too_short"),
        ({"identifier": "--"}, "criterion_unreadable"),
        ({"postal_code": "9"}, "criterion_too_short"),
        ({"email": "\u200b"}, "criterion_unreadable"),
    ],
)  # fmt: skip
def test_what_says_too_little_is_refused_by_its_name_and_never_its_value(typed: dict[str, str], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        asked(**typed)
    ((criterion, value),) = typed.items()
    assert (refused.value.code, refused.value.extra["criterion"]) == (code, criterion)
    assert value.strip() not in {*refused.value.detail.split(), *map(str, refused.value.extra.values())}


@given(st.text(max_size=400), st.text(max_size=400))
def test_every_name_is_found_by_its_words_and_no_term_is_too_long_for_the_index(given_name: str, surname: str) -> None:
    held = termed(given_name=given_name, surname=surname, emails=[surname], phones=[given_name])
    assert all(1 < len(term) <= LONGEST_TERM for term in held)
    words = [term[1:] for term in held if term.startswith("n")]
    if words and max(map(len, words)) > 1:
        assert meets(held, asked(name=" ".join(words)))
