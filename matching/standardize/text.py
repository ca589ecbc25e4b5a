"""Text as every kind needs it: cleaned for display, folded to ASCII for matching. Total, idempotent, linear in the length.

Nothing here knows what a value means.
"""

import math
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from anyascii import anyascii

LONGEST_VALUE = 1_000  # Longer values are refused, never cut: two cut values could look equal.
_LARGEST_NUMBER = 10**40  # Python refuses to write out integers of more than 4,300 digits.
# Greek letters that only together have a Latin counterpart; single ones are anyascii's.
_GREEK_PAIRS = (("ου", "ou"), ("ού", "ou"), ("αυ", "av"), ("ευ", "ev"), ("μπ", "b"), ("ντ", "nt"))  # noqa: RUF001 - Greek is meant
_APOSTROPHES = re.compile("['`\N{ACUTE ACCENT}\u2018\u2019\N{MODIFIER LETTER APOSTROPHE}\N{MODIFIER LETTER PRIME}\N{PRIME}]")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
# Control, format, surrogate, private, unassigned; emoji and their modifiers are "other symbol" and "modifier symbol".
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SYMBOLS = frozenset({"So", "Sk"})


def clean(value: Any) -> str | None:
    """Return a scalar as text to show: NFC, no control or zero-width characters, single spaces. None when empty or too long."""
    if not isinstance(value, str):
        value = _number_text(value)
        if value is None:
            return None
    if len(value) > LONGEST_VALUE:
        return None
    if not value.isprintable():  # What is printable holds nothing to drop, and no white space but spaces.
        value = "".join(_visible(value))
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    value = " ".join(value.split())
    return value if value and len(value) <= LONGEST_VALUE else None


def is_refused(value: Any) -> bool:
    """Say whether `clean` refused a value for its type or its length, rather than finding nothing in it."""
    if isinstance(value, str):
        return len(value) > LONGEST_VALUE
    return value is not None and not isinstance(value, bool) and _number_text(value) is None


def _number_text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not value.is_integer():  # NaN and the infinities are not integers either.
        return repr(value) if math.isfinite(value) else None
    return str(int(value)) if abs(value) < _LARGEST_NUMBER else None


def _visible(text: str) -> Iterable[str]:
    for char in text:
        if char.isspace():
            yield " "
        elif unicodedata.category(char) not in _DROPPED:
            yield char


@lru_cache(maxsize=65_536)
def fold(text: str) -> str | None:
    """Fold to lower-case ASCII letters, digits and single spaces; other scripts are transliterated. None when nothing is left.

    An apostrophe joins (o'brien, d'arcy), every other sign parts. `fold(fold(x)) == fold(x)`.
    """
    if text.isascii():
        if text.replace(" ", "").isalnum():  # Most texts: only spaces part their words.
            return " ".join(text.lower().split())
    else:
        text = unicodedata.normalize("NFKC", text)
        if not text.replace(" ", "").isalpha():
            text = "".join(_words_only(text))
        text = text.casefold()
        for greek, latin in _GREEK_PAIRS:
            text = text.replace(greek, latin)
        text = anyascii(_APOSTROPHES.sub("", text))
    text = _APOSTROPHES.sub("", text)
    return _NOT_WORD.sub(" ", text.lower()).strip() or None


def _words_only(text: str) -> Iterable[str]:
    for char in text:
        category = unicodedata.category(char)
        if category not in _DROPPED and category not in _SYMBOLS:
            yield char
        elif char.isspace() or category in _SYMBOLS:
            yield " "


def joined(*parts: str | None) -> str | None:
    """Join the parts that are there with a space."""
    return " ".join(filter(None, parts)) or None


def is_native(text: str) -> bool:
    """Say whether a text holds letters of another script than Latin."""
    return not text.isascii() and _has_other_letters(text)


@lru_cache(maxsize=16_384)
def _has_other_letters(text: str) -> bool:
    return any(char.isalpha() and not unicodedata.name(char, "LATIN").startswith("LATIN") for char in text)
