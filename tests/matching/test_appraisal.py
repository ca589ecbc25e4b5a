"""What a record's notes say of its quality: one state an attribute speaks of, codes kept, values never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.appraisal import APPRAISED, State, appraise, is_fault
from matching.record import StandardRecord
from matching.standardize import Context, standardize

# input → what is said of it, each with its reason.
CASES = [
    ({"emails": ["ann@lee.org"]}, {"emails=good"}, "a whole address of a person"),
    ({"emails": ["ann@lee.org", "ann@"]}, {"emails=faulty", "emails!invalid"}, "one of two is sound, so the attribute is there"),
    ({"emails": ["ann@"]}, {"emails=refused", "emails!invalid"}, "nothing of it can be used"),
    ({"addresses": [{"line1": "N/A"}]}, {"addresses=refused", "addresses!placeholder"}, "it says no place"),
    ({"birth_date": "昭和60年4月3日"}, {"birth_date=refused", "birth_date!japanese_calendar"}, "said, and not read"),
    ({"emails": ["info@lee.org"]}, {"emails=good", "emails!role"}, "an office's address is a sound address"),
    ({"birth_date": "soon"}, {"birth_date=refused", "birth_date!unreadable"}, "said, and nothing kept"),
    ({"name": "N/A"}, {"name=refused", "name!placeholder"}, "a placeholder stands for nothing"),
    ({"given_name": "Ann", "surname": "Lee"}, {"name=good"}, "nothing to say of it"),
    ({"phones": ["0000000"]}, {"phones=refused", "phones!unparsed", "phones!dummy"}, "a made-up number"),
    ({"gender": "yes"}, {"gender=refused", "gender!unreadable"}, "no gender of ours"),
    ({}, set(), "what is not said is not appraised"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "said", "why"), CASES, ids=[case[2] for case in CASES])
def test_an_attribute_is_appraised_by_what_is_kept_and_noted(data: dict[str, object], said: set[str], why: str) -> None:
    found = appraise(standardize(data, Context()))
    assert said <= set(found)
    assert {one.partition("=")[0] for one in found if "=" in one} == {one.partition("=")[0] for one in said if "=" in one}


def test_a_note_about_a_part_counts_for_its_attribute() -> None:
    found = appraise(standardize({"given_name": "x" * 2_000_000, "surname": "Lee"}, Context()))
    assert {"name=faulty", "name!too_long"} <= set(found)


@pytest.mark.parametrize("code", ["check_failed", "invalid_part", "wrong_format", "impossible_range", "bad_checksum"])
def test_codes_of_kinds_to_come_are_told_by_how_they_begin(code: str) -> None:
    assert is_fault(code)


@pytest.mark.parametrize(
    "code", ["role", "relay", "shared", "po_box", "parsed", "partial", "household", "domain_typo", "unusual_postal_code"]
)
def test_a_code_that_says_how_or_whose_is_no_fault(code: str) -> None:
    assert not is_fault(code)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
ATTRIBUTES = st.sampled_from(["name", "given_name", "surname", "birth_date", "emails", "phones", "addresses", "identifiers", "x"])


@given(st.dictionaries(ATTRIBUTES, JSON))
def test_whatever_is_sent_each_attribute_has_at_most_one_state_and_no_value_shows(data: dict[str, object]) -> None:
    record: StandardRecord = standardize(data, Context())
    found = appraise(record)
    states = [one.split("=") for one in found if "=" in one]
    assert len({attribute for attribute, _ in states}) == len(states)
    assert {attribute for attribute, _ in states} <= set(APPRAISED)
    assert {state for _, state in states} <= set(State)
    assert {one.split("!")[1] for one in found if "!" in one} == {note.code for note in record.notes}
