"""Countries: from what people write to ISO 3166-1 alpha-2. Strict: a text that is no country is None, never the nearest one."""

import re
from collections.abc import Iterator
from functools import lru_cache

from babel import Locale
from babel.core import get_global

from matching.standardize.text import fold

_LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sv", "da", "nb", "fi", "ru", "tr", "el", "ro", "hu", "ja", "zh",
    "ar", "bg", "hr", "sl", "sk", "sr", "lt", "lv", "et", "uk", "is", "ca", "ko", "he", "hi", "th", "vi", "id", "ga",
)  # fmt: skip
_OWN = {
    "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "great britain": "GB",
    "britain": "GB", "usa": "US", "u s": "US", "u s a": "US", "united states of america": "US", "america": "US",
    "holland": "NL", "the netherlands": "NL", "holanda": "NL", "olanda": "NL", "hollande": "NL", "turkey": "TR",
    "turkiye": "TR", "czech republic": "CZ", "czechia": "CZ", "russia": "RU", "south korea": "KR", "korea": "KR",
    "republic of korea": "KR", "uae": "AE", "hong kong": "HK", "macau": "MO", "macao": "MO", "ivory coast": "CI",
    "vietnam": "VN", "viet nam": "VN", "brasil": "BR", "espana": "ES", "deutschland": "DE", "brd": "DE", "eire": "IE",
    "republic of ireland": "IE", "burma": "MM", "swaziland": "SZ", "macedonia": "MK", "moldova": "MD", "bolivia": "BO",
    "venezuela": "VE", "iran": "IR", "syria": "SY", "taiwan": "TW", "tanzania": "TZ", "laos": "LA", "el": "GR", "u k": "GB",
    "gr brit": "GB", "gran bretana": "GB", "grande bretagne": "GB", "gran bretagna": "GB", "grossbritannien": "GB",
    "inglaterra": "GB", "angleterre": "GB", "inghilterra": "GB", "engeland": "GB", "schottland": "GB", "escocia": "GB",
    "ecosse": "GB", "gales": "GB", "united kingdom of great britain and northern ireland": "GB", "ee uu": "US", "eeuu": "US",
    "us of a": "US", "estados unidos de america": "US", "etats unis d amerique": "US", "etats unis damerique": "US",
    "vereinigte staaten von amerika": "US", "stati uniti d america": "US", "stati uniti damerica": "US",
    "verenigde staten van amerika": "US", "bundesrepublik deutschland": "DE", "federal republic of germany": "DE",
    "estados unidos mexicanos": "MX", "republica argentina": "AR", "russian federation": "RU", "slovak republic": "SK",
    "czech rep": "CZ", "korea republic of": "KR", "moldova republic of": "MD", "tanzania united republic of": "TZ",
    "bolivia plurinational state of": "BO", "venezuela bolivarian republic of": "VE", "iran islamic republic of": "IR",
    "hangug": "KR", "ssha": "US", "rf": "RU",  # 한국, США, РФ
    "taiwan province of china": "TW", "peoples republic of china": "CN", "p r china": "CN", "prc": "CN",
}  # fmt: skip
_APART = re.compile(r"[ ,]*[(),/|:-][ ,]*")
_MOST_PARTS = 3
SHORTEST_SIGNS = 2


def _territories(language: str) -> Iterator[tuple[str, str]]:
    for code, name in Locale(language).territories.items():
        if len(code) == 2 and code.isalpha() and code not in {"EU", "EZ", "UN", "XA", "XB", "ZZ"}:
            yield code, name


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in reversed(_LANGUAGES):  # English last, so that it wins where two languages disagree.
        names |= {folded: code for code, name in _territories(language) if (folded := fold(name))}
    known = frozenset(names.values())
    aliases = get_global("territory_aliases").items()
    codes_of_three = {code.lower(): now[0] for code, now in aliases if len(code) == 3 and len(now) == 1 and now[0] in known}
    return codes_of_three | names | _OWN


@lru_cache(maxsize=1)
def codes() -> frozenset[str]:
    """All ISO 3166-1 alpha-2 codes that we know. English names each; reading the names of all languages takes half a second."""
    return frozenset(code for code, _ in _territories("en")) | frozenset(_OWN.values())


@lru_cache(maxsize=4_096)
def country_code(text: str | None) -> str | None:
    """Return the ISO code of a country as people write it: code, name in many languages, or usual short form."""
    folded = fold(text) if text else None
    # One sign is no country, though its Latin letters may be two: ß is not South Sudan, Æ not the Emirates, 马 not Morocco.
    if folded is None or sum(char.isalnum() for char in text or "") < SHORTEST_SIGNS:
        return None
    if len(folded) == 2 and folded.upper() in codes() and folded not in _OWN:
        return folded.upper()
    return _names().get(folded) or _said_twice(text or "")


def _said_twice(text: str) -> str | None:
    """The country of 'Germany (DE)' or 'CH / Schweiz': every part must name the same one."""
    parts = [part for part in _APART.split(text) if part]
    found = {country_code(part) for part in parts} if 1 < len(parts) <= _MOST_PARTS else set()
    return found.pop() if len(found) == 1 else None
