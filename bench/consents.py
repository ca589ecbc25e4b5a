"""Consent checks: questions a second in batches, how long one takes, and the fold of a thousand entries.

Golden records of three records each, with consents and withdrawals of most, inserted past the application; auditing is included.
"""

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import psycopg

from bench.line import Line
from bench.server import own_database
from cli.serve import COLLECT_AFTER
from consent import ledger
from consent.effective import Customer, Holding, Member, judge
from consent.entries import Channel, Entry, Origin, Query, State
from consent.purposes import shipped
from kernel import actor, clock, db, jobs
from kernel.settings import settings
from mdm import audiences, consent_checks, contact_points, uploads, versions
from mdm import policy as policies
from mdm.consent_checks import Check
from mdm.consent_files import Default
from mdm.crew import collect_seldom

GOLDENS = 20_000
BATCH = 5_000
ROUNDS = 5
SINGLES = 400
CHECKS_A_SECOND, SINGLE_P99_SECONDS, FOLD_SECONDS = 5_000, 0.010, 0.002
START = datetime(2026, 1, 1, tzinfo=UTC)
MARKETING = Query("marketing", Channel.EMAIL, "main", "a")


def fold_seconds() -> float:
    """How long the fold of a thousand entries takes, the median of fifty: its own time on a core."""
    member = Member(uuid.uuid4(), (Holding("a", "email"),), frozenset({"EU"}))
    entries = tuple(
        Entry(
            uuid.uuid4(), State.WITHDRAWN if number % 2 else State.GIVEN, START, START + timedelta(hours=number), "a",
            Channel.EMAIL, "marketing", "main", origin=Origin.SUBJECT, is_evidenced=True, records=frozenset({member.record_id}),
        )
        for number in range(1_000)
    )  # fmt: skip
    customer, took = Customer((member,), entries), []
    for _ in range(50):
        began = time.process_time()
        judge(customer, MARKETING, shipped(), START + timedelta(days=400))
        took.append(time.process_time() - began)
    return statistics.median(took)


def fill() -> list[uuid.UUID]:
    """Store golden records of three records each, with an e-mail address of their own and two entries; their ids."""
    with db.transaction() as session:
        versions.adopt(session, policies.store(session, policies.default(), "bench"))
    goldens = [uuid.uuid4() for _ in range(GOLDENS)]
    hashed = ledger.contact_hasher()
    records = [(uuid.uuid4(), golden, f"c{place}@example.com") for place, golden in enumerate(goldens) for _ in range(3)]
    points = [contact_points.read("email", mail) for _, _, mail in records]
    with psycopg.connect(settings().require_database_url(), autocommit=True) as connection:
        connection.execute(_GOLDENS, [goldens])
        ids, of, mails = ([str(row[place]) for row in records] for place in range(3))
        connection.execute(_RECORDS, {"ids": ids, "of": of, "mails": mails})
        contacts = [bytes.fromhex(hashed("email", point.canonical)) for point in points if point]
        connection.execute(_ENTRIES, {"ids": ids, "contacts": contacts})
        connection.execute("ANALYZE")
    return goldens


_GOLDENS = """
INSERT INTO golden (golden_id, status, version, brands, body, content_hash, version_set_id, computed_at)
SELECT id, 'live', 1, '{main}', '{}', '\\x00', (SELECT max(version_set_id) FROM version_set), now()
FROM unnest(%s::uuid[]) AS id"""
_RECORDS = """
WITH n AS (SELECT * FROM unnest(%(ids)s::uuid[], %(of)s::uuid[], %(mails)s::text[]) AS n (id, golden, mail)),
s AS (INSERT INTO source_record (record_id, source, source_key, brand, version_no, is_deleted, received_at, payload_hash)
  SELECT id, 'pos', id::text, 'main', 1, false, now(), '\\x00' FROM n),
c AS (INSERT INTO crosswalk (record_id, source, source_key, brand, state, golden_id, version_no)
  SELECT id, 'pos', id::text, 'main', 'resolved', golden, 1 FROM n)
INSERT INTO standard_record (record_id, version_no, source, source_key, brand, observed_at, standardizer, policy_version,
  form_hash, body)
SELECT id, 1, 'pos', id::text, 'main', now(), 'bench', 1, '\\x00', jsonb_build_object(
  'emails', jsonb_build_array(jsonb_build_object('value', mail, 'key', mail)),
  'phones', jsonb_build_array(jsonb_build_object('value', '+34655872310', 'country', 'ES')),
  'addresses', jsonb_build_array(jsonb_build_object('country', 'ES', 'city', 'Madrid', 'lines', '["Calle Mayor 5"]'::jsonb)))
FROM n"""
_ENTRIES = """
WITH n AS (SELECT *, gen_random_uuid() AS entry_id FROM unnest(%(ids)s::uuid[], %(contacts)s::bytea[]) WITH ORDINALITY
  AS n (id, contact, place)),
e AS (INSERT INTO consent_entry (entry_id, state, recorded_at, occurred_at, contact, contact_kind, channel, purpose, brand, basis,
    origin, strength, method, is_evidenced, recorded_by)
  SELECT entry_id, CASE WHEN place %% 7 = 0 THEN 'withdrawn' ELSE 'given' END, now(), now() - interval '1 day', contact, 'email',
    'email', 'marketing', 'main', 'consent', 'subject', 'express', 'web_form', true, 'bench' FROM n RETURNING entry_id)
INSERT INTO consent_anchor (record_id, entry_id, since) SELECT id, entry_id, now() FROM n"""


async def _timed(act: Callable[[], Awaitable[object]], times: int) -> list[float]:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await act()
        took.append(time.perf_counter() - began)
    return took


async def _measured(goldens: list[uuid.UUID]) -> tuple[float, float]:
    """Checks a second in batches, and the time within which 99 of 100 single checks are answered."""
    caller, rules = actor.local("bench"), shipped()
    asked = iter(goldens * 20)

    def some(number: int) -> list[Check]:
        return [Check("marketing", Channel.EMAIL, "main", next(asked)) for _ in range(number)]

    await consent_checks.check(caller, rules, some(BATCH), clock.now())
    batches = await _timed(lambda: consent_checks.check(caller, rules, some(BATCH), clock.now()), ROUNDS)
    singles = await _timed(lambda: consent_checks.check(caller, rules, some(1), clock.now()), SINGLES)
    await db.close_async_pool()
    return BATCH / statistics.median(batches), statistics.quantiles(singles, n=100)[98]


def _audience(goldens: list[uuid.UUID]) -> float:
    """Rows a second of an audience, as a worker's reader makes it: file in, file out."""
    upload = uuid.uuid4()
    path = uploads.folder() / f"{upload}.ndjson"
    path.write_bytes(b"".join(b'{"golden_id": "%s"}\n' % str(one).encode() for one in goldens))
    wish = audiences.Wish("ndjson", Default("marketing", Channel.EMAIL, "main"))
    with db.transaction() as session:
        made = audiences.begin(session, wish, str(upload), actor.local("bench"))
        claim = jobs.claim_chunk(session, "bench", [audiences.KIND], job_id=made)
    if claim is None:
        raise RuntimeError("nobody else works here")
    began = time.perf_counter()
    audiences.make(db.transaction, lambda scope: db.read_only(db.Role.APP, scope), claim)
    return len(goldens) / (time.perf_counter() - began)


def measure() -> list[Line]:
    """Measure all four; garbage is collected as seldom as the server does."""
    with own_database():
        goldens = fill()
        collect_seldom(COLLECT_AFTER)
        rate, single = asyncio.run(_measured(goldens))
        audience = _audience(goldens)
    return [
        Line("consent checks in batches", rate, "checks/s", CHECKS_A_SECOND, False, "three records a customer"),
        Line("a consent check, 99 of 100", single * 1e3, "ms", SINGLE_P99_SECONDS * 1e3, note="past HTTP, audited"),
        Line("rows of an audience", audience, "rows/s", note="as a job, one process: a file in, a file out"),
        Line("fold of 1,000 consent entries", fold_seconds() * 1e3, "ms", FOLD_SECONDS * 1e3),
    ]
