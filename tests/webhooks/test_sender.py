"""An attempt ends with an answer or a code, whatever the other side sends."""

import asyncio
import ipaddress

import pytest

from webhooks.addresses import Policy
from webhooks.sender import Answer, Sender

LOOPBACK = Policy((ipaddress.ip_network("127.0.0.0/8"),), allows_http=True)
BEYOND = "9" * 25


def attempt(sent: bytes, closes: bool = True) -> Answer:
    """Make an attempt at a server that sends just this, once a request came."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        await writer.drain()
        if not closes:
            await reader.read()  # Until the other side has gone.
        writer.close()

    async def post() -> Answer:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, Sender(LOOPBACK, total_seconds=5.0) as sender:
            return await sender.post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", b"{}", {})

    return asyncio.run(post())


@pytest.mark.parametrize(
    "asked",
    [
        f"Mon, 01 Jan 2024 00:00:00 +{BEYOND}", f"Mon, 01 Jan {BEYOND} 00:00:00 GMT", f"Mon, 01 Jan 2024 {BEYOND}:00:00 GMT",
        "Mon, 31 Feb 2024 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 +999999", "soon", ",", "-1", "1e3", "\u0661",
    ],
)  # fmt: skip
def test_a_pause_that_cannot_be_read_is_none(asked: str) -> None:
    answer = attempt(f"HTTP/1.1 503 Busy\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n".encode())
    assert (answer.status, answer.error, answer.retry_after) == (503, None, None)


@pytest.mark.parametrize(("asked", "seconds"), [("7", 7.0), (BEYOND, 999_999_999.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)])
def test_a_pause_is_read_in_seconds_or_as_a_time(asked: str, seconds: float) -> None:
    answer = attempt(f"HTTP/1.1 429 Slow\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n".encode())
    assert (answer.status, answer.retry_after) == (429, seconds)


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"\r\n\r\n", b"hello", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 -1 No\r\n\r\n", b"HTTP/1.1 99999999999 No\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"\x00" * 200,
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"HTTP/1.1 200 OK\r\nA" + b"a" * 20_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000,
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_a_failure_with_a_code(sent: bytes) -> None:
    answer = attempt(sent)
    assert (answer.status, answer.text) == (None, "")
    assert answer.error in {"broken_answer", "cannot_connect"}


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_who_never_ends_an_answer_is_left(sent: bytes) -> None:
    answer = attempt(sent, closes=False)
    assert (answer.status, answer.error) == (None, "timeout")


def test_of_an_answer_its_beginning_is_kept() -> None:
    packed = b"Content-Encoding: gzip\r\nSet-Cookie: \xff=;;=\r\n"
    answer = attempt(b"HTTP/1.1 500 No\r\n" + packed + b"Content-Length: 200000\r\n\r\n" + b"a\x00" + b"b" * 199_998)
    assert (answer.status, answer.error) == (500, None)
    assert answer.text == "a" + "b" * (len(answer.text) - 1)
    assert len(answer.text) <= 4_096


def test_a_redirect_and_a_strange_success_are_told_as_they_are() -> None:
    assert attempt(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n").status == 302
    assert attempt(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n").status == 101


def test_an_attempt_goes_through_no_proxy_and_brings_back_no_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would connect to wherever it likes; what one customer's endpoint set is no other's business."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 None\r\nSet-Cookie: seen=1; Path=/\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def post_twice() -> list[Answer]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, Sender(LOOPBACK, total_seconds=5.0) as sender:
            url = f"http://localhost:{server.sockets[0].getsockname()[1]}/hook"
            return [await sender.post(url, b"{}", {}) for _ in range(2)]

    assert [one.status for one in asyncio.run(post_twice())] == [204, 204]
    assert len(heard) == 2
    assert not any(b"cookie" in one.lower() for one in heard)
