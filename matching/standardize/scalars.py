"""Small attributes that need no file of their own: gender and language."""

import re
from functools import lru_cache

from matching.standardize.text import fold
from matching.standardize.word_lists import words

_GENDERS = {
    "female": (
        "f", "female", "woman", "w", "weiblich", "frau", "femme", "feminin", "femenino", "mujer", "femminile", "feminino",
        "kobieta", "vrouw", "kvinna", "zh", "zhenskii", "zhenskij", "zenski", "girl", "mrs", "ms", "miss", "2",
    ),
    "male": (
        "m", "male", "man", "mannlich", "maennlich", "herr", "homme", "masculin", "masculino", "hombre", "maschile", "mezczyzna",
        "mr", "muzhskoi", "muzhskoj", "muski", "boy", "1",
    ),
    "other": (
        "x", "other", "d", "divers", "diverse", "nonbinary", "non binary", "nb", "autre", "otro", "altro", "outro", "inne", "9",
    ),
}  # fmt: skip
_BY_WORD = {word: gender for gender, words in _GENDERS.items() for word in words}
LONGEST_NUMBER = 40
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")
_LANGUAGES = words("languages.txt", "two letters")
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_ ]([a-z]{4}))?(?:[-_ ]([a-z]{2}|\d{3}))?", re.IGNORECASE)


@lru_cache(maxsize=1_024)
def read_gender(text: str) -> str | None:
    """Return female, male or other (ISO 5218 digits too); None when the text says none of them."""
    return _BY_WORD.get(fold(text) or "")


@lru_cache(maxsize=1_024)
def read_language(text: str) -> str | None:
    """Return a BCP 47 tag in its usual case (pt-BR, zh-Hant-TW); None when the text has not the shape of one."""
    match = _LANGUAGE.fullmatch(text)
    if match is None or not text.isascii():
        return None
    language, script, region = match.groups()
    return "-".join(part for part in (language.lower(), script and script.title(), region and region.upper()) if part)


def is_known_language(tag: str) -> bool:
    """Say whether a tag begins with a code of ISO 639-1. Codes of three letters are thousands and are not looked up."""
    code = tag.partition("-")[0]
    return len(code) == 3 or code in _LANGUAGES


def read_number(text: str) -> str | None:
    """Return a number as plain decimal text without trailing zeros; None when the text is none. The last separator is decimal."""
    squeezed = text.replace(" ", "").replace("'", "")
    if "," in squeezed and "." in squeezed:
        thousands = "," if squeezed.rfind(",") < squeezed.rfind(".") else "."
        squeezed = squeezed.replace(thousands, "")
    squeezed = squeezed.replace(",", ".")
    if not _NUMBER.fullmatch(squeezed) or len(squeezed) > LONGEST_NUMBER:
        return None
    sign = "-" if squeezed.startswith("-") else ""
    whole, _, rest = squeezed.lstrip("+-").partition(".")
    whole, rest = whole.lstrip("0") or "0", rest.rstrip("0")
    number = f"{whole}.{rest}" if rest else whole
    return number if number == "0" else sign + number
