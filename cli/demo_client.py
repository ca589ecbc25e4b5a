"""The demo as a client like any other: it speaks HTTP with an API key and knows nothing of the database."""

import http.client
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from kernel.errors import MdmError
from sampledata.retailer import SimulatedRecord

BATCH_LINES = 500
CROSSWALK_KEYS = 1_000
TIMEOUT_SECONDS = 120


class Refused(MdmError):
    """The service answered with a problem: its HTTP status, and the code of the problem ('' of an answer that is none)."""

    def __init__(self, request: str, status: int, problem: dict[str, Any]) -> None:
        title, type_ = problem.get("title", "no problem document"), str(problem.get("type", ""))
        super().__init__(f"{request} answered {status}: {title} ({type_})", code="demo_request_failed")
        self.answered, self.problem = status, type_.rpartition(":")[2]


class Api:
    """One kept-alive connection to the service."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url, self.key = base_url, key
        self._connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=TIMEOUT_SECONDS)

    def post(self, path: str, body: bytes, media_type: str = "application/json", **headers: str) -> bytes:
        """Post a body and give the answer's. Raises: Refused for an answer of 400 or above."""
        return self._answer("POST", path, body, {"Content-Type": media_type, **headers})

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Put JSON and read the answer's JSON. Raises: as `post`."""
        found: dict[str, Any] = json.loads(
            self._answer("PUT", path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        )
        return found

    def read(self, path: str) -> dict[str, Any]:
        """Get JSON. Raises: as `post`."""
        found: dict[str, Any] = json.loads(self._answer("GET", path, None, {}))
        return found

    def _answer(self, method: str, path: str, body: bytes | None, more: dict[str, str]) -> bytes:
        headers = {"Authorization": f"Bearer {self.key}", **more}
        try:
            status, text = self._send(method, path, body, headers)
        except (ConnectionError, http.client.HTTPException):  # The service closes a connection that idles; a put may be repeated.
            self._connection.close()
            status, text = self._send(method, path, body, headers)
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise Refused(f"{method} {path}", status, _problem(text))
        return text

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def ask(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
        """Post JSON and read the answer's JSON."""
        found: dict[str, Any] = json.loads(self.post(path, json.dumps(body).encode(), **headers))
        return found

    def put_batch(self, records: Sequence[SimulatedRecord]) -> Counter[str]:
        """Put records as NDJSON lines; count what became of them by status."""
        lines = b"".join(json.dumps(_line(record), ensure_ascii=False).encode() + b"\n" for record in records)
        answer = self.post("/v1/records:batch", lines, "application/x-ndjson")
        return Counter(json.loads(answer.splitlines()[-1])["summary"])

    def golden_ids(self, records: Sequence[SimulatedRecord]) -> Iterator[str | None]:
        """The golden id of every record, in order."""
        for start in range(0, len(records), CROSSWALK_KEYS):
            asked = [{"source": one.source, "key": one.key} for one in records[start : start + CROSSWALK_KEYS]]
            for item in self.ask("/v1/crosswalk:lookup", {"records": asked})["items"]:
                yield item["golden_id"]


def batches(records: Sequence[SimulatedRecord]) -> Iterator[Sequence[SimulatedRecord]]:
    """Records in the batches in which they are sent."""
    for start in range(0, len(records), BATCH_LINES):
        yield records[start : start + BATCH_LINES]


def _line(record: SimulatedRecord) -> dict[str, Any]:
    return {"source": record.source, "key": record.key, "record": record.payload, "source_updated_at": record.updated_at}


def _problem(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
