"""Nickname groups: the keys of the names that a given name may stand for. Many-to-many; nobody is renamed."""

from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=1)
def _groups() -> dict[str, tuple[str, ...]]:
    """From each name to the keys of its groups, sorted; a key is the full form, with ~ in front across languages."""
    found: dict[str, set[str]] = {}
    table = resources.files("matching.standardize").joinpath("nicknames.txt").read_text(encoding="utf-8")
    for line in table.splitlines():
        if not line or line.startswith("#"):
            continue
        key = line.split()[0]
        for name in line.removeprefix("~").split():
            found.setdefault(name, set()).add(key)
    return {name: tuple(sorted(keys)) for name, keys in found.items()}


@lru_cache(maxsize=16_384)
def nickname_keys(given_folded: str) -> tuple[str, ...]:
    """Return the sorted group keys of a folded given name: of its first word, and of its words as one (Jean-Baptiste)."""
    words = given_folded.split()
    names = {words[0], "".join(words)} if words else set()
    return tuple(sorted({key for name in names for key in _groups().get(name, ())}))
