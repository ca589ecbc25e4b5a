"""A subscriber on loopback that only counts: answers 204 and says when which body came. `python -m bench.sink <seconds>`.

Prints its port, then, when its input ends, one JSON list of [arrival, sent] in seconds since the epoch: `sent` is what the event
says of itself.
"""

import asyncio
import json
import re
import sys
import time
from typing import ClassVar, cast

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
SENT = re.compile(rb'"sent":([0-9.]+)')


class Count(asyncio.Protocol):
    """One connection: requests one after another."""

    came: ClassVar[list[tuple[float, float]]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport, self._held = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self._held[:end])
            size = end + 4 + int(length.group(1) if length else 0)
            if len(self._held) < size:
                return
            sent = SENT.search(self._held[:size])
            self.came.append((time.time(), float(sent.group(1)) if sent else 0.0))
            self._held = self._held[size:]
            self._transport.write(ANSWER)


async def main() -> None:
    """Serve until the input ends."""
    server = await asyncio.get_running_loop().create_server(Count, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    sys.stdout.write(json.dumps(Count.came) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
