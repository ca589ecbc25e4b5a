"""Company names: legal form apart, a key for matching that is never empty, and the evidence that a name is a company's."""

from functools import lru_cache

from matching.standardize import company_tables as tables
from matching.standardize.text import clean, fold

Codes = tuple[str, ...]
LONGEST_FORM_WORDS = max(len(way.split()) for ways in tables.LEGAL_FORMS.values() for way in ways.split("|"))
_FORMS = {way.replace("&", "and"): form for form, ways in tables.LEGAL_FORMS.items() for way in ways.split("|")}
_NATIVE = tuple(sorted(tables.NATIVE_FORMS, key=len, reverse=True))
_PLACEHOLDERS = frozenset({
    "na", "n a", "none", "null", "test", "company", "private", "privat", "particular", "individual", "self", "self employed",
    "unknown", "x", "xx", "xxx", "no", "nil", "home", "personal", "not applicable", "keine", "ninguna", "aucune",
})  # fmt: skip


@lru_cache(maxsize=16_384)
def read_company(text: str) -> tuple[str | None, str | None, str | None, Codes]:
    """Return name, key, legal form and codes. The key is the folded name without legal forms at its ends; never empty.

    Codes: placeholder (the key is None), trading_name (what follows 't/a' is the name).
    """
    name = clean(text)
    if name is None:
        return None, None, None, ()
    folded = fold(name.replace("&", " and "))
    if folded is None or folded in _PLACEHOLDERS:
        return name, None, None, ("placeholder",)
    traded, codes = _trading_name(name)
    key, form = _without_form(traded)
    return name, key or folded, form, codes


def _trading_name(name: str) -> tuple[str, Codes]:
    lowered = name.lower()
    for marker in (" t/a ", " trading as ", " d/b/a ", " dba "):
        before, found, after = lowered.partition(marker)
        if found and before and after.strip() and len(lowered) == len(name):
            return name[len(before) + len(marker) :].strip(), ("trading_name",)
    return name, ()


def _without_form(name: str) -> tuple[str | None, str | None]:
    native_form = None
    for written in _NATIVE:
        if (name.startswith(written) or name.endswith(written)) and name.strip() != written:
            name, native_form = name.removeprefix(written).removesuffix(written).strip() or name, tables.NATIVE_FORMS[written]
            break
    words = (fold(name.replace("&", " and ")) or "").split()
    form = native_form
    while found := _form_at_end(words):
        words, form = words[: -found[0]], form or found[1]
    if found := _form_in_front(words):
        words, form = words[found[0] :], form or found[1]
    return " ".join(words) or None, form


def _form_at_end(words: list[str]) -> tuple[int, str] | None:
    """The longest legal form at the end that leaves a name: number of words, form."""
    for length in range(min(LONGEST_FORM_WORDS, len(words) - 1), 0, -1):
        form = _FORMS.get(" ".join(words[-length:]))
        if form and not (length == 1 and words[-2:-1] == ["and"]):  # 'Sons and Co' keeps its Co.
            return length, form
    return None


def _form_in_front(words: list[str]) -> tuple[int, str] | None:
    for length in range(min(LONGEST_FORM_WORDS, len(words) - 1), 0, -1):
        way = " ".join(words[:length])
        if way in tables.BEFORE:
            return length, _FORMS.get(way, way)
    return None


@lru_cache(maxsize=65_536)
def company_evidence(text: str) -> str | None:
    """Say why a name in a person's field is a company's: legal_form, native_form or company_word; None when nothing says so.

    Forms that also are words, initials or surnames (Co, AG, SA) count only when written as forms are: in capitals after a name
    that is not, or with dots.
    """
    if any(text.startswith(written) or text.endswith(written) for written in _NATIVE):
        return "native_form" if len(text) > max(map(len, _NATIVE[-1:])) else None
    words = (fold(text.replace("&", " and ")) or "").split()
    for length in range(min(LONGEST_FORM_WORDS, len(words) - 1), 0, -1):
        way = " ".join(words[-length:])
        if way in _FORMS and (way not in tables.WEAK_FORMS or _is_written_as_form(text, length)):
            return "legal_form"
        front = " ".join(words[:length])
        if front in tables.BEFORE and front not in tables.WEAK_FORMS and text[: len(front)].isupper():
            return "legal_form"
    if len(words) > 1 and any(word in tables.COMPANY_WORDS for word in words[1:]):
        return "company_word"
    return None


def _is_written_as_form(text: str, words: int) -> bool:
    rest, _, last = text.rpartition(" ")
    if "." in last[:-1] or "/" in last:  # S.A., A/S, B.V.
        return len(rest) > 1
    return words == 1 and last.isupper() and not rest.isupper() and len(rest) > 1
