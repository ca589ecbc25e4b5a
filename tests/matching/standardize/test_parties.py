"""Who a record speaks of: the table, and that what was moved stays moved."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given as fed
from hypothesis import settings
from hypothesis import strategies as st

from matching.record import StandardRecord
from matching.standardize import Context, as_input, standardize
from matching.standardize.company_contacts import company_apart, contact_apart
from matching.standardize.text import clean

from .strategies import texts
from .tables import FOLDER
from .test_assemble import EXAMPLES

TABLE = yaml.safe_load((FOLDER / "parties.yaml").read_text(encoding="utf-8"))
WORDS = (FOLDER / "company_pieces.txt").read_text(encoding="utf-8").split()
company_texts = st.one_of(texts, st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map(" ".join))


def _shown(record: StandardRecord, name: str) -> Any:
    return getattr(record if hasattr(record, name) else record.name, name, None)


@pytest.mark.parametrize("row", [pytest.param(row, id=row["why"]) for row in TABLE])
def test_parties(row: dict[str, Any]) -> None:
    record = standardize(row["in"], Context())
    assert {name: _shown(record, name) for name in row["out"]} == row["out"]
    assert set(row.get("notes", ())) <= {note.code for note in record.notes}


@fed(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "given_name", "surname", "company_name"), company_texts)),
    st.sampled_from([None, "person", "company"]),
    st.sampled_from([None, "DE", "FR", "ES", "GB", "TR"]),
)
@settings(max_examples=EXAMPLES)
def test_a_party_stays_as_it_is(data: dict[str, Any], said: str | None, country: str | None) -> None:
    record = standardize(data | {"party": said}, Context(country))
    again = standardize(as_input(record), Context(country))
    assert replace(again, notes=()) == replace(record, notes=())


@fed(company_texts.map(clean).filter(bool))
@settings(max_examples=EXAMPLES)
def test_what_is_parted_is_of_the_text(text: str) -> None:
    for part in (*contact_apart(text), *(company_apart(text) or ())):
        assert part is None or (part and part in text)
