"""Words for figures: one row, two rows. Presentation only."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Say a number with its noun: `1 row`, `2,000 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
