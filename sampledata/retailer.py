"""The simulated retailer: a stream of channel records, each with the customer it truly speaks of.

Deterministic by seed and streaming: one household at a time, so memory does not grow with the number of customers, and the
customers of a small run are the first customers of a large one with the same seed and profile.
"""

from collections.abc import Iterator

from sampledata.desk import SOURCES, Desk, SimulatedRecord
from sampledata.households import Maker
from sampledata.locales import draw_locale
from sampledata.profiles import PROFILES

__all__ = ["SOURCES", "SimulatedRecord", "simulate"]


def simulate(customers: int, seed: int, profile: str = "typical") -> Iterator[SimulatedRecord]:
    """Yield the records of `customers` customers (people and companies), household by household.

    Profiles: clean, typical, dirty. Keys carry no order; the stream does, which `sampledata.files` takes away.

    Raises: KeyError for another profile.
    """
    desk = Desk(PROFILES[profile], customers, seed)
    seen = 0
    for household, rng in Maker(seed).households(draw_locale):
        yield from desk.records(household, rng)
        companies = 1 + len(household.company.subsidiaries) if household.company else 0
        seen += len(household.people) + companies
        if seen >= customers:
            return
