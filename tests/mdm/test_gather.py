"""Questions that come together are answered together; each gets its own answer, and no failure spreads past its batch."""

import asyncio
from collections.abc import Sequence

import pytest

from mdm.gather import Gatherer


class Doubler:
    """Answers numbers with their doubles and notes the batches it was asked in; refuses a batch that holds a negative one."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[int]]] = []

    async def run(self, place: str, questions: Sequence[int]) -> list[int]:
        self.batches.append((place, list(questions)))
        await asyncio.sleep(0.01)
        if min(questions) < 0:
            raise ValueError(place)
        return [2 * question for question in questions]


def test_one_question_is_asked_at_once() -> None:
    doubler = Doubler()
    assert asyncio.run(Gatherer(doubler.run).ask("a", 4)) == 8
    assert doubler.batches == [("a", [4])]


def test_what_comes_together_shares_batches_of_its_own_place() -> None:
    async def many() -> list[int]:
        gatherer = Gatherer(doubler.run, most=8)
        return await asyncio.gather(*(gatherer.ask("ab"[n % 2], n) for n in range(20)))

    doubler = Doubler()
    assert asyncio.run(many()) == [2 * n for n in range(20)]
    assert [(place, len(questions)) for place, questions in doubler.batches] == [("a", 8), ("b", 8), ("a", 2), ("b", 2)]


def test_a_failure_reaches_its_batch_only() -> None:
    async def many() -> list[int | BaseException]:
        gatherer = Gatherer(doubler.run, most=2)
        return await asyncio.gather(*(gatherer.ask("a", n) for n in (1, -1, 2, 3)), return_exceptions=True)

    doubler = Doubler()
    one, two, *others = asyncio.run(many())
    assert isinstance(one, ValueError)
    assert isinstance(two, ValueError)
    assert others == [4, 6]


def test_a_caller_that_goes_away_leaves_the_others_their_answers() -> None:
    async def many() -> int:
        gatherer = Gatherer(doubler.run)
        goes, stays = asyncio.ensure_future(gatherer.ask("a", 1)), asyncio.ensure_future(gatherer.ask("a", 2))
        await asyncio.sleep(0)
        goes.cancel()
        with pytest.raises(asyncio.CancelledError):
            await goes
        return await stays

    doubler = Doubler()
    assert asyncio.run(many()) == 4


def test_whoever_asks_at_the_moment_a_batch_ends_is_not_forgotten() -> None:
    """A question between a batch's end and the loop's knowing of it once waited for ever."""

    async def ask_at_once() -> list[int]:
        async def run(place: str, questions: Sequence[int]) -> list[int]:
            await asyncio.sleep(0)
            return [2 * question for question in questions]

        async def chain(start: int) -> int:
            total = 0
            for step in range(200):
                total += await gatherer.ask("a", start + step)
                for _ in range(step % 4):
                    await asyncio.sleep(0)
            return total

        gatherer = Gatherer(run, most=3, enough=2)
        return await asyncio.wait_for(asyncio.gather(*(chain(start) for start in range(5))), timeout=20)

    assert asyncio.run(ask_at_once()) == [sum(2 * (start + step) for step in range(200)) for start in range(5)]
