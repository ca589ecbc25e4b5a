"""One field that holds a whole name: which words are given names and which the surname, by country, script and how it is written.

Gives display parts only, each a piece of the text. Where nothing tells, the given name comes first.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from matching.standardize import name_tables as tables
from matching.standardize import title_tables
from matching.standardize.known_names import is_given_name, is_only_given_name, is_only_surname, is_surname
from matching.standardize.name_parts import is_suffix, is_title, key_of, maiden_apart, suffix_apart, titles_apart, titles_behind
from matching.standardize.name_repairs import fold_name
from matching.standardize.text import is_native, joined

CALLED = re.compile(r"[(\"“„«'\u2018]\s*([^()\"“”„«»]{1,40}?)\s*[)\"”“»'\u2019](?=[ ,]|$)")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[- ]?)|(?:[^\W\d_]\.){1,4}")
_MARRIED_MARK = re.compile(rf"[ ,(]+(?:{tables.MARRIED})[: ]+", re.IGNORECASE)
Words = list[str]
_OTHER_ORDERS = tables.FAMILY_NAME_FIRST | tables.EITHER_ORDER | tables.SLAVIC
_ODD_FIRST = title_tables.TITLES | title_tables.UNSURE_TITLES | tables.FAMILY_FIRST | tables.SURE_STARTS | tables.NOBLE | {"the"}
Order = tuple[str | None, str | None, str | None]


class Parts(NamedTuple):
    """The display parts of a name, as the fields of a source would hold them."""

    given: str | None = None
    middle: str | None = None
    surname: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    maiden: str | None = None


@lru_cache(maxsize=65_536)
def split_name(text: str, country: str | None) -> Parts:
    """Split a text that holds the whole name of one person."""
    prefix, rest = titles_apart(text, country)
    rest, called = _called_apart(rest)
    remark = called if called and not _is_called(called, rest, text) else None
    called = None if remark else called
    rest, maiden = maiden_apart(rest)
    married_at = _MARRIED_MARK.search(rest) if " " in rest else None
    rest, married = (rest[: married_at.start()], rest[married_at.start() :]) if married_at and married_at.start() else (rest, "")
    order, suffix, behind = _ordered(rest, country)
    given, middle, surname = order
    if prefix and surname is None and middle is None and given and " " not in given:
        given, surname = None, given  # 'Mr Smith', 'Frau Müller': who is addressed by one name is addressed by the surname.
    if called:
        given, surname = (f"{given} ({called})", surname) if given else (given, f"{surname} ({called})" if surname else called)
    if remark:  # In brackets behind a surname and no given name: kept to be shown, and no part of the name.
        given, surname = (given, f"{surname} ({remark})") if surname else (f"{given} ({remark})" if given else remark, None)
    surname = surname + married if surname else surname
    return Parts(given, middle, surname, joined(prefix, behind), suffix, maiden)


def plain_pair(text: str, country: str | None) -> tuple[str, str] | None:
    """Given name and surname of two Latin words of letters, when nothing about them or the country could say otherwise."""
    given, _, surname = text.partition(" ")
    if not (given.isalpha() and surname.isalpha() and len(given) > 2 and len(surname) > 2) or country in _OTHER_ORDERS:
        return None
    is_odd = given.isupper() != surname.isupper() or is_native(given) or key_of(given) in _ODD_FIRST or given.islower()
    return None if is_odd or key_of(surname) in tables.FAMILY_LAST else (given, surname)


def _called_apart(text: str) -> tuple[str, str | None]:
    """A name in brackets or quotes behind another: what somebody is called."""
    match = CALLED.search(text, 1) if any(sign in text for sign in "(\"“„«'\u2018") else None
    if match is None or text[match.start() - 1] != " " or key_of(match[1]) == "h":
        return text, None
    return " ".join((text[: match.start()] + text[match.end() :]).split()).replace(" ,", ","), match[1]


def _is_called(called: str, rest: str, text: str) -> bool:
    """Whether a word in brackets is a name to be called by: in the middle, or a known one behind."""
    return not text.endswith(")") or " " not in rest or is_given_name(fold_name(called))


def _ordered(text: str, country: str | None) -> tuple[Order, str | None, str | None]:
    """The order of names, with the suffix and the titles that stood behind."""
    if "," not in text:
        rest, suffix = suffix_apart(text, country, 2)
        return order_of(rest.split(" "), country), suffix, None
    parts = [part.strip() for part in text.split(",")]
    parts = [part for part in parts if part]
    suffixes: Words = []
    while len(parts) > 1 and all(is_suffix(word, country) for word in parts[-1].split(" ")):
        suffixes.insert(0, parts.pop())
    suffix = " ".join(suffixes) or None
    titles = [part for part in parts[1:] if all(is_title(word, country) for word in part.split(" "))]
    parts = [part for part in parts[:1] + [part for part in parts[1:] if part not in titles]]
    if len(parts) < 2:
        rest, more = suffix_apart(parts[0] if parts else text, country, 2)
        return order_of(rest.split(" "), country), joined(more, suffix), joined(*titles)
    surname, own = suffix_apart(parts[0], country)
    given, behind = titles_behind(parts[1], country)
    before, given = titles_apart(given, country)
    surname, given = _with_particles(surname, given)
    first, middle = (given, None) if country in tables.COMPOUND_GIVEN else _first_and_middle(given.split(" "))
    return (first, joined(middle, *parts[2:]), surname), joined(own, suffix), joined(before, behind, *titles)


def _with_particles(surname: str, given: str) -> tuple[str, str]:
    """'Vega, Juan de la': the particles behind the given name belong to the surname."""
    words = given.split(" ")
    count = len(words)
    while count > 1 and words[count - 1].islower() and key_of(words[count - 1]) in tables.STARTS:
        count -= 1
    return " ".join([*words[count:], surname]), " ".join(words[:count])


def order_of(words: Words, country: str | None) -> Order:
    """Given name, middle names and surname of the words of a name, without titles and commas."""
    if len(words) < 2:
        return (words[0] if words else None), None, None
    for rule in (_child_of, _by_capitals, _by_country, _by_patronymic, _all_surname, _initials_behind):
        if found := rule(words, country):
            return found
    if country in tables.TWO_SURNAMES:
        return _two_surnames(words)
    start = _surname_start(words)
    surname = " ".join(words[start:])
    if country in tables.COMPOUND_GIVEN:
        return " ".join(words[:start]), None, surname
    return *_first_and_middle(words[:start]), surname


def _first_and_middle(words: Words) -> tuple[str | None, str | None]:
    return words[0], " ".join(words[1:]) or None


def _child_of(words: Words, _: str | None) -> Order | None:
    """'Muthu a/l Rajan': the father's name stands where others have a surname."""
    at = next((place for place, word in enumerate(words[1:-1], 1) if word.lower() in tables.CHILD_OF), None)
    return (" ".join(words[:at]), None, " ".join(words[at:])) if at else None


def _by_capitals(words: Words, _: str | None) -> Order | None:
    """'DUPONT Jean', 'Jean-Luc DE LA TOUR': the surname in capitals among names that are not."""
    capital = [word.isupper() and sum(char.isalpha() for char in word) > 2 for word in words]
    if not any(capital) or all(word.isupper() or key_of(word) in tables.STARTS for word in words):
        return None
    first, last = capital.index(True), len(words) - 1 - capital[::-1].index(True)
    while first > 0 and key_of(words[first - 1]) in tables.STARTS and (words[first - 1].isupper() or words[first - 1].islower()):
        first -= 1
    rest = words[:first] + words[last + 1 :]
    small = [word for word in rest if sum(char.isalpha() for char in word) > 1 and not word.isupper()]
    inside = all(capital[place] or key_of(words[place]) in tables.STARTS | tables.JOINS for place in range(first, last + 1))
    if not small or not inside or (first > 0 and last < len(words) - 1):
        return None
    if is_only_given_name(key_of(words[first])) and is_only_surname(key_of(small[-1])):
        return None
    return *_first_and_middle(rest), " ".join(words[first : last + 1])


def _by_country(words: Words, country: str | None) -> Order | None:
    if country == "VN" or (len(words) > 2 and (words[0] in tables.VIETNAMESE or _is_plain_vietnamese(words))):
        return words[-1], " ".join(words[1:-1]) or None, words[0]
    if country in tables.FAMILY_NAME_FIRST:
        return " ".join(words[1:]), None, words[0]
    if country in tables.EITHER_ORDER and key_of(words[0]) in tables.EAST_ASIAN:
        return " ".join(words[1:]), None, words[0]
    return None


def _is_plain_vietnamese(words: Words) -> bool:
    return key_of(words[0]) in tables.VIETNAMESE_FOLDED and key_of(words[1]) in (
        "van",
        "thi",
        "duc",
        "minh",
        "thanh",
        "quoc",
        "huu",
        "ngoc",
    )


def _by_patronymic(words: Words, country: str | None) -> Order | None:
    """A patronymic tells the order: 'Иванов Иван Иванович'. Without one the ending of a surname may tell."""
    keys = [key_of(word) for word in words]
    is_cyrillic = is_native(words[0]) and "\u0400" <= words[0][0] <= "\u04ff"
    if not is_cyrillic and country not in tables.SLAVIC and not _is_slavic_surname(keys[0]):
        return None
    if len(words) == 4 and keys[3] in ("ogly", "oglu", "kyzy", "kizi", "uly"):
        return words[1], " ".join(words[2:]), words[0]
    if len(words) == 3 and keys[2].endswith(tables.PATRONYMICS):
        return words[1], words[2], words[0]
    if len(words) == 3 and keys[1].endswith(tables.PATRONYMICS) and (is_cyrillic or country in tables.SLAVIC):
        return words[0], words[1], words[2]
    return _two_slavic(words, keys) if len(words) == 2 and (is_cyrillic or country in tables.SLAVIC) else None


def _two_slavic(words: Words, keys: Words) -> Order | None:
    """A given name and a patronymic, or a surname in front that its ending tells."""
    if keys[1].endswith(tables.PATRONYMICS) and is_given_name(keys[0]):
        return words[0], words[1], None
    first, second = (_is_slavic_surname(key) and not is_given_name(key) for key in keys)
    return (words[1], None, words[0]) if first and not second else None


def _is_slavic_surname(key: str) -> bool:
    return len(key) > 3 and key.endswith(tables.SLAVIC_SURNAMES)


def _all_surname(words: Words, _: str | None) -> Order | None:
    """'van Gogh', 'Graf von und zu Guttenberg': nothing stands in front of what begins a surname."""
    key = key_of(words[0])
    begins = (words[0].islower() and key in tables.STARTS) or (key in tables.SURE_STARTS and not is_given_name(key))
    second = key_of(words[1])
    if key in ("van", "von") and second in ("der", "den", "de", "het", "und", "dem"):
        begins = True
    if begins or (key in tables.NOBLE and second in tables.STARTS):
        return None, None, " ".join(words)
    return None


def _initials_behind(words: Words, _: str | None) -> Order | None:
    """'Smith J', 'Kumar R.K.': a name, and initials only."""
    if is_initials(words[0]) or not all(is_initials(word) for word in words[1:]):
        return None
    return *_first_and_middle(words[1:]), words[0]


def is_initials(word: str) -> bool:
    """Say whether a word is one initial, or several with dots: J, J., J.R."""
    return bool(_INITIALS.fullmatch(word))


def _surname_start(words: Words) -> int:
    """Where the surname begins: at its first particle, else at the last word; a join takes the word before it along."""
    for place in range(1, len(words) - 1):
        key = key_of(words[place])
        if words[place].endswith("."):
            if key in ("st", "ste", "s"):
                return place
            continue
        if key in tables.NOBLE and key_of(words[place + 1]) in tables.STARTS:
            return place
        if key in tables.STARTS or words[place] in tables.IRISH_STARTS:
            return place
        if key in tables.JOINS and place > 1 and words[place].islower():
            return place - 1
    return len(words) - 1


def _two_surnames(words: Words) -> Order:
    """Spain, Portugal and Latin America: compound given names, then the father's and the mother's surname."""
    units = _units(words)
    if len(units) < 2:
        return None, None, " ".join(words)
    count = max(1, len(units) - 2)
    if len(units) == 3 and _is_given_unit(units[1]) and not (is_surname(key_of(units[1])) and is_only_surname(key_of(units[2]))):
        count = 2
    while count > 1 and not _is_given_unit(units[count - 1]) and is_surname(key_of(units[count - 1].split(" ")[-1])):
        count -= 1
    if len(units) > 3 and " y " in units[-1]:
        count = len(units) - 1
    return " ".join(units[:count]), None, " ".join(units[count:])


def _units(words: Words) -> Words:
    """Words with the particles in front of them, and two joined surnames, as one: 'de la Cruz', 'Ortega y Gasset'."""
    units: Words = []
    open_unit: Words = []
    for place, word in enumerate(words):
        key = key_of(word)
        open_unit.append(word)
        is_join = key in tables.JOINS and place > 1 and place < len(words) - 1 and len(word) == 1
        if is_join and units and len(open_unit) == 1:
            open_unit = [units.pop(), word]
        elif not (key in tables.STARTS and place and place < len(words) - 1):
            units.append(" ".join(open_unit))
            open_unit = []
    return units


def _is_given_unit(unit: str) -> bool:
    first, _, last = unit.rpartition(" ")
    if first:  # 'del Carmen', 'de los Ángeles'
        return key_of(last) in tables.MARIAN
    return is_given_name(fold_name(unit))
