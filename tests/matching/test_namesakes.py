"""How many of one name and one birth date a city may have."""

import pytest

from matching.grounds import Lack

from .lacking import BORN, lacking

NORTH = {"line1": "120 High Road", "city": "London", "postal_code": "N22 6HN", "country": "GB"}
WEST = {"line1": "202 Uxbridge Road", "city": "London", "postal_code": "W12 7JP", "country": "GB"}


def of_london(given: str, surname: str, **more: object) -> Lack | None:
    return lacking(*({"given_name": given, "surname": surname, "addresses": [at], **BORN, **more} for at in (NORTH, WEST)))


@pytest.mark.parametrize(("given", "surname"), [("Mohammed", "Khan"), ("Antonio", "García"), ("Anna", "Andersson")])
def test_the_commonest_names_have_namesakes_of_one_day_in_every_city(given: str, surname: str) -> None:
    assert of_london(given, surname) is Lack.NOT_CORROBORATED


@pytest.mark.parametrize(
    ("given", "surname"), [("Hildegund", "Trachtenbrodt"), ("Mohammed", "Trachtenbrodt"), ("Ottilie", "Krause")]
)
def test_a_rare_name_has_none(given: str, surname: str) -> None:
    assert of_london(given, surname) is None


def test_a_postal_code_of_a_whole_city_is_the_city() -> None:
    at = (
        {"line1": line, "city": "London", "postal_code": code}
        for line, code in (("12 High Road", "700000"), ("9 Mill Road", "700000"))
    )
    born = {"given_name": "Mohammed", "surname": "Khan", **BORN}
    assert lacking(*({**born, "addresses": [one]} for one in at)) is Lack.NOT_CORROBORATED


def test_a_phone_tells_which_of_them_it_is() -> None:
    assert of_london("Mohammed", "Khan", phones=["020 7946 0123"]) is None


@pytest.mark.parametrize(
    ("given", "surname", "code", "country", "expected"),
    [
        ("Thomas", "Müller", "80333", "DE", Lack.NOT_CORROBORATED),
        ("José", "García", "28001", "ES", Lack.NOT_CORROBORATED),
        ("Raquel", "Valcárcel", "28001", "ES", None),
        ("John", "Smith", "SW1A 1AA", "GB", None),
    ],
)
def test_a_common_name_behind_one_postal_code_is_nobody(
    given: str, surname: str, code: str, country: str, expected: Lack | None
) -> None:
    """Twenty thousand live behind a code of five digits, several of the commonest names among them; a dozen doors have one."""
    data = {"given_name": given, "surname": surname, "addresses": [{"postal_code": code, "country": country}]}
    assert lacking(data, data) is expected
