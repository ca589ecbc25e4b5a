"""Unique values planted wherever a value can go, an erasure, and a walk over every column of every table, every file and Redis.

The walk follows the catalogue and knows no table by name: one that is added and declares a false behaviour is found here.
"""

import os
import re
import time
import uuid
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis

from kernel import actor, db, jobs
from kernel.settings import settings
from mdm import export_registry, exports, rejects, rekey, uploads
from mdm.exports import Wish
from mdm.incoming import Incoming
from stewardship import notes, overriding, privacy_ledger, settle
from stewardship.overriding import OverrideWish
from stewardship.sides import Side
from webhooks import endpoints
from workers import exporter, relay
from workers.app import make_app

from ..resolution import Master, golden_of, query, start
from .test_privacy_erasure import erase

POLICY = """
sources:
  shop: {channel_kind: ecommerce, brand: acme, trust: 0.7, key_is_personal: true}
  pos: {channel_kind: pos, brand: acme, trust: 0.6}
  crm: {channel_kind: crm, brand: bolt, trust: 0.9}
identifiers:
  national_id: {one_value_per_person: true}
loyalty_programmes:
  main: {}
extras:
  segment: {kind: text}
"""
WHO = actor.local("test")
NUMBER = "655872319"
# Every word is nobody else's; each is looked for in every spelling that a store could give it.
WORDS = (
    "quxavela", "zorbentrix", "quxmail", "wendelgasse", "vukstadt", "xk4471zt", "ly889123qp", "segmenttoken", "unmappedqux",
    "oldquxname", "keyquxshop", "oldkeyqux", "reasonqux", "notequx", "overridequx", "answerqux", "rejectqux", "storequx",
    "undoqux", "healqux", NUMBER,
)  # fmt: skip
PERSON: dict[str, Any] = {
    "given_name": "Quxavela",
    "surname": "Zorbentrix",
    "birth_date": "1984-03-12",
    "emails": ["quxmail@telefonica.net"],
    "phones": [f"+34{NUMBER}"],
    "addresses": [{"line1": "Wendelgasse 5", "city": "Vukstadt", "postal_code": "28013", "country": "ES"}],
    "identifiers": [{"type": "national_id", "value": "XK4471ZT"}],
    "loyalty_accounts": [{"programme": "main", "number": "LY889123QP"}],
    "extras": {"segment": "segmenttoken"},
    "remark": "unmappedqux",
}


def spellings(word: str) -> set[str]:
    """A word as it is, backwards (as phone numbers are searched by), in hexadecimal (bytea as text), and as JSON escapes it."""
    return {word, word[::-1], word.encode().hex(), word.upper().encode().hex(), word.capitalize().encode().hex()}


def messages() -> Iterator[str]:
    """All that stands in Redis, the bodies of Celery's messages decoded."""
    with redis.Redis.from_url(settings().require_redis_url()) as client:
        for key in client.keys("*"):
            yield str(key)
            held = client.lrange(key, 0, -1) if client.type(key) == b"list" else [client.dump(key)]
            for raw in held:
                yield str(raw)
                yield from (b64decode(body).decode() for body in re.findall(r'"body": "([^"]+)"', raw.decode("latin-1")))


def hits(url: str) -> dict[str, set[str]]:
    """Where each word stands: tables by a walk of the catalogue, all of the data folder, all of Redis."""
    texts: dict[str, str] = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm')"
        )
        for (name,) in tables.fetchall():
            rows = connection.execute(f"SELECT t::text FROM {name} t")
            texts[name] = "\n".join(row[0] for row in rows).lower()
    for path in settings().data_dir.rglob("*"):
        if path.is_file():
            texts[str(path.name)] = path.read_bytes().decode("latin-1").lower()
    texts["redis"] = "\n".join(messages()).lower()
    return {word: {name for name, text in texts.items() if any(one in text for one in spellings(word))} for word in WORDS}


@pytest.fixture
def mdm(database: str, redis_url: str) -> Master:
    privacy_ledger.path().unlink(missing_ok=True)
    return start(POLICY)


def test_nothing_that_was_planted_is_left(mdm: Master, database: str, capfd: pytest.CaptureFixture[str]) -> None:
    golden_id = plant(mdm, database)
    before = hits(database)
    sealed = {"unmappedqux", "oldquxname", "rejectqux"}  # What stands in payloads alone.
    assert {word for word, where in before.items() if not where} == sealed
    assert len(set().union(*before.values())) >= 12
    record_id = query("SELECT record_id FROM crosswalk WHERE golden_id = %s", golden_id)[0][0]
    started = time.monotonic()
    gone = erase(mdm, golden_id)
    assert time.monotonic() - started < 60
    assert (gone["rejects"], gone["answers"], gone["exports"], gone["upload_files"]) == (1, 1, 1, 1)
    assert {word: where for word, where in hits(database).items() if where} == {}
    assert query("SELECT count(*) FROM record_data_key WHERE record_id = %s", record_id) == [(0,)]
    assert query("SELECT count(*) FROM record_version WHERE sealed_payload IS NOT NULL AND record_id = %s", record_id) == [(0,)]
    said = capfd.readouterr()
    assert [word for word in WORDS if word in (said.out + said.err).lower()] == []
    assert mdm.verify(deep=True).differences == ()


def plant(mdm: Master, url: str) -> uuid.UUID:
    """Put the words wherever a value can go; the golden id of the person."""
    mdm.put("shop", "oldkeyqux", PERSON | {"given_name": "Oldquxname"})
    mdm.put("shop", "oldkeyqux", PERSON)
    mdm.put("pos", "p1", PERSON)
    mdm.put("crm", "other", {"given_name": "Otto", "surname": "Becker", "emails": ["otto.becker@telefonica.net"]})
    mdm.drain()
    golden_id = golden_of("pos", "p1")
    assert golden_id is not None
    assert golden_of("shop", "oldkeyqux") == golden_id
    with db.transaction() as session:
        rekey.rekey(session, WHO, "shop", "oldkeyqux", "keyquxshop")
    say(mdm, golden_id)
    leave_files(mdm)
    refused = (b'{"n": "rejectqux", "m": "QUXMAIL@telefonica.net"}', b'{"n": "somebody", "m": "else@telefonica.net"}')
    with db.transaction() as session:
        rejects.keep(session, [rejects.Reject("wrong_type", "emails", "pos", 1 + at, one) for at, one in enumerate(refused)])
    with db.transaction() as session:
        endpoints.create(session, WHO, endpoints.Wish("https://93.184.216.34/hook"))
    for statement, *params in PLANTED:
        query(statement, *params)
    query("UPDATE webhook_delivery SET subject_id = %s", golden_id)
    mdm.put("pos", "p1", PERSON | {"language": "es"})
    assert relay.ring_due(make_app()) > 0
    mdm.drain()
    return golden_id


PLANTED = (
    (
        """WITH made AS (INSERT INTO job (job_id, kind, params, created_by)
             VALUES (gen_random_uuid(), 'certificate_heal', '{"source": "shop", "reason": "As healqux said."}', 'test')
             RETURNING job_id, params)
           INSERT INTO job_chunk (chunk_id, job_id, params, priority, ordinal)
           SELECT gen_random_uuid(), job_id, params, 5, 1 FROM made""",
    ),
    (
        """INSERT INTO idempotency (principal, idempotency_key, request_hash, status_code, response)
           VALUES ('k', 'i', '', 200, %s)""",
        b'{"key": "keyquxshop"}',
    ),
    (
        """INSERT INTO activity (source, activity_key, record_key, brand, kind, status, occurred_at, store, updated_at,
             received_at, received_by)
           VALUES ('shop', 'a1', 'oldkeyqux', 'acme', 'visit', 'completed', now(), 'storequx', now(), now(), 'k')""",
    ),
    (
        """INSERT INTO webhook_delivery (endpoint_id, seq, subject_id, tried)
           SELECT endpoint_id, 1, gen_random_uuid(), '[{"status": 200, "answer": "Updated answerqux"}]' FROM webhook_endpoint""",
    ),
)


def say(mdm: Master, golden_id: uuid.UUID) -> None:
    """What stewards write in their own words: a decision's reason, a value set by hand, a note on a task."""
    sides = Side(records=(("pos", "p1"),)), Side(records=(("shop", "keyquxshop"),))
    wish = settle.Wish("match", *sides, "They said reasonqux.")
    settle.make(mdm.resolver, WHO, wish, settle.look(mdm.resolver, WHO, wish).token)
    mdm.drain()
    value = OverrideWish(golden_id, "preferred_store", "overridequx", "They said reasonqux.")
    overriding.make(mdm.resolver, WHO, value, overriding.look(mdm.resolver, WHO, value).token)
    mdm.drain()
    mdm.put("pos", "doubt", {"given_name": "Otto", "emails": ["q@telefonica.net"]})
    mdm.drain()
    task_id = uuid.uuid4()
    record_id = query("SELECT record_id FROM crosswalk WHERE source_key = 'p1'")[0][0]
    query(
        """INSERT INTO task (task_id, kind, question_key, golden_ids, record_ids, brands, reason_code, state, opened_at,
             closed_at)
           VALUES (%s, 'pair', 'k', ARRAY[%s]::uuid[], ARRAY[%s]::uuid[], '{acme}', 'doubt', 'closed', now(), now())""",
        task_id, golden_id, record_id,
    )  # fmt: skip
    with db.transaction() as session:
        notes.append(session, [task_id], notes.Act.COMMENTED, "test", "The son notequx called.")
    mdm.undo_import(mdm.load("pos", Incoming("p1", PERSON | {"language": "fr"})), "His mother undoqux rang.")
    mdm.drain()


def leave_files(mdm: Master) -> None:
    """Make an export, and leave an upload that no job reads any more."""
    for left in export_registry.folder().iterdir():
        left.unlink()
    with db.transaction() as session:
        export_id = exports.begin(session, mdm.policy, Wish("golden", "csv", ("name", "emails")), WHO)
        claim = jobs.claim_chunk(session, "test", [exports.KIND], job_id=export_id)
    assert claim is not None
    exporter.work(db.transaction, claim)
    path = uploads.folder() / f"{uuid.uuid4()}.csv"
    path.write_text("id,name\n1,Quxavela Zorbentrix\n")
    os.utime(path, (time.time() - 3600, time.time() - 3600))
