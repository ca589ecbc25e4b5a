"""Consent where 100,000 customers hold one phone, each with an entry of their own for it, every seventh a withdrawal.

None of it may take a time that grows with their number times their entries. Inserted past the application.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import psycopg

from bench.line import Line
from bench.server import own_database
from consent import ledger
from consent.entries import Channel, Origin, State
from consent.purposes import shipped
from kernel import actor, clock, db, jobs
from kernel.settings import settings
from mdm import chunks, consent_checks, consent_crowds, consent_reading, consents, contact_points, versions
from mdm import policy as policies
from mdm.consent_acts import Act
from mdm.consent_checks import Check
from mdm.contact_points import ContactPoint

HOLDERS = 100_000
WITHDRAWN_EACH = 7
CALLER = actor.local("bench")
_GOLDENS = """
INSERT INTO golden (golden_id, status, version, brands, body, content_hash, version_set_id, computed_at)
SELECT id, 'live', 1, '{main}', '{}', '\\x00', (SELECT max(version_set_id) FROM version_set), now()
FROM unnest(%(ids)s::uuid[]) AS id"""
# A record has the id of its golden record, for there is one of each.
_RECORDS = """
WITH n AS (SELECT unnest(%(ids)s::uuid[]) AS id),
s AS (INSERT INTO source_record (record_id, source, source_key, brand, version_no, is_deleted, received_at, payload_hash)
  SELECT id, 'pos', id::text, 'main', 1, false, now(), '\\x00' FROM n),
c AS (INSERT INTO crosswalk (record_id, source, source_key, brand, state, golden_id, version_no)
  SELECT id, 'pos', id::text, 'main', 'resolved', id, 1 FROM n),
t AS (INSERT INTO search_term (term, record_id, brand, region) SELECT %(term)s, id, 'main', '' FROM n)
INSERT INTO standard_record (record_id, version_no, source, source_key, brand, observed_at, standardizer, policy_version,
  form_hash, body)
SELECT id, 1, 'pos', id::text, 'main', now(), 'bench', 1, '\\x00', jsonb_build_object(
  'phones', jsonb_build_array(jsonb_build_object('value', %(shown)s::text, 'country', 'ES')),
  'addresses', jsonb_build_array(jsonb_build_object('country', 'ES', 'city', 'Madrid', 'lines', '["Calle Mayor 5"]'::jsonb)))
FROM n"""
_ENTRIES = """
WITH n AS (SELECT *, gen_random_uuid() AS entry_id FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS n (id, place)),
e AS (INSERT INTO consent_entry (entry_id, state, recorded_at, occurred_at, contact, contact_kind, channel, purpose, brand, basis,
    origin, strength, method, is_evidenced, recorded_by)
  SELECT entry_id, CASE WHEN place %% %(each)s = 0 THEN 'withdrawn' ELSE 'given' END, now(),
    now() - interval '10 days' + place * interval '1 second', %(contact)s, 'phone', 'sms', 'marketing', 'main', 'consent',
    'subject', 'express', 'web_form', true, 'bench' FROM n)
INSERT INTO consent_anchor (record_id, entry_id, since) SELECT id, entry_id, now() FROM n"""


def fill(holders: int, phone: ContactPoint, withdrawn_each: int) -> list[uuid.UUID]:
    """Store golden records of one record each, which hold a phone, and have given consent for it or taken it back; their ids."""
    ids = sorted(uuid.uuid4() for _ in range(holders))
    contact = bytes.fromhex(ledger.contact_hasher()("phone", phone.canonical))
    about = {"ids": ids, "term": phone.term, "shown": phone.shown, "contact": contact, "each": withdrawn_each}
    with psycopg.connect(settings().require_database_url(), autocommit=True) as connection:
        for statement in (_GOLDENS, _RECORDS, _ENTRIES):
            connection.execute(statement, about)
        connection.execute("ANALYZE")
    return ids


def act(state: State, point: ContactPoint, golden_id: uuid.UUID | None = None) -> Act:
    """An act of marketing by SMS, of a customer's own record or by the phone alone, shown to be the customer's own."""
    record = ("pos", str(golden_id)) if golden_id else None
    at = clock.now() - timedelta(minutes=1)
    by, of = Origin.SUBJECT, "main"
    return Act(state, "marketing", Channel.SMS, of, record=record, contact=point, occurred_at=at, origin=by, notice="terms")


def record(said: Act) -> consents.Outcome:
    """Record an act as the API does."""
    with db.transaction(db.Role.APP, CALLER.scope) as session:
        (outcome,) = consents.record(session, shipped(), [said], CALLER)
    return outcome


def tell() -> int:
    """Do the jobs that tell of acts against a crowd's contact point; how many there were."""
    done = 0
    while True:
        with db.transaction() as session:
            claim = jobs.claim_chunk(session, "bench", [consent_crowds.KIND])
        if claim is None:
            return done
        chunks.take(db.transaction, consent_crowds.CHUNKS, claim)
        done += 1


def _seconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _read(golden_id: uuid.UUID) -> object:
    with db.read_only() as session:
        return consent_reading.read(session, shipped(), golden_id, clock.now(), None)


async def _checked(checks: list[list[Check]]) -> list[float]:
    took = []
    for some in checks:
        began = time.perf_counter()
        await consent_checks.check(CALLER, shipped(), some, clock.now())
        took.append(time.perf_counter() - began)
    await db.close_async_pool()
    return took


def measure() -> list[Line]:
    """Measure what such a phone costs whoever asks, whoever says something, and whoever tells of it."""
    with own_database():
        with db.transaction() as session:
            versions.adopt(session, policies.store(session, policies.default(), "bench"))
        phone = contact_points.read("phone", "+34655872310")
        if phone is None:
            raise RuntimeError("it is one")
        ids = fill(HOLDERS, phone, WITHDRAWN_EACH)
        one, alone = Check("marketing", Channel.SMS, "main", ids[0]), Check("marketing", Channel.SMS, "main", contact=phone)
        many = [Check("marketing", Channel.SMS, "main", golden_id) for golden_id in ids[:1_000]]
        _, single, batch, point = asyncio.run(_checked([[one], [one], many, [alone]]))
        page = _seconds(lambda: _read(ids[0]))
        own = _seconds(lambda: record(act(State.WITHDRAWN, phone, ids[0])))
        by_phone = _seconds(lambda: record(act(State.WITHDRAWN, phone)))
        told = _seconds(tell)
    note = f"{HOLDERS:,} hold it, {HOLDERS // WITHDRAWN_EACH:,} withdrawals"
    return [
        Line("a shared phone: check of one holder", single * 1e3, "ms", note=note),
        Line("a shared phone: check of 1,000 holders", batch, "s"),
        Line("a shared phone: check by itself", point * 1e3, "ms", note="unknown, or denied"),
        Line("a shared phone: consents of one holder", page, "s", note="the last 1,000 entries"),
        Line("a shared phone: a holder withdraws", own, "s"),
        Line("a shared phone: somebody withdraws by it", by_phone, "s", note="holders are told by a job"),
        Line("a shared phone: all holders told", told, "s", note="of both, in the background"),
    ]
