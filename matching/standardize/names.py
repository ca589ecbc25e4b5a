"""Person names: display parts as received, folded parts for matching, nickname keys and phonetic keys.

Structured fields are believed; a single field is parsed. Which of two names is the given one is left to comparison. A native
spelling is kept beside its Latin form, and a placeholder identifies nobody.
"""

import re
from functools import lru_cache

from nameparser import parse

from matching.record import Name
from matching.standardize import name_tables as tables
from matching.standardize.nicknames import nickname_keys
from matching.standardize.sounds import phonetic
from matching.standardize.text import fold, is_native, joined

Codes = tuple[str, ...]
_CALLED = re.compile(r"[(\"“„«]\s*([^()\"“”„«»]{1,40}?)\s*[)\"”“»]")
_BORN = r"née|nee|né|geb\.?|geborene?|born|roz\.|z d\.|z domu|o\.s\.|nata|fødd|född"
_MAIDEN = re.compile(rf"[ ,(]+(?:{_BORN})[: ]+([^()]+?)\)?$", re.IGNORECASE)
_COUPLE = re.compile(r" ?[&+] ?| (?:and|und|et|og|och) ", re.IGNORECASE)
_SIMPLE = re.compile(r"[^\W\d_]{2,}[ ][^\W\d_]{2,}")


@lru_cache(maxsize=65_536)
def read_full_name(text: str, country: str | None = None) -> tuple[Name | None, Codes]:
    """Parse a clean text that holds a whole name, with the country's order of names.

    Codes: parsed, and those of `read_name`.
    """
    if is_placeholder(text):
        return Name(given=text, identifying=False), ("placeholder",)
    if household := _household(text):
        return household
    title, rest = _title_apart(text)
    if title and " " not in rest:  # 'Mr Smith', 'Frau Müller': who is addressed by one name is addressed by the surname.
        name, codes = read_name(None, None, rest, title)
        return name, (*codes, "parsed")
    given, middle, surname, suffix, called, maiden = _parts(rest, country)
    given = f"{given} ({called})" if called and given else given or called
    name, codes = read_name(given, middle, surname, title, suffix, maiden)
    return name, (*codes, "parsed")


@lru_cache(maxsize=65_536)
def read_name(
    given: str | None = None, middle: str | None = None, surname: str | None = None,
    prefix: str | None = None, suffix: str | None = None, maiden: str | None = None,
) -> tuple[Name | None, Codes]:  # fmt: skip
    """Build a name from the fields of a source; titles and generations in the wrong field are moved to their own.

    Codes: placeholder, empty_field, title_moved, suffix_moved, maiden_moved, household, no_letters.
    """
    whole = joined(given, middle, surname)
    if whole is None:
        return None, ()
    if is_placeholder(whole):
        return Name(given=given, middle=middle, surname=surname, identifying=False), ("placeholder",)
    codes: list[str] = []
    given, middle, surname, maiden = (_named(text, codes) for text in (given, middle, surname, maiden))
    if given and (apart := _title_apart(given))[0]:
        prefix, given = prefix or apart[0], apart[1]
        codes.append("title_moved")
    surname, maiden = _maiden_apart(surname, maiden, codes)
    if surname and (ends := _suffix_apart(surname))[1]:
        surname, suffix = ends[0], suffix or ends[1]
        codes.append("suffix_moved")
    given, surname, maiden = (_named(text, codes) for text in (given, surname, maiden))
    whole = joined(given, middle, surname)
    if whole and is_placeholder(whole):  # Nothing but a title or a maiden name made a name of it.
        return Name(given=given, middle=middle, surname=surname, identifying=False), (*codes, "placeholder")
    return _built(given, middle, surname, prefix, suffix, maiden, codes), tuple(codes)


@lru_cache(maxsize=65_536)
def is_placeholder(text: str) -> bool:
    """Say whether a text stands where a name should be and names nobody."""
    folded = fold(text)
    if folded is None:
        return not any(char.isalpha() for char in text)
    if folded in tables.PLACEHOLDERS:
        return True
    words = [word for word in folded.split() if not word.isdecimal()]
    if not words:
        return True
    squeezed = "".join(words)
    is_one_letter = len(squeezed) > 2 and len(set(squeezed)) == 1
    return is_one_letter or all(word in tables.PLACEHOLDER_WORDS for word in words) or " ".join(words) in tables.PLACEHOLDERS


def _built(
    given: str | None, middle: str | None, surname: str | None,
    prefix: str | None, suffix: str | None, maiden: str | None, codes: list[str],
) -> Name | None:  # fmt: skip
    whole = joined(given, middle, surname)
    if whole is None:
        return None
    called = _CALLED.findall(given or "")
    plain = _CALLED.sub(" ", given or "")
    is_two = _names_two(plain)
    if is_two or _is_couple(prefix):
        codes.append("household")
    if is_two:  # Which of the two the record speaks of is not known.
        plain = ""
    given_folded = fold(plain) or (fold(called[0]) if called else None)
    surname_folded = fold(surname) if surname else None
    keys = {key for text in (given_folded, *map(fold, called)) if text for key in nickname_keys(text)}
    return Name(
        given=given,
        middle=middle,
        surname=surname,
        prefix=prefix,
        suffix=suffix,
        maiden=maiden,
        native=whole if is_native(whole) else None,
        given_folded=given_folded,
        middle_folded=fold(middle) if middle else None,
        surname_folded=surname_folded,
        maiden_folded=fold(maiden) if maiden else None,
        suffix_folded=_generation(suffix),
        nicknames=tuple(sorted(keys)),
        given_phonetic=phonetic(given_folded),
        surname_phonetic=phonetic(surname_folded),
    )


def _named(text: str | None, codes: list[str]) -> str | None:
    """A field, unless it only says that it is empty."""
    if text is None:
        return None
    folded = fold(text)
    if folded in tables.EMPTY_FIELDS or not any(char.isalpha() for char in text):
        codes.append("empty_field")
        return None
    return text


def _title_apart(text: str) -> tuple[str | None, str]:
    """The titles in front ('Mr & Mrs', 'Prof. Dr.'), and what follows; a title alone is a name."""
    words = text.split(" ")
    count = 0
    while count < len(words) - 1:
        folded = fold(words[count].rstrip("."))
        is_joint = words[count] in {"&", "+"} or folded in tables.COUPLE_WORDS
        is_title = folded in tables.TITLES and (folded not in tables.UNSURE_TITLES or words[count].endswith("."))
        if not is_title and not (is_joint and count and fold(words[count + 1].rstrip(".")) in tables.TITLES):
            break
        count += 1
    if count == len(words):
        count -= 1
    return (" ".join(words[:count]) or None, " ".join(words[count:])) if count else (None, text)


def _suffix_apart(text: str) -> tuple[str, str | None]:
    """What remains of a surname, and the generation and degrees at its end."""
    words = text.replace(",", " ").split()
    count = len(words)
    while count > 1 and _is_suffix(words[count - 1]):
        count -= 1
    return (" ".join(words[:count]), " ".join(words[count:])) if count < len(words) else (text, None)


def _is_suffix(word: str) -> bool:
    folded = (fold(word) or "").replace(" ", "")
    if folded in tables.GENERATIONS:
        return folded not in tables.UNSURE_GENERATIONS
    return folded == "phd" or (folded in tables.DEGREES and word.upper() == word)


def _generation(suffix: str | None) -> str | None:
    """Jr, Sr, II and the like written one way: the only suffix that tells father from son."""
    words = (fold(suffix) or "").split() if suffix else []
    return next((tables.GENERATIONS[word] for word in words if word in tables.GENERATIONS), None)


def _maiden_apart(surname: str | None, maiden: str | None, codes: list[str]) -> tuple[str | None, str | None]:
    if surname and maiden is None and (match := _MAIDEN.search(surname)) and match.start():
        codes.append("maiden_moved")
        return surname[: match.start()].rstrip(" ,("), match[1]
    return surname, maiden


def _names_two(text: str) -> bool:
    """'John & Jane', but not 'von und zu'."""
    people = [fold(part) or "" for part in _COUPLE.split(text)]
    return len(people) == 2 and all(people) and people[0].split()[-1] not in tables.PARTICLES


def _is_couple(prefix: str | None) -> bool:
    return bool(prefix) and (bool(_COUPLE.search(prefix or "")) or "/" in (prefix or ""))


def _household(text: str) -> tuple[Name | None, Codes] | None:
    """'Familie Müller', 'The Smith Family', 'John & Jane Smith': a surname, and no given name that we could know."""
    words = text.split(" ")
    folded = [fold(word) for word in words]
    surname = None
    if len(words) > 1 and folded[0] in tables.FAMILY_FIRST:
        surname, prefix = " ".join(words[1:]), words[0]
    elif len(words) > 1 and folded[-1] in tables.FAMILY_LAST:
        start = 1 if folded[0] == "the" and len(words) > 2 else 0
        surname, prefix = " ".join(words[start:-1]), words[-1]
    if surname:
        name, codes = read_name(None, None, surname, prefix)
        return name, (*codes, "household", "parsed")
    title, rest = _title_apart(text)
    if "," not in rest and _names_two(rest) and len(last := _COUPLE.split(rest)[1].split(" ")) > 1:
        given = rest[: len(rest) - len(last[-1])].rstrip()
        name, codes = read_name(given, None, last[-1], title)
        return name, (*codes, "parsed")
    return None


def _parts(text: str, country: str | None) -> tuple[str | None, ...]:
    """Given, middle, surname, suffix, called and maiden name of a text without titles."""
    words = text.split(" ")
    if _SIMPLE.fullmatch(text) and country not in tables.FAMILY_NAME_FIRST and not is_native(text):
        folded = [fold(word) for word in words]
        if folded[0] not in tables.PARTICLES and folded[1] not in tables.GENERATIONS:
            return words[0], None, words[1], None, None, None
    if country in tables.FAMILY_NAME_FIRST and len(words) > 1 and "," not in text:
        return " ".join(words[1:]), None, words[0], None, None, None
    if words[0].islower() and words[0] in tables.PARTICLES and "," not in text:
        return None, None, text, None, None, None
    parsed = parse(text)
    given, middle, surname = (str(part) or None for part in (parsed.given, parsed.middle, parsed.family))
    suffix, called, maiden = (str(part) or None for part in (parsed.suffix, parsed.nickname, parsed.maiden))
    if str(parsed.title):
        given = joined(str(parsed.title), given)
    if len(words) == 3 and "," not in text and surname and (fold(surname) or "").endswith(tables.PATRONYMIC_ENDINGS):
        given, middle, surname = words[1], words[2], words[0]  # Surname, given name, patronymic.
    elif country in tables.TWO_SURNAMES and middle and surname and "," not in text:
        first, _, second = middle.rpartition(" ")
        middle, surname = first or None, f"{second} {surname}"
    if surname is None and given and middle:
        surname, middle = middle, None
    return given, middle, surname, suffix, called, maiden
