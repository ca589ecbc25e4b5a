"""The relay sends ids to the broker, the urgent ones to a queue of their own, and survives a broker that is away."""

import json
from base64 import b64decode

import pytest
import redis

from kernel import db
from mdm import pending
from workers.app import BULK, INTERACTIVE, make_app
from workers.relay import ring_due

from .. import resolution as master
from ..resolution import MARIA, Master, query


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


@pytest.fixture
def broker(redis_url: str) -> redis.Redis:
    client = redis.Redis.from_url(redis_url)
    client.flushdb()
    return client


def sent(broker: redis.Redis, queue: str) -> list[list[str]]:
    """The ids of each message that waits in a queue."""
    messages = [json.loads(raw) for raw in broker.lrange(queue, 0, -1)]
    return [json.loads(b64decode(message["body"]))[0][0] for message in messages]


def test_urgent_records_go_to_their_own_queue_and_messages_hold_ids_only(
    mdm: Master, broker: redis.Redis, redis_url: str
) -> None:
    urgent = mdm.put("shop", "1", MARIA)
    mdm.put_many("pos", [], pending.BULK_PRIORITY)
    bulk = mdm.put("pos", "A", MARIA)
    query("UPDATE pending_record SET priority = 5 WHERE record_id = %s", bulk.record_id)
    assert ring_due(make_app(redis_url)) == 2
    assert sent(broker, INTERACTIVE) == [[str(urgent.record_id)]]
    assert sent(broker, BULK) == [[str(bulk.record_id)]]
    assert b"Garcia" not in b"".join(broker.lrange(INTERACTIVE, 0, -1))


def test_a_bell_is_not_rung_twice(mdm: Master, broker: redis.Redis, redis_url: str) -> None:
    mdm.put("shop", "1", MARIA)
    assert [ring_due(make_app(redis_url)) for _ in range(2)] == [1, 0]


def test_a_broker_that_is_away_loses_nothing(mdm: Master, broker: redis.Redis, redis_url: str) -> None:
    mdm.put("shop", "1", MARIA)
    assert ring_due(make_app("redis://127.0.0.1:1/0")) == 0
    with db.transaction() as session:
        assert pending.sweep(session, ring_again_seconds=0.0) == 1
    assert ring_due(make_app(redis_url)) == 1
