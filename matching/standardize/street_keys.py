"""The key of a street: its type written one way and last, articles gone, directions, titles and ordinals shortened."""

from functools import lru_cache

from matching.standardize import street_tables as tables
from matching.standardize.text import fold


@lru_cache(maxsize=65_536)
def has_street_type(text: str | None) -> bool:
    """Say whether a line names a kind of street, as its first or last word or glued to one."""
    words = (fold(text) or "").split() if text else []
    if len(words) > 1 and words[-1] not in tables.ESTATES:
        if (words[-1] in tables.TYPE_LAST and len(words[-1]) > 1) or (words[0] in tables.TYPE_FIRST and len(words[0]) > 1):
            return True
        if (words[-1] in tables.SIDES and words[-2] in tables.TYPE_LAST) or (words[0], words[1]) in tables.TYPES_APART:
            return True
    return bool(words) and _unglued(words[-1]) is not None


@lru_cache(maxsize=65_536)
def street_key(text: str) -> str | None:
    """Fold a street name; its type is written one way and comes last, articles go, directions and ordinals are shortened.

    Never empty for a text that folds to something: 'The Avenue' stays whole.
    """
    words = (fold(text) or "").split()
    if not words:
        return None
    kind = _take_type(words)
    ends = (words[0], words[-1]) if "e" in words else ()  # The e of a side, not Portugal's 'and'.
    names = [tables.ORDINALS.get(word, word) for word in words if word not in tables.STOP_WORDS or (word == "e" and word in ends)]
    names = names or words
    if len(names) > 1:
        names = [tables.DIRECTIONS.get(word) or tables.TITLES.get(word, word) for word in names]
    return " ".join((*names, kind) if kind and kind not in tables.UNSAID else names)


def _take_type(words: list[str]) -> str | None:
    """Take the type of the street out of its words."""
    if len(words) > 2 and (words[0], words[1]) in tables.TYPES_APART:
        return tables.TYPES_APART[words.pop(0), words.pop(0)]
    if len(words) > 1:
        if words[-1] == "est" and words[0] in tables.TYPE_FIRST:
            words[-1] = "e"
        if words[-1] in tables.TYPE_LAST and (len(words[-1]) > 1 or words[0] not in tables.TYPE_FIRST):
            return tables.TYPE_LAST[words.pop()]
        if words[0] in tables.TYPE_FIRST:
            return tables.TYPE_FIRST[words.pop(0)]
        if len(words) > 2 and words[-1] in tables.SIDES and words[-2] in tables.TYPE_LAST:
            return tables.TYPE_LAST[words.pop(-2)]
    if apart := _unglued(words[-1]):
        words[-1] = apart[0]
        return tables.TYPE_LAST.get(apart[1], apart[1])
    return None


def _unglued(word: str) -> tuple[str, str] | None:
    if not word.endswith(tables.GLUED):
        return None
    for kind in tables.GLUED:
        if word.endswith(kind) and len(word) - len(kind) >= 3:
            return word[: -len(kind)], kind
    return None
