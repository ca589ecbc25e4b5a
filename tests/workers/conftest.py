"""Processes that a test starts end with it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import redis

from .processes import Start, kill


@pytest.fixture
def start(database: str, redis_url: str) -> Iterator[Start]:
    """Start processes as `mdm up` does; what still runs at the end is killed."""
    redis.Redis.from_url(redis_url).flushdb()
    with ExitStack() as stack:

        def run(command: list[str]) -> "subprocess.Popen[bytes]":
            process = subprocess.Popen(command, start_new_session=True, env=dict(os.environ))
            stack.callback(kill, process)
            return process

        yield run
