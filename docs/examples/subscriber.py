"""A subscriber that keeps its own copy of the crosswalk (source key to golden id) by following events alone.

Use it as it is or as a model. Events may come twice, late and in any order, by webhook or by the feed: what counts for a
record is the event with the greatest `seq`. Needs nothing but the standard library. Run it beside the service's API:
MDM_KEY=mdm_live_… python subscriber.py http://localhost:8080, and with MDM_WEBHOOK_SECRET=whsec_… and a port to listen on too.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any

LATE_SECONDS = 300
MOST_BYTES = 65_536


class Subscriber:
    """What a subscriber knows: each record's key and golden id, and the number of the event that said so last."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[str, str]] = {}
        self.golden_ids: dict[str, str | None] = {}
        self._said_at: dict[str, int] = {}
        self._named_at: dict[str, int] = {}
        self._begun_at = 0

    def load(self, rows: Iterable[Mapping[str, Any]], seq: int) -> None:
        """Begin with an export of the crosswalk (a row each) and the `seq` that it names; then apply what the feed says after."""
        self._begun_at = seq
        for row in rows:
            self.keys[row["record_id"]] = (row["source"], row["source_key"])
            self.golden_ids[row["record_id"]] = row["golden_id"] or None

    def apply(self, event: Mapping[str, Any]) -> None:
        """Apply one event; one that was applied before, or that a later one or the export has overtaken, changes nothing.

        Raises: ValueError for a webhook that leaves out who moved: give what `whole` reads.
        """
        seq, data = event["seq"], event["data"]
        if data.get("is_truncated"):
            raise ValueError("this event leaves lists out: read it from the feed")
        if seq <= self._begun_at:
            return
        for record in data.get("joined", ()):
            self._lives(record, data["golden_id"], seq)
        for record in data.get("left", ()):
            self._lives(record, record["to"], seq)
        if event["type"] == "record.rekeyed":
            self._named(data, seq)

    def _lives(self, record: Mapping[str, Any], golden_id: str | None, seq: int) -> None:
        self._named(record, seq)
        if seq >= self._said_at.get(record["record_id"], 0):
            self._said_at[record["record_id"]] = seq
            self.golden_ids[record["record_id"]] = golden_id

    def _named(self, record: Mapping[str, Any], seq: int) -> None:
        if "source_key" in record and seq >= self._named_at.get(record["record_id"], 0):
            self._named_at[record["record_id"]] = seq
            self.keys[record["record_id"]] = (record["source"], record["source_key"])

    def crosswalk(self) -> dict[tuple[str, str], str]:
        """Give the golden id of every key that lives under one."""
        lives = {record: golden_id for record, golden_id in self.golden_ids.items() if golden_id is not None}
        return {self.keys[record]: golden_id for record, golden_id in lives.items() if record in self.keys}


def pull(base_url: str, key: str, cursor: str | None, subscriber: Subscriber) -> str:
    """Apply everything that the feed holds behind a cursor; the cursor to keep (in the same transaction as what was applied)."""
    while True:
        page = _page(base_url, key, cursor, 1000)
        for event in page["events"]:
            subscriber.apply(event)
        cursor = str(page["next"])
        if not page["has_more"]:
            return cursor


def whole(base_url: str, key: str, event: dict[str, Any]) -> dict[str, Any]:
    """Give an event as the feed says it: a webhook of more than 64 KB leaves lists out."""
    if not event["data"].get("is_truncated"):
        return event
    timeline, _, seq = event["id"].rpartition(":")
    found: dict[str, Any] = _page(base_url, key, f"{timeline}:{int(seq) - 1}", 1)["events"][0]
    return found


def _page(base_url: str, key: str, cursor: str | None, limit: int) -> dict[str, Any]:
    query = urllib.parse.urlencode({"limit": limit, **({"after": cursor} if cursor else {})})
    asked = urllib.request.Request(f"{base_url}/v1/events?{query}", headers={"Authorization": f"Bearer {key}"})  # noqa: S310 - your own service.
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - the same.
        page: dict[str, Any] = json.load(answer)
    return page


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Give the event of a webhook that the service has signed, not long ago. Raises: ValueError for any other."""
    event_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > LATE_SECONDS:
        raise ValueError("the webhook is too old, or says no time")
    said = b".".join((event_id.encode(), sent_at.encode(), body))
    own = base64.b64encode(hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), said, hashlib.sha256))
    # One signature by each secret while it is being rotated.
    signed = [one.removeprefix("v1,").encode() for one in headers.get("webhook-signature", "").split()]
    if not any(hmac.compare_digest(one, own) for one in signed):
        raise ValueError("the webhook is not signed with this secret")
    event: dict[str, Any] = json.loads(body)
    return event


def receiver(port: int, secret: str, apply: Callable[[dict[str, Any]], None]) -> ThreadingHTTPServer:
    """Make a server that applies webhooks, one at a time, and answers 204 once they are applied; else they come again."""
    turn = Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                sent = {name.lower(): value for name, value in self.headers.items()}
                event = verified(secret, sent, self.rfile.read(min(int(sent["content-length"]), MOST_BYTES)))
                with turn:
                    apply(event)
            except ValueError:
                self.send_error(400)
            else:
                self.send_response(204)
                self.end_headers()

    return ThreadingHTTPServer(("", port), Handler)


def main(base_url: str, port: str | None = None) -> None:
    """Follow the feed from its beginning, say what it comes to, and go on by webhooks where a port is given."""
    key, subscriber = os.environ["MDM_KEY"], Subscriber()
    pull(base_url, key, None, subscriber)
    print(f"{len(subscriber.crosswalk())} keys live under a golden id")  # noqa: T201 - it is a command.
    if port:
        secret = os.environ["MDM_WEBHOOK_SECRET"]
        receiver(int(port), secret, lambda event: subscriber.apply(whole(base_url, key, event))).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
