"""HTTP to a service that is being wounded: a request is sent again until it is acknowledged, as a careful client does."""

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0
GIVE_UP_SECONDS = 240.0
PAUSE_SECONDS = 0.3
IN_FLIGHT = b"idempotency_in_flight"


class NotAcknowledged(Exception):
    """The service did not acknowledge a request however often it was sent."""


class Http:
    """One connection, made anew whenever it breaks. `retries` counts what had to be sent again."""

    def __init__(self, base_url: str, key: str) -> None:
        self._place, self._key = urlsplit(base_url).netloc, key
        self._connection = http.client.HTTPConnection(self._place, timeout=TIMEOUT_SECONDS)
        self.retries = 0

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Send until something other than a failure of the service answers. Raises: NotAcknowledged."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        last = ""
        while time.monotonic() < deadline:
            try:
                status, text = self._send(method, path, body, headers)
            except (OSError, http.client.HTTPException) as broken:
                self._connection.close()
                last = type(broken).__name__
            else:
                if status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                    return status, text
                last = f"{status} {text[:200]!r}"
            self.retries += 1
            time.sleep(PAUSE_SECONDS)
        raise NotAcknowledged(f"{method} {path.partition('?')[0]}: {last}")

    def json(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Post JSON."""
        status, text = self.ask("POST", path, json.dumps(body).encode(), **{"Content-Type": "application/json"})
        return status, json.loads(text)

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        self._connection.request(method, path, body, {"Authorization": f"Bearer {self._key}", **headers})
        answer = self._connection.getresponse()
        return answer.status, answer.read()
