"""P2: the same records and steward decisions give the same answer, whatever the order, the batches, the workers and the path.

An iteration draws a population, resolves it once in bulk, then again in random orders with pauses in which some is resolved.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from soak import stewards
from soak.place import Place, differences, own_place, state
from soak.population import Delivery, Retailer
from soak.progress import Outcome
from soak.stewards import Said
from tests.resolution import Key

TARGET = 40
ORDERS = 3
CUSTOMERS = (8, 20, 40, 80)
CROWDED = 0.1
PAUSES = (0, 1, 3, 9)
Act = Delivery | Said


@contextmanager
def ready() -> Iterator[Place]:
    """What all iterations of a process share."""
    with own_place() as place:
        yield place


def run(place: Place, seed: str, evidence: Path) -> Outcome:
    """Resolve one random population in several orders, and compare."""
    rng = random.Random(seed)
    retailer = Retailer(rng, rng.choice(CUSTOMERS))
    records = retailer.records + (retailer.crowd() if rng.random() < CROWDED else [])
    deliveries = [one for record in records for one in retailer.history(record)]
    keys = [(record.source, record.key) for record in records]
    said = [stewards.draw(rng, keys) for _ in range(rng.randint(0, max(1, len(keys) // 15)))]
    outcome = Outcome(Counter(records=len(records), populations=1))
    wanted, complaints = _reference(place, rng, deliveries, said)
    outcome.findings += complaints
    for number in range(ORDERS):
        path = _play(place, rng, deliveries, said)
        outcome.findings += differences(wanted, state(), f"order {number} ({path})") + place.complaints()
        outcome.counts["orders"] += 1
    return outcome


def _reference(
    place: Place, rng: random.Random, deliveries: Sequence[Delivery], said: Sequence[Said]
) -> tuple[dict[str, set[object]], list[str]]:
    """Everything at once and in bulk; verified by the other path as well."""
    place.empty()
    place.deliver(rng, sorted(deliveries, key=lambda one: (one.source, one.key, one.version)))
    for one in said:
        stewards.write(one)
    place.in_bulk(rng)
    return state(), [f"reference: {one}" for one in (*place.complaints(), *place.complaints(deep=True))]


def _play(place: Place, rng: random.Random, deliveries: Sequence[Delivery], said: Sequence[Said]) -> str:
    """Deliver in a random order, a steward speaking once all that they name has come; resolve in pauses and at the end."""
    place.empty()
    acts = _shuffled(rng, deliveries, said)
    pauses = sorted(rng.randrange(len(acts)) for _ in range(rng.choice(PAUSES)))
    paths = []
    for start, end in zip([0, *pauses], [*pauses, len(acts)], strict=True):
        _act(place, rng, acts[start:end])
        paths.append(place.settle(rng, is_last=end == len(acts)))
    return ", ".join(paths)


def _act(place: Place, rng: random.Random, acts: Sequence[Act]) -> None:
    waiting: list[Delivery] = []
    for act in acts:
        if isinstance(act, Delivery):
            waiting.append(act)
            continue
        place.deliver(rng, waiting)
        stewards.write(act)
        waiting = []
    place.deliver(rng, waiting)


def _shuffled(rng: random.Random, deliveries: Sequence[Delivery], said: Sequence[Said]) -> list[Act]:
    order = rng.sample(list(deliveries), len(deliveries))
    if rng.random() < 0.5:  # In long runs of one source, so that large batches come about.
        order.sort(key=lambda one: one.source)
    first: dict[Key, int] = {}
    for place, one in enumerate(order):
        first.setdefault((one.source, one.key), place)
    spoken = [(rng.randint(max(first[key] for key in (*one.left, *one.right)), len(order)), one) for one in said]
    acts: list[Act] = []
    for place, delivery in enumerate(order):
        acts.append(delivery)
        acts += [one for after, one in spoken if after == place]
    return acts + [one for after, one in spoken if after == len(order)]
