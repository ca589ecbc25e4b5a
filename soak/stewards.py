"""Stewards' decisions at random, written as settling a task will write them; their ids are drawn as well, to compare runs."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from kernel import db
from kernel.settings import settings
from mdm import decisions, pending
from mdm.decisions import StoredDecision
from tests.resolution import Key, query

INSERT = """INSERT INTO decision
  (decision_id, author, verdict, left_records, right_records, reason_code, version_set_id, checksum)
  VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""
AUTHOR, REASON = "steward:soak", "steward"


@dataclass(frozen=True, slots=True)
class Said:
    """A steward says whether the records of two sides are one customer."""

    decision_id: uuid.UUID
    verdict: str
    left: tuple[Key, ...]
    right: tuple[Key, ...]


def draw(rng: random.Random, keys: Sequence[Key]) -> Said:
    """Say something about two to four of the records."""
    chosen = rng.sample(list(keys), rng.choice((2, 2, 2, 3, 4)))
    cut = rng.randint(1, len(chosen) - 1)
    verdict = rng.choice(("match", "no_match"))
    return Said(uuid.UUID(int=rng.getrandbits(128), version=4), verdict, tuple(chosen[:cut]), tuple(chosen[cut:]))


def write(said: Said) -> None:
    """Write the decision and ask for its records."""
    left, right = ([_record(key) for key in side] for side in (said.left, said.right))
    ((version_set_id,),) = query("SELECT version_set_id FROM version_set WHERE is_current")
    row = StoredDecision(
        said.decision_id, AUTHOR, said.verdict, None, None, None, None, tuple(left), tuple(right), None, (), REASON, None,
        version_set_id, b"",
    )  # fmt: skip
    sealed = decisions.checksum(settings().secret_for("decision"), row)
    query(INSERT, said.decision_id, AUTHOR, said.verdict, left, right, REASON, version_set_id, sealed)
    with db.transaction() as session:
        pending.request(session, [*left, *right], REASON)


def take_back(said: Said) -> None:
    """Supersede the decision and ask for its records."""
    with db.transaction() as session:
        decisions.supersede(session, [said.decision_id], "undone")
        pending.request(session, [_record(key) for key in (*said.left, *said.right)], REASON)


def _record(key: Key) -> uuid.UUID:
    found: uuid.UUID = query("SELECT record_id FROM crosswalk WHERE source = %s AND source_key = %s", *key)[0][0]
    return found
