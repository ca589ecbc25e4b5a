"""P4: in a long random history every golden id that was ever seen goes on resolving, in one step, and none is given twice.

Now and then some acts are done and undone: the records must then live under exactly the ids under which they lived before.
Of eight iterations two are such histories of a retailer; one tries 500 random lives of ids in memory, and five try 10 each on few
records in the database, of 50 acts each, decisions, undo and rebuilding among them.
"""

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from kernel import db
from mdm import policy, versions
from mdm.rekey import rekey
from sampledata.retailer import SimulatedRecord
from soak import promises, stewards
from soak.place import Place, adopt_policy, own_place
from soak.population import Delivery, Held, Payload, Retailer
from soak.progress import Outcome
from soak.stewards import Said
from tests.mdm.test_changes import GoldenIds
from tests.resolution import POLICY, WHO, Key, query, start
from tests.stewardship.test_id_histories import Ids

KINDS = ("retailer", "memory", "database", "database", "retailer", "database", "database", "database")
TARGET = 10 * len(KINDS)
LIVES = {"memory": 500, "database": 10}
ACTS = 50
STEPS = 80
CUSTOMERS = 30
MOST_ACTS = 12
UNDO_EVERY = 8
VERIFY_EVERY = 20
RENAMED = "~"
LIVING = "SELECT source, source_key, golden_id FROM crosswalk WHERE golden_id IS NOT NULL"


@dataclass
class History:
    """One random history under way."""

    place: Place
    rng: random.Random
    retailer: Retailer
    unsent: list[SimulatedRecord]
    held: list[Held] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    told: set[uuid.UUID] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def act(self) -> None:
        """Do one thing at random."""
        often = {self.arrive: 4, self.change: 5, self.delete: 2}
        acts = {**often, self.come_late: 1, self.rename: 1, self.speak: 1, self.take_back: 1}
        self.rng.choices(list(acts), list(acts.values()))[0]()

    def arrive(self) -> None:
        if self.unsent:
            record = self.unsent.pop()
            self.held.append(Held(record, record.key))
            self.tell(self.held[-1], record.payload)

    def change(self) -> None:
        if one := self.some():
            said = one.payload or one.record.payload
            self.tell(one, self.rng.choice((one.record.payload, self.retailer.revised(one.record.source, said))))

    def delete(self) -> None:
        if (one := self.some()) and one.payload is not None:
            self.tell(one, None)

    def come_late(self) -> None:
        one = self.some()
        late = one and one.late(self.retailer.revised(one.record.source, one.record.payload), self.rng)
        if one and late:
            self.send(one, late)

    def rename(self) -> None:
        if (one := self.some()) and one.record.source != "erp":  # Contacts name their company by its key.
            with db.transaction() as session:
                rekey(session, WHO, one.record.source, one.key, one.key + RENAMED)
            one.renamed(one.key + RENAMED)

    def speak(self) -> None:
        if len(self.held) > 4:
            self.said.append(stewards.draw(self.rng, [self.key_of(one) for one in self.held]))
            stewards.write(self.said[-1])

    def take_back(self) -> None:
        if self.said:
            stewards.take_back(self.renamed(self.said.pop(self.rng.randrange(len(self.said)))))

    def some(self) -> Held | None:
        """One record that has been told of."""
        return self.rng.choice(self.held) if self.held else None

    def key_of(self, one: Held) -> Key:
        """Its source and present key."""
        return one.record.source, one.key

    def renamed(self, said: Said) -> Said:
        """The decision with the keys that its records have now."""
        now = {(one.record.source, one.record.key): self.key_of(one) for one in self.held}
        left, right = (tuple(now[source, key.rstrip(RENAMED)] for source, key in side) for side in (said.left, said.right))
        return Said(said.decision_id, said.verdict, left, right)

    def tell(self, one: Held, payload: Payload | None) -> None:
        """Send the next version."""
        self.send(one, one.next(payload))

    def send(self, one: Held, delivery: Delivery) -> None:
        """Send a version."""
        for taken in self.place.deliver(self.rng, [delivery]):
            one.taken(delivery, taken.status)

    def settle(self) -> list[str]:
        """Resolve all that is owed; what does not hold then."""
        self.place.settle(self.rng, is_last=True)
        self.told |= promises.ids()
        return promises.broken(self.told)

    def undo(self) -> list[str]:
        """Do some things and undo them: who lives under which id must be what it was."""
        before = living()
        done = [self.do_and_undo() for _ in range(self.rng.randint(1, 4))]
        found = self.settle()
        for back in reversed(done):
            back()
        found += self.settle()
        after = living()
        moved = {key: (before.get(key), after.get(key)) for key in before.keys() | after if before.get(key) != after.get(key)}
        return found + ([f"undone, and not as before: {list(moved.items())[:5]}"] if moved else [])

    def do_and_undo(self) -> Callable[[], None]:
        """Change or delete a record, or let a steward speak; what undoes it."""
        if self.rng.random() < 0.3 and len(self.held) > 4:
            said = stewards.draw(self.rng, [self.key_of(one) for one in self.held])
            stewards.write(said)
            return lambda: stewards.take_back(said)
        one = self.rng.choice(self.held)
        payload = one.payload
        said_now = self.retailer.revised(one.record.source, payload or one.record.payload)
        self.tell(one, None if payload and self.rng.random() < 0.3 else said_now)
        return lambda: self.tell(one, payload)


def living() -> dict[Key, uuid.UUID]:
    """Every record that lives under a golden id."""
    return {(source, key): golden_id for source, key, golden_id in query(LIVING)}


@contextmanager
def ready() -> Iterator[Place]:
    """What all iterations of a process share."""
    with own_place() as place:
        yield place


def run(place: Place, seed: str, evidence: Path) -> Outcome:
    """Run one random history of a retailer, or a number of random lives of ids."""
    kind = KINDS[int(seed.rpartition(":")[2]) % len(KINDS)]
    place.empty()
    rng = random.Random(seed)
    return tell(place, rng) if kind == "retailer" else live(kind, rng)


def live(kind: str, rng: random.Random) -> Outcome:
    """Try random lives of ids; what breaks a promise is raised, with the acts that led there."""
    machine: Any = GoldenIds
    if kind == "database":
        with db.transaction() as session:
            versions.adopt(session, policy.store(session, policy.parse(POLICY), "soak"))
        machine = type("Histories", (Ids,), {"mdm": start()})
    tried = settings(
        max_examples=LIVES[kind],
        stateful_step_count=ACTS,
        derandomize=False,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    run_state_machine_as_test(seeded(rng.randrange(2**32))(machine), settings=tried)
    return Outcome(Counter({f"lives in {kind}": LIVES[kind]}))


def tell(place: Place, rng: random.Random) -> Outcome:
    """Run one random history of a retailer."""
    adopt_policy()
    retailer = Retailer(rng, CUSTOMERS)
    unsent = rng.sample(retailer.records, len(retailer.records))
    history = History(place, rng, retailer, unsent)
    findings: list[str] = []
    for step in range(1, STEPS + 1):
        for _ in range(rng.randint(1, MOST_ACTS)):
            history.act()
            history.counts["acts"] += 1
        found = history.settle()
        if step % UNDO_EVERY == 0:
            found += history.undo()
            history.counts["undone"] += 1
        if step % VERIFY_EVERY == 0:
            found += place.complaints()
        findings += [f"step {step}: {one}" for one in found]
        if findings:
            break
    history.counts += Counter(ids=len(history.told), histories=1)
    return Outcome(history.counts, findings)
