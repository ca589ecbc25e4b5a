"""Where the demo's webhooks arrive: a small server on loopback that checks every signature and keeps what it heard."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from kernel.errors import MdmError


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as it was delivered, and how long after its change."""

    event: dict[str, Any]
    seconds: float


@dataclass(slots=True)
class Hook:
    """The receiving end. `secret` is set once the endpoint is made; what comes before, or is not signed with it, is refused."""

    url: str
    secret: str = ""
    heard: list[Heard] = field(default_factory=list)
    _came: threading.Condition = field(default_factory=threading.Condition)

    def take(self, body: bytes, headers: dict[str, str]) -> bool:
        """Keep an event whose signature holds; whether it did."""
        try:
            event = Webhook(self.secret).verify(body, headers)
        except (WebhookVerificationError, ValueError):
            return False
        with self._came:
            self.heard.append(Heard(event, time.time() - _seconds(event)))
            self._came.notify_all()
        return True

    def wait(self, type_: str, seconds: float) -> Heard:
        """Wait for an event of a type. Raises: MdmError when none comes in time."""
        with self._came:
            found = self._came.wait_for(lambda: self._find(type_), seconds)
        if found is None:
            raise MdmError(f"No webhook told of {type_}", code="demo_story_failed")
        return found

    def _find(self, type_: str) -> Heard | None:
        return next((one for one in self.heard if one.event["type"] == type_), None)


def _seconds(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["occurred_at"]).timestamp()


@contextmanager
def listening() -> Iterator[Hook]:
    """Listen on a free port of loopback for the length of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    hook = Hook(f"http://127.0.0.1:{server.server_address[1]}/customers")

    class Handler(BaseHTTPRequestHandler):
        """Answers 204 to what is signed, else 401."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(204 if hook.take(body, dict(self.headers.items())) else 401)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server.RequestHandlerClass = Handler
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
