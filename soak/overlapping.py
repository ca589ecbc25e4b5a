"""32 threads that ingest, merge and undo about the same records at once: nobody is answered a failure, the end is what was said.

Every thread owns some records and the decisions it made. What it is refused (a contradiction, a look that is out of date) is
part of the game; an answer of 500 and above is not.
"""

import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from soak.http_client import Http
from soak.population import Held, Retailer
from soak.stewards import Said
from soak.wounded import Wounded
from tests.resolution import query

OK, CREATED = 200, 201
LOOKS = 3
REFUSALS = frozenset({409, 412, 422})  # A contradiction; a look that is out of date; both sides are one record.
LIVE = """
SELECT d.decision_id, d.verdict, array_agg(DISTINCT ARRAY[l.source, l.source_key]),
  array_agg(DISTINCT ARRAY[r.source, r.source_key])
FROM decision d JOIN source_record l ON l.record_id = ANY(d.left_records)
  JOIN source_record r ON r.record_id = ANY(d.right_records)
WHERE d.superseded_at IS NULL GROUP BY 1, 2"""


@dataclass
class Thread:
    """One thread's records and decisions, and what it was answered."""

    http: Http
    rng: random.Random
    retailer: Retailer
    own: list[Held]
    others: list[Held]
    made: list[str] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)

    def act(self) -> None:
        """Ingest, merge, part or undo."""
        acts = {self.ingest: 6, self.decide: 3, self.undo: 1}
        self.rng.choices(list(acts), list(acts.values()))[0]()

    def ingest(self) -> None:
        """Tell the news of a record."""
        one = self.rng.choice(self.own)
        said = (
            one.record.payload if not one.deliveries else self.retailer.revised(one.record.source, one.record.payload, self.rng)
        )
        delivery = one.next(said)
        status, text = self.http.ask("POST", "/v1/records:batch", json.dumps(delivery.line()).encode() + b"\n", **NDJSON)
        if status != OK or json.loads(text.splitlines()[0])["status"] in ("failed", "rejected"):
            self.trouble.append(f"a record was answered {status}: {text[:200]!r}")
            return
        one.taken(delivery, "created")
        self.answered["ingested"] += 1

    def decide(self) -> None:
        """Say that two records are one customer, or are not: look, then decide on what was seen."""
        left, right = self.rng.choice(self.own), self.rng.choice(self.others)
        if not left.deliveries or not right.deliveries:
            return self.ingest()
        verdict = self.rng.choice(("match", "no_match"))
        body = {"verdict": verdict, "left": _side(left), "right": _side(right), "reason": "Asked at the till."}
        answer = self.on_what_is_seen("/v1/decisions", body)
        if "decision_id" in answer:
            self.made.append(answer["decision_id"])
        self.answered[verdict if "decision_id" in answer else f"refused: {answer.get('code')}"] += 1
        return None

    def undo(self) -> None:
        """Take a decision of one's own back."""
        if not self.made:
            return self.decide()
        known = self.made.pop(self.rng.randrange(len(self.made)))
        answer = self.on_what_is_seen(f"/v1/decisions/{known}:undo", {"reason": "It was wrong."})
        if "decision_id" not in answer:
            self.made.append(known)
        self.answered["undone" if "decision_id" in answer else f"refused: {answer.get('code')}"] += 1
        return None

    def on_what_is_seen(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Look and act; again when what was seen has changed meanwhile."""
        answer: dict[str, Any] = {}
        for _ in range(LOOKS):
            status, seen = self.http.json(f"{path}?dry_run=true", body)
            if status != OK:
                answer = seen
                break
            status, answer = self.http.json(path, {**body, "preview_token": seen["preview_token"]})
            if status in (OK, CREATED):
                return answer
        if status not in REFUSALS:
            self.trouble.append(f"{path.rpartition('/')[2][-8:]} was answered {status}: {str(answer)[:200]}")
        return answer


NDJSON = {"Content-Type": "application/x-ndjson"}


def _side(one: Held) -> dict[str, Any]:
    return {"records": [{"source": one.record.source, "key": one.key}]}


@dataclass(frozen=True)
class Overlapped:
    """What the threads came to."""

    deliveries: list[Any]
    answered: Counter[str]
    trouble: list[str]
    retries: int
    seconds: float


def overlap(ground: Wounded, rng: random.Random, threads: int, operations: int, customers: int) -> Overlapped:
    """Let threads act until so many operations are done altogether."""
    retailer = Retailer(rng, customers, "typical")
    held = [Held(record, record.key) for record in retailer.records]
    crowd = [
        Thread(Http(ground.service.base_url, ground.key), random.Random(rng.random()), retailer, held[number::threads], held)
        for number in range(threads)
    ]
    each = -(-operations // threads)

    def run(one: Thread) -> None:
        for _ in range(each):
            one.act()

    running = [threading.Thread(target=run, args=[one]) for one in crowd]
    began = time.monotonic()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    answered = sum((one.answered for one in crowd), Counter[str]())
    deliveries = [delivery for one in held for delivery in one.deliveries]
    trouble = [what for one in crowd for what in one.trouble]
    return Overlapped(deliveries, answered, trouble, sum(one.http.retries for one in crowd), time.monotonic() - began)


def live() -> list[Said]:
    """The decisions about two sides that hold, by keys."""
    return [
        Said(uuid.UUID(str(known)), verdict, tuple(map(tuple, left)), tuple(map(tuple, right)))
        for known, verdict, left, right in query(LIVE)
    ]
