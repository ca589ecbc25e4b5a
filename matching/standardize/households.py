"""A name field that speaks of two people or a family: what both share is kept, and which of them is meant is not guessed."""

import re
from functools import lru_cache

from matching.standardize import name_tables as tables
from matching.standardize.name_orders import Parts, split_name
from matching.standardize.name_parts import JOINTS, is_title, key_of, titles_apart
from matching.standardize.text import joined

_SIGN = re.compile(r"(?<=\w\w)[&+](?=\w\w)")
_SLASH = re.compile(r"^[^\W\d_]{2,}\.?/[^\W\d_]{2,}")
SHARED_SIGN = "&"


def is_couple_word(word: str, country: str | None) -> bool:
    """Say whether a word stands between two people; one that is an initial too, only in small letters or by country."""
    if word in JOINTS:
        return True
    key = key_of(word)
    if key not in tables.COUPLE_WORDS:
        return False
    if key == "a" or (key in ("es", "ve", "en", "ja", "kai") and word[0].isupper() and not word.isupper()):
        return key in tables.COUPLE_WORDS_BY_COUNTRY.get(country or "", ())
    if key in tables.UNSURE_COUPLE_WORDS:
        return word.islower() or (key in tables.COUPLE_WORDS_BY_COUNTRY.get(country or "", ()) and not word.endswith("."))
    return True


@lru_cache(maxsize=65_536)
def names_two(text: str, country: str | None) -> bool:
    """Say whether the field of a given name or a surname holds two people's: 'John & Jane', but not 'von und zu'."""
    if " " not in text:
        return bool(_SIGN.search(text) or _SLASH.match(text))
    words = _words(text)
    inside = range(1, len(words) - 1)
    return any(is_couple_word(words[at], country) and key_of(words[at - 1]) not in tables.STARTS for at in inside)


@lru_cache(maxsize=65_536)
def without_joints(text: str, country: str | None) -> str:
    """Two surnames as one double surname: the words between them go."""
    return " ".join(word for word in _words(text) if not is_couple_word(word, country))


@lru_cache(maxsize=65_536)
def split_household(text: str, country: str | None) -> Parts | None:
    """Split a text that holds a family or two people; None when it holds one person."""
    words = _words(text)
    if len(words) < 2:
        return None
    return _family(words, country) or _two_people(words, country)


def _words(text: str) -> list[str]:
    return _SIGN.sub(" & ", text).split(" ") if "&" in text or "+" in text else text.split(" ")


def _family(words: list[str], country: str | None) -> Parts | None:
    """'Familie Müller', 'The Smith Family'."""
    start = 1 if key_of(words[0]) == "the" and len(words) > 2 else 0
    if key_of(words[0]) in tables.FAMILY_FIRST:
        prefix, rest = words[0], words[1:]
    elif key_of(words[-1]) in tables.FAMILY_LAST:
        prefix, rest = words[-1], words[start:-1]
    else:
        return None
    title, surname = titles_apart(" ".join(rest), country)
    within = _two_people(surname.split(" "), country)
    if within:
        return within._replace(prefix=joined(prefix, title, within.prefix))
    return Parts(surname=surname, prefix=joined(prefix, title))


def _two_people(words: list[str], country: str | None) -> Parts | None:
    at = _joint_at(words, country)
    if at is None:
        return None
    left, right = " ".join(words[:at]), " ".join(words[at + 1 :])
    if "," in left and "," not in right and " " in right and all(" " not in part.strip() for part in left.split(",")):
        return _joined([*left.split(","), right], country)  # 'John, Mary & Tim Smith'
    return _joined([left, right], country)


def _joint_at(words: list[str], country: str | None) -> int | None:
    """The place of the word between two people. Behind it more is needed where two surnames of one person are joined alike."""
    for at in range(1, len(words) - 1):
        if not is_couple_word(words[at], country) or key_of(words[at - 1]) in tables.STARTS or is_title(words[at - 1], country):
            continue
        if key_of(words[at]) in tables.JOINS and words[at] not in JOINTS:
            before = [word for word in words[:at] if not is_title(word, country)]
            if len(before) != 1 or len(words) - at < 3:
                continue
        return at
    return None


def _joined(texts: list[str], country: str | None) -> Parts:
    """Two or more people as one name: the surname they share, or all their surnames."""
    people = [split_name(text.strip(), country) for text in texts if text.strip()]
    shared = next((person.surname for person in reversed(people) if person.surname), None)
    givens, surnames = [], []
    for person in people:
        alone = person.given or person.surname
        givens.append(joined(person.given, person.middle) or (alone if shared != alone else None))
        surnames.append(person.surname if person.given else None)
    distinct = {key_of(surname): surname for surname in surnames if surname}
    surname = f" {SHARED_SIGN} ".join(distinct.values()) or shared
    prefixes = [person.prefix for person in people if person.prefix]
    return Parts(
        given=f" {SHARED_SIGN} ".join(given for given in givens if given) or None,
        surname=surname,
        prefix=f" {SHARED_SIGN} ".join(prefixes) or None,
    )
