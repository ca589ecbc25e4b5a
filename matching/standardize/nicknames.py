"""Nickname groups: the keys of the names that a given name may stand for. Many-to-many; nobody is renamed."""

from functools import lru_cache
from importlib import resources

_UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"))  # Joerg and Jörg fold apart; the table holds jorg.


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


@lru_cache(maxsize=1)
def _full_names() -> frozenset[str]:
    table = resources.files("matching.standardize").joinpath("nicknames.txt").read_text(encoding="utf-8")
    lines = [line for line in table.splitlines() if line and not line.startswith("#")]
    return frozenset(word for line in lines for word in (line[1:].split() if line.startswith("~") else line.split()[:1]))


def is_full_name(folded: str) -> bool:
    """Say whether the table holds a folded name as a full form, in one language or across them: Julie is, though Julia's too."""
    return folded in _full_names()


def names_of_short_form(folded: str) -> tuple[str, ...]:
    """Return the full names of its language that a folded word may stand for, as it is written; none for others."""
    return tuple(key for key in _groups().get(folded, ()) if not key.startswith("~"))


def is_nicknamed(folded: str) -> bool:
    """Say whether a folded name stands in the table, as a full form or a short one."""
    return folded in _groups()


@lru_cache(maxsize=16_384)
def nickname_keys(given_folded: str) -> tuple[str, ...]:
    """Return the sorted group keys of a folded given name: of its first word, and of its words as one (Jean-Baptiste)."""
    words = given_folded.split()
    names = {words[0], "".join(words)} if words else set()
    return tuple(sorted({key for name in names for key in _keys_of(name)}))


def _keys_of(name: str) -> tuple[str, ...]:
    groups = _groups()
    if name not in groups:
        for written, plain in _UMLAUTS:
            if (shorter := name.replace(written, plain)) in groups:
                return groups[shorter]
    return groups.get(name, ())
