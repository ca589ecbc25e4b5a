"""A crew works at pieces in several processes, and none of them outlives its leader."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from mdm.crew import crew

# A leader that waits for ever, as a script without a file: its helpers have no main module to import.
LEADER = """
import os, time
from mdm.crew import crew

with crew(1) as helpers:
    print(next(helpers.in_order(abs, list(range(9)))), *helpers._pool._processes, flush=True)
    time.sleep(600)
"""


def slowly_doubled(number: int) -> int:
    time.sleep(0.05 if number % 2 else 0.0)
    return number * 2


def refuse(number: int) -> int:
    raise ValueError(number)


def test_pieces_come_back_in_their_order_or_as_they_are_made() -> None:
    asked: list[int] = []

    def pieces() -> Iterator[int]:
        for number in range(12):
            asked.append(number)
            yield number

    beats: list[int] = []
    with crew(2) as helpers:
        assert list(helpers.in_order(slowly_doubled, range(12))) == [number * 2 for number in range(12)]
        made = helpers.as_made(slowly_doubled, pieces(), lambda: beats.append(len(asked)))
        first = next(made)
        assert len(asked) < 12, "pieces are asked for when a helper is free, not all at once"
        assert sorted([first, *made]) == [number * 2 for number in range(12)]
    assert beats


def test_what_fails_in_a_helper_fails_with_its_leader() -> None:
    with pytest.raises(ValueError, match="3"), crew(1) as helpers:
        list(helpers.in_order(refuse, [3, 4, 5]))


def test_a_helper_ends_with_its_leader_even_when_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", LEADER], stdout=subprocess.PIPE, text=True) as leader:
        assert leader.stdout is not None
        made, helper = map(int, leader.stdout.readline().split())
        assert made == 0
        os.kill(helper, 0)
        leader.send_signal(signal.SIGKILL)
        leader.wait()
        deadline = time.monotonic() + 20
        while _lives(helper) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _lives(helper)


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
