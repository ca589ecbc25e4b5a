"""Countries by code and by name."""

from matching.standardize import countries
from matching.standardize.assemble import standardize
from matching.standardize.context import Context

SAID = {
    "given_name": "Maria",
    "phones": ["655872310"],
    "addresses": [{"line1": "Calle Mayor 5", "city": "Madrid", "country": "ES"}],
}


def test_every_country_that_has_a_name_in_any_language_has_a_code() -> None:
    assert countries.codes() == frozenset(countries._names().values())


def test_who_says_a_code_has_the_names_of_no_language_read() -> None:
    for kept in (countries.country_code, countries.codes, countries._names):
        kept.cache_clear()
    assert standardize(SAID, Context("ES")).addresses[0].country == "ES"
    assert countries._names.cache_info().currsize == 0
    assert countries.country_code("Deutschland") == "DE"
