"""Delivers webhooks: makes deliveries of numbered events, sends what is due, notes what came of it.

Run as `python -m workers.dispatcher`. Several may run; the one that holds the lock leads. What it had in hand when it died falls
due again within a minute. Each endpoint has places and a rate of its own: one that hangs or fails holds up no other.
"""

import asyncio
import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson

from kernel import clock, db, log, outbox
from kernel.settings import fault_point
from mdm import instruments, published, subscribing
from webhooks import catching_up, deliveries, endpoints, feed, schedule, signing
from webhooks.deliveries import Due, Health, Tried
from webhooks.endpoints import Sending
from webhooks.sender import Answer, Sender
from workers.standing import listening, stand

POLL_SECONDS = 0.2
LEADER = "webhook dispatcher"
MOST_BODY_BYTES = 64_000
MOST_AT_ONCE = 500  # Attempts, of all endpoints together; beyond that one each.
NAMES_AT_ONCE = 64  # A name server may keep a look-up waiting for half a minute.
UNREADABLE = "secret_unreadable"
BROKEN = "attempt_broken"
logger = log.get_logger()


@dataclass(slots=True)
class Place:
    """What this process knows of an endpoint: how many attempts are under way, how many it may begin, how it fares."""

    busy: int = 0
    allowance: float = 1.0
    counted_at: float = field(default_factory=time.monotonic)

    def free(self, of: Sending, left: int) -> int:
        """How many attempts may be begun. While the endpoint is left in peace none; after that one, until it answers.

        `left`: how many more this process makes at once. An endpoint may begin one though there be none: others hold up nobody.
        """
        if of.open_until is not None and (of.open_until > of.read_at or self.busy):
            return 0
        at = time.monotonic()
        self.allowance = min(float(of.per_second), self.allowance + (at - self.counted_at) * of.per_second)
        self.counted_at = at
        most = 1 if of.open_until is not None else of.concurrency - self.busy
        return max(0, min(most, int(self.allowance), max(left, 1 - self.busy)))


@dataclass(frozen=True, slots=True)
class Letter:
    """One attempt, ready to be sent."""

    due: Due
    event_id: str
    url: str
    body: bytes
    secrets: Sequence[str]


class Dispatcher:
    """One dispatcher's work. `step` is what touches the database; attempts run beside it."""

    def __init__(self, sender: Sender, own: Executor) -> None:
        """`own`: threads that look up no names."""
        self._sender, self._own = sender, own
        self._places: dict[uuid.UUID, Place] = defaultdict(Place)
        self._done: list[tuple[Letter, Answer]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()

    async def step(self) -> bool:
        """Note what came back, look for what is due and begin to send it; whether anything was begun."""
        done, self._done = self._done, []
        letters = await asyncio.get_running_loop().run_in_executor(self._own, self._in_database, done)
        for letter in letters:
            self._places[letter.due.endpoint_id].busy += 1
            self._places[letter.due.endpoint_id].allowance -= 1
            task = asyncio.create_task(self._send(letter))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return bool(letters)

    async def finish(self) -> None:
        """Let what is under way end, and note it."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        done, self._done = self._done, []
        await asyncio.get_running_loop().run_in_executor(self._own, self._note, done)

    async def _send(self, letter: Letter) -> None:
        try:
            headers = signing.headers(letter.event_id, clock.now(), letter.body, letter.secrets)
            answer = await self._sender.post(letter.url, letter.body, headers)
        except Exception as error:  # noqa: BLE001 - a place that is never given back would silence the endpoint for ever.
            logger.error("attempt_broken", endpoint_id=str(letter.due.endpoint_id), error=type(error).__name__)
            answer = Answer(None, BROKEN, 0)
        fault_point("dispatcher.posted")
        self._places[letter.due.endpoint_id].busy -= 1
        self._done.append((letter, answer))
        self.changed.set()

    def _in_database(self, done: Sequence[tuple[Letter, Answer]]) -> list[Letter]:
        self._note(done)
        with db.transaction() as session:
            deliveries.fan_out(session)
        with db.transaction() as session:
            catching_up.step(session)
        with db.transaction() as session:
            sendings = {one.endpoint_id: one for one in endpoints.sendings(session)}
            for one in [one for one in sendings.values() if not one.secrets]:
                deliveries.note_health(session, one.endpoint_id, Health(one.failures, one.failing_since, None, UNREADABLE))
                del sendings[one.endpoint_id]
            left = MOST_AT_ONCE - sum(place.busy for place in self._places.values())
            free = {known: room for known, one in sendings.items() if (room := self._places[known].free(one, left))}
            due = deliveries.hand_out(session, free)
        if due:
            fault_point("dispatcher.handed_out")
        found = [letter for of, some in _by_scope(due, sendings) for letter in letters(of, some, sendings)]
        if lost := set(due) - {letter.due for letter in found}:
            with db.transaction() as session:
                deliveries.note(session, [(Tried(one, None, "event_not_kept", 0), False) for one in lost])
        return found

    def _note(self, done: Sequence[tuple[Letter, Answer]]) -> None:
        if not done:
            return
        with db.transaction() as session:
            tried = [(_tried(letter.due, answer), _is_delivered(answer)) for letter, answer in done]
            deliveries.note(session, tried)
            fares = {one.endpoint_id: one for one in endpoints.sendings(session)}
            for endpoint_id in {letter.due.endpoint_id for letter, _ in done} & fares.keys():
                answers = [answer for letter, answer in done if letter.due.endpoint_id == endpoint_id]
                if (health := health_after(fares[endpoint_id], answers)) is not None:
                    deliveries.note_health(session, endpoint_id, health)
        fault_point("dispatcher.noted")


def _is_delivered(answer: Answer) -> bool:
    return answer.status is not None and schedule.is_delivered(answer.status)


def _tried(due: Due, answer: Answer) -> Tried:
    pause = schedule.pause_seconds(due.attempts + 1, random.random(), answer.retry_after)  # noqa: S311 - jitter, not a secret
    return Tried(due, answer.status, answer.error, answer.milliseconds, "" if _is_delivered(answer) else answer.text, pause)


def health_after(of: Sending, answers: Iterable[Answer]) -> Health | None:
    """Say how an endpoint fares after some answers, in order; None when nothing is to be noted."""
    now, failures, since, gone = of.read_at, of.failures, of.failing_since, False
    for answer in answers:
        failures, since = (0, None) if _is_delivered(answer) else (failures + 1, since or now)
        gone |= answer.status == schedule.GONE
    if not gone and (failures, since) == (of.failures, of.failing_since):
        return None
    peace = schedule.open_seconds(failures)
    because = "gone" if gone else "failing_for_days" if since and now - since >= schedule.GIVE_UP_AFTER else None
    return Health(failures, since, now + timedelta(seconds=peace) if peace else None, because)


Scope = tuple[tuple[str, ...] | None, tuple[str, ...] | None, tuple[str, ...]]


def _by_scope(due: Sequence[Due], sendings: dict[uuid.UUID, Sending]) -> Iterable[tuple[Scope, list[Due]]]:
    """Group deliveries by what their endpoints may see: each group is read at once."""
    found: dict[Scope, list[Due]] = defaultdict(list)
    for one in due:
        of = sendings[one.endpoint_id]
        found[of.brands, of.regions, of.sources].append(one)
    return found.items()


def letters(of: Scope, due: Sequence[Due], sendings: dict[uuid.UUID, Sending]) -> list[Letter]:
    """Write the letters of deliveries that see the same; none of an event that is not kept any more."""
    brands, regions, sources = of
    with db.read_only(db.Role.APP, db.Scope(brands, regions)) as session:
        log_ = feed.log(session)
        events = feed.numbered(session, sorted({one.seq for one in due}))
        shown = published.shown(session, log_, events, sources)
    bodies = {event["seq"]: (event["id"], body_of(event)) for event in shown}
    return [
        Letter(one, bodies[one.seq][0], sendings[one.endpoint_id].url, bodies[one.seq][1], sendings[one.endpoint_id].secrets)
        for one in due
        if one.seq in bodies
    ]


def body_of(event: dict[str, Any]) -> bytes:
    """Write an event as a body. Of one that says more than a body holds the records that moved are left out, then every list, and
    it says so."""
    whole, data = {**event, "timestamp": event["occurred_at"]}, event["data"]
    moved = {name: value for name, value in data.items() if name not in published.LISTS}
    single = {name: value for name, value in data.items() if not isinstance(value, list)}
    for held in (data, {**moved, "is_truncated": True}):
        if len(body := orjson.dumps({**whole, "data": held})) <= MOST_BODY_BYTES:
            return body
    return orjson.dumps({**whole, "data": {**single, "is_truncated": True}})


class _Listening:
    """A thread that listens for numbered events, and tells by the way whether this process leads."""

    def __init__(self, doorbell: db.Doorbell, wake: Callable[[], object]) -> None:
        self._doorbell, self._wake = doorbell, wake
        self._over = threading.Event()
        self.leads = False

    def listen(self) -> None:
        """Listen until `end`. Raises: what the loss of the database raises."""
        while not self._over.is_set():
            self.leads = self._doorbell.leads(LEADER)
            self._doorbell.wait(POLL_SECONDS)
            self._wake()

    def end(self) -> None:
        """Listen no more."""
        self._over.set()


async def dispatch(stopping: threading.Event, doorbell: db.Doorbell) -> None:
    """Deliver while this connection leads."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(NAMES_AT_ONCE, "names"))  # Names are looked up there, and nothing else is done.
    with ThreadPoolExecutor(2, "own") as own:
        async with Sender(subscribing.allowed_addresses()) as sender:
            await _deliver(stopping, doorbell, Dispatcher(sender, own), own)


async def _deliver(stopping: threading.Event, doorbell: db.Doorbell, dispatcher: Dispatcher, own: Executor) -> None:
    loop = asyncio.get_running_loop()
    listening = _Listening(doorbell, lambda: loop.call_soon_threadsafe(dispatcher.changed.set))
    heard = loop.run_in_executor(own, listening.listen)
    heard.add_done_callback(lambda _: dispatcher.changed.set())
    try:
        while not stopping.is_set() and not heard.done():
            await dispatcher.changed.wait()
            dispatcher.changed.clear()
            if listening.leads and not heard.done():
                await dispatcher.step()
                instruments.stepped("dispatcher")
    finally:
        listening.end()
        await dispatcher.finish()
        await heard


def run(stopping: threading.Event) -> None:
    """Deliver until told to stop."""
    listening(stopping, outbox.NUMBERED, lambda doorbell: asyncio.run(dispatch(stopping, doorbell)))


def main() -> None:
    """Entry point."""
    stand("dispatcher", run)


if __name__ == "__main__":
    main()
