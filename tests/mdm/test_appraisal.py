"""What is kept of a record's quality: what its mapping left over is named, unless the name may be a value."""

import pytest

from matching.record import Note, Phone, StandardRecord
from mdm.appraisal import MOST_UNMAPPED, OTHER_FIELDS, appraisal
from mdm.mapping_values import Problem

from .. import resolution as master
from ..resolution import query
from .test_restandardize import adopt

POLICY = """
sources:
  shop: {channel_kind: ecommerce, brand: acme, fields: {given_name: first, surname: last, emails: [mail]}}
"""
NAMES_MORE = POLICY.replace("surname: last", "surname: last, birth_date: born")


def test_mapping_and_standardization_are_told_together() -> None:
    record = StandardRecord(notes=(Note("emails", "role"),))
    notes = [Problem("unmapped_field", "Straße 1"), Problem("value_not_in_map", "gender"), Problem("nothing_mapped", "")]
    assert appraisal(record, notes) == (
        "emails!role", "unmapped_field:Straße 1", "gender!value_not_in_map", "record!nothing_mapped",
    )  # fmt: skip


def test_values_that_the_record_is_not_found_by_are_named() -> None:
    phones = tuple(Phone(str(n), key=f"+4917123{n}45671") for n in range(10, 43))
    assert appraisal(StandardRecord(phones=phones[:32]), ()) == ("phones=good",)
    assert appraisal(StandardRecord(phones=phones), ()) == ("phones=good", "phones!too_many_to_file")


@pytest.mark.parametrize(
    "name",
    ["ann@lee.org", "12 High Street", "A" * 61, "Ann 1985", "", "a\x1fb", "_x", "Maria García", "notes.john smith", "DE89 370 4"],
)
def test_a_field_name_that_may_be_a_value_is_not_kept(name: str) -> None:
    assert appraisal(StandardRecord(), [Problem("unmapped_field", name)]) == (f"unmapped_field:{OTHER_FIELDS}",)


def test_the_names_of_one_record_are_limited() -> None:
    many = [Problem("unmapped_field", f"f{chr(97 + n // 26)}{chr(97 + n % 26)}") for n in range(500)]
    found = appraisal(StandardRecord(), many)
    assert len(found) == MOST_UNMAPPED + 1
    assert found[-1] == f"unmapped_field:{OTHER_FIELDS}"


def test_what_arrives_is_stored_with_its_appraisal_and_a_renewal_appraises_anew(database: str) -> None:
    mdm = master.start(POLICY)
    mdm.put("shop", "1", {"first": "Ann", "last": "Lee", "mail": "ann@", "born": "1980-05-03"})
    stored = "SELECT appraisal FROM standard_record"
    assert query(stored) == [(["name=good", "emails=refused", "emails!invalid", "unmapped_field:born"],)]
    mdm.drain()
    mdm.policy = adopt(NAMES_MORE)
    mdm.drain()
    assert query(stored) == [(["name=good", "birth_date=good", "emails=refused", "emails!invalid"],)]
    assert mdm.verify(deep=True).differences == ()
    query("UPDATE standard_record SET appraisal = '{name=good}'")
    assert [one.problem for one in mdm.verify(deep=True).differences] == ["appraised_otherwise"]
