"""Tables say of how long they are kept what is done: five said seven years, and others a time as well, that nothing enacted."""

import json

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

RETAIN = {
    "audit": "for good: each row is hashed onto the one before",
    "audit_seal": "for good: each row is hashed onto the one before",
    "consent_link_revocation": "for good: hashes",
    "golden_version": "for good, values as long as the records'",
    "job_chunk": "with the job",
    "privacy_request": "for good: proof that it was answered",
    "task": "for good: ids and staff",
}
BEFORE = {
    **dict.fromkeys(("audit", "audit_seal", "golden_version", "privacy_request", "task"), "7 years"),
    "consent_link_revocation": "five years, as links live",
    "job_chunk": "90 days after the job",
}


def _declare(retain: dict[str, str]) -> None:
    for table, said in retain.items():
        held = op.get_bind().exec_driver_sql(f"SELECT obj_description('{table}'::regclass, 'pg_class')").scalar_one()
        comment = json.dumps(json.loads(held) | {"retain": said}).replace("'", "''")
        op.execute(f"COMMENT ON TABLE {table} IS '{comment}'")


def upgrade() -> None:
    _declare(RETAIN)


def downgrade() -> None:
    _declare(BEFORE)
