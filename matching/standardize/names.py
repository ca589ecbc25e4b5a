"""Person names: display parts as received, folded parts for matching, nickname keys and phonetic keys."""

from dataclasses import replace
from functools import lru_cache

import jellyfish
from nameparser import parse

from matching.record import Name
from matching.standardize.text import fold, is_native, joined

Codes = tuple[str, ...]


@lru_cache(maxsize=65_536)
def read_full_name(text: str) -> tuple[Name | None, Codes]:
    parsed = parse(text)
    return read_name(str(parsed.given) or None, str(parsed.middle) or None, str(parsed.family) or None)


def read_name(
    given: str | None = None, middle: str | None = None, surname: str | None = None, prefix: str | None = None, suffix: str | None = None, maiden: str | None = None
) -> tuple[Name | None, Codes]:
    if not joined(given, middle, surname):
        return None, ()
    g, m, s = (fold(x) if x else None for x in (given, middle, surname))
    native = joined(given, middle, surname)
    name = Name(given, middle, surname, prefix, suffix, maiden, native if native and is_native(native) else None, g, m, s,
                fold(maiden) if maiden else None, fold(suffix) if suffix else None)
    return replace(name, given_phonetic=phonetic(g), surname_phonetic=phonetic(s)), ()


@lru_cache(maxsize=65_536)
def phonetic(folded: str | None) -> str | None:
    """Metaphone of a folded text with its words joined; None when it has no sound."""
    return jellyfish.metaphone(folded.replace(" ", "")) or None if folded else None
