"""Lists of words and phrases kept as text, by sections: `[title]`, then words parted by spaces or phrases parted by bars.

Lines that begin with # say what follows. The files stand beside this module; each is read once.
"""

from functools import cache
from importlib import resources


@cache
def _sections(file: str) -> dict[str, tuple[str, ...]]:
    text = resources.files("matching.standardize").joinpath(file).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            lines = found.setdefault(line[1:-1], [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return {title: tuple(lines) for title, lines in found.items()}


def words(file: str, title: str) -> frozenset[str]:
    """Return the words of a section. Raises: KeyError when the file has no such section."""
    return frozenset(word for line in _sections(file)[title] for word in line.split())


def phrases(file: str, title: str) -> tuple[str, ...]:
    """Return the phrases of a section in their order. Raises: KeyError when the file has no such section."""
    return tuple(phrase.strip() for line in _sections(file)[title] for phrase in line.split("|") if phrase.strip())


def named(file: str, title: str) -> dict[str, tuple[str, ...]]:
    """Return a section of lines `name: phrase | phrase` by their names; lines of one name add up. Raises: KeyError."""
    found: dict[str, list[str]] = {}
    for line in _sections(file)[title]:
        name, _, rest = line.partition(":")
        found.setdefault(name, []).extend(phrase.strip() for phrase in rest.split("|") if phrase.strip())
    return {name: tuple(listed) for name, listed in found.items()}
