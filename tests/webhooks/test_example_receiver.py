"""The example's own ways over HTTP: it receives webhooks that the service signed, pulls the feed, and reads what was left out."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from kernel import actor, db
from webhooks import endpoints, signing
from webhooks.endpoints import Wish

from ..api.test_same_record import served
from ..resolution import WHO, Master, query
from .sink import eventually
from .test_reference_subscriber import crosswalk, example, last_seq, mdm, person, subscriber, told

__all__ = ["mdm"]  # The fixture.


@pytest.fixture
def received(running: None) -> Iterator[tuple[Any, str, list[dict[str, Any]]]]:
    """The example's own receiver, registered as an endpoint; its follower, the URL and what it applied."""
    module, applied = example(), list[dict[str, Any]]()
    follower = module.Subscriber()
    with db.transaction() as session:
        made, secret = endpoints.create(session, WHO, Wish("http://127.0.0.1:9/"))

    def apply(event: dict[str, Any]) -> None:
        follower.apply(event)
        applied.append(event)

    server = module.receiver(0, secret, apply)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with db.transaction() as session:
        endpoints.change(session, WHO, made.endpoint_id, Wish(url))
    yield follower, url, applied
    server.shutdown()
    server.server_close()


def test_the_examples_receiver_takes_what_is_signed_and_nothing_else(
    mdm: Master, received: tuple[Any, str, list[dict[str, Any]]]
) -> None:
    (follower, url, applied), since = received, last_seq()
    mdm.put("shop", "1", person(4))
    mdm.put("pos", "2", person(4))
    mdm.drain()
    eventually(lambda: query("SELECT count(*) FROM outbox") == [(0,)] and len(applied) == last_seq() - since)
    assert follower.crosswalk() == crosswalk()
    said, now = b'{"seq": 9, "type": "golden.created", "data": {}}', int(time.time())
    forged, old = Webhook(signing.new_secret()), Webhook(SECRET)
    for at, by in ((now, forged), (now - 600, old), (now + 600, old)):
        with pytest.raises(ValueError, match="webhook"):
            example().verified(SECRET, headers_of(by, at, said), said)
    with pytest.raises(ValueError, match="webhook"):
        example().verified(SECRET, {}, said)
    with pytest.raises(urllib.error.HTTPError) as told_so:
        urllib.request.urlopen(urllib.request.Request(url, said, headers_of(forged, now, said)), timeout=5)
    assert told_so.value.code == 400
    assert len(applied) == last_seq() - since
    rotating = {"webhook-signature": f"{forged.sign('a:9', datetime.fromtimestamp(now, UTC), said.decode())} "}
    rotating["webhook-signature"] += headers_of(old, now, said)["webhook-signature"]
    assert example().verified(SECRET, headers_of(old, now, said) | rotating, said)["seq"] == 9


SECRET = signing.new_secret()


def headers_of(by: Webhook, at: int, said: bytes) -> dict[str, str]:
    """The headers of a webhook that the reference library signs."""
    signed = by.sign("a:9", datetime.fromtimestamp(at, UTC), said.decode())
    return {"webhook-id": "a:9", "webhook-timestamp": str(at), "webhook-signature": signed}


def test_a_webhook_that_leaves_lists_out_is_refused_and_read_from_the_feed(mdm: Master) -> None:
    """By the example alone, over HTTP: the feed from its beginning, and the one event again."""
    since = last_seq()
    mdm.put("shop", "1", person(4))
    mdm.put("pos", "2", person(5))
    mdm.drain()
    events, module, follower = told(since), example(), subscriber()
    with db.transaction() as session:
        _, key = actor.create_key(session, "test", ["events:read"])
    with served() as port:
        url = f"http://127.0.0.1:{port}"
        cursor = module.pull(url, key, None, follower)
        assert (follower.crosswalk(), cursor) == (crosswalk(), events[-1]["id"])
        moved = next(one for one in events if one["type"] == "golden.created")
        short = {**moved, "data": {"golden_id": moved["data"]["golden_id"], "is_truncated": True}}
        with pytest.raises(ValueError, match="feed"):
            follower.apply(short)
        assert module.whole(url, key, short)["data"]["joined"] == moved["data"]["joined"]
        assert module.whole(url, key, moved) is moved
