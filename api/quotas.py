"""How much a caller may ask: requests in a minute, and different identifiers in an hour, so that nobody reads out who is known.

Counted in this process and shared with the others by a thread, once a second: no request waits for the broker. While that is
away each process counts by itself. A caller without limits costs a comparison.
"""

import hashlib
import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import redis

from kernel import audit, db, log
from kernel.actor import Principal
from kernel.audit import Entry
from kernel.errors import TooMany
from kernel.settings import settings

LOG = log.get_logger("api")
MINUTE, HOUR = 60, 3_600
SHARE_SECONDS, BROKER_SECONDS = 1.0, 0.5
USED_UP = "quota.identifiers_used_up"


@dataclass
class Window:
    """Requests of a caller in this minute and the one before. `others`: what other processes counted, as last heard."""

    at: int
    now: int = 0
    before: int = 0
    unsent: int = 0
    others: int = 0

    def turn(self, at: int) -> None:
        """Go on to a minute."""
        if at != self.at:
            self.before = self.now + self.others if at == self.at + 1 else 0
            self.at, self.now, self.unsent, self.others = at, 0, 0, 0

    def passed(self, part: float) -> float:
        """How many there were in the last sixty seconds, `part` of this minute being over."""
        return self.now + self.others + self.before * (1.0 - part)


@dataclass
class Budget:
    """Different identifiers of a caller in this hour, as short hashes. `known`: how many all processes have seen."""

    at: int
    seen: set[bytes] = field(default_factory=set)
    unsent: set[bytes] = field(default_factory=set)
    known: int = 0
    is_told: bool = False


class Quotas:
    """The counts of one process. `clock` gives seconds of the day as all processes see it."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._windows: dict[str, Window] = {}
        self._budgets: dict[str, Budget] = {}
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def count(self, caller: Principal) -> None:
        """Count a request. Raises: TooMany, with the seconds after which there is room again."""
        most = caller.requests_per_minute
        if most is None:
            return
        minute, part = divmod(self._clock() / MINUTE, 1.0)
        with self._lock:
            window = self._windows.setdefault(caller.key_id, Window(int(minute)))
            window.turn(int(minute))
            if window.passed(part) >= most:
                # What the minute before still weighs fades; what this one holds goes only with it.
                held = window.now + window.others
                fades = (1.0 - part) * MINUTE if held >= most else (1.0 - (most - held) / max(1, window.before) - part) * MINUTE
                detail = f"This key may send {most:,} requests a minute."
                raise TooMany.asked("rate_limited", "Too many requests", math.ceil(fades), detail)
            window.now += 1
            window.unsent += 1

    def spends(self, caller: Principal, named: Iterable[str]) -> tuple[bool, bool, float]:
        """Count identifiers: whether these were too many, for the first time this hour, and how long the hour lasts still."""
        hour, part = divmod(self._clock() / HOUR, 1.0)
        hashes = {hashlib.blake2b(one.encode("utf-8", "surrogatepass"), key=b"quota", digest_size=8).digest() for one in named}
        with self._lock:
            budget = self._budgets.get(caller.key_id)
            if budget is None or budget.at != int(hour):
                budget = self._budgets[caller.key_id] = Budget(int(hour))
            fresh = hashes - budget.seen
            most = caller.identifiers_per_hour or 0
            too_many = bool(fresh) and max(len(budget.seen), budget.known) + len(fresh) > most
            if not too_many:
                budget.seen |= fresh
                budget.unsent |= fresh
            first, budget.is_told = too_many and not budget.is_told, budget.is_told or too_many
        return too_many, first, (1.0 - part) * HOUR

    def share(self, broker: "redis.Redis") -> None:
        """Tell the other processes what was counted here, and hear what they have. Raises: redis.RedisError."""
        with self._lock:
            windows = [(key, one, one.at, one.now, one.unsent) for key, one in self._windows.items() if one.unsent]
            budgets = [(key, one, one.at, tuple(one.unsent)) for key, one in self._budgets.items() if one.unsent]
        for key, window, at, own, unsent in windows:
            name = f"mdm:requests:{key}:{at}"
            total = _run(broker, ("INCRBY", name, unsent), ("EXPIRE", name, 3 * MINUTE))[0]
            with self._lock:
                if window.at == at:
                    window.unsent -= unsent
                    window.others = max(0, int(total) - own)
        for key, budget, at, hashes in budgets:
            name = f"mdm:identifiers:{key}:{at}"
            known = _run(broker, ("PFADD", name, *hashes), ("EXPIRE", name, 2 * HOUR), ("PFCOUNT", name))[2]
            with self._lock:
                budget.unsent -= set(hashes)
                budget.known = int(known)

    def forget(self) -> None:
        """Let go of what is over."""
        now = self._clock()
        with self._lock:
            self._windows = {key: one for key, one in self._windows.items() if one.at >= int(now / MINUTE) - 1}
            self._budgets = {key: one for key, one in self._budgets.items() if one.at >= int(now / HOUR)}

    def start(self) -> None:
        """Begin to share."""
        threading.Thread(target=self._follow, name="quotas", daemon=True).start()

    def end(self) -> None:
        """Share no more."""
        self._ended.set()

    def _follow(self) -> None:
        url = settings().redis_url
        while not self._ended.wait(SHARE_SECONDS):
            self.forget()
            if url is None or not (self._windows or self._budgets):
                continue
            try:
                with redis.Redis.from_url(url, socket_timeout=BROKER_SECONDS, socket_connect_timeout=BROKER_SECONDS) as broker:
                    self.share(broker)
            except (redis.RedisError, OSError):
                continue  # Each process counts by itself until it is back; the relay's log says that it is away.


def _run(broker: "redis.Redis", *commands: tuple[Any, ...]) -> list[Any]:
    """Run commands in one round trip; the answer to each."""
    with broker.pipeline(transaction=False) as pipe:
        for command in commands:
            pipe.execute_command(*command)  # type: ignore[no-untyped-call]  # The client types its commands, not this.
        return list(pipe.execute())


quotas = Quotas()


async def spend(caller: Principal, named: Iterable[str]) -> None:
    """Count identifiers that somebody asks for. What is too much is audited once an hour. Raises: TooMany."""
    if caller.identifiers_per_hour is None:
        return
    too_many, first, after = quotas.spends(caller, named)
    if not too_many:
        return
    if first:
        LOG.warning("identifiers_used_up", actor=caller.actor, allowed=caller.identifiers_per_hour)
        detail = {"allowed": caller.identifiers_per_hour}
        async with db.hot_connection(caller.scope) as connection:
            await audit.record_all_async(connection, [Entry(caller.actor, USED_UP, "key", caller.key_id, detail=detail)])
    text = f"This key may ask for {caller.identifiers_per_hour:,} different customers an hour."
    raise TooMany.asked("identifiers_used_up", "Too many different customers were asked for", after, text)
