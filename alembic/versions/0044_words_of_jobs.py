"""What stewards wrote as the reason of an undo or a heal stands with its job: an erasure takes it out there as well."""

import json

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

BY = "by job_words: reasons of what was done to the erased records"
NOW: dict[str, dict[str, object]] = {
    "job": {"merge": "unchanged", "unmerge": "unchanged", "export": "no", "erase": BY, "retain": "for good"},
    "job_chunk": {
        "merge": "unchanged", "unmerge": "unchanged", "export": "no", "erase": BY, "retain": "90 days after the job",
    },
}  # fmt: skip
BEFORE: dict[str, dict[str, object]] = {
    "job": {"customer": False},
    "job_chunk": {**NOW["job_chunk"], "erase": "keep: params hold ids"},
}


def _declare(behaviour: dict[str, dict[str, object]]) -> None:
    for table, said in behaviour.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps(said)}'")


def upgrade() -> None:
    _declare(NOW)


def downgrade() -> None:
    _declare(BEFORE)
