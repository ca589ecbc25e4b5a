"""Reads what the records of golden records did: totals by channel and currency, and the latest. Changes nothing.

A record's activities are those under its key and under the keys that it gave up. Sums are made at reading, so that merges, splits
and undo have nothing to keep up; of one key at most MOST_COUNTED are counted, the latest.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlmodel import Session

from kernel import db
from kernel.actor import Principal
from mdm import sql
from mdm.gather import Gatherer, Gatherers
from mdm.lookup import Held
from mdm.views import ACTIVITY

MOST_COUNTED = 10_000
Group = TypeVar("Group")
# Under row-level security the planner would read all of a table for one brand: OFFSET 0 keeps each look-up by itself.
_KEYS = """
FROM crosswalk c CROSS JOIN LATERAL (
  SELECT c.source_key AS key UNION ALL (SELECT s.source_key FROM source_record s WHERE s.rekeyed_to = c.record_id OFFSET 0)
) AS known CROSS JOIN LATERAL (
  SELECT * FROM activity WHERE source = c.source AND record_key = known.key ORDER BY occurred_at DESC LIMIT {limit}
) AS a WHERE c.golden_id = ANY(%(ids)s::uuid[]) AND c.state IN ('resolved', 'pending')
"""
TOTALS = f"""
SELECT c.golden_id::text, c.source, known.key, a.currency, count(*),
  max(a.occurred_at) FILTER (WHERE a.status <> 'cancelled'),
  count(*) FILTER (WHERE a.status <> 'cancelled' AND a.kind = 'order'),
  count(*) FILTER (WHERE a.status <> 'cancelled' AND a.kind = 'return'),
  count(*) FILTER (WHERE a.status <> 'cancelled' AND a.kind = 'case'),
  count(*) FILTER (WHERE a.status <> 'cancelled' AND a.kind = 'visit'),
  coalesce(sum(CASE a.kind WHEN 'return' THEN -a.amount ELSE a.amount END) FILTER (WHERE a.status <> 'cancelled'), 0)
{_KEYS.format(limit=MOST_COUNTED)} GROUP BY 1, 2, 3, 4
"""
LATEST = f"""
SELECT a.source, a.activity_key, a.record_key, a.kind, a.status, a.occurred_at, a.store, a.amount, a.currency, a.updated_at
{_KEYS.format(limit="%(limit)s")} ORDER BY a.occurred_at DESC, a.source, a.activity_key LIMIT %(limit)s
"""


@dataclass(slots=True)
class Totals:
    """What was done, without what was cancelled; net of returns by currency."""

    last_seen_at: datetime | None = None
    orders: int = 0
    returns: int = 0
    cases: int = 0
    visits: int = 0
    net: dict[str, Decimal] = field(default_factory=dict)

    def add(self, row: sql.Row) -> None:
        """Add one row of TOTALS."""
        currency, _number, last_seen_at, orders, returns, cases, visits, net = row[3:]
        self.last_seen_at = max(filter(None, (self.last_seen_at, last_seen_at)), default=None)
        self.orders, self.returns = self.orders + orders, self.returns + returns
        self.cases, self.visits = self.cases + cases, self.visits + visits
        if currency is not None:
            self.net[currency] = self.net.get(currency, Decimal(0)) + net

    def told(self) -> dict[str, Any]:
        """As JSON-ready data."""
        net = [{"currency": currency, "amount": text_of(amount)} for currency, amount in sorted(self.net.items())]
        counts = {"orders": self.orders, "returns": self.returns, "cases": self.cases, "visits": self.visits}
        return {"last_seen_at": self.last_seen_at, **counts, "net": net}

    def brief(self) -> dict[str, Any]:
        """What a view shows."""
        said = self.told()
        return {name: said[name] for name in ("last_seen_at", "orders", "returns", "net")}


def text_of(amount: Decimal | None) -> str | None:
    """Write an amount as a plain decimal number, however many noughts it was sent with."""
    return None if amount is None else format(amount.normalize() + 0, "f")


def totals(rows: Iterable[sql.Row], group: Callable[[sql.Row], Group]) -> dict[Group, Totals]:
    """Add up rows of TOTALS by a group of theirs."""
    found: dict[Group, Totals] = {}
    for row in rows:
        found.setdefault(group(row), Totals()).add(row)
    return found


@dataclass(frozen=True, slots=True)
class Activities:
    """What the records of one golden record did: by kind of channel, and the latest of it, as rows of LATEST."""

    channels: Mapping[str, Totals]
    total: Totals
    latest: Sequence[sql.Row]
    cut: bool


def read(session: Session, golden_id: uuid.UUID, limit: int, channel_of: Callable[[str], str]) -> Activities:
    """Read the activities of a golden record's members, within the session's row scope. `channel_of`: a source's.

    Two statements.
    """
    rows = sql.rows(session, TOTALS, {"ids": [golden_id]})
    latest = sql.rows(session, LATEST, {"ids": [golden_id], "limit": limit})
    total = totals(rows, lambda _: "").get("", Totals())
    return Activities(totals(rows, lambda row: channel_of(row[1])), total, latest, _is_cut(rows))


def _is_cut(rows: Sequence[sql.Row]) -> bool:
    counted: dict[sql.Row, int] = {}
    for row in rows:
        counted[row[:3]] = counted.get(row[:3], 0) + row[4]
    return any(number >= MOST_COUNTED for number in counted.values())


async def beside(
    caller: Principal, held: Mapping[str, Held], fields: Collection[str] | None, without: Collection[str] = ()
) -> Mapping[str, Held]:
    """Add to golden records what their records did, when the fields that are shown name it; costs nothing otherwise.

    `without`: sources of which nothing is to count.
    """
    if ACTIVITY not in (fields or ()):
        return held
    ids = {one.golden_id for one in held.values() if one.golden_id is not None and one.status != "erased"}
    found = await _all_but(caller, ids, without) if without else await briefs(caller, ids)
    return {asked: replace(one, activity=found.get(one.golden_id or "")) for asked, one in held.items()}


async def briefs(caller: Principal, golden_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """What a view shows of the activities of golden records; nothing of one that nobody sent any of. One statement."""
    if len(golden_ids) == 1:
        (one,) = golden_ids
        found = await _gatherers.ask(caller.scope, one)
        return {one: found} if found else {}
    found_all = await _read(caller.scope, list(golden_ids)) if golden_ids else []
    return {golden_id: found for golden_id, found in zip(golden_ids, found_all, strict=True) if found}


async def _all_but(caller: Principal, golden_ids: Collection[str], without: Collection[str]) -> dict[str, dict[str, Any]]:
    rows = [row for row in await _rows(caller.scope, golden_ids) if row[1] not in without]
    return {golden_id: one.brief() for golden_id, one in totals(rows, lambda row: str(row[0])).items()}


async def _rows(scope: db.Scope, golden_ids: Collection[str]) -> list[sql.Row]:
    async with db.hot_connection(scope) as connection:
        return await (await connection.execute(TOTALS, {"ids": list(golden_ids)})).fetchall()


async def _read(scope: db.Scope, golden_ids: Sequence[str]) -> list[dict[str, Any] | None]:
    rows = await _rows(scope, golden_ids)
    found = {golden_id: one.brief() for golden_id, one in totals(rows, lambda row: str(row[0])).items()}
    return [found.get(golden_id) for golden_id in golden_ids]


_gatherers: Gatherers[db.Scope, str, dict[str, Any] | None] = Gatherers(lambda: Gatherer(_read))
