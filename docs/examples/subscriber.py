"""A subscriber that keeps its own copy of the crosswalk (source key to golden id) by following events alone.

Use it as it is or as a model. Events may come twice, late and in any order, by webhook or by the feed: what counts for a
record is the event with the greatest `seq`. Needs nothing but the standard library.
"""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterable
from typing import Any


class Subscriber:
    """What a subscriber knows: each record's key and golden id, and the number of the event that said so last."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[str, str]] = {}
        self.golden_ids: dict[str, str | None] = {}
        self._said_at: dict[str, int] = {}
        self._named_at: dict[str, int] = {}

    def load(self, rows: Iterable[dict[str, Any]]) -> None:
        """Begin with an export of the crosswalk (a row each); then apply what the feed says behind the export's cursor."""
        for row in rows:
            self.keys[row["record_id"]] = (row["source"], row["source_key"])
            self.golden_ids[row["record_id"]] = row["golden_id"] or None

    def apply(self, event: dict[str, Any]) -> None:
        """Apply one event; one that was applied before, or that a later one has overtaken, changes nothing."""
        seq, data = event["seq"], event["data"]
        for record in data.get("joined", ()):
            self._lives(record, data["golden_id"], seq)
        for record in data.get("left", ()):
            self._lives(record, record["to"], seq)
        if event["type"] == "record.rekeyed":
            self._named(data, seq)

    def _lives(self, record: dict[str, Any], golden_id: str | None, seq: int) -> None:
        self._named(record, seq)
        if seq >= self._said_at.get(record["record_id"], 0):
            self._said_at[record["record_id"]] = seq
            self.golden_ids[record["record_id"]] = golden_id

    def _named(self, record: dict[str, Any], seq: int) -> None:
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
        query = urllib.parse.urlencode({"limit": 1000, **({"after": cursor} if cursor else {})})
        asked = urllib.request.Request(f"{base_url}/v1/events?{query}", headers={"Authorization": f"Bearer {key}"})  # noqa: S310 - your own service.
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - the same.
            page = json.load(answer)
        for event in page["events"]:
            subscriber.apply(event)
        cursor = page["next"]
        if not page["has_more"]:
            return cursor
