"""Many customers of many records each, and three values that so many of them share that their blocking keys cross the hot limit.

All is told in three phases. What the crowds hold at the end of each is written down here; everything else comes in any phase, a
late version in any order. Which versions there are, and what stewards say, does not depend on the order in which it is told.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from matching.blocking import HOT_LIMIT
from sampledata.retailer import SimulatedRecord, simulate
from soak.population import Delivery, Payload, Retailer
from soak.stewards import Said
from tests.resolution import Key

PHASES = 3
FAMILIAR = 230  # Customers who opened account after account in the web shop.
ACCOUNTS = (6, 7, 7, 8)
FORGOTTEN = ("phone", "email", "birthday", "default_address")
SLIP, CHANGING, EARLY = 0.1, 0.2, 0.5
SAYINGS_A_RECORD = 1 / 40
SHOP = "webshop"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Accounts of different customers that share one value of `field`; `kind` and `parts` name its blocking key.

    `sizes` says how many hold it at the end of each phase.
    """

    name: str
    kind: str
    parts: tuple[str, ...]
    field: str
    written: str
    sizes: tuple[int, int, int]

    def hot_after(self, phase: int) -> bool:
        """Whether its blocking key is to be hot at the end of a phase."""
        return self.sizes[phase] > HOT_LIMIT


# Up and down; down and up; up and down by a single record at the very limit. The n-th crowd is of everybody's n-th account.
CROWDS = (
    Crowd("a club's phone", "phone", ("+442079460018",), "phone", "+44 20 7946 0018", (196, 207, 195)),
    Crowd("a club's e-mail", "email", ("lindqvist.hus@telia.com",), "email", "lindqvist.hus@telia.com", (206, 195, 205)),
    Crowd("a second phone", "phone", ("+4940555010",), "phone", "+49 40 555010", (200, 201, 200)),
)


@dataclass
class Population:
    """What is told: the deliveries of fixed phases, those that come in any, and what stewards say after the first phase."""

    fixed: tuple[list[Delivery], ...] = field(default_factory=lambda: tuple([] for _ in range(PHASES)))
    anytime: list[Delivery] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    records: int = 0

    def phases(self, rng: random.Random) -> list[list[Delivery | Said]]:
        """Everything in one order of many: phase by phase, each shuffled."""
        told: list[list[Delivery | Said]] = [list(one) for one in self.fixed]
        for delivery in self.anytime:
            rng.choice(told).append(delivery)
        for said in self.said:
            rng.choice(told[1:]).append(said)
        for phase in told:
            rng.shuffle(phase)
        return told


def draw(rng: random.Random, records: int, profile: str = "typical") -> Population:
    """Draw a population of so many records. All its chances come from `rng`."""
    accounts = _familiar(rng)
    drawn = Population()
    for place, crowd in enumerate(CROWDS):
        _gather(rng, crowd, [of_one[place] for of_one in accounts], drawn)
    others = [one for of_one in accounts for one in of_one[len(CROWDS) :]]
    left = records - len(others) - len(CROWDS) * FAMILIAR
    retailer = Retailer(rng, left, profile)  # A customer has one record at least.
    for record in (*others, *retailer.records[:left]):
        if rng.random() < CHANGING:
            drawn.anytime += retailer.history(record)
        else:
            told = drawn.fixed[0] if rng.random() < EARLY else drawn.anytime
            told.append(_told(record, 1, record.payload))
    drawn.records = len({(one.source, one.key) for told in (*drawn.fixed, drawn.anytime) for one in told})
    early = {(one.source, one.key) for one in drawn.fixed[0]}
    known = [one for one in (*others, *retailer.records) if (one.source, one.key) in early]
    drawn.said = _say(rng, known, round(records * SAYINGS_A_RECORD))
    return drawn


def _familiar(rng: random.Random) -> list[list[SimulatedRecord]]:
    """The accounts of customers who opened many: each holds what the first did, less something, now and then with a slip."""
    people = {one.truth: one for one in simulate(FAMILIAR * 8, rng.randrange(10**9), "clean") if _is_whole(one)}
    return [_accounts(rng, number, person) for number, person in enumerate(list(people.values())[:FAMILIAR])]


def _is_whole(record: SimulatedRecord) -> bool:
    said = record.payload
    return record.source == SHOP and all(said[name] for name in ("last_name", "phone", "email", "default_address"))


def _accounts(rng: random.Random, number: int, first: SimulatedRecord) -> list[SimulatedRecord]:
    # No two customers were born on one day, so that a phone that they share joins nobody.
    born = f"{1940 + number % 60}-{1 + number % 12:02}-{1 + number * 7 % 28:02}"
    whole = {**first.payload, "birthday": born}
    made = []
    for account in range(rng.choice(ACCOUNTS)):
        said = dict(whole)
        if account >= len(CROWDS):
            said[rng.choice(FORGOTTEN)] = None
            if rng.random() < SLIP:
                said["last_name"] = said["last_name"][:-1]
        made.append(replace(first, key=f"{first.key}-{account}", payload=said, truth=f"familiar {number}"))
    return made


def _gather(rng: random.Random, crowd: Crowd, members: Sequence[SimulatedRecord], drawn: Population) -> None:
    """Let accounts share the crowd's value, and tell who joins and leaves when; the rest never joins."""
    versions = dict.fromkeys(range(len(members)), 0)
    held = 0
    for phase, size in enumerate(crowd.sizes):
        for number in range(min(held, size), max(held, size)):
            versions[number] += 1
            payload = (
                {**members[number].payload, crowd.field: crowd.written} if size > held else _left(rng, crowd, members[number])
            )
            drawn.fixed[phase].append(_told(members[number], versions[number], payload))
        held = size
    for record in members[max(crowd.sizes) :]:
        drawn.anytime.append(_told(record, 1, record.payload))


def _left(rng: random.Random, crowd: Crowd, record: SimulatedRecord) -> Payload | None:
    """Who leaves a crowd is deleted, or says something else in that field."""
    return None if rng.random() < 0.5 else {**record.payload, crowd.field: None}


def _told(record: SimulatedRecord, version: int, payload: Payload | None) -> Delivery:
    return Delivery(record.source, record.key, version, payload, record.updated_at)


def _say(rng: random.Random, records: Sequence[SimulatedRecord], count: int) -> list[Said]:
    """Half of what is said holds apart two records of one customer, half joins two of two customers."""
    by_customer: dict[str, list[Key]] = {}
    for record in records:
        by_customer.setdefault(record.truth, []).append((record.source, record.key))
    several = [keys for keys in by_customer.values() if len(keys) > 1]
    said = []
    for number in range(count):
        if number % 2:
            left, right = rng.sample(rng.choice(several), 2)
        else:
            left, right = (rng.choice(keys) for keys in rng.sample(list(by_customer.values()), 2))
        decision_id = uuid.UUID(int=rng.getrandbits(128), version=4)
        said.append(Said(decision_id, "no_match" if number % 2 else "match", (left,), (right,)))
    return said
