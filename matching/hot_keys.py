"""When a blocking key is hot, once for every engine: how many records may hold it, read off the key itself.

A key's lowest bit says whether its rule is narrow. Narrow rules file by what many strangers share (two sounds, a town), so that
their keys bring little for each further holder; the others are worth more holders. PostgreSQL, DuckDB and Spark read one limit.
"""

from typing import NamedTuple

HOT_LIMIT = 200  # Records of one key beyond which only its refined keys yield candidates,
NARROW_HOT_LIMIT = 50  # and of a key of a narrow rule.
NARROW_BIT = 1


class HotLimits(NamedTuple):
    """How many records may hold a key before it is hot: a wide one, and a narrow one."""

    wide: int = HOT_LIMIT
    narrow: int = NARROW_HOT_LIMIT

    @classmethod
    def alike(cls, limit: int) -> "HotLimits":
        """One limit for every key."""
        return cls(limit, limit)

    def of(self, key: int) -> int:
        """Give the limit of a key."""
        return self.narrow if key & NARROW_BIT else self.wide

    def sql(self, key: str = "blocking_key") -> str:
        """Write the limit of a key as SQL of all three engines; with one limit for all, a key may be of any type."""
        if self.wide == self.narrow:
            return str(int(self.wide))
        return f"CASE {key} & {NARROW_BIT} WHEN 0 THEN {int(self.wide)} ELSE {int(self.narrow)} END"


LIMITS = HotLimits()


def as_wide(number: int) -> int:
    """Mark a key as one of a wide rule."""
    return number & ~NARROW_BIT


def as_narrow(number: int) -> int:
    """Mark a key as one of a narrow rule."""
    return number | NARROW_BIT


def pairs_sql(limits: HotLimits = LIMITS) -> str:
    """Write how keys of many records, `{given}` (blocking_key, record_id), are joined into pairs."""
    return f"""
WITH filed AS (SELECT DISTINCT blocking_key, record_id FROM {{given}}),
cool AS (SELECT blocking_key FROM filed GROUP BY 1 HAVING count(*) BETWEEN 2 AND {limits.sql()}),
usable AS (SELECT * FROM filed SEMI JOIN cool USING (blocking_key))
SELECT DISTINCT a.record_id AS record_a, b.record_id AS record_b
FROM usable AS a JOIN usable AS b ON a.blocking_key = b.blocking_key AND a.record_id < b.record_id"""
