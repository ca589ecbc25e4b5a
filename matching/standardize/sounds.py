"""How a folded text sounds: one phonetic key for names, streets and cities, so that a slip of the ear changes nothing."""

from functools import lru_cache

import jellyfish


@lru_cache(maxsize=65_536)
def phonetic(folded: str | None) -> str | None:
    """Return the Metaphone of a folded text with its words joined; None when it has no sound."""
    return jellyfish.metaphone(folded.replace(" ", "")) or None if folded else None


@lru_cache(maxsize=65_536)
def sound(folded: str) -> str:
    """Return the phonetic key of a folded text, or the text itself when it has no sound (digits)."""
    return phonetic(folded) or folded
