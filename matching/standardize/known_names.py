"""Which words are known given names and which known surnames. Evidence for the order of two names, never proof."""

from functools import lru_cache
from importlib import resources

from matching.standardize.nicknames import is_nicknamed


@lru_cache(maxsize=1)
def _surnames() -> frozenset[str]:
    table = resources.files("matching.standardize").joinpath("surnames.txt").read_text(encoding="utf-8")
    return frozenset(word for line in table.splitlines() if not line.startswith("#") for word in line.split())


def is_given_name(folded: str | None) -> bool:
    """Say whether a folded word is a given name that the table of nicknames knows."""
    return folded is not None and is_nicknamed(folded)


def is_surname(folded: str | None) -> bool:
    """Say whether a folded word is one of the commonest surnames of some country."""
    return folded in _surnames()


def is_only_given_name(folded: str | None) -> bool:
    """Say whether a word is known as a given name and not as a surname."""
    return is_given_name(folded) and not is_surname(folded)


def is_only_surname(folded: str | None) -> bool:
    """Say whether a word is known as a surname and not as a given name."""
    return is_surname(folded) and not is_given_name(folded)
