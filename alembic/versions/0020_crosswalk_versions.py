"""Since when each record belongs to which golden id: one row a change, filled from the golden records' versions."""

import json

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Grows with the records and with what moves between golden ids, not with time: not partitioned, and a past time is one descent.
VERSIONS = """
CREATE TABLE crosswalk_version (
  record_id uuid NOT NULL,
  since timestamptz NOT NULL,
  golden_id uuid,
  state text NOT NULL CHECK (state IN ('resolved', 'pending', 'deleted', 'shadow')),
  CHECK ((state = 'resolved') = (golden_id IS NOT NULL))
);
"""
# A golden record is written together with those its records came from or went to, at one time: whoever left one and joined none
# then belonged to none. That it was deleted is likely and not known; a source in the shadow gives none either.
FILL = """
INSERT INTO crosswalk_version (record_id, since, golden_id, state)
WITH told AS (
  SELECT golden_id, computed_at, members, lag(members, 1, '{}'::uuid[]) OVER (PARTITION BY golden_id ORDER BY version) AS before
  FROM golden_version),
moves AS (
  SELECT record_id, computed_at AS since, golden_id FROM told, unnest(members) AS record_id WHERE record_id <> ALL (before)
  UNION ALL
  SELECT record_id, computed_at, NULL FROM told, unnest(before) AS record_id WHERE record_id <> ALL (members))
SELECT DISTINCT ON (record_id, since) record_id, since, golden_id, CASE WHEN golden_id IS NULL THEN 'deleted' ELSE 'resolved' END
FROM moves ORDER BY record_id, since, golden_id NULLS LAST;
ALTER TABLE crosswalk_version ADD PRIMARY KEY (record_id, since);
"""
# What the versions do not tell is known since now: records in the shadow, or deleted before they were resolved.
REST = """
INSERT INTO crosswalk_version (record_id, since, golden_id, state)
SELECT c.record_id, now(), c.golden_id, CASE WHEN c.golden_id IS NULL THEN c.state ELSE 'resolved' END
FROM crosswalk c LEFT JOIN LATERAL (
  SELECT v.golden_id, v.state FROM crosswalk_version v WHERE v.record_id = c.record_id ORDER BY v.since DESC LIMIT 1
) AS last ON true
WHERE c.golden_id IS DISTINCT FROM last.golden_id OR (c.state IN ('deleted', 'shadow') AND c.state IS DISTINCT FROM last.state)
ON CONFLICT (record_id, since) DO NOTHING
"""
BEHAVIOUR = {
    "merge": "append", "unmerge": "append", "export": "all", "erase": "delete", "retain": "with the record",
}  # fmt: skip


def upgrade() -> None:
    for script in (VERSIONS, FILL, REST):
        op.execute(script)
    op.execute(f"COMMENT ON TABLE crosswalk_version IS '{json.dumps(BEHAVIOUR)}'")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON crosswalk_version TO mdm_engine; GRANT SELECT ON crosswalk_version TO mdm_app;"
        "ALTER TABLE crosswalk_version ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY engine_sees_all ON crosswalk_version TO mdm_engine USING (true) WITH CHECK (true);"
        # A record's past is within the scope that the record is in: the crosswalk's own row says which. By a value, not by
        # EXISTS, for which PostgreSQL may read and hash the whole crosswalk.
        "CREATE POLICY app_within_scope ON crosswalk_version TO mdm_app USING ("
        "  (SELECT true FROM crosswalk c WHERE c.record_id = crosswalk_version.record_id))"
    )


def downgrade() -> None:
    op.execute("DROP TABLE crosswalk_version")
