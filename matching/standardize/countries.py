"""Countries: from what people write to ISO 3166-1 alpha-2. Strict: a text that is no country is None, never the nearest one."""

from functools import lru_cache

from babel import Locale

from matching.standardize.text import fold

_LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sv", "da", "nb", "fi", "ru", "tr", "el", "ro", "hu", "ja", "zh",
    "ar", "bg", "hr", "sl", "sk", "sr", "lt", "lv", "et", "uk", "is", "ca", "ko", "he", "hi", "th", "vi", "id", "ga",
)  # fmt: skip
_OWN = {
    "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "great britain": "GB",
    "britain": "GB", "gbr": "GB", "usa": "US", "u s": "US", "u s a": "US", "united states of america": "US", "america": "US",
    "holland": "NL", "the netherlands": "NL", "nld": "NL", "turkey": "TR", "turkiye": "TR", "czech republic": "CZ",
    "czechia": "CZ", "russia": "RU", "south korea": "KR", "korea": "KR", "republic of korea": "KR", "uae": "AE",
    "hong kong": "HK", "macau": "MO", "macao": "MO", "ivory coast": "CI", "vietnam": "VN", "viet nam": "VN", "brasil": "BR",
    "espana": "ES", "deutschland": "DE", "brd": "DE", "eire": "IE", "republic of ireland": "IE", "burma": "MM",
    "swaziland": "SZ", "macedonia": "MK", "moldova": "MD", "bolivia": "BO", "venezuela": "VE", "iran": "IR", "syria": "SY",
    "taiwan": "TW", "tanzania": "TZ", "laos": "LA", "el": "GR", "aus": "AU", "deu": "DE", "fra": "FR", "esp": "ES", "ita": "IT",
    "prt": "PT", "pol": "PL", "aut": "AT", "che": "CH", "bel": "BE", "can": "CA", "mex": "MX", "bra": "BR", "arg": "AR",
    "irl": "IE", "swe": "SE", "nor": "NO", "dnk": "DK", "fin": "FI", "jpn": "JP", "chn": "CN", "ind": "IN", "nzl": "NZ",
    "zaf": "ZA", "rus": "RU", "tur": "TR", "grc": "GR", "cze": "CZ", "hun": "HU", "rou": "RO", "bgr": "BG", "hrv": "HR",
    "svk": "SK", "svn": "SI", "ltu": "LT", "lva": "LV", "est": "EE", "lux": "LU", "chl": "CL", "col": "CO", "per": "PE",
    "kor": "KR", "sgp": "SG", "hkg": "HK", "twn": "TW", "tha": "TH", "mys": "MY", "idn": "ID", "phl": "PH", "vnm": "VN",
    "isr": "IL", "sau": "SA", "are": "AE", "egy": "EG", "ukr": "UA",
}  # fmt: skip


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in reversed(_LANGUAGES):  # English last, so that it wins where two languages disagree.
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in {"EU", "EZ", "UN", "XA", "XB", "ZZ"} and (folded := fold(name)):
                names[folded] = code
    return names | _OWN


@lru_cache(maxsize=1)
def codes() -> frozenset[str]:
    """All ISO 3166-1 alpha-2 codes that we know."""
    return frozenset(_names().values())


@lru_cache(maxsize=4_096)
def country_code(text: str | None) -> str | None:
    """Return the ISO code of a country as people write it: code, name in many languages, or usual short form."""
    folded = fold(text) if text else None
    if folded is None:
        return None
    if len(folded) == 2 and folded.upper() in codes() and folded not in _OWN:
        return folded.upper()
    return _names().get(folded)
