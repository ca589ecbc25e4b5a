"""Puts back what was altered past its writers and can be told from elsewhere: crosswalk rows and their past, founders, seals.

Under the locks of whoever writes them. Only what differs is written, and named. Judges by what is append-only (versions of golden
records, source records), never by what is computed: that is `mdm.rebuild`'s to have redone.
"""

import uuid
from collections.abc import Sequence

from sqlmodel import Session

from mdm import closure, crosswalk_history, decisions, pending, sql
from mdm.decisions import MODEL
from mdm.differences import Difference, Kind
from mdm.versions import VersionSet

Id = uuid.UUID

# Who holds the key of one of these records and is another: its own row is put right in its turn.
_MOVED_ASIDE = """
UPDATE crosswalk c SET source_key = c.record_id::text FROM source_record r
WHERE r.record_id = ANY(%(ids)s) AND r.rekeyed_to IS NULL
  AND (c.source, c.source_key) = (r.source, r.source_key) AND c.record_id <> r.record_id"""
_CROSSWALK = """
INSERT INTO crosswalk AS c (record_id, source, source_key, brand, region, state, version_no)
SELECT r.record_id, r.source, r.source_key, r.brand, r.region, 'pending', r.version_no FROM source_record r
WHERE r.record_id = ANY(%(ids)s) AND r.rekeyed_to IS NULL ORDER BY r.record_id
ON CONFLICT (record_id) DO UPDATE SET source = EXCLUDED.source, source_key = EXCLUDED.source_key, brand = EXCLUDED.brand,
  region = EXCLUDED.region, version_no = EXCLUDED.version_no
WHERE (c.source, c.source_key, c.brand, c.region, c.version_no)
  IS DISTINCT FROM (EXCLUDED.source, EXCLUDED.source_key, EXCLUDED.brand, EXCLUDED.region, EXCLUDED.version_no)
RETURNING record_id, state = 'pending' AND golden_id IS NULL"""


def crosswalk(session: Session, record_ids: Sequence[Id]) -> list[Difference]:
    """Let crosswalk rows say whose records they are, as the records do; one that is gone comes back, owed a resolution."""
    closure.lock(session, record_ids)
    sql.run(session, _MOVED_ASIDE, {"ids": list(record_ids)})
    found = sql.rows(session, _CROSSWALK, {"ids": list(record_ids)})
    pending.request(session, [record_id for record_id, _ in found], pending.RESTORED, fresh=False)
    return [
        Difference(Kind.CROSSWALK, str(record_id), "missing" if is_new else "differs_from_its_record")
        for record_id, is_new in found
    ]


# An id is founded by the records of the part it was issued to, and by those whose first golden id it was.
_FOUNDED = """
WITH lives AS (
  SELECT v.golden_id, v.version, v.computed_at, record_id FROM golden_version v, unnest(v.members) AS record_id
  WHERE v.status = 'live'),
founded AS (
  SELECT golden_id, record_id FROM lives WHERE version = 1
  UNION (SELECT golden_id, record_id FROM (
    SELECT DISTINCT ON (record_id) record_id, golden_id FROM lives ORDER BY record_id, computed_at, version) AS first))"""
_FOUND = f"""{_FOUNDED}
INSERT INTO founder (golden_id, record_id) SELECT golden_id, record_id FROM founded JOIN golden USING (golden_id)
ON CONFLICT DO NOTHING RETURNING golden_id, record_id"""
# Only of an id whose past is whole: where its first version is gone, nothing says that a founder is none.
_UNFOUND = f"""{_FOUNDED}
DELETE FROM founder f WHERE NOT EXISTS (SELECT FROM founded o WHERE (o.golden_id, o.record_id) = (f.golden_id, f.record_id))
  AND EXISTS (SELECT FROM golden_version v WHERE v.golden_id = f.golden_id AND v.version = 1)
RETURNING golden_id, record_id"""


def founders(session: Session) -> list[Difference]:
    """Make the founder ledger what the versions of golden records tell. One step for all: it reads every version."""
    found, gone = sql.rows(session, _FOUND), sql.rows(session, _UNFOUND)
    pending.request(session, [record_id for _, record_id in (*found, *gone)], pending.RESTORED, fresh=False)
    named = ((golden_id, record_id, "missing") for golden_id, record_id in found)
    wrong = ((golden_id, record_id, "never_founded") for golden_id, record_id in gone)
    return [Difference(Kind.FOUNDER, f"{golden_id}:{record_id}", problem) for golden_id, record_id, problem in (*named, *wrong)]


def seals(session: Session, of: VersionSet, record_ids: Sequence[Id]) -> list[Difference]:
    """End the model's decisions whose seal is broken, so that the pair is weighed again; a steward's is only named."""
    broken = [one for one in decisions.read(session, record_ids) if one.checksum != decisions.checksum(of.decision_secret, one)]
    lost = decisions.supersede(session, [one.decision_id for one in broken if one.author == MODEL], "seal_broken")
    pending.request(session, sorted(lost), pending.RESTORED, fresh=False)
    return [Difference(Kind.DECISION, str(one.decision_id), "checksum") for one in broken]


# Of records whose past does not lead to where they are, it is told again by the versions of golden records; what these do not
# know (the shadow, a deletion before anything was resolved) is known from now on.
_ASTRAY = f"{crosswalk_history.ASTRAY} ORDER BY c.record_id"
_FORGET = "DELETE FROM crosswalk_version WHERE record_id = ANY(%(ids)s)"
_RETELL = """
WITH told AS (
  SELECT golden_id, computed_at, members, lag(members, 1, '{}'::uuid[]) OVER (PARTITION BY golden_id ORDER BY version) AS before
  FROM golden_version),
moves AS (
  SELECT record_id, computed_at AS since, golden_id FROM told, unnest(members) AS record_id WHERE record_id <> ALL (before)
  UNION ALL
  SELECT record_id, computed_at, NULL FROM told, unnest(before) AS record_id WHERE record_id <> ALL (members))
INSERT INTO crosswalk_version (record_id, since, golden_id, state)
SELECT DISTINCT ON (record_id, since) record_id, since, golden_id, CASE WHEN golden_id IS NULL THEN 'deleted' ELSE 'resolved' END
FROM moves WHERE record_id IN (SELECT unnest(%(ids)s::uuid[])) ORDER BY record_id, since, golden_id NULLS LAST"""
_NOW = """
INSERT INTO crosswalk_version (record_id, since, golden_id, state)
SELECT record_id, now(), golden_id,
  CASE WHEN golden_id IS NOT NULL THEN 'resolved' WHEN state = 'resolved' THEN 'pending' ELSE state END
FROM crosswalk JOIN unnest(%(ids)s::uuid[]) AS astray (record_id) USING (record_id) ON CONFLICT DO NOTHING"""


def past(session: Session) -> list[Difference]:
    """Tell the crosswalk's past again where it does not lead to the present. One step for all: it reads every version."""
    closure.lock(session, [row[0] for row in sql.rows(session, _ASTRAY)])
    astray = [row[0] for row in sql.rows(session, _ASTRAY)]
    if astray:
        for statement in (_FORGET, _RETELL):
            sql.run(session, statement, {"ids": astray})
        left = {row[0] for row in sql.rows(session, _ASTRAY)}
        sql.run(session, _NOW, {"ids": [one for one in astray if one in left]})
    return [Difference(Kind.CROSSWALK, str(one), "differs_from_its_versions") for one in astray]
