"""Search before create with 50,000 and then more records stored: two API processes, eight callers, everything included.

Half of the records asked about are stored already, half are of people never seen. Beside requests a second stands what a request
costs in processor time, by part: that hangs less on who else uses the machine, and says what two cores could answer.
"""

import itertools
import random
import statistics
from collections.abc import Iterator, Sequence

import orjson
import uvloop

from bench import costs, serving, stored
from bench.line import Line
from bench.server import own_database
from bench.serving import Requests, Round, Served
from kernel import actor, db
from sampledata.retailer import SimulatedRecord

STORED, MORE = 50_000, 150_000
ASKED = 20_000
SEED = 2026
PROCESSES, CONNECTIONS = 2, 8
ROUNDS, SECONDS = 5, 3.0
GOAL_PER_SECOND, GOAL_MILLISECONDS, GOAL_LARGE = 1_000.0, 15.0, 0.8
CORES = 2
BARE, MATCH = "bare endpoint", "POST /v1/match"


def measure() -> list[Line]:
    """Fill, measure, fill up, measure again."""
    known = stored.records(STORED, SEED)
    with own_database():
        rules = stored.adopt()
        stored.store(rules, known)
        asked = _requests(mixed(known, stored.records(ASKED // 2, SEED + 1)), _key())
        first = _measured(asked, f"{STORED:,} stored")
        stored.store(rules, stored.records(MORE, SEED + 2))
        more = _measured(asked, f"{STORED + MORE:,} stored")
    ratio = more[0].value / first[0].value
    return [*first, *more, Line(f"match, {STORED + MORE:,} / {STORED:,} stored", ratio, "ratio", GOAL_LARGE, at_most=False)]


def mixed(known: Sequence[SimulatedRecord], new: Sequence[SimulatedRecord]) -> list[SimulatedRecord]:
    """Records of people that are stored and of people never seen, in turn."""
    shuffled = random.Random(SEED).sample(known, min(len(known), len(new)))  # noqa: S311 - a draw, not a secret.
    return [one for pair in zip(shuffled, new, strict=False) for one in pair]


def _key() -> str:
    with db.transaction() as session:
        return actor.create_key(session, "bench", ["match"])[1]


def _requests(asked: Sequence[SimulatedRecord], key: str) -> dict[str, Requests]:
    head = f"host: localhost\r\nauthorization: Bearer {key}\r\n".encode()
    bare = b"GET /bare HTTP/1.1\r\n" + head + b"\r\n"
    bodies = [orjson.dumps({"source": one.source, "record": one.payload}) for one in asked]
    made = [
        b"POST /v1/match HTTP/1.1\r\n%scontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (head, len(body), body)
        for body in bodies
    ]
    turn = itertools.cycle(made)
    return {BARE: lambda: bare, MATCH: lambda: next(turn)}


def _measured(asked: dict[str, Requests], note: str) -> list[Line]:
    with serving.running_server(PROCESSES) as served:
        found = serving.run(served.port, asked, CONNECTIONS, ROUNDS, SECONDS)
        bare, each = (_costs(served, asked[name]) for name in (BARE, MATCH))
    return [
        *_lines(found, each, note),
        Line("match / bare endpoint, processor time of the API", each["API"] / bare["API"], "times"),
    ]


def _costs(served: Served, requests: Requests) -> dict[str, float]:
    """Processor time of one request by part, in microseconds, over a round of its own; the client is this process."""
    before = costs.spent(API=served.pids)
    count = len(uvloop.run(serving.drive(served.port, requests, CONNECTIONS, SECONDS)).latencies)
    return costs.each(before, costs.spent(API=served.pids), count)


def _lines(found: dict[str, list[Round]], each: dict[str, float], note: str) -> Iterator[Line]:
    rounds = sorted(found[MATCH], key=lambda one: one.per_second)
    middle = rounds[len(rounds) // 2]
    ratio = statistics.median(one.per_second / bare.per_second for one, bare in zip(found[MATCH], found[BARE], strict=True))
    with_callers = f"{note}, {PROCESSES} processes, {CONNECTIONS} callers"
    yield Line("match", middle.per_second, "requests/s", GOAL_PER_SECOND, at_most=False, note=with_callers)
    yield Line("match, p99", middle.percentile(0.99), "ms", GOAL_MILLISECONDS, note=f"p50 {middle.percentile(0.5):.2f} ms")
    yield Line("match / bare endpoint", ratio, "ratio", note=note)
    parts = ", ".join(f"{part} {cost:.0f}" for part, cost in each.items())
    yield Line("match, processor time", sum(each.values()), "µs/request", note=f"{parts} µs")
    yield Line(f"match, by processor time on {CORES} cores", CORES / sum(each.values()) * 1e6, "requests/s", note=note)
