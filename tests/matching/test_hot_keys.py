"""One limit a key, whoever reads it: Python and the SQL of DuckDB; those of Spark and PostgreSQL have tests of their own."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import blocking
from matching.hot_keys import HotLimits, as_narrow, as_wide
from matching.standardize import Context, standardize

SECRET = b"s" * 32
FULL = {
    "given_name": "Anna",
    "surname": "Schmidt",
    "birth_date": "1985-03-12",
    "emails": ["anna.schmidt@web.de"],
    "phones": ["0171 2345671"],
    "identifiers": [{"type": "national_id", "issuer": "DE", "value": "T22-000"}],
    "addresses": [{"street": "Hauptstr. 5", "city": "Bonn", "postal_code": "53111", "country": "DE"}],
}


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_key_is_marked_wide_or_narrow_and_stays_a_signed_64_bit_number(number: int) -> None:
    limits = HotLimits(wide=200, narrow=50)
    assert limits.of(as_wide(number)) == 200
    assert limits.of(as_narrow(number)) == 50
    assert all(-(2**63) <= marked < 2**63 for marked in (as_wide(number), as_narrow(number)))
    assert as_wide(number) // 2 == as_narrow(number) // 2 == number // 2


@pytest.mark.parametrize("key", [-(2**63), -(2**63) + 1, -2, -1, 0, 1, 2**63 - 2, 2**63 - 1])
def test_sql_gives_the_limit_that_python_gives(key: int) -> None:
    limits = HotLimits(7, 3)
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {limits.sql()} FROM (SELECT ?::BIGINT AS blocking_key)", [key]).fetchall()
    assert found == [(limits.of(key),)]


def test_every_key_has_the_limit_of_its_rule_and_refined_ones_the_wide_one() -> None:
    found = blocking.keys(standardize(FULL, Context("DE")), SECRET)
    assert {rule % blocking.REFINED_STEP for rule, _ in found} == {rule.number for rule in blocking.RULES} - {13}
    for rule, key in found:
        assert HotLimits(200, 50).of(key) == (50 if rule in blocking.NARROW_RULES else 200)


def test_a_value_is_looked_up_under_the_key_that_it_is_filed_by() -> None:
    filed = {key for _, key in blocking.keys(standardize(FULL, Context("DE")), SECRET)}
    assert blocking.lookup_key("phone", ["+491712345671"], SECRET) in filed
    assert blocking.lookup_identifier("national_id|de|T22000", SECRET) in filed
