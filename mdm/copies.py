"""Compares what is stored more than once: a crosswalk row with its record and its past, a golden record with its versions.

For verification. Set-based; a statement or two a kind. Recomputes nothing (`mdm.verify` does) and repairs nothing.
"""

import uuid
from collections.abc import Collection, Iterator

import orjson
from sqlmodel import Session

from mdm import crosswalk_history, sql
from mdm.differences import Difference, Kind
from mdm.drafts import rehash


def crosswalk(session: Session, record_ids: Collection[uuid.UUID]) -> Iterator[Difference]:
    """Name crosswalk rows that say another key, owner or version than their record, or another golden id than was noted last.

    The app's row scope hangs on the owner.
    """
    found = sql.rows(
        session,
        """SELECT c.record_id FROM crosswalk c JOIN source_record r USING (record_id)
           WHERE c.record_id = ANY(%s) AND (c.source, c.source_key, c.brand, c.region, c.version_no)
             <> (r.source, r.source_key, r.brand, r.region, r.version_no)""",
        [list(record_ids)],
    )
    yield from (Difference(Kind.CROSSWALK, str(row[0]), "differs_from_its_record") for row in found)
    noted = sql.rows(session, f"{crosswalk_history.ASTRAY} AND c.record_id = ANY(%s)", [list(record_ids)])
    yield from (Difference(Kind.CROSSWALK, str(row[0]), "differs_from_its_versions") for row in noted)


def missing_crosswalk(session: Session) -> Iterator[Difference]:
    """Name records that no crosswalk row stands for."""
    found = sql.rows(
        session,
        """SELECT record_id FROM source_record r WHERE rekeyed_to IS NULL
             AND NOT EXISTS (SELECT FROM crosswalk c WHERE c.record_id = r.record_id)""",
    )
    yield from (Difference(Kind.CROSSWALK, str(row[0]), "missing") for row in found)


def standard(session: Session) -> Iterator[Difference]:
    """Name living records without a standard record, which are compared with nobody, and deleted ones that have one."""
    found = sql.rows(
        session,
        """SELECT r.record_id, r.is_deleted FROM source_record r LEFT JOIN standard_record s USING (record_id)
           WHERE r.rekeyed_to IS NULL AND (s.record_id IS NOT NULL) = r.is_deleted""",
    )
    for record_id, is_deleted in found:
        yield Difference(Kind.STANDARD_RECORD, str(record_id), "of_a_deleted_record" if is_deleted else "missing")


def golden(
    session: Session, golden_ids: Collection[uuid.UUID], version_set_id: int, right: Collection[uuid.UUID] = ()
) -> Iterator[Difference]:
    """Name golden records that are not what their latest version says, or not of the current version set, and false versions.

    `right` are those whose body was found to be what its hash says: a version that is the same is not read again.
    """
    latest: dict[uuid.UUID, tuple[int, bytes]] = {}
    for golden_id, version, body, content_hash in sql.rows(
        session,
        """SELECT v.golden_id, v.version, CASE WHEN g.golden_id IS NULL THEN v.body::text END, v.content_hash
           FROM golden_version v LEFT JOIN golden g ON g.golden_id = v.golden_id AND g.golden_id = ANY(%s)
             AND g.body = v.body AND g.content_hash = v.content_hash
           WHERE v.golden_id = ANY(%s) ORDER BY v.golden_id, v.version""",
        [list(right), list(golden_ids)],
    ):
        latest[golden_id] = (version, bytes(content_hash))
        if body is not None and rehash(orjson.loads(body)) != bytes(content_hash):
            yield Difference(Kind.GOLDEN_VERSION, f"{golden_id}:{version}", "says_something_else")
    for golden_id, version, content_hash, of, stamped in sql.rows(
        session,
        """SELECT golden_id, version, content_hash, version_set_id, body ->> 'version' FROM golden
           WHERE golden_id = ANY(%s) AND status <> 'erased'""",
        [list(golden_ids)],
    ):
        if (version, bytes(content_hash)) != latest.get(golden_id) or of != version_set_id or stamped != str(version):
            yield Difference(Kind.GOLDEN_VALUE, str(golden_id), "differs_from_its_versions")
