"""Company names: legal form apart, a key for matching that is never empty, and the evidence that a name is a company's."""

import re
from functools import lru_cache

from matching.standardize import company_tables as tables
from matching.standardize.name_repairs import fold_name, repaired
from matching.standardize.text import clean

Codes = tuple[str, ...]
LONGEST_DOTTED = 4  # S.A.S. and S.A.R.L. are written with dots; longer forms are not.
_FORMS = {way: form for form, ways in tables.LEGAL_FORMS.items() for way in ways}
LONGEST_FORM_WORDS = max(len(way.split()) for way in _FORMS)
_LAST_WORDS = frozenset(way.split()[-1] for way in _FORMS)
_BEFORE = {way: _FORMS.get(way, way) for way in tables.BEFORE}
_BEFORE |= {" ".join(way): form for way, form in _BEFORE.items() if " " not in way and len(way) <= LONGEST_DOTTED}
_FIRST_WORDS = frozenset(way.split()[0] for way in _BEFORE)
_NATIVE = tuple(sorted(tables.NATIVE_FORMS, key=len, reverse=True))
_ANY_NATIVE = re.compile("|".join(map(re.escape, _NATIVE)))
_AND = re.compile(r"\s*[&+]\s*")
_ANDS = frozenset({"und", "et", "og", "och", "y", "e"})
_QUOTES = re.compile(r"[\"“”„«»]")
_PARTING = (",", "(", "/", "|", " - ", "\u2013", "\u2014")
_NATIVE_SIGN = re.compile("[\u0370-\u1fff\u3040-\ufaff\uff00-\uffef]")
_HEAD = re.compile(r"[^,(]+(?=,|\()")  # What stands before a comma or a bracket: 'ACME GmbH, Berlin'.
_DOTTED = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W\d_]/[^\W\d_]")


@lru_cache(maxsize=16_384)
def read_company(text: str) -> tuple[str | None, str | None, str | None, Codes]:
    """Return name, key, legal form and codes. The key is the folded name without legal forms at its ends; never empty.

    Codes: placeholder (the key is None), not_a_name (the same), trading_name (what follows 't/a' is the name).
    """
    name = clean(text)
    if name is None:
        return None, None, None, ()
    if not any(char.isalnum() for char in name):
        return name, None, None, ("placeholder",)
    if "<" in name and ">" in name:
        return name, None, None, ("not_a_name",)
    better = repaired(name)
    folded = _folded(better)
    if folded is None or folded in tables.PLACEHOLDERS or name.casefold() in tables.NATIVE_PRIVATE_PERSONS or _is_nothing(folded):
        return name, None, None, ("placeholder",)
    traded, codes = _trading_name(better)
    key, form = _without_form(traded)
    if form is None and codes:  # 'Smith Ltd t/a The Bakery'
        form = _without_form(better[: len(better) - len(traded)].rpartition(" ")[0].rsplit(" ", 1)[0])[1]
    if key and _is_nothing(key):  # 'xxx GmbH'
        return name, None, form, (*codes, "placeholder")
    return name, key or folded, form, codes


def _is_nothing(folded: str) -> bool:
    """One sign repeated (two letters may be a name: AA, HH), or a word of machines."""
    signs = folded.replace(" ", "")
    is_repeated = len(set(signs)) == 1 and len(signs) > (1 if signs.isdecimal() else 2)
    return is_repeated or folded in ("n a", "none", "null", "test", "unknown")


def _folded(name: str) -> str | None:
    return fold_name(_AND.sub(" and ", name) if "&" in name or "+" in name else name)


def _trading_name(name: str) -> tuple[str, Codes]:
    lowered = name.lower()
    for mark in tables.TRADING_AS:
        marker = f" {mark} "
        before, found, after = lowered.partition(marker)
        if found and before and after.strip() and len(lowered) == len(name):
            return name[len(before) + len(marker) :].strip(), ("trading_name",)
    return name, ()


def _without_form(name: str) -> tuple[str | None, str | None]:
    form = None
    while found := _native_form(name):
        name, form = found[0], form or found[1]
    words = (_folded(name) or "").split()
    while found_end := _form_at_end(words):
        words, form = words[: -found_end[0]], form or found_end[1]
    while found_front := _form_in_front(words, form is not None):
        words, form = words[found_front[0] :], form or found_front[1]
    words = (
        [words[0], *("and" if word in _ANDS and place < len(words) - 2 else word for place, word in enumerate(words[1:]))]
        if words
        else []
    )
    return " ".join(words) or None, form


def _native_form(name: str) -> tuple[str, str] | None:
    """What is left without a form in its own script at either end, and the form; never nothing is left."""
    if name.isascii() or not _ANY_NATIVE.search(name):
        return None
    for written in _NATIVE:
        spaced = written in tables.SPACED_NATIVE
        for rest, is_apart in (
            (name[len(written) :], name.startswith(written)),
            (name[: -len(written)], name.endswith(written)),
        ):
            plain = _QUOTES.sub(" ", rest).strip(" ,-")
            if is_apart and plain and any(char.isalnum() for char in plain) and (not spaced or not _touches(name, written, rest)):
                return plain, tables.NATIVE_FORMS[written]
    return None


def _touches(name: str, written: str, rest: str) -> bool:
    """Whether a form is only the beginning or the end of a word: ИП is no form in ИПОТЕКА."""
    neighbour = rest[0] if name.startswith(written) and name.endswith(rest) else rest[-1]
    return neighbour.isalnum()


def _form_at_end(words: list[str]) -> tuple[int, str] | None:
    """The longest legal form at the end that leaves a name: number of words, form."""
    if not words or words[-1] not in _LAST_WORDS:
        return None
    for length in range(min(LONGEST_FORM_WORDS, len(words) - 1), 0, -1):
        form = _FORMS.get(" ".join(words[-length:]))
        if form and words[-length - 1] != "and" and not _is_only_joined(words, length):
            return length, form
    return None


def _is_only_joined(words: list[str], length: int) -> bool:
    """'Sons and Co' keeps its Co: what is before it joins more than one name."""
    return words[-length] == "and" and len(words) > length + 1 and words[-length - 2] == "and"


def _form_in_front(words: list[str], has_form: bool) -> tuple[int, str] | None:
    if not words or words[0] not in _FIRST_WORDS:
        return None
    for length in range(min(LONGEST_FORM_WORDS, len(words) - 1), 0, -1):
        way = " ".join(words[:length])
        if way in _BEFORE and (has_form or way not in tables.FRONT_BESIDE_FORM):
            return length, _BEFORE[way]
    return None


@lru_cache(maxsize=65_536)
def company_evidence(text: str) -> str | None:
    """Say why a name in a person's field is a company's: legal_form, native_form or company_word; None when nothing says so.

    Forms that also are words, initials or surnames (Co, AG, SA) count only when written as forms are: in capitals after a name
    that is not, or with dots.
    """
    if _native_form(text):
        return "native_form"
    words = (_folded(text) or "").split()
    if len(words) < 2:
        return None
    head = _HEAD.match(text) if "," in text or "(" in text else None
    if _has_form(text, words) or (head and " " in head[0] and _has_form(head[0], (_folded(head[0]) or "").split())):
        return "legal_form"
    return "company_word" if _has_company_word(words) else None


def may_be_company(given: str, surname: str) -> bool:
    """Say quickly whether given name and surname as one text could bear a legal form at all."""
    whole = f"{given} {surname}"
    if not whole.isascii() and _NATIVE_SIGN.search(whole):
        return True
    if not (given.isalpha() and surname.isalpha()) and any(sign in given or sign in surname for sign in _PARTING):
        return True
    last, first = (fold_name(surname) or "").rpartition(" ")[2], (fold_name(given) or "").partition(" ")[0]
    return last in _LAST_WORDS or first in _FIRST_WORDS


def _has_form(text: str, words: list[str]) -> bool:
    if not words or (words[-1] not in _LAST_WORDS and words[0] not in _FIRST_WORDS):
        return False
    for length in range(min(LONGEST_FORM_WORDS, len(words) - 1), 0, -1):
        way = " ".join(words[-length:])
        if way in _FORMS and (way not in tables.WEAK_FORMS or _is_written_as_form(text, length)):
            return True
        front = " ".join(words[:length])
        if front in tables.BEFORE and front not in tables.WEAK_FORMS and text[: len(front)].isupper():
            return True
    return False


def _is_written_as_form(text: str, words: int) -> bool:
    rest, _, last = text.rpartition(" ")
    if _DOTTED.search(last):  # S.A., A/S, B.V.
        return len(rest) > 1
    return words == 1 and len(last) > 1 and last.isupper() and not rest.isupper() and len(rest) > 1


def _has_company_word(words: list[str]) -> bool:
    if words[0] in tables.FRONT_WORDS:
        return True
    for place, word in enumerate(words[1:], 1):
        if word in tables.BEHIND_AND:
            if words[place - 1] in ("and", *_ANDS) and (place > 1):
                return True
            if word not in tables.COMPANY_WORDS or word in tables.WEAK_COMPANY_WORDS or place == 1:
                continue
        if word in tables.COMPANY_WORDS and word not in tables.WEAK_COMPANY_WORDS:
            return True
        if len(word) > 9 and word.endswith(tables.COMPOUND_ENDINGS):
            return True
    return len(words[0]) > 12 and words[0].endswith(tables.COMPOUND_ENDINGS)
