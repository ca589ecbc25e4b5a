"""Exports taken while eight processes write: each, with the feed behind its cursor, must be the crosswalk there is in the end.

A round is a store of few keys whose records come, change customer, get other keys, go and are erased; the sequencer numbers all
the while. The subscriber is the one of the documents.
"""

import multiprocessing
import random
import runpy
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.server import own_database
from kernel import actor, db, jobs, log
from kernel.errors import MdmError
from kernel.settings import Settings, configure, settings
from mdm import chunks, export_registry, export_rows, exports, policy, published, rekey
from mdm.exports import Wish
from soak.progress import Outcome
from soak.service import ROOT
from stewardship import privacy_erasure
from tests.resolution import Master, empty_records, query, start
from webhooks import feed
from workers import sequencer
from workers.kinds import EXPORTS

TARGET = 20
WRITERS, ACTS, KEYS, PEOPLE = 8, 40, 12, 9
OPERATOR = actor.local("soak")
GIVEN = ("Otto", "Ines", "Boris", "Carla", "Dmitri", "Greta", "Hugo", "Irma", "Jonas")
Crosswalk = dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Taken:
    """What one export said, and the number that it names."""

    rows: list[dict[str, Any]]
    seq: int


@contextmanager
def ready() -> Iterator[Executor]:
    """A database of its own, and processes that write to it."""
    context = multiprocessing.get_context("spawn")
    with own_database(), ProcessPoolExecutor(WRITERS, context, _begin, (settings(),)) as writers:
        start()
        yield writers


def _begin(given: Settings) -> None:
    log.configure(json=False, level="ERROR")
    configure(given)


def run(writers: Executor, seed: str, _evidence: Path) -> Outcome:
    """Take exports while all write; then follow the feed behind each."""
    empty_records()
    query("DELETE FROM suppression")  # Whoever was erased in the round before may come again.
    outcome = Outcome()
    taken = take_while(writers, seed, outcome, ACTS)
    final = crosswalk()
    for one in taken:
        if (held := followed(one)) != final:
            wrong = {key for key in held.keys() | final.keys() if held.get(key) != final.get(key)}
            outcome.findings.append(f"{seed}: an export at {one.seq} and the feed behind it differ in {len(wrong)}: {wrong}")
        moved = {(row["source"], row["source_key"]): row["golden_id"] for row in one.rows if row["golden_id"]} != final
        outcome.counts.update({"exports": 1, "of which the feed changed": int(moved)})
    return outcome


def take_while(writers: Executor, seed: str, outcome: Outcome, acts: int) -> list[Taken]:
    """Let writers write, the sequencer number, and take one export after the other until the writers are done."""
    stopping = threading.Event()
    numbering = threading.Thread(target=_number, args=[stopping], daemon=True)
    numbering.start()
    writing = [writers.submit(write, f"{seed}:{number}", acts) for number in range(WRITERS)]
    taken = []
    while not all(one.done() for one in writing):
        taken.append(take())
    outcome.counts["acts of writers"] += sum(one.result() for one in writing)
    master().drain()
    stopping.set()
    numbering.join()
    sequencer.number_all()
    return taken


def _number(stopping: threading.Event) -> None:
    while not stopping.wait(0.005):
        sequencer.number_all()


def master() -> Master:
    """The installation, with the policy that rules."""
    with db.read_only() as session:
        return Master(policy.current(session))


def write(seed: str, acts: int) -> int:
    """Be one writer: so many acts, each resolved at once; how many there were."""
    rng, mdm = random.Random(seed), master()
    for _ in range(acts):
        source, key = rng.choice(("shop", "pos", "crm")), str(rng.randrange(KEYS))
        _act(mdm, rng, source, key)
        mdm.drain()
    return acts


def _act(mdm: Master, rng: random.Random, source: str, key: str) -> None:
    chance = rng.random()
    if chance < 0.75:
        mdm.put(source, key, person(rng.randrange(PEOPLE)))
    elif chance < 0.89:
        mdm.delete(source, key)
    elif chance < 0.9:
        _erase(mdm, source, key)
    else:
        try:
            with db.transaction() as session:
                rekey.rekey(session, OPERATOR, source, key, str(rng.randrange(100, 10_000)))
        except MdmError:
            time.sleep(0)  # There is no such record, or somebody else has the key.


def _erase(mdm: Master, source: str, key: str) -> None:
    """Erase one record, whoever else lives under its golden id."""
    found = query("SELECT record_id FROM crosswalk WHERE source = %s AND source_key = %s", source, key)
    if found:
        privacy_erasure.end(mdm.resolver, privacy_erasure.begin(db.transaction, uuid.uuid4(), [found[0][0]]))


def person(number: int) -> dict[str, Any]:
    """Somebody who has nothing in common with those of other numbers."""
    given = GIVEN[number]
    mail = f"{given.lower()}@example{number}.org"
    born = f"19{40 + 5 * number}-0{1 + number % 9}-1{number % 9}"
    return {"given_name": given, "surname": f"{given[::-1].title()}ski", "birth_date": born, "emails": [mail]}


def take() -> Taken:
    """Take an export of the crosswalk as a worker does."""
    with db.transaction() as session:
        export_id = exports.begin(session, policy.current(session), Wish(export_rows.CROSSWALK, "ndjson"), OPERATOR)
        claim = jobs.claim_chunk(session, "soak", [exports.KIND], job_id=export_id)
    if claim is not None:
        chunks.take(db.transaction, EXPORTS, claim)
    with db.transaction() as session:
        entry, path = export_registry.hand_out(session, export_id, OPERATOR)
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    path.unlink()
    return Taken(rows, entry.seq or 0)


def subscriber() -> Any:
    """A new reference subscriber."""
    return runpy.run_path(str(ROOT / "docs" / "examples" / "subscriber.py"))["Subscriber"]()


def followed(taken: Taken) -> Crosswalk:
    """What a subscriber holds that loaded an export and followed the feed behind its number to the end."""
    follower, after, has_more = subscriber(), taken.seq, True
    follower.load(taken.rows, taken.seq)
    while has_more:
        with db.read_only() as session:
            known = feed.log(session)
            page = feed.read(session, known, after)
            for event in published.shown(session, known, page.events):
                follower.apply(event)
        after, has_more = page.reached, page.has_more
    held: Crosswalk = follower.crosswalk()
    return held


def crosswalk() -> Crosswalk:
    """The crosswalk that there is."""
    rows = query("SELECT source, source_key, golden_id FROM crosswalk WHERE golden_id IS NOT NULL")
    return {(source, key): str(golden_id) for source, key, golden_id in rows}
