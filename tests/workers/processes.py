"""Real processes of the service, as `mdm up` starts them, to be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from ..resolution import query

PATIENCE_SECONDS = 120.0
WORKER = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "--concurrency", "2", "--loglevel", "WARNING"]
RELAY = [sys.executable, "-m", "workers.relay"]
SWEEPER = [sys.executable, "-m", "workers.sweeper"]
Start = Callable[[list[str]], "subprocess.Popen[bytes]"]


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and all its children, as the out-of-memory killer would."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(done: Callable[[], bool]) -> None:
    """Wait for something, looking often."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, (
            query("SELECT * FROM pending_record LIMIT 3"),
            query("SELECT state, error, checkpoint FROM job LIMIT 3"),
        )
        time.sleep(0.05)
