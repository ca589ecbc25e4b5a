"""Names in the scripts of China, Japan and Korea: which signs are the surname. What cannot be told stays whole."""

import re
from functools import lru_cache

from matching.standardize.title_tables import HONORIFICS
from matching.standardize.word_lists import words

_FIRST = re.compile("[^\\W\\d_]")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\u3005\u30fc]")
_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7af]")
_DOTS = re.compile("[\u00b7\u30fb\u2022\uff65=\uff1d]")  # Between the parts of a foreign name: the given name comes first.
_CHINESE = frozenset("".join(words("name_words.txt", "chinese surnames")))
_CHINESE_PAIRS = (
    "欧阳",
    "歐陽",
    "司马",
    "司馬",
    "诸葛",
    "諸葛",
    "上官",
    "皇甫",
    "夏侯",
    "司徒",
    "东方",
    "東方",
    "慕容",
    "令狐",
    "尉迟",
    "公孙",
    "公孫",
)
_KOREAN = frozenset("".join(words("name_words.txt", "korean surnames")))
_KOREAN_PAIRS = ("남궁", "황보", "제갈", "선우", "독고", "사공", "서문", "동방")
_JAPANESE = words("name_words.txt", "japanese surnames")
LONGEST_JAPANESE_SURNAME = 3
_CHINESE_PLACES = frozenset({"CN", "TW", "HK", "MO", "SG"})


def is_east_asian(text: str) -> bool:
    """Say whether a name is written in Chinese, Japanese or Korean script: its first letter tells."""
    match = None if text.isascii() else _FIRST.search(text)
    return bool(match and _EAST_ASIAN.match(match[0]))


@lru_cache(maxsize=16_384)
def split_east_asian(text: str, country: str | None) -> tuple[str | None, str | None, str | None]:
    """Return given name, surname and honorific; a name whose parts cannot be told apart is a given name as a whole."""
    text, honorific = _without_honorific(text)
    if _DOTS.search(text):
        parts = [part for part in (piece.strip() for piece in _DOTS.split(text)) if part]
        return (" ".join(parts[:-1]), parts[-1], honorific) if len(parts) > 1 else (text, None, honorific)
    if " " in text:
        surname, _, given = text.partition(" ")
        return given, surname, honorific
    length = _surname_length(text, country)
    return (text[length:], text[:length], honorific) if 0 < length < len(text) else (text, None, honorific)


def _without_honorific(text: str) -> tuple[str, str | None]:
    for honorific in HONORIFICS:
        if text.endswith(honorific) and (rest := text.removesuffix(honorific).strip()) and _EAST_ASIAN.match(rest):
            return rest, honorific
    return text, None


def _surname_length(text: str, country: str | None) -> int:
    if _HANGUL.match(text):
        if len(text) == 4 and text.startswith(_KOREAN_PAIRS):
            return 2
        return 1 if len(text) in (2, 3) and text[0] in _KOREAN else 0
    if country not in _CHINESE_PLACES and (length := _japanese_length(text)):
        return length
    if country == "JP" or _KANA.search(text):
        return 0
    if text.startswith(_CHINESE_PAIRS) and len(text) in (3, 4):
        return 2
    return 1 if text[0] in _CHINESE and len(text) in (2, 3) else 0


def _japanese_length(text: str) -> int:
    lengths = range(min(LONGEST_JAPANESE_SURNAME, len(text) - 1), 1, -1)
    return next((length for length in lengths if text[:length] in _JAPANESE and len(text) - length <= 4), 0)
