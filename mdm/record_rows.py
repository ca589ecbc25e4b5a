"""The statements by which source records are stored: one a step, whatever the number of records.

Locks records in the order of their keys, so that two batches never wait for each other. Decides nothing; `mdm.ingest` does.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from mdm import key_rows, sql
from mdm.appraisal import SEPARATOR
from mdm.current_version import Current, Mark, Version
from mdm.standardized import Standardized

Key = tuple[str, str]  # A source and its own key of a record.


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A source record as it is to stand after the batch."""

    record_id: uuid.UUID
    source: str
    source_key: str
    brand: str
    region: str
    parent_key: str | None
    version_no: int
    is_deleted: bool
    mark: Mark
    payload_hash: bytes


@dataclass(frozen=True, slots=True)
class StandardRow:
    """One standard record to replace the one before."""

    record_id: uuid.UUID
    version_no: int
    source: str
    source_key: str
    brand: str
    region: str
    observed_at: datetime
    said: Standardized


@dataclass(frozen=True, slots=True)
class Stored:
    """A source record as it stands, locked. `rekeyed` when its key was given up for another."""

    record_id: uuid.UUID
    version_no: int
    current: Current
    region: str
    parent_key: str | None
    received_at: datetime
    rekeyed: bool


def out_of_scope(session: Session, source: str, keys: Sequence[str]) -> set[str]:
    """Name the keys of records that the session's scope may not see; for a session of the app role."""
    return {row[0] for row in sql.rows(session, "SELECT keys_out_of_scope(%s, %s)", [source, list(keys)])}


def insert_or_lock(session: Session, rows: Sequence[RecordRow], received_at: datetime) -> set[uuid.UUID]:
    """Insert records whose key is new and lock those that are there, in the order of sources and keys; the ids inserted.

    A key that another transaction is inserting is waited for, and then locked. `DO UPDATE … WHERE false` locks without writing.
    """
    ordered = sorted(rows, key=lambda row: (row.source, row.source_key))
    found = sql.rows(
        session,
        f"""INSERT INTO source_record AS s (record_id, source, source_key, brand, region, parent_source, parent_key, version_no,
                                            is_deleted, source_version, source_updated_at, received_at, payload_hash)
           SELECT r.id, r.source, r.key, r.brand, r.region, CASE WHEN r.parent IS NOT NULL THEN r.source END, r.parent,
                  r.no, r.deleted, r.version, r.at, %(received)s, r.hash
           FROM unnest({_COLUMNS}) WITH ORDINALITY
             AS r (id, source, key, brand, region, parent, no, deleted, version, at, hash, place)
           ORDER BY r.place
           ON CONFLICT (source, source_key) DO UPDATE SET brand = s.brand WHERE false
           RETURNING s.record_id""",
        _columns(ordered) | {"received": received_at},
    )
    return {row[0] for row in found}


def locked(session: Session, keys: Sequence[Key]) -> dict[Key, Stored]:
    """The records of these sources and keys, as they stand. One statement."""
    found = sql.rows(
        session,
        """SELECT source, source_key, record_id, version_no, payload_hash, is_deleted, source_version, source_updated_at, region,
                  parent_key, received_at, rekeyed_to IS NOT NULL
           FROM source_record JOIN unnest(%s::text[], %s::text[]) AS k (source, source_key) USING (source, source_key)
           ORDER BY source, source_key FOR NO KEY UPDATE OF source_record""",
        [[source for source, _ in keys], [key for _, key in keys]],
    )
    return {(row[0], row[1]): _stored(row) for row in found}


def _stored(row: sql.Row) -> Stored:
    _, _, record_id, version_no, payload_hash, is_deleted, version, at, region, parent_key, received_at, rekeyed = row
    mark = Mark(version, at)
    return Stored(
        record_id, version_no, Current(Version(payload_hash, is_deleted, mark), mark), region, parent_key, received_at, rekeyed
    )


def update(session: Session, rows: Sequence[RecordRow], received_at: datetime) -> None:
    """Make the records stand as given; `received_at` moves only with the current version."""
    if not rows:
        return
    sql.run(
        session,
        f"""UPDATE source_record s SET brand = CASE WHEN s.is_deleted AND r.deleted THEN s.brand ELSE r.brand END,
             region = r.region, parent_key = r.parent,
             parent_source = CASE WHEN r.parent IS NOT NULL THEN r.source END,
             received_at = CASE WHEN s.version_no = r.no THEN s.received_at ELSE %(received)s END,
             version_no = r.no, is_deleted = r.deleted, source_version = r.version, source_updated_at = r.at,
             payload_hash = r.hash
           FROM unnest({_COLUMNS}) AS r (id, source, key, brand, region, parent, no, deleted, version, at, hash)
           WHERE s.record_id = r.id""",
        _columns(rows) | {"received": received_at},
    )


_COLUMNS = """%(ids)s::uuid[], %(sources)s::text[], %(keys)s::text[], %(brands)s::text[], %(regions)s::text[],
  %(parents)s::text[], %(numbers)s::int[],
  %(deleted)s::boolean[], %(versions)s::bigint[], %(times)s::timestamptz[], %(hashes)s::bytea[]"""


def _columns(rows: Sequence[RecordRow]) -> dict[str, Any]:
    return {
        "ids": sql.array([row.record_id for row in rows]),
        "sources": sql.array([row.source for row in rows]),
        "keys": sql.array([row.source_key for row in rows]),
        "brands": sql.array([row.brand for row in rows]),
        "regions": sql.array([row.region for row in rows]),
        "parents": sql.array([row.parent_key for row in rows]),
        "numbers": sql.array([row.version_no for row in rows]),
        "deleted": sql.array([row.is_deleted for row in rows]),
        "versions": sql.array([row.mark.source_version for row in rows]),
        "times": sql.array([row.mark.source_updated_at for row in rows]),
        "hashes": sql.array([row.payload_hash for row in rows]),
    }


def data_keys(session: Session, record_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, bytes]:
    """The wrapped data keys of the records that have one."""
    statement = "SELECT record_id, wrapped_key FROM record_data_key WHERE record_id = ANY(%s)"
    return {record_id: wrapped for record_id, wrapped in sql.rows(session, statement, [list(record_ids)])}


def insert_data_keys(session: Session, keys: Iterable[tuple[uuid.UUID, bytes]]) -> None:
    """Store wrapped data keys."""
    sql.store(session, "record_data_key", {"record_id": "uuid", "wrapped_key": "bytea"}, keys)


def replace_standard(session: Session, rows: Sequence[StandardRow], versions: tuple[str, int]) -> None:
    """Replace standard records. `versions` are the program's stamp and the policy's number."""
    if not rows:
        return
    sql.run(
        session,
        """INSERT INTO standard_record AS s (record_id, version_no, source, source_key, brand, region, observed_at, standardizer,
                                             policy_version, form_hash, body, form, asserted_golden_id, appraisal)
           SELECT r.id, r.no, r.source, r.key, r.brand, r.region, r.observed, %(standardizer)s, %(policy)s, r.hash,
                  r.body::jsonb, r.form, r.asserted, string_to_array(r.appraisal, %(separator)s)
           FROM unnest(%(ids)s::uuid[], %(numbers)s::int[], %(sources)s::text[], %(keys)s::text[], %(brands)s::text[],
                       %(regions)s::text[], %(observed)s::timestamptz[], %(hashes)s::bytea[], %(bodies)b::text[],
                       %(forms)b::text[], %(asserted)s::uuid[], %(appraisals)s::text[])
                AS r (id, no, source, key, brand, region, observed, hash, body, form, asserted, appraisal)
           ORDER BY r.id
           ON CONFLICT (record_id) DO UPDATE SET version_no = EXCLUDED.version_no, source_key = EXCLUDED.source_key,
             brand = EXCLUDED.brand, region = EXCLUDED.region, observed_at = EXCLUDED.observed_at,
             standardizer = EXCLUDED.standardizer, policy_version = EXCLUDED.policy_version, form_hash = EXCLUDED.form_hash,
             body = EXCLUDED.body, form = EXCLUDED.form, asserted_golden_id = EXCLUDED.asserted_golden_id,
             appraisal = EXCLUDED.appraisal, refusal = NULL, refused_standardizer = NULL, refused_policy = NULL""",
        {
            "standardizer": versions[0],
            "policy": versions[1],
            "ids": sql.array([row.record_id for row in rows]),
            "numbers": sql.array([row.version_no for row in rows]),
            "sources": sql.array([row.source for row in rows]),
            "brands": sql.array([row.brand for row in rows]),
            "keys": sql.array([row.source_key for row in rows]),
            "regions": sql.array([row.region for row in rows]),
            "observed": sql.array([row.observed_at for row in rows]),
            "hashes": sql.array([row.said.form_hash for row in rows]),
            "bodies": [row.said.body for row in rows],
            "forms": [row.said.form for row in rows],
            "asserted": sql.array([row.said.asserted for row in rows]),
            "appraisals": sql.array([SEPARATOR.join(row.said.appraisal) for row in rows]),
            "separator": SEPARATOR,
        },
    )


def file_keys(session: Session, rows: Sequence[StandardRow], known: Sequence[uuid.UUID]) -> None:
    """Make the key index hold exactly these keys of these records and of the `known` ones, which may have had others before.

    Only what differs is written: most changes of a record leave most of its keys alone.
    """
    held = _held_keys(session, known)
    added: list[bytes] = []
    gone: list[tuple[uuid.UUID, int]] = []
    for row in rows:
        record_id, filed, before = row.record_id, row.said.keys, held.pop(row.record_id, None)
        if before:
            wanted = {key: rule for key, _, rule in key_rows.unpacked(filed)}
            filed = key_rows.packed((rule, key) for key, rule in wanted.items() if key not in before)
            gone += [(record_id, key) for key in before - wanted.keys()]
        added.append(key_rows.owned(filed, record_id))
    gone += [(record_id, key) for record_id, before in held.items() for key in before]
    if gone:
        sql.run(
            session,
            """DELETE FROM blocking_key k USING unnest(%s::uuid[], %s::bigint[]) AS g (record_id, blocking_key)
               WHERE k.record_id = g.record_id AND k.blocking_key = g.blocking_key""",
            [[record_id for record_id, _ in gone], [key for _, key in gone]],
        )
    _insert_keys(session, b"".join(added))


def _insert_keys(session: Session, packed: bytes) -> None:
    if packed and sql.is_together(session):
        columns = [sql.array(column) for column in zip(*key_rows.unpacked(packed), strict=True)]
        statement = "SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::smallint[])"
        sql.run(session, f"INSERT INTO blocking_key ({key_rows.COLUMNS}) {statement}", columns)
    elif packed:
        statement = f"COPY blocking_key ({key_rows.COLUMNS}) FROM STDIN (FORMAT BINARY)"
        with sql.cursor(session) as cursor, cursor.copy(statement) as copy:
            copy.write(b"".join((key_rows.COPY_HEADER, packed, key_rows.COPY_END)))


def _held_keys(session: Session, record_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[int]]:
    if not record_ids:
        return {}
    statement = "SELECT record_id, array_agg(blocking_key) FROM blocking_key WHERE record_id = ANY(%s) GROUP BY record_id"
    return {record_id: set(keys) for record_id, keys in sql.rows(session, statement, [list(record_ids)])}


def drop_standard(session: Session, record_ids: Sequence[uuid.UUID]) -> None:
    """Take the standard records of deleted records away."""
    if record_ids:
        sql.run(session, "DELETE FROM standard_record WHERE record_id = ANY(%s)", [list(record_ids)])


def move(session: Session, rows: Sequence[StandardRow]) -> None:
    """Say whose the records are when only the policy's word on that has changed."""
    for table in ("source_record", "crosswalk"):
        sql.run(
            session,
            f"""UPDATE {table} t SET brand = r.brand, region = r.region
                FROM unnest(%(ids)s::uuid[], %(brands)s::text[], %(regions)s::text[]) AS r (id, brand, region)
                WHERE t.record_id = r.id AND (t.brand, t.region) <> (r.brand, r.region)""",
            {
                "ids": [row.record_id for row in rows],
                "brands": [row.brand for row in rows],
                "regions": [row.region for row in rows],
            },
        )


def adopt_parents(session: Session, parents: Mapping[uuid.UUID, str | None]) -> None:
    """Say which record of its own source each record belongs to, by key."""
    sql.run(
        session,
        """UPDATE source_record s SET parent_key = p.parent, parent_source = CASE WHEN p.parent IS NOT NULL THEN s.source END
           FROM unnest(%s::uuid[], %s::text[]) AS p (id, parent)
           WHERE s.record_id = p.id AND s.parent_key IS DISTINCT FROM p.parent""",
        [list(parents), list(parents.values())],
    )


def await_resolution(session: Session, rows: Sequence[RecordRow]) -> None:
    """Say in the crosswalk that the records' golden ids are not settled; what they are now is kept until then."""
    if not rows:
        return
    sql.run(
        session,
        """INSERT INTO crosswalk AS c (record_id, source, source_key, brand, region, state, version_no)
           SELECT r.id, r.source, r.key, r.brand, r.region, 'pending', r.no
           FROM unnest(%(ids)s::uuid[], %(sources)s::text[], %(keys)s::text[], %(brands)s::text[], %(regions)s::text[],
             %(numbers)s::int[]) AS r (id, source, key, brand, region, no)
           ORDER BY r.id
           ON CONFLICT (record_id) DO UPDATE SET state = 'pending', brand = EXCLUDED.brand, region = EXCLUDED.region""",
        {
            "ids": sql.array([row.record_id for row in rows]),
            "sources": sql.array([row.source for row in rows]),
            "brands": sql.array([row.brand for row in rows]),
            "keys": sql.array([row.source_key for row in rows]),
            "regions": sql.array([row.region for row in rows]),
            "numbers": sql.array([row.version_no for row in rows]),
        },
    )
