"""What may be stored of a delivery and what is read from it come from one masked payload."""

from datetime import UTC, datetime

import orjson
import pytest

from matching.standardize import standardize
from mdm import policy
from mdm.incoming import Incoming, Prepared, SourceRules, prepare

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = """
sources: {erp: {channel_kind: erp, brand: main, key: no, fields: {identifiers: {type: siret, value: siret}}}}
identifiers: {siret: {one_person_per_value: true}}
"""
RULES = SourceRules.of(policy.parse(POLICY), "erp", b"k" * 32)


@pytest.mark.parametrize(
    ("siret", "stored", "key"),
    [
        # Both check digits of the SIRET are right, and it passes as a Diners card as the number below does.
        ("36252187400010", b'{"siret":"36252187400010","memo":"***0010"}', "36252187400010"),
        ("30569309025904", b'{"siret":"***5904","memo":"***5904"}', None),
    ],
)
def test_a_number_that_only_looks_like_a_card_is_stored_where_its_scheme_accepts_it(
    siret: str, stored: bytes, key: str | None
) -> None:
    found = prepare(RULES, Incoming("A", {"siret": siret, "memo": siret}), NOON)
    assert isinstance(found, Prepared)
    assert found.stored_raw == stored
    assert [one.key for one in standardize(found.input, RULES.context).identifiers] == ([key] if key else [])
    again = prepare(RULES, Incoming("A", payload=orjson.loads(stored), raw=stored), NOON)
    assert isinstance(again, Prepared)
    assert again.version.payload_hash == found.version.payload_hash
