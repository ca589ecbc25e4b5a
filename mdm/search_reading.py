"""Reads who might be the one that a search asks for, with what scoring needs of them, and audits the search: one statement.

Searches of one row scope that come together share the statement; each has its own row of the audit. Neighbours share a blocking
key that is not hot, or a refined one of a key that is; a key is read to one record more than its limit, so that the statement is
bounded. Row scope is the connection's. Scores nothing.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import orjson

from kernel import audit, db, log
from kernel.actor import Principal
from matching import form_text
from matching.blocking import BlockingKey
from matching.forms import ComparisonForm, comparison_form
from matching.hot_keys import LIMITS
from matching.record import StandardRecord, from_json
from mdm import lookup
from mdm.gather import Gatherer, Gatherers
from mdm.lookup import Connection

KEPT_TEXT = 10_000_000  # Bytes of the texts that kept forms were read from: about 23,000 ordinary ones, 60 MB once read.
# Searches in one statement, and how many that wait go beside one that is under way: a search that meets much holds few others up.
MOST_TOGETHER, ENOUGH_TOGETHER = 16, 8

_HOLDERS = f"""SELECT mine.ask, mine.blocking_key, held.record_ids FROM {{asked}} AS mine (ask, blocking_key)
  CROSS JOIN LATERAL (SELECT array_agg(b.record_id) AS record_ids FROM (
    SELECT record_id FROM blocking_key WHERE blocking_key = mine.blocking_key
    LIMIT {LIMITS.sql("mine.blocking_key")} + 1) AS b) AS held"""
_ASKED = "unnest(%(asks)s::int[], %(keys)s::bigint[])"
_REFINED = """(SELECT DISTINCT a.ask, a.refined FROM unnest(%(refined_asks)s::int[], %(refined)s::bigint[], %(of)s::bigint[])
               AS a (ask, refined, of) JOIN hot ON hot.ask = a.ask AND hot.blocking_key = a.of)"""
# Each record is read by its id, whatever the planner thinks of row security (one row of any table), for which it once read all of
# the crosswalk. The rows of the audit are committed with the statement, as in mdm.lookup: one a search, which tells how many
# records were looked at.
SEARCH = f"""
WITH held AS MATERIALIZED ({_HOLDERS.format(asked=_ASKED)}),
hot AS (SELECT ask, blocking_key FROM held WHERE cardinality(record_ids) > {LIMITS.sql()}),
refined AS ({_HOLDERS.format(asked=_REFINED)}),
usable AS (
  SELECT DISTINCT ask, unnest(record_ids) AS record_id FROM (TABLE held UNION ALL TABLE refined) AS every
  WHERE cardinality(record_ids) <= {LIMITS.sql()}),
found AS (
  SELECT usable.ask, one.* FROM usable CROSS JOIN LATERAL (
    SELECT s.record_id::text, s.version_no, s.standardizer, s.policy_version, s.source, c.golden_id::text, s.form
    FROM standard_record s JOIN crosswalk c USING (record_id)
    WHERE s.record_id = usable.record_id AND c.state IN ('resolved', 'pending') LIMIT 1) AS one),
search AS (
  SELECT ask, actor, keys, (SELECT count(*) FROM hot WHERE hot.ask = given.ask) AS hot
  FROM unnest(%(actors)s::text[], %(counts)s::int[]) WITH ORDINALITY AS given (actor, keys, ask)),
audited AS (
  {audit.INSERT_READ}
  SELECT actor, 'match', 'match',
         jsonb_build_object('keys', keys, 'compared', (SELECT count(*) FROM found WHERE found.ask = search.ask)), '' FROM search)
SELECT t.timeline_id, t.is_any_restricted, search.ask - 1, search.hot, found.*
FROM (SELECT ({lookup.TIMELINE}) AS timeline_id, EXISTS (SELECT FROM restriction) AS is_any_restricted) AS t
CROSS JOIN search LEFT JOIN found ON found.ask = search.ask
"""
BODIES = "SELECT record_id::text, version_no, body::text FROM standard_record WHERE record_id = ANY(%s::uuid[])"
_Row = tuple[Any, ...]
_Key = tuple[str, int, str, int]
logger = log.get_logger()


class Neighbour(NamedTuple):
    """A stored record that shares a key with the one asked for. `golden_id` None: it is not resolved yet."""

    record_id: str
    source: str
    golden_id: str | None
    form: ComparisonForm


class Reading(NamedTuple):
    """What one search read. `is_any_restricted`: there are customers whose data may not be used."""

    timeline_id: str
    hot_keys: int
    neighbours: list[Neighbour]
    is_any_restricted: bool = False


class Search(NamedTuple):
    """One search: who asks, and the keys of the record asked about."""

    actor: str
    keys: Sequence[BlockingKey]


async def read(caller: Principal, keys: Sequence[BlockingKey]) -> Reading:
    """Find the neighbours of a record by its blocking keys; searches of one row scope that come together share a statement.

    Raises: Unavailable when the search cannot be audited.
    """
    return await _gatherers.ask(caller.scope, Search(caller.actor, keys))


_gatherers: Gatherers[db.Scope, Search, Reading] = Gatherers(lambda: Gatherer(_read, most=MOST_TOGETHER, enough=ENOUGH_TOGETHER))


async def _read(scope: db.Scope, searches: Sequence[Search]) -> list[Reading]:
    async with db.hot_connection(scope) as connection:
        with lookup.refused_unless_audited():
            rows = await (await connection.execute(SEARCH, parameters(searches))).fetchall()
        found = [row[5:] for row in rows if row[5] is not None]
        forms = {row[0]: _form(row) for row in found}
        missing = [record_id for record_id, form in forms.items() if form is None]
        if missing:
            forms |= await _made(connection, missing, found)
    readings: list[Reading] = [Reading("", 0, [])] * len(searches)
    for timeline_id, is_any_restricted, ask, hot, _, record_id, _, _, _, source, golden_id, _ in rows:
        reading = readings[ask]
        if not reading.timeline_id:
            reading = readings[ask] = Reading(str(timeline_id), hot, [], is_any_restricted)
        form = forms.get(record_id)
        if form is not None:
            reading.neighbours.append(Neighbour(record_id, source, golden_id, form))
    return readings


def parameters(searches: Sequence[Search]) -> dict[str, Any]:
    """Give the parameters of SEARCH; searches are numbered from 1."""
    keys = [(ask, key) for ask, search in enumerate(searches, 1) for key in sorted({key.key for key in search.keys})]
    refined = [
        (ask, refinement, key.key)
        for ask, search in enumerate(searches, 1)
        for key in search.keys
        for _, refinement in key.refined
    ]
    return {
        "asks": _array(ask for ask, _ in keys),
        "keys": _array(key for _, key in keys),
        "refined_asks": _array(ask for ask, _, _ in refined),
        "refined": _array(refinement for _, refinement, _ in refined),
        "of": _array(key for _, _, key in refined),
        "actors": [search.actor for search in searches],
        "counts": _array(len({key.key for key in search.keys}) for search in searches),
    }


def _array(numbers: Iterable[int]) -> str:
    """Numbers as an array literal: the driver looks at each of a list to choose its type."""
    return "{" + ",".join(map(str, numbers)) + "}"


class Forms:
    """Forms by what names one immutable text (record, version, standardizer, policy); the oldest make room for new ones."""

    def __init__(self, most: int = KEPT_TEXT) -> None:
        self._most, self._size = most, 0
        self._held: dict[_Key, tuple[ComparisonForm, int]] = {}

    def get(self, key: _Key) -> ComparisonForm | None:
        """Give a form that is kept."""
        held = self._held.get(key)
        return None if held is None else held[0]

    def keep(self, key: _Key, form: ComparisonForm, size: int) -> None:
        """Keep a form that was read from a text of so many bytes."""
        if key in self._held:
            return
        self._held[key] = (form, size)
        self._size += size
        while self._size > self._most:
            oldest = next(iter(self._held))
            self._size -= self._held.pop(oldest)[1]


_FORMS = Forms()


def _form(row: _Row) -> ComparisonForm | None:
    key: _Key = row[:4]
    form = _FORMS.get(key)
    if form is None and row[6] is not None:
        with suppress(ValueError, TypeError):  # What is no form is made from its record.
            form = form_text.load(row[6])
        if form is not None:
            _FORMS.keep(key, form, len(row[6]))
    return form


async def _made(connection: Connection, missing: Sequence[str], found: Sequence[_Row]) -> dict[str, ComparisonForm | None]:
    """Make the forms of records that were stored before forms were.

    One that changed meanwhile, or that this program cannot read, is in no answer: its own resolution will see it, or fail and
    say so.
    """
    versions = {row[0]: row[:4] for row in found}
    made: dict[str, ComparisonForm | None] = {}
    for record_id, version_no, body in await (await connection.execute(BODIES, [list(missing)])).fetchall():
        if versions[record_id][1] != version_no:
            continue
        try:
            form = made[record_id] = comparison_form(from_json(StandardRecord, orjson.loads(body)))
        except Exception as error:  # noqa: BLE001 - one record's fault must not fail the searches that meet it.
            logger.warning("unusable_neighbour", record_id=record_id, error=type(error).__name__)
            continue
        _FORMS.keep(versions[record_id], form, len(body))
    return made
