"""The version set names the rules of verdicts: when they are others every record is resolved anew.

What stands from before names none, so that the next adoption resolves it once.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """ALTER TABLE version_set ADD COLUMN rules text NOT NULL DEFAULT '';
           ALTER TABLE version_set DROP CONSTRAINT version_set_standardizer_blocking_model_policy_version_key;
           ALTER TABLE version_set ADD UNIQUE (standardizer, blocking, rules, model, policy_version)"""
    )


def downgrade() -> None:
    op.execute(
        """ALTER TABLE version_set DROP CONSTRAINT version_set_standardizer_blocking_rules_model_policy_versio_key;
           ALTER TABLE version_set DROP COLUMN rules;
           ALTER TABLE version_set ADD UNIQUE (standardizer, blocking, model, policy_version)"""
    )
