"""Names in Latin letters, for channels and e-mail addresses that know no others: Greek, Ukrainian, and Japanese by its readings.

One spelling each, the one on passports; the tables are in scripts.yaml and, for Japanese, in the locale. What stands in Latin
letters already is left as it is.
"""

import functools
import re
import unicodedata
from importlib import resources

import yaml

TABLES = yaml.safe_load(resources.files("sampledata").joinpath("scripts.yaml").read_text(encoding="utf-8"))
_F = TABLES["greek_f"]
READ_F = re.compile(f"(?<=[{_F['after']}]){_F['letter']}(?=[{_F['before']}])")
DIAERESIS = re.compile("(.)\u0308")
FIRST_GREEK, LAST_GREEK, FIRST_GREEK_EXTENDED, LAST_GREEK_EXTENDED = 0x370, 0x3FF, 0x1F00, 0x1FFF
LETTERS = "[\u0370-\u03ff\u1f00-\u1fff\u0400-\u04ff]"
WORD = re.compile(f"{LETTERS}(?:{LETTERS}|[\u2019\u02bc'](?={LETTERS}))*")
Letters = dict[str, str]


class Readings:
    """The words of a script that no letter table reads, each with its Latin form; the longest word is tried first."""

    def __init__(self, words: dict[str, str]) -> None:
        self._words = words
        longest_first = sorted(words, key=lambda word: (-len(word), word))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if words else None

    def latin(self, text: str) -> str:
        """Read every known word of a text, with the capital it begins with."""
        if self._pattern is None or text.isascii():
            return text
        return self._pattern.sub(lambda found: self._words[found[0]], text)


@functools.lru_cache(maxsize=65_536)
def latin(text: str) -> str:
    """Write the Greek and Ukrainian words of a text in Latin letters, capitals kept."""
    return text if text.isascii() else WORD.sub(_latin_word, text)


def _latin_word(found: re.Match[str]) -> str:
    word = found[0]
    made = _greek(word.lower()) if _is_greek(word[0]) else _spelt(word.lower(), TABLES["ukrainian"])
    if len(word) > 1 and word.isupper():
        return made.upper()
    return made[:1].upper() + made[1:] if word[0].isupper() else made


def _is_greek(letter: str) -> bool:
    return FIRST_GREEK <= ord(letter) <= LAST_GREEK or FIRST_GREEK_EXTENDED <= ord(letter) <= LAST_GREEK_EXTENDED


def _greek(word: str) -> str:
    """A diaeresis keeps two vowels apart; an accent changes nothing."""
    opened = unicodedata.normalize("NFD", word).replace("\u0301", "")
    apart = DIAERESIS.sub(r"|\1", READ_F.sub(_F["read"], opened))
    return _spelt(apart, TABLES["greek"]).replace("|", "")


def _spelt(word: str, table: dict[str, Letters]) -> str:
    made, spot = "", 0
    letters, starts = table["letters"], table["starts"]
    while spot < len(word):
        known = starts if spot == 0 and (word[:2] in starts or word[:1] in starts) else letters
        width = 2 if word[spot : spot + 2] in known else 1
        made += known.get(word[spot : spot + width], word[spot : spot + width])
        spot += width
    return made
