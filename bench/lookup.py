"""Lookup by golden id against a bare `async def` endpoint of the same server: throughput as a ratio, and latency.

The ratio is the median of alternating rounds'. Auditing is included.
"""

import itertools
import json
import statistics
import uuid
from collections.abc import Iterator

import psycopg

from bench import serving
from bench.line import Line
from bench.server import own_database
from bench.serving import Requests, Round
from kernel import actor, db
from kernel.settings import settings
from mdm import policy as policies
from mdm import versions

GOLDENS = 5_000
ROUNDS = 5
MAIN_CONNECTIONS = 64
GOAL = 0.5


def fill() -> tuple[list[str], str]:
    """Store a policy, goldens of a usual size, and a key; gives the golden ids and the key's text."""
    with db.transaction() as session:
        versions.adopt(session, policies.store(session, policies.default(), "bench"))
        _, key = actor.create_key(session, "bench", ["golden:read", "lookup"])
    ids = [str(uuid.uuid4()) for _ in range(GOLDENS)]
    with psycopg.connect(settings().require_database_url(), autocommit=True) as connection:
        connection.execute(
            """INSERT INTO golden (golden_id, status, version, brands, body, content_hash, version_set_id, computed_at)
               SELECT id, 'live', 1, '{main}', %s, '\\x00', (SELECT max(version_set_id) FROM version_set), now()
               FROM unnest(%s::uuid[]) AS id""",
            [json.dumps(_body()), ids],
        )
        connection.execute("ANALYZE golden")
    return ids, key


def _body() -> dict[str, object]:
    origin = {"record_id": str(uuid.uuid4()), "source": "pos", "rule": "trust", "at": "2026-01-01T00:00:00Z", "runners_up": []}
    names = ("name", "emails", "phones", "address", "birth_date", "loyalty_accounts", "preferred_store")
    values = {name: {"value": [{"value": "x" * 40}], "provenance": origin} for name in names}
    members = [{"source": "pos", "source_key": str(number), "record_id": str(uuid.uuid4())} for number in range(3)]
    return {
        "display_name": "Ada Byron",
        "party": "person",
        "consent": "not known",
        "values": values,
        "members": members,
        "version": 1,
    }


def _requests(ids: list[str], key: str) -> dict[str, Requests]:
    turn = itertools.cycle(ids)
    head = f"host: localhost\r\nauthorization: Bearer {key}\r\n"

    def get() -> bytes:
        return f"GET /v1/golden/{next(turn)} HTTP/1.1\r\n{head}\r\n".encode()

    def post() -> bytes:
        body = f'{{"golden_id":"{next(turn)}","view":"checkout"}}'
        more = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        return f"POST /v1/lookup HTTP/1.1\r\n{head}{more}\r\n{body}".encode()

    bare = f"GET /bare HTTP/1.1\r\n{head}\r\n".encode()
    return {"bare endpoint": lambda: bare, "GET /v1/golden/{id}": get, "POST /v1/lookup": post}


def _lines(found: dict[str, list[Round]], connections: int) -> Iterator[Line]:
    bare, *others = found
    for name, rounds in found.items():
        middle = sorted(rounds, key=lambda one: one.per_second)[len(rounds) // 2]
        latency = f"{connections} connections, p50 {middle.percentile(0.5):.2f} ms, p99 {middle.percentile(0.99):.2f} ms"
        yield Line(f"{name} x{connections}", middle.per_second, "requests/s", note=latency)
    for name in others:
        ratios = [one.per_second / against.per_second for one, against in zip(found[name], found[bare], strict=True)]
        goal = GOAL if connections == MAIN_CONNECTIONS else None
        yield Line(
            f"{name} / bare x{connections}", statistics.median(ratios), "ratio", goal, at_most=False, note="audit included"
        )


def measure() -> list[Line]:
    """Measure both lookups at the usual concurrency, and once at others."""
    with own_database():
        asked = _requests(*fill())
        with serving.running_server() as served:
            plan = ((MAIN_CONNECTIONS, ROUNDS), (1, 1), (8, 1), (32, 1))
            return [
                line
                for connections, count in plan
                for line in _lines(serving.run(served.port, asked, connections, count), connections)
            ]
