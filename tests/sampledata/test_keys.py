"""Keys of the simulated systems: no order of customers in them, none twice, others for another seed or source."""

from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampledata.keys import NUMBERS, Numbering
from sampledata.retailer import simulate

INDEXES = st.integers(0, NUMBERS - 1)


@given(INDEXES, INDEXES, st.integers(0, 2**31))
def test_two_records_never_have_one_number(one: int, other: int, seed: int) -> None:
    numbering = Numbering("pos", seed)
    assert (numbering.number(one) == numbering.number(other)) == (one == other)
    assert 0 <= numbering.number(one) < NUMBERS


def test_a_long_run_has_no_number_twice_and_uses_the_whole_range() -> None:
    numbers = [Numbering("erp", 7).number(index) for index in range(20_000)]
    assert len(set(numbers)) == len(numbers)
    tenths = Counter(number * 10 // NUMBERS for number in numbers)
    assert all(1_800 < tenths[tenth] < 2_200 for tenth in range(10))


def test_neighbours_are_no_fixed_step_apart() -> None:
    """A key that steps through a field looks scattered and tells its neighbours to whoever subtracts."""
    numbers = [Numbering("pos", 7).number(index) for index in range(5_000)]
    steps = Counter((after - before) % NUMBERS for before, after in pairwise(numbers))
    assert max(steps.values()) <= 2


def test_every_source_and_seed_numbers_in_its_own_way() -> None:
    of = [[Numbering(source, seed).number(index) for index in range(100)] for source in ("pos", "erp") for seed in (1, 2)]
    assert all(set(one).isdisjoint(other) for place, one in enumerate(of) for other in of[:place])


def test_more_records_than_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="simulate fewer customers"):
        Numbering("pos", 1).number(NUMBERS)


def test_records_next_to_each_other_by_key_are_strangers() -> None:
    """Sorted by key, a source's rows lie beside their household no more often than by chance (one in a thousand here)."""
    by_source = defaultdict(list)
    for record in simulate(3_000, 5):
        by_source[record.source].append((record.key, record.household))
    for found in by_source.values():
        homes = [household for _, household in sorted(found)]
        assert sum(abs(one - other) < 3 for one, other in pairwise(homes)) < len(homes) * 0.02 + 5
