"""Answers many concurrent questions with one statement: whoever asks while a batch is under way goes with the next one.

Nobody waits for company: an idle gatherer runs a single question at once. Owns no SQL and no connection.
"""

import asyncio
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

Place = TypeVar("Place", bound=Hashable)
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Gatherer(Generic[Place, Question, Answer]):
    """Collects questions by place (what one statement can serve together, such as a row scope) and runs them in batches.

    `run` gets a place and its questions and gives the answers in the same order; when it raises, everyone in that batch gets
    the error. While a batch is under way the next one waits for it, unless `enough` questions have come: then they go beside it
    (a few batches in turn keep this process and the database busy; many small ones cost more than they bring).
    """

    def __init__(
        self,
        run: Callable[[Place, Sequence[Question]], Awaitable[Sequence[Answer]]],
        most: int = 256,
        enough: int = 16,
        flights: int = 4,
    ) -> None:
        self._run, self._most, self._enough, self._flights = run, most, enough, flights
        self._waiting: dict[Place, deque[tuple[Question, asyncio.Future[Answer]]]] = {}
        self._under_way: dict[Place, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, place: Place, question: Question) -> Answer:
        """Put one question and wait for its answer. Cancelling the caller leaves the others of its batch untouched."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.setdefault(place, deque()).append((question, future))
        flights = self._under_way.get(place, 0)
        if not flights or (flights < self._flights and len(self._waiting[place]) >= self._enough):
            self._under_way[place] = flights + 1
            task = loop.create_task(self._fly(place))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _fly(self, place: Place) -> None:
        try:
            await self._drain(place, self._waiting[place])
        finally:  # At once, not when the task is seen to have ended: a question that comes in between would wait for nobody.
            self._under_way[place] -= 1

    async def _drain(self, place: Place, waiting: "deque[tuple[Question, asyncio.Future[Answer]]]") -> None:
        while waiting:
            batch = [waiting.popleft() for _ in range(min(len(waiting), self._most))]
            try:
                answers = await self._run(place, [question for question, _ in batch])
            except BaseException as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error if isinstance(error, Exception) else ConnectionError("stopped"))
                if not isinstance(error, Exception):
                    raise
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


class Gatherers(Generic[Place, Question, Answer]):
    """A gatherer for each event loop, made with its first question: what it holds belongs to the loop."""

    def __init__(self, make: Callable[[], Gatherer[Place, Question, Answer]]) -> None:
        self._make = make
        self._of: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Gatherer[Place, Question, Answer]] = (
            weakref.WeakKeyDictionary()
        )

    async def ask(self, place: Place, question: Question) -> Answer:
        """Put one question to the gatherer of the running loop."""
        loop = asyncio.get_running_loop()
        found = self._of.get(loop)
        if found is None:
            found = self._of[loop] = self._make()
        return await found.ask(place, question)
