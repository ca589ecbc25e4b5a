"""What an export says: the rows of the crosswalk or of golden records, read in one snapshot and the row scope of its session.

The number of the last event is read in the same snapshot. Events are numbered after they are committed, so everything numbered
up to then is in the snapshot; what is in it and not yet numbered comes again with a greater number, and says the same.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import psycopg
from sqlmodel import Session

from mdm import export_consents, limited, lookup, masking, sql
from mdm.export_consents import Asking
from mdm.export_files import Columns, Kind
from mdm.policy import Policy
from mdm.purposes import Limits
from mdm.steps import Steps
from webhooks import feed
from webhooks.feed import Log

PORTION_ROWS = 10_000
CROSSWALK, GOLDEN, CHANGED = "crosswalk", "golden", "changed-since"
KINDS = (CROSSWALK, GOLDEN, CHANGED)
LONGEST_STATEMENT = "600s"  # One portion: whoever waits for a request does not wait for this.


@dataclass(frozen=True, slots=True)
class Under:
    """What may not be used for the purpose of a file, by which policy, and the steps in which values are computed without it, and
    without what is beyond the file's scope."""

    limits: Limits
    policy: Policy
    steps: Steps


@dataclass(frozen=True, slots=True)
class Extent:
    """Which rows and columns: attributes of golden records, records of which sources (empty: all), changes behind which cursor.

    `private`: sources whose keys are not told. `as_json`: attributes are wanted as JSON, else texts as they are. `masked`: for
    somebody who may not see personal values. `under`: for a purpose that has limits, of which none of `fields` may be kept out,
    or for some brands or regions alone. `asking`: what each row says of consent, behind all attributes.
    """

    kind: str
    fields: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    after: str | None = None
    private: tuple[str, ...] = ()
    as_json: bool = False
    masked: bool = False
    under: Under | None = None
    asking: Asking | None = None


def columns(extent: Extent) -> Columns:
    """The columns of the file."""
    if extent.kind == CROSSWALK:
        return dict.fromkeys(("source", "source_key", "record_id", "golden_id", "resolution"), Kind.TEXT)
    standing = {"golden_id": Kind.TEXT, "status": Kind.TEXT, "redirect_to": Kind.TEXT, "version": Kind.NUMBER}
    found = {**standing, "computed_at": Kind.TIME, **dict.fromkeys(extent.fields, Kind.JSON if extent.as_json else Kind.TEXT)}
    return {**found, **export_consents.columns(extent.as_json)} if extent.asking else found


def rows(session: Session, extent: Extent) -> tuple[Log, Iterator[list[sql.Row]]]:
    """Read where the log stands, and the rows, in portions; `session` is a snapshot.

    Raises: Conflict, Gone for a cursor behind which changes cannot be told any more.
    """
    sql.run(session, f"SET LOCAL statement_timeout = '{LONGEST_STATEMENT}'")
    log = feed.log(session)
    if extent.kind == CROSSWALK:
        return log, _portions(session, _CROSSWALK, _parameters(extent))
    behind = {"after": feed.place(log, extent.after), "until": log.last_seq}
    statement = (_CHANGED if extent.kind == CHANGED else _GOLDEN).format(fields=_fields(extent))
    portions = _portions(session, statement, {**_parameters(extent), **_paths(extent.fields), **behind})
    usable = (_usable(session, portion, extent) for portion in portions)
    shown = _masked(usable, extent) if extent.masked else usable
    return log, _asked(session, extent.asking, shown) if extent.asking else shown


def _asked(session: Session, asking: Asking, portions: Iterator[list[sql.Row]]) -> Iterator[list[sql.Row]]:
    """Say of each row what may be done; in the snapshot that it is of."""
    for portion in portions:
        yield list(export_consents.beside(session, asking, portion))


def _usable(scoped: Session, portion: list[sql.Row], extent: Extent) -> list[sql.Row]:
    """Leave the last column out: the whole record of a row whose values are computed anew, without what may not be told."""
    touched = {place: orjson.loads(row[-1]) for place, row in enumerate(portion) if row[-1] is not None}
    if not touched or extent.under is None:
        return [row[:-1] for row in portion]
    of, hidden = extent.under, limited.beyond(scoped, touched.values())
    with of.steps() as session:
        bodies = dict(zip(touched, limited.under(session, of.policy, list(touched.values()), of.limits, hidden), strict=True))
    found = [_shown(row[:-1], bodies[place], extent) if place in bodies else row[:-1] for place, row in enumerate(portion)]
    return [row for row in found if row is not None]


def _shown(row: sql.Row, body: Mapping[str, Any] | None, extent: Extent) -> sql.Row | None:
    """A row with the values of a body; of one of which nothing is left none, or what is told of a record that is not there."""
    first = len(row) - len(extent.fields)
    if body is None:
        return (row[0], "unknown", *[None] * (len(row) - 2)) if extent.kind == CHANGED else None
    return (*row[:first], *[_picked(body, _path(field), extent.as_json) for field in extent.fields])


def _picked(body: Any, path: Sequence[str], as_json: bool) -> str | None:
    """What PostgreSQL's #> and #>> give of a JSON value, as text."""
    for name in path:
        body = body.get(name) if isinstance(body, Mapping) else None
    if body is None or (isinstance(body, str) and not as_json):
        return body
    return json.dumps(body, ensure_ascii=False)


def _masked(portions: Iterator[list[sql.Row]], extent: Extent) -> Iterator[list[sql.Row]]:
    """Mask the attributes, which are the last columns as yet."""
    first = len(columns(replace(extent, asking=None))) - len(extent.fields)
    for portion in portions:
        yield [(*row[:first], *map(_masked_value, extent.fields, row[first:])) for row in portion]


def _masked_value(field: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return str(masking.field(field, text))
    if isinstance(value, dict | list | str):
        return orjson.dumps(masking.field(field, value)).decode()
    return str(masking.field(field, text))  # A number or a word that reads as JSON: of a customer it is a text.


def _portions(session: Session, statement: str, parameters: Mapping[str, Any]) -> Iterator[list[sql.Row]]:
    driver: Any = session.connection().connection.driver_connection
    connection: psycopg.Connection[sql.Row] = driver
    with connection.cursor(name="mdm_export") as opened:
        opened.execute(statement, parameters)
        while portion := opened.fetchmany(PORTION_ROWS):
            yield portion


def _parameters(extent: Extent) -> dict[str, Any]:
    barred = list(extent.under.limits.sources) if extent.under else []
    return {"any": not extent.sources, "sources": list(extent.sources), "private": list(extent.private), "barred": barred}


_CROSSWALK = """
SELECT c.source, CASE WHEN c.source <> ALL(%(private)s::text[]) THEN c.source_key END, c.record_id::text, c.golden_id::text,
  CASE WHEN p.quarantined_at IS NOT NULL THEN 'quarantined' WHEN p.record_id IS NOT NULL THEN 'pending' ELSE c.state END
FROM crosswalk c LEFT JOIN pending_record p USING (record_id)
WHERE (%(any)s OR c.source = ANY(%(sources)s::text[])) AND c.source <> ALL(%(barred)s::text[]) ORDER BY c.record_id"""

_STANDING = """g.redirect_to::text, g.version,
  to_char(g.computed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
# The whole of a golden record that holds a record beyond the scope of the file, or of a source which may not be used: by its own
# list of members, for those of other brands are not in the crosswalk that this session sees.
_TOUCHED = f"""CASE WHEN NOT ({lookup.WHOLE})
  OR %(barred)s::text[] <> '{{{{}}}}' AND EXISTS (SELECT FROM jsonb_array_elements(g.body -> 'members') AS m
  WHERE m ->> 'source' = ANY(%(barred)s::text[])) THEN g.body::text END"""
_GOLDEN = f"""
SELECT g.golden_id::text, g.status, {_STANDING}{{fields}}, {_TOUCHED} FROM golden g
WHERE g.status = 'live' AND NOT (EXISTS (SELECT FROM restriction) AND is_restricted(g.golden_id)) AND (%(any)s OR EXISTS (
  SELECT FROM crosswalk c WHERE c.golden_id = g.golden_id AND c.source = ANY(%(sources)s::text[])))
ORDER BY g.golden_id"""

# An id that was merged away has no event of its own: the one that it went to names it. What left the caller's scope is told of by
# an event that was within it, and is answered `unknown`, as everywhere.
_CHANGED = f"""
WITH heard AS MATERIALIZED (
  SELECT subject_id, body FROM event WHERE seq > %(after)s AND seq <= %(until)s AND type LIKE 'golden.%%'
    AND (%(any)s OR sources && %(sources)s::text[])),
told AS (
  SELECT subject_id AS golden_id FROM heard
  UNION SELECT retired::uuid FROM heard CROSS JOIN LATERAL jsonb_array_elements_text(body -> 'retired_ids') AS retired)
SELECT told.golden_id::text, coalesce(g.status, 'unknown'), {_STANDING}{{fields}}, {_TOUCHED}
FROM told LEFT JOIN golden g ON g.golden_id = told.golden_id
  AND NOT (EXISTS (SELECT FROM restriction) AND is_restricted(g.golden_id)) ORDER BY told.golden_id"""


def _fields(extent: Extent) -> str:
    """What picks attributes out of a golden record; their names are parameters."""
    pick = "#>" if extent.as_json else "#>>"
    return "".join(f", (g.body {pick} %(path_{place})s::text[])::text" for place, _ in enumerate(extent.fields))


def _paths(names: Sequence[str]) -> dict[str, list[str]]:
    return {f"path_{place}": _path(name) for place, name in enumerate(names)}


def _path(name: str) -> list[str]:
    group, _, own = name.partition(".")
    return [name] if name == "display_name" else ["values", group, "value", *([own] if own else [])]
