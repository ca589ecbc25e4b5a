"""Whether a key is another brand's or region's record: asked before a write, which would fail as a whole on meeting one.

Of a session that has named no scope (the engine's) in_scope says nothing, and so does this.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE FUNCTION keys_out_of_scope(wanted_source text, wanted_keys text[]) RETURNS SETOF text
           LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
             SELECT source_key FROM source_record WHERE source = wanted_source AND source_key = ANY(wanted_keys)
               AND NOT in_scope(ARRAY[brand], ARRAY[region])
           $$;
           REVOKE EXECUTE ON FUNCTION keys_out_of_scope(text, text[]) FROM PUBLIC;
           GRANT EXECUTE ON FUNCTION keys_out_of_scope(text, text[]) TO mdm_app, mdm_engine"""
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION keys_out_of_scope(text, text[])")
