"""Every table says in its comment how it behaves on merge, unmerge, export, erase and retain; a test walks the catalogue."""

import json

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UNTOUCHED = {"merge": "unchanged", "unmerge": "unchanged"}
NO_CUSTOMER: dict[str, object] = {"customer": False}

BEHAVIOUR: dict[str, dict[str, object]] = {
    "timeline": NO_CUSTOMER,
    "api_key": NO_CUSTOMER,
    "job": NO_CUSTOMER,
    "policy_version": NO_CUSTOMER,
    "model_version": NO_CUSTOMER,
    "version_set": NO_CUSTOMER,
    "hot_key": NO_CUSTOMER,
    "job_chunk": {**UNTOUCHED, "export": "no", "erase": "params hold ids only", "retain": "90 days after the job"},
    "idempotency": {**UNTOUCHED, "export": "no", "erase": "delete by age", "retain": "72 hours"},
    "outbox": {"merge": "append", "unmerge": "append", "export": "events sent", "erase": "ids only", "retain": "30 days"},
    "audit": {"merge": "append", "unmerge": "append", "export": "accesses", "erase": "hashes are keyed", "retain": "7 years"},
    "source_record": {**UNTOUCHED, "export": "all", "erase": "tombstone without key", "retain": "with the source's rule"},
    "record_data_key": {**UNTOUCHED, "export": "no", "erase": "delete: payloads become unreadable", "retain": "with the record"},
    "record_version": {**UNTOUCHED, "export": "all", "erase": "data key destroyed", "retain": "with the source's rule"},
    "standard_record": {**UNTOUCHED, "export": "all", "erase": "delete", "retain": "with the record"},
    "blocking_key": {**UNTOUCHED, "export": "no", "erase": "delete", "retain": "with the record"},
    "pending_record": {**UNTOUCHED, "export": "no", "erase": "delete", "retain": "until resolved"},
    "reject": {**UNTOUCHED, "export": "by source", "erase": "data key destroyed", "retain": "30 days"},
    "decision": {
        "merge": "the cause of it", "unmerge": "superseded, kept", "export": "in plain language",
        "erase": "kept without values", "retain": "with the records",
    },
    "golden": {
        "merge": "redirect to the survivor", "unmerge": "live again under its id", "export": "all",
        "erase": "tombstone (410)", "retain": "for ever, values with the records",
    },
    "golden_version": {"merge": "append", "unmerge": "append", "export": "all", "erase": "body emptied", "retain": "7 years"},
    "founder": {
        "merge": "append, never moved", "unmerge": "read to give ids back", "export": "no", "erase": "ids only",
        "retain": "for ever",
    },
    "crosswalk": {
        "merge": "re-pointed", "unmerge": "re-pointed", "export": "all", "erase": "delete", "retain": "with the record",
    },
    "task": {"merge": "closed or rebased", "unmerge": "rebased", "export": "no", "erase": "closed", "retain": "7 years"},
}  # fmt: skip


def upgrade() -> None:
    for table, behaviour in BEHAVIOUR.items():
        text = json.dumps(behaviour).replace("'", "''")
        op.execute(f"COMMENT ON TABLE {table} IS '{text}'")


def downgrade() -> None:
    for table in BEHAVIOUR:
        op.execute(f"COMMENT ON TABLE {table} IS NULL")
