"""P5: in long random histories no merge adds a permission, undoing one restores what was, and no withdrawal is undone.

Of fifteen iterations five try 1,000 histories of 50 acts in memory, and ten 50 each of 50 acts on stored records, decisions and
undo among them: 5,000 and 500 in all. Each also holds the fold against an independent one on 20,000 questions that no other
iteration asks.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from consent.effective import judge
from kernel import db
from mdm import policy, versions
from soak.place import Place, own_place
from soak.progress import Outcome
from tests.consent.reference import answer
from tests.consent.test_effective import Histories
from tests.consent.world import EVERY, RULES, customer, day
from tests.mdm.test_consent_histories import Consents
from tests.resolution import POLICY, start

# A run that ends early has tried both.
KINDS = ("memory", "database", "database") * 5
TARGET = len(KINDS)
LIVES, ACTS = {"memory": 1_000, "database": 50}, 50
QUESTIONS = 20_000


@contextmanager
def ready() -> Iterator[Place]:
    """What all iterations of a process share."""
    with own_place() as place:
        yield place


def run(place: Place, seed: str, evidence: Path) -> Outcome:
    """Try a number of random histories, and the fold on random entries."""
    kind, rng = KINDS[int(seed.rpartition(":")[2]) % len(KINDS)], random.Random(seed)
    machine: Any = Histories
    if kind == "database":
        place.empty()
        with db.transaction() as session:
            versions.adopt(session, policy.store(session, policy.parse(POLICY), "soak"))
        machine = type("Stored", (Consents,), {"mdm": start()})
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
    findings = list(_differing(rng))
    return Outcome(Counter({f"{ACTS}-act histories in {kind}": LIVES[kind], "questions": QUESTIONS}), findings)


def _differing(rng: random.Random) -> Iterator[str]:
    for _ in range(QUESTIONS):
        seed = rng.randrange(2**48)
        by = random.Random(seed)
        drawn, at = customer(by), day(by.randint(-5, 800))
        query = by.choice([*EVERY, replace(by.choice(EVERY), contact=None)])
        found, expected = judge(drawn, query, RULES, at).answer, answer(drawn, query, RULES, at)
        if found != expected:
            yield f"seed {seed}: {found} and not {expected}"
