"""Wraps data keys anew under the first of the service's keys, so that a key before it may be given up. Payloads stay as they are.

In steps of a thousand, each a transaction: it may be ended at any time and begun again. What processes that do not know the new
key yet write meanwhile is found by the next run.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from kernel.errors import Unavailable
from mdm import sql
from mdm.sealing import Wrapper, wrapper

# Every table that holds wrapped keys; a test walks the catalogue.
TABLES = {"record_data_key": "record_id", "reject": "reject_id", "steward_record": "record_id"}
STEP = 1_000
Step = Callable[[], AbstractContextManager[Session]]
Rows = list[tuple[Any, bytes, bytes]]  # Whose, as it was wrapped, as it is to be.


@dataclass(slots=True)
class Rewrapped:
    """How many data keys are wrapped by each key, by its place (the last is the secret's own), and how many by none of them."""

    by_key: list[int] = field(default_factory=lambda: [0] * len(wrapper().ciphers))
    unreadable: int = 0

    @property
    def left(self) -> int:
        """How many are wrapped by another key than the first."""
        return sum(self.by_key[1:])


def count(read: Step) -> Rewrapped:
    """Count by which key each data key is wrapped. Opens every one: some 100,000 a second."""
    return _walk(read, lambda *_: None)


def rewrap(write: Step) -> Rewrapped:
    """Wrap every data key by the first key that is wrapped by another; what stood before is counted. Idempotent."""
    return _walk(write, _store)


def _walk(step: Step, act: Callable[[Session, str, Rows], None]) -> Rewrapped:
    done, by = Rewrapped(), wrapper()
    for table in TABLES:
        for session, rows in _pages(step, table):
            act(session, table, list(_others(by, rows, done)))
    return done


def _pages(step: Step, table: str) -> Iterator[tuple[Session, list[sql.Row]]]:
    column, after = TABLES[table], None
    while True:
        with step() as session:
            rows = sql.rows(
                session,
                f"""SELECT {column}, wrapped_key FROM {table} WHERE wrapped_key IS NOT NULL
                    AND (%(after)s::uuid IS NULL OR {column} > %(after)s)
                    ORDER BY {column} LIMIT {STEP}""",
                {"after": after},
            )
            yield session, rows
        if len(rows) < STEP:
            return
        after = rows[-1][0]


def _others(by: Wrapper, rows: list[sql.Row], done: Rewrapped) -> Iterator[tuple[Any, bytes, bytes]]:
    for owner_id, wrapped in rows:
        try:
            key, place = by.open(owner_id, bytes(wrapped))
        except Unavailable:
            done.unreadable += 1
            continue
        done.by_key[place] += 1
        if place:
            yield owner_id, wrapped, by.wrap(owner_id, key)


def _store(session: Session, table: str, rows: Rows) -> None:
    """Store keys that were wrapped anew, where the key still is the one that was read: an erasure may have come in between."""
    if rows:
        sql.run(
            session,
            f"""UPDATE {table} AS t SET wrapped_key = n.wrapped
                FROM unnest(%s::uuid[], %s::bytea[], %s::bytea[]) AS n (id, before, wrapped)
                WHERE t.{TABLES[table]} = n.id AND t.wrapped_key = n.before""",
            [list(column) for column in zip(*rows, strict=True)],
        )
