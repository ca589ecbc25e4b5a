"""Damage that has one certain repair: text decoded with the wrong table, HTML entities, letters that only look Latin or Cyrillic.

Each repair is a fixed point: repairing again changes nothing. What has no certain repair stays as it came.
"""

import html
import re
from functools import lru_cache

from matching.standardize.text import clean, fold
from matching.standardize.umlauts import without_pairs

_ESCAPED = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8}\d{0,2});")
_MOJIBAKE = re.compile(
    "[\u00c2-\u00c5\u00d0\u00d1\u00e2][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_OTHER = re.compile("[\u0370-\u04ff]")
_LOST = re.compile(r"(?<=[^\W\d_])[?\ufffd](?=[^\W\d_])|\ufffd")
_WORDS = re.compile(r"[^\W\d_]+")
_CYRILLIC, _CYRILLIC_TWINS = "АВЕЅІЈКМНОРСТХУаеѕіјорсхуԛԝ", "ABESIJKMHOPCTXYaesijopcxyqw"  # noqa: RUF001 - look-alikes are meant.
_GREEK, _GREEK_TWINS = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαυνκρ", "ABEZHIKMNOPTYXoauvkp"
_TO_LATIN = str.maketrans(_CYRILLIC + _GREEK, _CYRILLIC_TWINS + _GREEK_TWINS)
_TO_CYRILLIC = str.maketrans(_CYRILLIC_TWINS, _CYRILLIC)
_LOOKALIKES = frozenset(_CYRILLIC + _GREEK)
_TWINS = frozenset(_CYRILLIC_TWINS)


def repaired(text: str) -> str:
    """Undo entities and a wrong decoding, where that has one result; else the text as it is."""
    return text if "&" not in text and text.isascii() else _repaired(text)


@lru_cache(maxsize=65_536)
def _repaired(text: str) -> str:
    before = None
    while before != text:
        before, text = text, _decoded(html.unescape(text) if _ESCAPED.search(text) else text)
        text = clean(text) or text
    return text


def _decoded(text: str) -> str:
    """UTF-8 that was read as Windows-1252 ('MÃ¼ller'): read again, when the whole of it reads."""
    if not _MOJIBAKE.search(text):
        return text
    for table in ("cp1252", "latin-1"):
        try:
            return text.encode(table).decode("utf-8")
        except UnicodeError:
            continue
    return text


@lru_cache(maxsize=65_536)
def fold_name(text: str) -> str | None:
    """Fold a name as `fold` does, with look-alike letters in one script, a lost letter ('M?ller') left out, not a gap, and an
    umlaut that was written out as the umlaut is."""
    if not text.isascii():
        text = _in_one_script(text)
    if "?" in text or "\ufffd" in text:
        text = _LOST.sub("", text)
    folded = fold(text)
    return without_pairs(folded) if folded else None


def _in_one_script(text: str) -> str:
    """Letters of another script inside a word that only look like its own: 'Pаul' with a Cyrillic а is Paul."""  # noqa: RUF002 - the example is one.
    return _WORDS.sub(lambda match: _one_script_word(match[0]), text) if _LATIN.search(text) and _OTHER.search(text) else text


def _one_script_word(word: str) -> str:
    foreign = _OTHER.findall(word)
    latin = _LATIN.findall(word)
    if not foreign or not latin:
        return word
    if _LOOKALIKES.issuperset(foreign):
        return word.translate(_TO_LATIN)
    return word.translate(_TO_CYRILLIC) if _TWINS.issuperset(latin) else word


def is_mixed(text: str) -> bool:
    """Say whether a word of the text mixes Latin with letters that look Latin."""
    return not text.isascii() and _in_one_script(text) != text
