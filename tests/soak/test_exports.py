"""Exports that are taken while eight connections write are, with the feed behind them, the crosswalk of the end."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from soak import exports
from soak.progress import Outcome

from .. import resolution as master


@pytest.fixture
def writers(database: str) -> Iterator[Executor]:
    """Threads instead of processes, each with a connection of its own."""
    master.start()
    with ThreadPoolExecutor(exports.WRITERS) as pool:
        yield pool


def test_an_export_and_the_feed_behind_it_are_the_crosswalk(writers: Executor) -> None:
    outcome = Outcome()
    taken = exports.take_while(writers, "test", outcome, 4)
    final = exports.crosswalk()
    assert [exports.followed(one) == final for one in taken] == [True] * len(taken)
    assert len(final) > 3
    assert len(taken) >= 2
