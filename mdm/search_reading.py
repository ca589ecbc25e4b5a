"""Reads who might be the one that a search asks for, with what scoring needs of them, and audits the search: one statement.

Neighbours share a blocking key that is not hot, or a refined one of a key that is; a key is read to HOT_LIMIT + 1 records, so
that the statement is bounded. Row scope is the connection's. Scores nothing.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import orjson

from kernel import audit, db
from kernel.actor import Principal
from matching import form_text
from matching.blocking import HOT_LIMIT, BlockingKey
from matching.forms import ComparisonForm, comparison_form
from matching.record import StandardRecord, from_json
from mdm import lookup
from mdm.lookup import Connection

KEPT_FORMS = 20_000

_HOLDERS = """SELECT mine.blocking_key, held.record_ids FROM {asked} AS mine (blocking_key)
  CROSS JOIN LATERAL (SELECT array_agg(b.record_id) AS record_ids FROM (
    SELECT record_id FROM blocking_key WHERE blocking_key = mine.blocking_key LIMIT %(limit)s + 1) AS b) AS held"""
_ASKED = "unnest(%(keys)s::bigint[])"
_REFINED = """(SELECT DISTINCT a.refined FROM unnest(%(refined)s::bigint[], %(of)s::bigint[]) AS a (refined, of)
               JOIN hot ON hot.blocking_key = a.of)"""
# Each record is read by its id, whatever the planner thinks of row security (one row of any table), for which it once read all of
# the crosswalk. The row of the audit is committed with the statement, as in mdm.lookup; it tells how many records were looked at.
SEARCH = f"""
WITH held AS MATERIALIZED ({_HOLDERS.format(asked=_ASKED)}),
hot AS (SELECT blocking_key FROM held WHERE cardinality(record_ids) > %(limit)s),
refined AS ({_HOLDERS.format(asked=_REFINED)}),
usable AS (
  SELECT DISTINCT unnest(record_ids) AS record_id FROM (TABLE held UNION ALL TABLE refined) AS every
  WHERE cardinality(record_ids) <= %(limit)s),
found AS (
  SELECT one.* FROM usable CROSS JOIN LATERAL (
    SELECT s.record_id::text, s.version_no, s.standardizer, s.policy_version, s.source, c.golden_id::text, s.form
    FROM standard_record s JOIN crosswalk c USING (record_id)
    WHERE s.record_id = usable.record_id AND c.state IN ('resolved', 'pending') LIMIT 1) AS one),
audited AS (
  {audit.INSERT_READ}
  SELECT %(actor)s, 'match', 'match',
         jsonb_build_object('keys', cardinality(%(keys)s::bigint[]), 'compared', (SELECT count(*) FROM found)), '')
SELECT t.timeline_id, (SELECT count(*) FROM hot), found.*
FROM (SELECT ({lookup.TIMELINE}) AS timeline_id) AS t LEFT JOIN found ON true
"""  # noqa: S608 - made of this module's constants.
BODIES = "SELECT record_id::text, version_no, body::text FROM standard_record WHERE record_id = ANY(%s::uuid[])"
_Row = tuple[Any, ...]
_Key = tuple[str, int, str, int]


class Neighbour(NamedTuple):
    """A stored record that shares a key with the one asked for. `golden_id` None: it is not resolved yet."""

    record_id: str
    source: str
    golden_id: str | None
    form: ComparisonForm


class Reading(NamedTuple):
    """What one search read."""

    timeline_id: str
    hot_keys: int
    neighbours: list[Neighbour]


async def read(caller: Principal, keys: Sequence[BlockingKey]) -> Reading:
    """Find the neighbours of a record by its blocking keys. Raises: Unavailable when the search cannot be audited."""
    async with db.hot_connection(caller.scope) as connection:
        with lookup.refused_unless_audited():
            rows = await (await connection.execute(SEARCH, parameters(caller, keys))).fetchall()
        found = [row[2:] for row in rows if row[2] is not None]
        forms = {row[0]: _form(row) for row in found}
        missing = [record_id for record_id, form in forms.items() if form is None]
        if missing:
            forms |= await _made(connection, missing, found)
    neighbours = [Neighbour(row[0], row[4], row[5], form) for row in found if (form := forms[row[0]]) is not None]
    return Reading(str(rows[0][0]) if rows else "", rows[0][1] if rows else 0, neighbours)


def parameters(caller: Principal, keys: Sequence[BlockingKey]) -> dict[str, Any]:
    """Give the parameters of SEARCH."""
    refined = [(refinement, key.key) for key in keys for _, refinement in key.refined]
    return {
        "keys": _array(sorted({key.key for key in keys})),
        "refined": _array(refinement for refinement, _ in refined),
        "of": _array(key for _, key in refined),
        "limit": HOT_LIMIT,
        "actor": caller.actor,
    }


def _array(numbers: Iterable[int]) -> str:
    """Numbers as an array literal: the driver looks at each of a list to choose its type."""
    return "{" + ",".join(map(str, numbers)) + "}"


# Forms by what names one immutable text: record, version, standardizer, policy.
_FORMS: "OrderedDict[_Key, ComparisonForm]" = OrderedDict()


def _form(row: _Row) -> ComparisonForm | None:
    key: _Key = row[:4]
    form = _FORMS.get(key)
    if form is None and row[6] is not None:
        with suppress(ValueError, TypeError):  # What is no form is made from its record.
            form = form_text.load(row[6])
        if form is not None:
            _remember(key, form)
    return form


def _remember(key: _Key, form: ComparisonForm) -> None:
    _FORMS[key] = form
    if len(_FORMS) > KEPT_FORMS:
        _FORMS.popitem(last=False)


async def _made(connection: Connection, missing: Sequence[str], found: Sequence[_Row]) -> dict[str, ComparisonForm | None]:
    """Make the forms of records that were stored before forms were; one that changed meanwhile is left to its own resolution."""
    versions = {row[0]: row[:4] for row in found}
    made: dict[str, ComparisonForm | None] = {}
    for record_id, version_no, body in await (await connection.execute(BODIES, [list(missing)])).fetchall():
        if versions[record_id][1] == version_no:
            form = made[record_id] = comparison_form(from_json(StandardRecord, orjson.loads(body)))
            _remember(versions[record_id], form)
    return made
