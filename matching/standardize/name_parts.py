"""What stands around a name in its own field: titles in front, generations and degrees behind, maiden and married names.

Each function takes a clean text and gives what is left and what was taken off; the name itself is never taken off whole.
"""

import re
from functools import lru_cache

from matching.standardize import name_tables, title_tables
from matching.standardize.name_repairs import fold_name

_BORN = re.compile(rf"(?<![ ,(])[ ,(]+(?:{name_tables.BORN})[: ]+([^()]+?)\)?$", re.IGNORECASE)
_MARRIED = re.compile(rf"(?<![ ,(])[ ,(]+(?:{name_tables.MARRIED})[: ]+([^()]+?)\)?$", re.IGNORECASE)
_WIDOW = re.compile(r"^(.+?),? ((?:vda\.?|viuda) de .+)$", re.IGNORECASE)
_GLUED = re.compile(r"[&+/]")
JOINTS = frozenset({"&", "+", "/"})


@lru_cache(maxsize=65_536)
def key_of(word: str) -> str:
    """A word as the tables of titles hold it: folded, without spaces."""
    return (fold_name(word) or "").replace(" ", "")


def is_title(word: str, country: str | None, following: str = "") -> bool:
    """Say whether a word is a title; one that is a name or an initial as often needs a dot, a country, or a title behind it."""
    native = word.rstrip(".:/'\u05f3").casefold()
    if native in title_tables.NATIVE_TITLES:
        return len(native) > 1 or word != native
    key = key_of(word)
    if key in title_tables.MOSTLY_TITLES:
        return True
    if key in title_tables.UNSURE_TITLES:
        has_dot = word.endswith(".") and len(key) > 1
        return (
            has_dot
            or key in title_tables.TITLES_BY_COUNTRY.get(country or "", ())
            or bool(following and is_title(following, country))
        )
    return key in title_tables.TITLES or (bool(_GLUED.search(word)) and _is_glued_title(word, country))


def _is_glued_title(word: str, country: str | None) -> bool:
    """'Mr/Mrs', 'Mr.&Mrs.', 'Hr./Fr.'."""
    parts = [part for part in _GLUED.split(word) if part]
    return len(parts) > 1 and all(is_title(part + "." * (part[-1] != "."), country) for part in parts)


@lru_cache(maxsize=65_536)
def titles_apart(text: str, country: str | None = None) -> tuple[str | None, str]:
    """The titles in front ('Mr & Mrs', 'Prof. Dr.'), and what follows; a title alone is a name."""
    words = text.split(" ")
    count = 0
    while count < len(words) - 1:
        following = words[count + 1]
        joins = words[count] in JOINTS or key_of(words[count]) in name_tables.COUPLE_WORDS
        if not is_title(words[count], country, following) and not (joins and count and is_title(following, country)):
            break
        count += 1
    if count:
        return " ".join(words[:count]), " ".join(words[count:])
    for title in title_tables.THAI_TITLES if not text.isascii() else ():
        if text.startswith(title) and (rest := text.removeprefix(title).strip()):
            return title, rest
    return None, text


@lru_cache(maxsize=65_536)
def titles_behind(text: str, country: str | None = None) -> tuple[str, str | None]:
    """What is left, and the titles at the end of the field of a given name ('Hans-Peter Prof. Dr.')."""
    words = text.split(" ")
    count = len(words)
    while (
        count > 1
        and is_title(words[count - 1], country)
        and (words[count - 1].endswith(".") or len(key_of(words[count - 1])) > 1)
    ):
        count -= 1
    return (" ".join(words[:count]), " ".join(words[count:])) if count < len(words) else (text, None)


@lru_cache(maxsize=65_536)
def suffix_apart(text: str, country: str | None = None, least: int = 1) -> tuple[str, str | None]:
    """What remains of a text, and the generation and degrees at its end; at least so many words remain."""
    words = text.replace(",", " ").split()
    count = len(words)
    while count > least:
        if count > least + 1 and _is_dotted_pair(words[count - 2 : count]):
            count -= 2
        elif is_suffix(words[count - 1], country, text.isupper()):
            count -= 1
        else:
            break
    return (" ".join(words[:count]), " ".join(words[count:])) if count < len(words) else (text, None)


def _is_dotted_pair(words: list[str]) -> bool:
    """'d. J.', 'd. Ä.', 'd. y.': the younger and the elder."""
    return words[0].lower() in ("d.", "d") and words[1].endswith(".") and key_of("".join(words)) in ("dj", "da", "dy")


def is_suffix(word: str, country: str | None, in_capitals: bool = False) -> bool:
    """Say whether a word behind a surname is a generation, a degree or an honorific rather than a part of the name."""
    key = key_of(word)
    if key in title_tables.GENERATIONS:
        return _is_generation(word, key, country)
    if key in title_tables.BEHIND:
        return country in ("TR", "AZ", "IN") or word.islower()
    is_short = word.isupper() and not in_capitals
    return key in title_tables.SURE_DEGREES or (key in title_tables.DEGREES and (is_short or "." in word[:-1]))


def _is_generation(word: str, key: str, country: str | None) -> bool:
    of_country = key in title_tables.GENERATIONS_BY_COUNTRY.get(country or "", ())
    if key in ("st", "ml", "h"):  # Saint, a name of two letters, an initial: also needs its sign.
        return of_country and not word.isalpha()
    if of_country or key not in title_tables.UNSURE_GENERATIONS:
        return True
    if key in ("vi", "sen", "jun"):
        return word.endswith(".") or word.isupper()
    return word.islower() and key not in ("neto", "sobrinho")


def generation(suffix: str | None, prefix: str | None = None) -> str | None:
    """Jr, Sr, II and the like written one way; some languages put them in front."""
    if suffix:
        for key in (*(key_of(word) for word in suffix.split(" ")), key_of(suffix)):
            if key in title_tables.GENERATIONS:
                return title_tables.GENERATIONS[key]
    keys = (key_of(word) for word in prefix.split(" ")) if prefix else ()
    return next((title_tables.GENERATIONS_IN_FRONT[key] for key in keys if key in title_tables.GENERATIONS_IN_FRONT), None)


def maiden_apart(text: str) -> tuple[str, str | None]:
    """What is left, and the name somebody was born with ('Smith née Jones')."""
    match = _BORN.search(text) if " " in text else None
    return (text[: match.start()].rstrip(" ,("), match[1]) if match and match.start() else (text, None)


def married_apart(text: str) -> tuple[str, str | None]:
    """The name somebody was born with, and the one taken in marriage ('Dupont épouse Martin')."""
    match = _MARRIED.search(text) if " " in text else None
    return (text[: match.start()].rstrip(" ,("), match[1]) if match and match.start() else (text, None)


def widow_apart(text: str) -> tuple[str, str | None]:
    """What is left, and whose widow she is ('López vda. de Ruiz'): her own surname is the first."""
    match = _WIDOW.match(text) if " " in text else None
    return (match[1], match[2]) if match else (text, None)
