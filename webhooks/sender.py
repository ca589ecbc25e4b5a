"""Makes one attempt: a signed POST to a guarded address, with bounds on time and answer.

Never follows a redirect, never goes through a proxy, never raises for what the other side does.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from webhooks.addresses import Guard, Policy, Refused

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 15.0
MOST_READ_BYTES = 65_536
KEPT_BYTES = 4_096
USER_AGENT = "customer-master-webhooks/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered, or else why it did not. `retry_after` in seconds, if it asked for a pause."""

    status: int | None
    error: str | None
    milliseconds: int
    text: str = ""
    retry_after: float | None = None


class Sender:
    """Sends. Use as an async context manager; one for a process."""

    def __init__(self, policy: Policy, total_seconds: float = TOTAL_SECONDS) -> None:
        self._guard = Guard(policy)
        self._total_seconds = total_seconds

    async def __aenter__(self) -> "Sender":
        connector = aiohttp.TCPConnector(
            # Whoever sends counts attempts by endpoint: a bound here would let those that hang time out the others.
            limit=0,
            socket_factory=self._guard.socket,
            resolver=aiohttp.ThreadedResolver(),
            ttl_dns_cache=10,
        )
        timeout = aiohttp.ClientTimeout(total=self._total_seconds, sock_connect=CONNECT_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Make an attempt. Never raises for what the other side does."""
        began = time.monotonic()
        sent = {"content-type": "application/json", "user-agent": USER_AGENT, **headers}
        try:
            async with self._session.post(url, data=body, headers=sent, allow_redirects=False) as answered:
                text = await answered.content.read(MOST_READ_BYTES)
                asked = _seconds(answered.headers.get("retry-after"))
                shown = text[:KEPT_BYTES].decode("utf-8", "replace").replace("\x00", "")
                return Answer(answered.status, None, _since(began), shown, asked)
        except TimeoutError:
            return Answer(None, "timeout", _since(began))
        except (aiohttp.ClientError, OSError, ValueError) as failed:
            return Answer(None, _why(failed), _since(began))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _why(failed: BaseException) -> str:
    """A stable code: texts of errors hold addresses."""
    seen: BaseException | None = failed
    while seen is not None:
        inner = getattr(seen, "os_error", None) or seen.__cause__
        if isinstance(seen, Refused) or isinstance(inner, Refused):
            return "address_refused"
        seen = inner if inner is not seen else None
    if isinstance(failed, aiohttp.ClientSSLError):
        return "tls_failed"
    if isinstance(failed, aiohttp.ClientConnectorDNSError):
        return "name_not_found"
    if isinstance(failed, aiohttp.ClientConnectorError | ConnectionError):
        return "cannot_connect"
    return "broken_answer"


def _seconds(asked: str | None) -> float | None:
    """Read Retry-After: seconds, or a time. What is neither is none: no header may end the attempt."""
    if not asked:
        return None
    if asked.isascii() and asked.isdecimal():
        return float(asked[:9])
    try:
        at = parsedate_to_datetime(asked)
    except (ValueError, OverflowError):
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
