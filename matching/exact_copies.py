"""Records that say exactly the same, however many: in a chain, each a pair with the one before it, so that n make n - 1 pairs.

All ordinary keys of a crowd of copies may be hot, and then no key would bring them together. Two copies weigh what any two of
them weigh, so a chain holds them together at every line at which all their pairs would. PostgreSQL and DuckDB read one text;
Spark is given what they found.
"""

COPIES_RULE = 17  # How reports number them, beside the blocking rules.
COPIES_NAME = "exact copies, one after another"
# `{given}` (form_key, record_id): who says the same has the same form key. Whatever the order of ids, the chain joins all.
COPIES_SQL = """
SELECT before AS record_a, record_id AS record_b FROM (
  SELECT record_id, lag(record_id) OVER (PARTITION BY form_key ORDER BY record_id) AS before FROM {given}) AS chained
WHERE before IS NOT NULL"""
