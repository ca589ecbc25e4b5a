"""POST /v1/golden:search with a million records stored, two to a customer: latency by kind of question, and as a ratio.

Names and postal codes come in the frequencies of the simulated retailer; rows are written past ingest. Auditing is included.
"""

import itertools
import random
import statistics
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson
import psycopg

from bench import serving, stored
from bench.line import Line
from bench.server import own_database
from bench.serving import Requests, Round
from kernel import actor, clock, db
from kernel.settings import settings
from matching.record import StandardRecord
from matching.standardize import standardize
from mdm.incoming import Incoming, Prepared, SourceRules, prepare
from mdm.policy import Policy

STORED, DRAWN_FROM = 1_000_000, 20_000
SEED = 2026
ROUNDS, SECONDS, CONNECTIONS = 3, 2.0, 8
GOAL_MILLISECONDS = 50.0
BARE = "bare endpoint"
# One brand in a hundred is `small`: its desk's searches pass over everybody else's terms.
PERSON = """CREATE TEMP TABLE person (record_id uuid, golden_id uuid, source_key text, brand text, given text, surname text,
              email text, phone text, postal_code text)"""
FILL = (
    """INSERT INTO source_record (record_id, source, source_key, brand, version_no, is_deleted, received_at, payload_hash)
       SELECT record_id, 'crm', source_key, brand, 1, false, now(), '\\x00' FROM person""",
    """INSERT INTO golden (golden_id, status, version, brands, body, content_hash, version_set_id, computed_at)
       SELECT golden_id, 'live', 1, array_agg(DISTINCT brand), jsonb_build_object('display_name', min(given || ' ' || surname)),
              '\\x00', (SELECT max(version_set_id) FROM version_set), now() FROM person GROUP BY golden_id""",
    """INSERT INTO crosswalk (record_id, source, source_key, brand, state, golden_id, version_no)
       SELECT record_id, 'crm', source_key, brand, 'resolved', golden_id, 1 FROM person""",
    """INSERT INTO search_term (term, record_id, brand, region)
       SELECT term, record_id, brand, '' FROM person, unnest(ARRAY['n' || given, 'n' || surname, 'e' || email,
         'p' || reverse(phone), 'z' || postal_code]) AS term GROUP BY term, record_id, brand ORDER BY term, record_id""",
    "DROP TABLE person",
    "VACUUM ANALYZE",
)


class Person(NamedTuple):
    """What is stored of one record, besides its ids."""

    source_key: str
    brand: str
    given: str
    surname: str
    email: str
    phone: str
    postal_code: str


def people(rules: Policy, count: int) -> Iterator[Person]:
    """Draw people whose names and places are as frequent as the simulated retailer's; two in a row are one customer."""
    draw = random.Random(SEED)  # noqa: S311 - a draw, not a secret.
    simulated = list(_simulated(rules))
    names = [one.name for one in simulated if one.name]
    given = [word for name in names if len(word := (name.given_folded or "").split(" ")[0]) > 1]
    surnames = [word for name in names if len(word := (name.surname_folded or "").split(" ")[-1]) > 1]
    places = [home.postal_key for one in simulated for home in one.addresses if home.postal_key]
    for number in range(0, count, 2):
        mine = (draw.choice(given), draw.choice(surnames))
        phone, place = f"351{draw.randrange(10**9):09}", draw.choice(places)
        for record in (number, number + 1):
            brand = "small" if number % 100 == 0 else "main"
            yield Person(f"k{record}", brand, *mine, f"{mine[0]}.{record}@example.org", phone, place)


def _simulated(rules: Policy) -> Iterator[StandardRecord]:
    now = clock.now()
    sources = {name: SourceRules.of(rules, name, b"") for name in rules.sources}
    for one in stored.records(DRAWN_FROM, SEED):
        prepared = prepare(sources[one.source], Incoming(one.key, one.payload, raw=b"{}"), now)
        if isinstance(prepared, Prepared):
            yield standardize(prepared.input, sources[one.source].context)


def fill() -> tuple[list[Person], dict[str, str]]:
    """Store everything; gives some people to search for, and the keys of two callers."""
    rules = stored.adopt()
    with db.transaction() as session:
        keys = {
            name: actor.create_key(session, name, ["golden:read"], brands)[1]
            for name, brands in (("all", None), ("small", ["small"]))
        }
    everyone = list(people(rules, STORED))
    with psycopg.connect(settings().require_database_url(), autocommit=True) as connection:
        connection.execute(PERSON)
        with connection.cursor() as cursor, cursor.copy("COPY person FROM STDIN") as copy:
            for pair in zip(everyone[::2], everyone[1::2], strict=True):
                golden_id = uuid.uuid4()
                for one in pair:
                    copy.write_row((uuid.uuid4(), golden_id, *one))
        for statement in FILL:
            connection.execute(statement)
    return random.Random(SEED).sample(everyone, 2_000), keys  # noqa: S311 - a draw, not a secret.


def questions(known: Sequence[Person], keys: dict[str, str]) -> dict[str, Requests]:
    """The kinds of question, each with a turn of requests of its own."""
    kinds: dict[str, list[dict[str, Any]]] = {
        "given and surname": [{"name": f"{one.given} {one.surname}"} for one in known],
        "three letters of a surname": [{"name": one.surname[:3]} for one in known],
        "two letters": [{"name": one.given[:2]} for one in known],
        "e-mail": [{"email": one.email} for one in known],
        "phone": [{"phone": f"+{one.phone}"} for one in known],
        "four digits of a phone": [{"phone": one.phone[-4:]} for one in known],
        "postal code": [{"postal_code": one.postal_code} for one in known],
        "name and postal code": [{"name": one.surname, "postal_code": one.postal_code} for one in known],
        "two letters and postal code": [{"name": one.given[:2], "postal_code": one.postal_code} for one in known],
        "a record's key": [{"source_key": {"key": one.source_key}} for one in known],
        "nobody of two common names": [{"name": f"{one.given} {other.surname}"} for one, other in itertools.pairwise(known)],
    }
    asked = {name: _turn(bodies, keys["all"]) for name, bodies in kinds.items()}
    asked["two letters, one brand in a hundred"] = _turn(kinds["two letters"], keys["small"])
    mixed = [one for turn in zip(*kinds.values(), strict=False) for one in turn]
    return {BARE: _bare(keys["all"]), "all kinds in turn": _turn(mixed, keys["all"]), **asked}


def _bare(key: str) -> Requests:
    request = f"GET /bare HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\r\n".encode()
    return lambda: request


def _turn(bodies: Sequence[dict[str, Any]], key: str) -> Requests:
    head = f"POST /v1/golden:search HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n".encode()
    made = [
        b"%scontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (head, len(body), body)
        for body in map(orjson.dumps, bodies)
    ]
    turn = itertools.cycle(made)
    return lambda: next(turn)


def measure() -> list[Line]:
    """Fill, then ask one caller's questions of every kind by itself, and all kinds by several callers at once."""
    with own_database():
        asked = questions(*fill())
        with serving.running_server() as served:
            alone = serving.run(served.port, asked, 1, 1, SECONDS)
            several = {name: asked[name] for name in (BARE, "all kinds in turn")}
            together = serving.run(served.port, several, CONNECTIONS, ROUNDS, SECONDS)
    return [*_latencies(alone), *_ratio(together)]


def _latencies(found: dict[str, list[Round]]) -> Iterator[Line]:
    for name, (one,) in found.items():
        goal = None if name == BARE else GOAL_MILLISECONDS
        note = f"p50 {one.percentile(0.5):.2f} ms, {len(one.latencies)} answers, one caller, {STORED:,} stored"
        yield Line(f"search, {name}, p95", one.percentile(0.95), "ms", goal, note=note)


def _ratio(found: dict[str, list[Round]]) -> Iterator[Line]:
    searches, bare = found["all kinds in turn"], found[BARE]
    ratio = statistics.median(one.per_second / against.per_second for one, against in zip(searches, bare, strict=True))
    middle = sorted(searches, key=lambda one: one.per_second)[len(searches) // 2]
    callers = f"{CONNECTIONS} callers, one process, p50 {middle.percentile(0.5):.1f} ms, p95 {middle.percentile(0.95):.1f} ms"
    yield Line("search, all kinds", middle.per_second, "requests/s", note=callers)
    yield Line("search / bare endpoint", ratio, "ratio", note="audit included")
