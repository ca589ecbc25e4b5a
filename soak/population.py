"""Random deliveries of a simulated retailer: records change, return to what they were, are deleted, and crowd at one phone.

Every delivery has a source version and a source time that grow together, so that which one is current never hangs on arrival.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from mdm.incoming import Incoming
from sampledata.retailer import SimulatedRecord, simulate

Payload = dict[str, Any]
PROFILES = ("clean", "typical", "dirty")
STEP = 10  # Source versions grow by so much, so that some are left to come late.
VERSIONS = (1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 4)
DELETED, RETURNED = 0.15, 0.15
CROWDED_PHONE = "+442079460018"
CROWD = (190, 215)  # Around the number of records at which a blocking key becomes hot.


@dataclass(frozen=True, slots=True)
class Delivery:
    """One version of one record as its source tells it; without a payload it is the deletion."""

    source: str
    key: str
    version: int
    payload: Payload | None
    since: str

    @property
    def at(self) -> datetime:
        """When the source made this version."""
        return datetime.fromisoformat(self.since) + timedelta(hours=self.version)

    def item(self) -> Incoming:
        """As `mdm.ingest` takes it."""
        return Incoming(self.key, self.payload, self.version, self.at, delete=self.payload is None)

    def line(self) -> Payload:
        """As a line of a batch."""
        said = {"delete": True} if self.payload is None else {"record": self.payload}
        mark = {"source_version": self.version, "source_updated_at": self.at.isoformat()}
        return {"source": self.source, "key": self.key, **said, **mark}


class Retailer:
    """A simulated retailer whose records can change. All its chances are drawn from `rng`."""

    def __init__(self, rng: random.Random, customers: int, profile: str | None = None) -> None:
        self.rng = rng
        self.records = list(simulate(customers, rng.randrange(10**9), profile or rng.choice(PROFILES)))
        self._payloads: dict[str, list[Payload]] = {}
        for record in self.records:
            self._payloads.setdefault(record.source, []).append(record.payload)

    def crowd(self) -> list[SimulatedRecord]:
        """Records of many people who all give one phone: about as many as make its key hot."""
        size = self.rng.randint(*CROWD)
        people = [one for one in simulate(size * 12, self.rng.randrange(10**9), "clean") if one.source == "pos"][:size]
        return [replace(one, key=f"crowd-{one.key}", payload={**one.payload, "tel": CROWDED_PHONE}) for one in people]

    def revised(self, source: str, payload: Payload, rng: random.Random | None = None) -> Payload:
        """What a record might say next: somebody else's record, some of somebody else's values, or less than before."""
        rng = rng or self.rng
        donor = rng.choice(self._payloads[source])
        chance = rng.random()
        if chance < 0.25:
            return donor
        names = rng.sample(sorted(donor), min(len(donor), rng.randint(1, 3)))
        if chance < 0.75:
            return {**payload, **{name: donor[name] for name in names}}
        return {name: value for name, value in payload.items() if name not in names}

    def history(self, record: SimulatedRecord) -> list[Delivery]:
        """All versions of one record, in their order."""
        said: list[Payload | None] = [record.payload]
        for _ in range(self.rng.choice(VERSIONS) - 1):
            last = next(one for one in reversed(said) if one is not None)
            chance = self.rng.random()
            if chance < DELETED:
                said.append(None)
            else:
                said.append(said[0] if chance < DELETED + RETURNED else self.revised(record.source, last))
        return [Delivery(record.source, record.key, number, payload, record.updated_at) for number, payload in enumerate(said, 1)]


@dataclass
class Held:
    """A record as its source last told it. `deliveries` were taken; `logged` are the versions that must be in the log."""

    record: SimulatedRecord
    key: str
    version: int = 0
    payload: Payload | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    logged: set[int] = field(default_factory=set)

    def next(self, payload: Payload | None) -> Delivery:
        """The next version."""
        return self._at(self.version - self.version % STEP + STEP, payload)

    def again(self) -> Delivery:
        """The current version once more."""
        return self._at(self.version, self.payload)

    def late(self, payload: Payload | None, rng: random.Random) -> Delivery | None:
        """A version that was skipped and comes late; None when none was."""
        told = {one.version for one in self.deliveries}
        skipped = [number for number in range(1, self.version) if number not in told]
        return self._at(rng.choice(skipped), payload) if skipped else None

    def _at(self, version: int, payload: Payload | None) -> Delivery:
        return Delivery(self.record.source, self.key, version, payload, self.record.updated_at)

    def taken(self, delivery: Delivery, status: str) -> None:
        """Remember what was taken, and what it was said to be."""
        self.deliveries.append(delivery)
        if status != "same":
            self.logged.add(delivery.version)
        if delivery.version > self.version:
            self.version, self.payload = delivery.version, delivery.payload

    def renamed(self, key: str) -> None:
        """Its source gave it another key."""
        self.key = key
        self.deliveries = [replace(one, key=key) for one in self.deliveries]
