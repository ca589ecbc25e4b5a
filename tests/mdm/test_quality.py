"""Counts become shares, a share of nothing is nothing, and what is below its floor is named once, by its lower share."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.appraisal import APPRAISED, State
from mdm.policy_schema import Floors
from mdm.quality import (
    LEAST_RECORDS,
    MOST_UNMAPPED,
    Breach,
    Counts,
    Figure,
    Measured,
    OfWhat,
    breaches,
    counts,
    faults,
    worst_first,
)

APPRAISALS = [("emails=good", 60), ("emails=faulty", 10), ("emails=refused", 20), ("emails!invalid", 30), ("emails!role", 5)]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def measured(of_all: Counts, today: Counts | None = None) -> Measured:
    return Measured("shop", "acme", ("",), date(2026, 3, 1), NOON, of_all, today or Counts())


def test_shares_are_of_whom_they_should_be() -> None:
    emails = counts(100, APPRAISALS, {"emails": (64, 16)}).fields["emails"]
    assert emails.share(Figure.COMPLETE, 100) == 0.70  # Sixty sound, ten with one sound value, of all hundred.
    assert emails.share(Figure.VALID, 100) == pytest.approx(60 / 90)  # Of those that say something.
    assert emails.share(Figure.UNIQUE, 100) == 0.75  # Forty-eight of sixty-four keys nobody else has.
    assert faults(emails) == {"invalid": 30}  # An office's address is no fault.


def test_a_share_of_nothing_is_not_known() -> None:
    nothing = counts(0, [], {})
    assert nothing.fields == {}
    assert counts(5, [("name!parsed", 5)], {}).fields["name"].share(Figure.VALID, 5) is None
    assert counts(5, [("name=good", 5)], {}).fields["name"].share(Figure.UNIQUE, 5) is None


def test_the_worst_come_first_and_what_nobody_says_is_not_the_worst() -> None:
    found = counts(100, [*APPRAISALS, ("company_name=good", 1), ("phones=refused", 31), ("name=good", 100)], {})
    assert worst_first(found) == ["phones", "emails", "company_name", "name"]


def test_the_fields_that_no_rule_reads_are_limited_and_the_nameless_come_last() -> None:
    many = [(f"unmapped_field:f{n:03}", n + 1) for n in range(200)] + [("unmapped_field:(other fields)", 999)]
    found = counts(1_000, many, {}).unmapped
    named = list(found)
    assert sum(found.values()) == sum(number for _, number in many)
    assert (len(named), named[0], named[-1]) == (MOST_UNMAPPED + 1, "f199", "(other fields)")
    assert list(counts(1_000, many[-3:], {}).unmapped) == ["f199", "f198", "(other fields)"]


def test_a_field_of_few_records_is_counted_and_not_named() -> None:
    """It may be a value that stands in the place of a field's name, and figures outlive the record."""
    few = [("unmapped_field:Maria Lopez", 1), ("unmapped_field:hobby", LEAST_RECORDS), ("unmapped_field:(other fields)", 2)]
    assert counts(1_000, few, {}).unmapped == {"hobby": LEAST_RECORDS, "(other fields)": 3}


def test_what_is_below_its_floor_is_a_breach_of_the_lower_share() -> None:
    of_all = counts(100, APPRAISALS, {})
    today = counts(40, [("emails=good", 10), ("emails=refused", 30)], {})
    floors = {"emails": Floors(valid=0.95, complete=0.2), "phones": Floors(complete=0.5)}
    assert breaches(floors, measured(of_all, today)) == [
        Breach("emails", Figure.VALID, 0.95, 0.25, OfWhat.DAY, 40),
        Breach("phones", Figure.COMPLETE, 0.5, 0.0, OfWhat.ALL, 100),
    ]


def test_at_its_floor_is_well_and_few_records_say_nothing() -> None:
    of_all = counts(100, [("emails=good", 95), ("emails=refused", 5)], {})
    assert breaches({"emails": Floors(valid=0.95)}, measured(of_all)) == []
    few = counts(LEAST_RECORDS - 1, [("emails=refused", LEAST_RECORDS - 1)], {})
    assert breaches({"emails": Floors(valid=0.95)}, measured(few)) == []
    enough = counts(LEAST_RECORDS, [("emails=refused", LEAST_RECORDS)], {})
    assert len(breaches({"emails": Floors(valid=0.95)}, measured(enough))) == 1


def test_a_day_that_has_begun_badly_by_chance_is_no_breach() -> None:
    """Seventeen of the first twenty are well: of a source at 92 % that is one morning in five, and review stays until lifted."""
    of_all = counts(1_000, [("emails=good", 920), ("emails=refused", 80)], {})
    floors = {"emails": Floors(valid=0.9)}
    for good, expected in ((17, 0), (13, 1)):
        today = counts(20, [("emails=good", good), ("emails=refused", 20 - good)], {})
        assert len(breaches(floors, measured(of_all, today))) == expected
    assert len(breaches({"emails": Floors(valid=0.93)}, measured(of_all))) == 1  # All records are no sample.


STATES = st.dictionaries(
    st.builds("{}={}".format, st.sampled_from(APPRAISED), st.sampled_from(list(State))), st.integers(0, 10**9)
)


@given(STATES, st.integers(0, 10**9))
def test_a_share_lies_between_nothing_and_all(said: dict[str, int], more: int) -> None:
    records = sum(said.values()) + more
    found = counts(records, said.items(), {"emails": (5, 3)})
    shares = [one.share(figure, records) for one in found.fields.values() for figure in Figure]
    assert all(share is None or 0 <= share <= 1 for share in shares)
    assert Counts.of({"records": 1, "fields": {}, "unmapped": {}}) == Counts(1)
