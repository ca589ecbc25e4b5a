"""Person names: display parts as received, folded parts for matching, nickname keys and phonetic keys.

Structured fields are believed; a single field is parsed. Which of two names is the given one is left to comparison. A native
spelling is kept beside its Latin form, and a placeholder identifies nobody.
"""

import re
from functools import lru_cache

from matching.record import Name
from matching.standardize import name_parts, placeholders
from matching.standardize.households import is_couple_word, names_two, split_household, without_joints
from matching.standardize.known_names import is_given_name, is_only_given_name, is_only_surname
from matching.standardize.name_orders import CALLED, Parts, is_initials, plain_pair, split_name
from matching.standardize.name_repairs import fold_name, is_mixed, repaired
from matching.standardize.name_tables import CHILD_OF, EITHER_ORDER, FAMILY_FIRST, FAMILY_LAST, FAMILY_NAME_FIRST, TWO_SURNAMES
from matching.standardize.native_names import is_east_asian, split_east_asian
from matching.standardize.nicknames import nickname_keys
from matching.standardize.placeholders import is_placeholder
from matching.standardize.sounds import phonetic
from matching.standardize.text import is_native, joined

__all__ = ["is_placeholder", "read_full_name", "read_name"]

Codes = tuple[str, ...]
Folded = tuple[str | None, str | None]
_PLAIN = re.compile(r"[^\W\d_]{2,}(?:[-'\u2019][^\W\d_]{2,})*")  # A name of one word, in which nothing else can stand.
_REMARK = re.compile(r"\([^()]*\)")
FAMILIES = FAMILY_FIRST | FAMILY_LAST


@lru_cache(maxsize=65_536)
def read_full_name(text: str, country: str | None = None) -> tuple[Name | None, Codes]:
    """Parse a clean text that holds a whole name, with the country's order of names.

    Codes: parsed, unsplit (the parts could not be told), and those of `read_name`.
    """
    whole = repaired(text)
    if pair := plain_pair(whole, country):
        name, more = read_name(pair[0], None, pair[1], country=country)
        return name, (*more, "parsed")
    if _names_nobody(whole):
        return read_name(whole, country=country)
    codes: Codes = ("repaired",) if whole != text else ()
    if is_east_asian(whole):
        given, surname, honorific = split_east_asian(whole, country)
        parts = Parts(given, None, surname, prefix=honorific)
        codes += () if surname else ("unsplit",)
    else:
        parts = split_household(whole, country) or split_name(whole, country)
    name, more = read_name(*parts, country)
    return name, tuple(dict.fromkeys((*codes, *more, "parsed")))


@lru_cache(maxsize=65_536)
def read_name(
    given: str | None = None, middle: str | None = None, surname: str | None = None, prefix: str | None = None,
    suffix: str | None = None, maiden: str | None = None, country: str | None = None,
) -> tuple[Name | None, Codes]:  # fmt: skip
    """Build a name from the fields of a source; titles and generations in the wrong field are moved to their own.

    Codes: placeholder, not_a_name, empty_field, repaired, title_moved, suffix_moved, maiden_moved, whole_name_in_field,
    repeated_name, household, look_alike_letters, perhaps_swapped, no_name (nothing but a title, a suffix or a maiden name).
    """
    if not (middle or prefix or suffix or maiden) and _is_plain(given) and _is_plain(surname):
        return _plain_name(given, surname, country)
    whole = joined(given, middle, surname)
    if whole is None:
        return _beside_no_name(prefix, suffix, maiden)
    nobody = Name(given=given, middle=middle, surname=surname, identifying=False)
    if reason := _names_nobody(whole):
        return nobody, (reason,)
    parts = Parts(given, middle, surname, prefix, suffix, maiden)
    codes: list[str] = []
    parts = _settled(parts, country, codes)
    left = joined(*parts[:3])
    if left is None or is_placeholder(left):  # Nothing but a title or a maiden name made a name of it.
        return nobody, (*dict.fromkeys(codes), "placeholder")
    name = _built(parts, country, codes)
    return name, tuple(dict.fromkeys(codes))


def _beside_no_name(prefix: str | None, suffix: str | None, maiden: str | None) -> tuple[Name | None, Codes]:
    """A title, a suffix or a maiden name without the name it belongs to: kept to be seen, and nobody's."""
    if not (prefix or suffix or maiden):
        return None, ()
    return Name(prefix=prefix, suffix=suffix, maiden=maiden, identifying=False), ("no_name",)


def _plain_name(given: str | None, surname: str | None, country: str | None) -> tuple[Name | None, Codes]:
    """The commonest case: one word of letters each, in which nothing else can stand."""
    folded = joined(fold_name(given or ""), fold_name(surname or "")) or ""
    is_native_nobody = not folded or (is_native(given or "") and is_placeholder(f"{given} {surname}"))
    if is_native_nobody or placeholders.is_folded_placeholder(folded):
        return Name(given=given, surname=surname, identifying=False), ("placeholder",)
    codes: list[str] = []
    return _built(Parts(given, None, surname), country, codes), tuple(codes)


def _names_nobody(whole: str) -> str | None:
    if is_placeholder(whole):
        return "placeholder"
    return "not_a_name" if placeholders.is_not_a_name(whole) else None


@lru_cache(maxsize=65_536)
def _is_plain(text: str | None) -> bool:
    return (
        bool(text and _PLAIN.fullmatch(text))
        and not placeholders.is_empty_field(text or "", True)
        and repaired(text or "") == text
    )


def _settled(parts: Parts, country: str | None, codes: list[str]) -> Parts:
    """Move what stands in the wrong field until nothing moves any more. Each step takes words out of the names, so it ends."""
    parts = _repaired_parts(parts, codes)
    while True:
        before = parts
        for step in (_without_empty, _without_titles, _without_maiden, _without_suffix, _without_repeat, _whole_in_one):
            parts = step(parts, country, codes)
        if parts == before:
            return parts


def _repaired_parts(parts: Parts, codes: list[str]) -> Parts:
    better = Parts(*(repaired(part) if part else part for part in parts))
    if better != parts:
        codes.append("repaired")
    return better


def _without_empty(parts: Parts, _: str | None, codes: list[str]) -> Parts:
    kept = [None if text and placeholders.is_empty_field(text, place == 0) else text for place, text in enumerate(parts[:3])]
    maiden = None if parts.maiden and placeholders.is_empty_field(parts.maiden) else parts.maiden
    if kept != list(parts[:3]) or maiden != parts.maiden:
        codes.append("empty_field")
    given, middle, surname = kept
    return parts._replace(given=given, middle=middle, surname=surname, maiden=maiden)


def _without_titles(parts: Parts, country: str | None, codes: list[str]) -> Parts:
    for field in ("given", "surname"):
        text = getattr(parts, field)
        title, rest = name_parts.titles_apart(text, country) if text and " " in text else (None, text)
        if field == "given" and rest and " " in rest:
            rest, behind = name_parts.titles_behind(rest, country)
            title = joined(title, behind)
        if title:
            prefix = parts.prefix if _says_already(parts.prefix, title) else joined(parts.prefix, title)
            parts = parts._replace(**{field: rest, "prefix": prefix})
            codes.append("title_moved")
    return parts


def _says_already(said: str | None, more: str) -> bool:
    keys = {name_parts.key_of(word) for word in said.split(" ")} if said else set()
    return all(name_parts.key_of(word) in keys for word in more.split(" "))


def _without_maiden(parts: Parts, _: str | None, codes: list[str]) -> Parts:
    if not parts.surname or parts.maiden or " " not in parts.surname:
        return parts
    surname, maiden = name_parts.maiden_apart(parts.surname)
    if maiden is None:
        born, married = name_parts.married_apart(parts.surname)
        surname, maiden = (married, born) if married else (parts.surname, None)
    if maiden:
        codes.append("maiden_moved")
    return parts._replace(surname=surname, maiden=maiden)


def _without_suffix(parts: Parts, country: str | None, codes: list[str]) -> Parts:
    for field in ("surname", "given"):
        text = getattr(parts, field)
        if not text or " " not in text:
            continue
        rest, suffix = name_parts.suffix_apart(text, country)
        if suffix is None and field == "surname":
            rest, suffix = name_parts.widow_apart(text)
        if suffix:
            said = parts.suffix if _says_already(parts.suffix, suffix) else joined(parts.suffix, suffix)
            parts = parts._replace(**{field: rest, "suffix": said})
            codes.append("suffix_moved")
    return parts


def _without_repeat(parts: Parts, _: str | None, codes: list[str]) -> Parts:
    """'John Smith' beside 'Smith', or beside itself: a form that was filled by a machine."""
    given, surname = parts.given, parts.surname
    if not given or not surname or (" " not in given and " " not in surname):
        return parts
    one, other = (fold_name(given) or "").split(), (fold_name(surname) or "").split()
    if one == other and len(one) > 1 and len(given.split(" ")) == len(one):
        codes.append("repeated_name")
        return parts._replace(given=None)
    if 0 < len(other) < len(one) and one[-len(other) :] == other and len(given.split(" ")) == len(one):
        codes.append("repeated_name")
        return parts._replace(given=" ".join(given.split(" ")[: -len(other)]))
    if 0 < len(one) < len(other) and other[: len(one)] == one and len(surname.split(" ")) == len(other) and is_given_name(one[0]):
        codes.append("repeated_name")
        return parts._replace(surname=" ".join(surname.split(" ")[len(one) :]))
    return parts


def _whole_in_one(parts: Parts, country: str | None, codes: list[str]) -> Parts:
    """A whole name in the field of one part, when a comma or two known names say so."""
    text = parts.surname or parts.given
    if not text or " " not in text or parts.middle or (parts.surname and parts.given):
        return parts
    if not _holds_whole_name(text, parts.surname is None, country):
        return parts
    found = split_household(text, country) or split_name(text, country)
    if not (found.given and found.surname):
        return parts
    codes.append("whole_name_in_field")
    prefix, suffix = joined(parts.prefix, found.prefix), joined(parts.suffix, found.suffix)
    return Parts(found.given, found.middle, found.surname, prefix, suffix, parts.maiden or found.maiden)


def _holds_whole_name(text: str, is_given: bool, country: str | None) -> bool:
    if is_east_asian(text) or "(" in text:
        return False
    if not is_given and text.count(",") == 1 and not text.endswith(",") and " " not in text.partition(",")[0]:
        return is_given_name(name_parts.key_of(text.partition(",")[2].split(" ")[-1]))
    words = [name_parts.key_of(word) for word in text.split(" ")]
    if country in FAMILY_NAME_FIRST or country in EITHER_ORDER or "," in text:
        return False
    if is_given:
        return is_given_name(words[0]) and is_only_surname(words[-1])
    return country not in TWO_SURNAMES and is_only_given_name(words[0]) and is_only_surname(words[-1])


def _built(parts: Parts, country: str | None, codes: list[str]) -> Name:
    given, middle, surname, prefix, suffix, maiden = parts
    called = CALLED.findall(given) if given and not given.isalpha() else []
    is_two, surname_text = _household(parts, country, codes)
    given_folded, more = (None, None) if is_two else _given_folded(CALLED.sub(" ", given or "") if called else given or "")
    if given_folded is None and called and not is_two:
        given_folded = fold_name(called[0])
    surname_folded = _surname_folded(surname_text)
    whole = joined(given, middle, surname) or ""
    if not whole.isascii() and is_mixed(whole):
        codes.append("look_alike_letters")
    if is_only_surname(given_folded) and is_only_given_name(surname_folded):
        codes.append("perhaps_swapped")
    spellings = (given_folded, *map(fold_name, called)) if not is_two else ()
    return Name(
        *parts,
        native=whole
        if not whole.isascii() and any(part and is_native(part) for part in parts[:3]) and "look_alike_letters" not in codes
        else None,
        given_folded=given_folded,
        middle_folded=joined(more, fold_name(middle) if middle and not is_two else None),
        surname_folded=surname_folded,
        maiden_folded=fold_name(maiden) if maiden else None,
        suffix_folded=name_parts.generation(suffix, prefix),
        nicknames=_nicknames(spellings),
        given_phonetic=phonetic(given_folded),
        surname_phonetic=phonetic(surname_folded),
    )


def _nicknames(spellings: tuple[str | None, ...]) -> Codes:
    if len(spellings) == 1:
        return nickname_keys(spellings[0]) if spellings[0] else ()
    return tuple(sorted({key for text in spellings if text for key in nickname_keys(text)}))


def _household(parts: Parts, country: str | None, codes: list[str]) -> tuple[bool, str]:
    """Whether the given names are two people's, and the surname without words between two."""
    surname = parts.surname or ""
    plain = parts.given or ""
    if plain and not plain.isalpha():
        plain = CALLED.sub(" ", plain).strip()
    is_two = bool(plain) and names_two(plain, country)
    has_two_surnames = bool(surname) and not surname.isalpha() and "&" in surname and names_two(surname, country)
    if is_two or has_two_surnames or _is_shared_title(parts.prefix, country):
        codes.append("household")
    return is_two, without_joints(surname, country) if has_two_surnames else surname


def _is_shared_title(prefix: str | None, country: str | None) -> bool:
    """'Mr & Mrs', 'Herr und Frau', 'Familie'."""
    if not prefix:
        return False
    from_families = name_parts.key_of(prefix.split(" ")[0]) in FAMILIES
    return (
        from_families or "/" in prefix or "&" in prefix or any(is_couple_word(word, country) for word in prefix.split(" ")[1:-1])
    )


@lru_cache(maxsize=65_536)
def _given_folded(text: str) -> Folded:
    """The folded given name, and the initials behind it, which are middle names wherever they stand."""
    if text.isalpha():
        return fold_name(text), None
    words = text.split(" ")
    if is_initials(words[0]):
        words = [letter for word in words for letter in (re.split(r"[.\- ]+", word) if is_initials(word) else [word]) if letter]
    count = len(words)
    while count > 1 and is_initials(words[count - 1]):
        count -= 1
    more = " ".join(words[count:])
    return fold_name(" ".join(words[:count])), fold_name(more) if more else None


@lru_cache(maxsize=65_536)
def _surname_folded(text: str) -> str | None:
    """The folded surname, without remarks in brackets and without 's/o' in front."""
    if not text or text.isalpha():
        return fold_name(text) if text else None
    plain = _REMARK.sub(" ", text)
    first, _, rest = plain.partition(" ")
    if first.lower() in CHILD_OF and rest:
        plain = rest
    return fold_name(plain) or fold_name(text)
