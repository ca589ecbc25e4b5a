"""Of which gender a name says its bearer is: by a word beside it, by the given name, by a title. Many names say nothing, and
Sasha says both; nobody's gender is filled in by it. The table stands in genders.txt."""

from functools import lru_cache

from matching.standardize import name_tables
from matching.standardize.nicknames import names_of_short_form
from matching.standardize.text import fold, joined
from matching.standardize.word_lists import words

FEMALE, MALE = "female", "male"
FILE = "genders.txt"
_VIETNAMESE = frozenset(fold(surname) for surname in name_tables.VIETNAMESE)
_OF_VIETNAM = {"thi": FEMALE, "van": MALE}
_OF_WOMEN = tuple(sorted(words(FILE, "surnames of women")))
Genders = tuple[str, ...]
# Words that say a gender and are no name by themselves.
SIGNS = words(FILE, "female words") | words(FILE, "male words")


@lru_cache(maxsize=1)
def _given_names() -> dict[str, Genders]:
    found: dict[str, Genders] = dict.fromkeys(words(FILE, "either"), (FEMALE, MALE))
    found.update({name: (gender,) for gender in (FEMALE, MALE) for name in words(FILE, gender)})
    return found


@lru_cache(maxsize=4)
def _signs(kind: str) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((gender, words(FILE, f"{gender} {kind}")) for gender in (FEMALE, MALE))


@lru_cache(maxsize=16_384)
def genders_of_given(folded: str) -> Genders:
    """Return the genders of those who bear a folded given name, also as the short form of another: Ali is a man's, and Alison."""
    first, _, rest = folded.partition(" ")
    table = _given_names()
    if rest and (known := table.get(folded.replace(" ", ""))):
        return known
    names = (first, *names_of_short_form(first))
    return tuple(sorted({gender for name in names for gender in table.get(name, ())}))


@lru_cache(maxsize=16_384)
def genders_of_name(given: str | None, middle: str | None, surname: str | None, title: str | None, told: str | None) -> Genders:
    """Return the genders that fit a folded name, its title as written and what the source tells: one, both, or none known.

    What stands in the name beside the given name goes first (Thị, Kaur, binti, Petrovna), then a given name of one gender, since
    forms fill in a title or a gender for everybody. A surname that only women bear (Kowalska) goes last.
    """
    beside = _of_words(given, middle, surname)
    by_given = genders_of_given(given) if given else ()
    if beside or len(by_given) == 1:
        return (beside,) if beside else by_given
    said = told if told in (FEMALE, MALE) else gender_of_title(title) or _of_surname(surname)
    return (said,) if said else by_given


def _of_words(given: str | None, middle: str | None, surname: str | None) -> str | None:
    inner = [*(given or "").split()[1:], *(middle or "").split()]
    family = (surname or "").split()
    if surname in _VIETNAMESE:
        start = [*(given or "").split(), *(middle or "").split()]
        return next((_OF_VIETNAM[word] for word in start if word in _OF_VIETNAM), None)
    beside = {*inner, *family[:-1]} if inner or len(family) > 1 else set[str]()
    for gender, signs in _signs("words"):
        if beside & signs:
            return gender
    for gender, endings in _signs("endings"):
        if any(word.endswith(tuple(endings)) for word in (*inner, *family[-1:] * (gender == FEMALE))):
            return gender
    return None


def titles_of(prefix: str | None, surname: str | None) -> str | None:
    """Return the titles of a name as written, with the son or daughter of that stands before the father's name."""
    first = (surname or "").partition(" ")[0]
    return joined(prefix, first) if first.lower() in name_tables.CHILD_OF else prefix


def _of_surname(surname: str | None) -> str | None:
    return FEMALE if surname and surname.endswith(_OF_WOMEN) else None


@lru_cache(maxsize=1_024)
def gender_of_title(title: str | None) -> str | None:
    """Return the gender that the titles of one person say, or son and daughter of (a/l, a/p); None when they say none or both."""
    words_of_it = (title or "").replace(".", " ").split()
    said = {fold(word) for word in words_of_it} | {word.lower() for word in words_of_it}
    found = [gender for gender, titles in _signs("titles") if said & titles]
    return found[0] if len(found) == 1 else None
