"""A till that never waits for the customer master, and loses nothing while it is cut off.

Use it as it is or as a model. It asks who a customer is and sells to somebody unknown when no answer came in 300 ms; what it has
sold is written into a file first, and sent from there in its order with the time of the sale, so that what comes late replaces
nothing newer. Needs nothing but the standard library. Run it beside the service's API to send what waits in a file:
MDM_KEY=mdm_live_… python till.py http://localhost:8080 waiting.ndjson
"""

import http.client
import json
import os
import sys
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

BUDGET_SECONDS = 0.3
SEND_SECONDS = 30.0
MOST_LINES = 1000
CONNECTIONS = 4
# No network, no time left, an answer that breaks off, or one of somebody else.
UNANSWERED = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError)


class Till:
    """What a till does with the customer master: recognise, write down, send. It may sell while it sends; its file is its own."""

    def __init__(self, base_url: str, key: str, waiting: Path) -> None:
        self.base_url, self.key, self.waiting = base_url, key, waiting
        self.refused = waiting.with_suffix(".refused")
        self._asking, self._turn = ThreadPoolExecutor(CONNECTIONS), Lock()

    def recognise(self, identifier: Mapping[str, Any], view: str = "checkout") -> str | None:
        """Give the golden id of the one customer whom this identifies; None after 300 ms, whatever service and network do."""
        body = json.dumps({"identifier": identifier, "view": view}).encode()
        asked = self._asking.submit(self._post, "/v1/lookup", body, "application/json", BUDGET_SECONDS)
        try:
            found = json.loads(asked.result(BUDGET_SECONDS))
            return found["golden_id"] if found["result"] == "found" else None
        except UNANSWERED:
            asked.cancel()
            return None

    def sold(self, source: str, key: str, record: Mapping[str, Any], at: datetime) -> None:
        """Write down what a sale told of its customer; `at` has a zone. What is written outlives a loss of power."""
        line = {"source": source, "key": key, "record": record, "source_updated_at": at.isoformat()}
        with self._turn, self.waiting.open("a+b") as file:
            held = file.seek(0, os.SEEK_END)
            file.seek(max(0, held - 1))
            # A till that lost its power in the middle of a line begins another.
            file.write((b"\n" if held and file.read(1) != b"\n" else b"") + json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def send(self) -> int:
        """Send what waits, first to last, until nobody answers; how many lines are done. Not to be called twice at a time.

        A line that is refused is put aside with its reason; one that failed waits on. What is sent twice, because an answer was
        lost, changes nothing.
        """
        done = 0
        while lines := self._first():
            try:
                answer = self._post("/v1/records:batch", b"".join(lines), "application/x-ndjson", SEND_SECONDS)
                results = [json.loads(one) for one in answer.splitlines()][: len(lines)]
                by_line = {one["line"]: one for one in results}
            except UNANSWERED:
                return done
            self._put_aside([(lines[at - 1], one) for at, one in by_line.items() if one["status"] == "rejected"])
            failed = [line for at, line in enumerate(lines, 1) if by_line.get(at, {"status": "failed"})["status"] == "failed"]
            self._drop(len(lines), failed)
            done += len(lines) - len(failed)
            if failed:
                return done
        return done

    def _first(self) -> list[bytes]:
        if not self.waiting.exists():
            return []
        with self.waiting.open("rb") as file:
            return [line.rstrip(b"\n") + b"\n" for line in islice(file, MOST_LINES)]

    def _put_aside(self, refused: list[tuple[bytes, dict[str, Any]]]) -> None:
        with self.refused.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({"problem": one["problem"], "line": line.decode()}) + "\n" for line, one in refused)

    def _drop(self, count: int, failed: list[bytes]) -> None:
        """Take the first lines out but for those that failed; the file is there as it was or as it is to be."""
        with self._turn:
            rest = self.waiting.with_suffix(".rest")
            with self.waiting.open("rb") as file, rest.open("wb") as kept:
                kept.writelines([*failed, *islice(file, count, None)])
                kept.flush()
                os.fsync(kept.fileno())
            rest.replace(self.waiting)

    def _post(self, path: str, body: bytes, kind: str, seconds: float) -> bytes:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind}
        asked = urllib.request.Request(self.base_url + path, body, headers)  # noqa: S310 - your own service.
        with urllib.request.urlopen(asked, timeout=seconds) as answer:  # noqa: S310 - the same.
            found: bytes = answer.read()
        return found


def main(base_url: str, waiting: str) -> None:
    """Send what waits in a file."""
    till = Till(base_url, os.environ["MDM_KEY"], Path(waiting))
    sys.stdout.write(f"{till.send()} lines sent\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
