"""The shipped rules: what places ask for, how long what implies consent for, and that every word leads somewhere."""

from datetime import UTC, datetime, timedelta

import pytest

from consent.entries import Channel, State, Strength
from consent.purposes import UNKNOWN_PLACE, parse, shipped

RULES = shipped()
LEAP_DAY = datetime(2028, 2, 29, 12, tzinfo=UTC)


def test_every_word_names_a_purpose_and_every_place_its_rules() -> None:
    assert {one.purpose for one in RULES.words.values()} <= RULES.purposes.keys()
    assert {"EU", "UK", "US", "CA", UNKNOWN_PLACE} == RULES.places.keys()
    assert all(one.dpv.startswith("dpv:") for one in RULES.purposes.values())


@pytest.mark.parametrize(
    ("country", "law"),
    [("DE", "EU"), ("NO", "EU"), ("GB", "UK"), ("US", "US"), ("CA", "CA"), ("JP", UNKNOWN_PLACE), (None, UNKNOWN_PLACE)],
)
def test_a_country_has_a_law(country: str | None, law: str) -> None:
    assert RULES.jurisdiction(country) == law


def test_where_nobody_knows_the_law_nothing_is_permitted_unasked() -> None:
    for channel in (*Channel, None):
        assert not RULES.regime(UNKNOWN_PLACE, "marketing", channel).permits_unasked
        assert not RULES.regime("Atlantis", "profiling", channel).permits_unasked
    assert RULES.regime("US", "marketing", Channel.EMAIL).permits_unasked
    assert not RULES.regime("US", "marketing", Channel.SMS).accepts(Strength.EXPRESS)


@pytest.mark.parametrize(
    ("relation", "until"),
    [("purchase", datetime(2030, 2, 28, 12, tzinfo=UTC)), ("inquiry", datetime(2028, 8, 29, 12, tzinfo=UTC))],
)
def test_what_implies_consent_in_canada_does_so_to_the_day(relation: str, until: datetime) -> None:
    assert RULES.regime("CA", "marketing", Channel.EMAIL).implies_until(relation, LEAP_DAY) == until
    assert until - timedelta(seconds=1) < until


@pytest.mark.parametrize(
    ("text", "state"),
    [("Subscribed", State.GIVEN), ("opt-out", State.WITHDRAWN), ("NOT_SUBSCRIBED", State.UNKNOWN), ("cleaned", State.SUPPRESSED),
     ("pending", State.REQUESTED), ("true", State.GIVEN), ("no", State.REFUSED)],
)  # fmt: skip
def test_words_of_sources_are_known(text: str, state: State) -> None:
    found = RULES.state(text)
    assert found is not None
    assert found.state is state


def test_a_word_that_nobody_knows_is_not_guessed_at() -> None:
    assert RULES.word("world peace") is None
    assert RULES.state("perhaps") is None
    assert RULES.word("Email-Marketing") == RULES.words["email_marketing"]


def test_rules_that_name_what_they_do_not_declare_are_refused() -> None:
    document = {"purposes": {}, "words": {"x": {"purpose": "x"}}, "states": {}, "jurisdictions": {}}
    with pytest.raises(ValueError, match="not declared"):
        parse(document)
    with pytest.raises(ValueError, match="default"):
        parse({**document, "words": {}})
