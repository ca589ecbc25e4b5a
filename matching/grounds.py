"""Whether what a pair agrees on is enough to merge it without a human, whatever it weighs: who, corroborated, and no relative.

Weights take each comparison for itself; here stands what people share for one reason. Pure: levels and forms in, grounds out.
"""

from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from matching.comparisons import (
    ADDRESS,
    BIRTH_DATE,
    COMPANY,
    EMAIL,
    GIVEN,
    IDENTIFIER,
    NULL_LEVEL,
    PHONE,
    SURNAME,
    Comparison,
    Levels,
)
from matching.forms import ComparisonForm
from matching.model import Model
from matching.standardize.known_names import is_surname

YEARS_OF_A_GENERATION = 15
LONGEST_INITIALS = 2
# Which of one name in a family: the folded suffixes. Others (PhD, OBE) say nothing of that.
GENERATIONS = {
    "sr": 1, "senior": 1, "jr": 2, "junior": 2, "2": 2, "ii": 2, "2nd": 2, "3": 3, "iii": 3, "3rd": 3, "4": 4, "iv": 4, "4th": 4,
    "5": 5, "v": 5, "5th": 5,
}  # fmt: skip


def _numbers(comparison: Comparison, *names: str) -> frozenset[int]:
    return frozenset(comparison.number(name) for name in names)


SAME_GIVEN = _numbers(GIVEN, "swapped", "exact", "nickname", "close", "part")
SWAPPED_NAME = GIVEN.number("swapped")
WHOLE_GIVEN, WHOLE_SURNAME = _numbers(GIVEN, "exact", "nickname", "close"), _numbers(SURNAME, "exact", "close")
LOOKALIKE_GIVEN = _numbers(GIVEN, "close", "sounds_alike")
SAME_STREET = ADDRESS.number("same_street")
NICKNAME, INITIAL, OTHER_GIVEN = (GIVEN.number(name) for name in ("nickname", "initial", "different"))
LOOKALIKE_SURNAME = _numbers(SURNAME, "close", "sounds_alike")
OTHER_SURNAME = SURNAME.number("different")
SAME_BIRTH = _numbers(BIRTH_DATE, "exact", "other_reading", "one_digit")
OTHER_BIRTH = BIRTH_DATE.number("different")
OWN_EMAIL = EMAIL.number("own")
SAME_EMAIL = _numbers(EMAIL, "own", "exact")
SAME_IDENTIFIER, OTHER_IDENTIFIER = IDENTIFIER.number("same"), IDENTIFIER.number("different")
SAME_COMPANY = _numbers(COMPANY, "exact", "close")
SAME_PHONE = PHONE.number("exact")
OTHER_EMAIL, OTHER_PHONE = EMAIL.number("different"), PHONE.number("different")
# What is reached or lived in by few: a typing error apart is near enough, but not in an e-mail address, made of names as it is:
# luke.jones@ and lukejones@ are two men's. A postal code or a city is an area.
CONTACT = {
    PHONE: _numbers(PHONE, "exact", "one_digit"),
    ADDRESS: _numbers(ADDRESS, "same_home", "same_building", "same_house", "same_street"),
    IDENTIFIER: _numbers(IDENTIFIER, "same", "one_sign"),
}
SAME_POSTAL = ADDRESS.number("same_postal_code")
AREA = frozenset({SAME_POSTAL, ADDRESS.number("same_city")})
LOOKED_AT = (GIVEN, SURNAME, BIRTH_DATE, EMAIL, PHONE, ADDRESS, IDENTIFIER, COMPANY)


class Lack(Enum):
    """What keeps a pair from being merged without a human."""

    CONTRADICTION = "contradiction"
    NOT_PERSONAL = "not_personal"
    RELATIVES = "relatives"
    NOT_CORROBORATED = "not_corroborated"


class Seen(NamedTuple):
    """The levels of a pair that grounds look at, in the order of LOOKED_AT; -1 (no evidence) for what a model lacks."""

    given: int
    surname: int
    birth: int
    email: int
    phone: int
    address: int
    identifier: int
    company: int


@lru_cache(maxsize=8)
def _places(model: Model) -> tuple[int | None, ...]:
    names = [comparison.name for comparison in model.comparisons]
    return tuple(names.index(one.name) if one.name in names else None for one in LOOKED_AT)


def seen(model: Model, levels: Levels) -> Seen:
    """Pick the levels that grounds look at from those of a scored pair."""
    return Seen(*(NULL_LEVEL if place is None else levels[place] for place in _places(model)))


def lack(a: ComparisonForm, b: ComparisonForm, of: Seen, model: Model) -> Lack | None:
    """Say what keeps the pair from being merged without a human, None when nothing does. Symmetric."""
    if is_contradicted(a, b, of):
        return Lack.CONTRADICTION
    if _same_company(a, b, of):
        is_placed = _reached(of) or of.address in CONTACT[ADDRESS] | AREA
        return None if is_placed and not _perhaps_two_companies(a, b, of) else Lack.NOT_CORROBORATED
    if not _says_who(a, b, of, model):
        return Lack.NOT_PERSONAL
    if of.identifier not in CONTACT[IDENTIFIER] and _perhaps_relatives(a, b, of):
        return Lack.RELATIVES
    return None if _has_contact(of) or _lives_in_the_area(a, b, of) else Lack.NOT_CORROBORATED


def _says_who(a: ComparisonForm, b: ComparisonForm, of: Seen, model: Model) -> bool:
    """Say whether the two agree on what one person has: a full name, a birth date, a mailbox, an identifier."""
    if of.identifier == SAME_IDENTIFIER:
        return True
    if _read_by_guess(a, b, of) or (_written_otherwise(a, b) and not _surely_reached(of)):
        return False
    if of.birth in SAME_BIRTH:
        return True
    return (of.given in SAME_GIVEN or of.email == OWN_EMAIL) and not _two_surnames(a, b, of, model)


def is_contradicted(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Say whether names or birth dates speak against one person. A shared identifier outweighs one of the two, not both."""
    other_given = of.given == OTHER_GIVEN and not _perhaps_initials(a, b)
    if of.identifier == SAME_IDENTIFIER:
        return other_given and of.birth not in SAME_BIRTH
    return other_given or born_apart(a, b, of)


def born_apart(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Say whether the birth dates are those of two people: wholly different, or a generation apart."""
    return of.birth == OTHER_BIRTH or (of.birth != NULL_LEVEL and a_generation_apart(a, b))


def _perhaps_initials(a: ComparisonForm, b: ComparisonForm) -> bool:
    """JB says nothing against Jean-Baptiste, nor for him."""
    one, other = a.given or "", b.given or ""
    return one[:1] == other[:1] and 0 < min(len(one), len(other)) <= LONGEST_INITIALS


def other_generation(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Say whether both bear a suffix of generation, and not the same one: senior and junior, the second and the third."""
    one, other = _generation(a), _generation(b)
    return one is not None and other is not None and one != other


def _generation(form: ComparisonForm) -> int | None:
    return GENERATIONS.get(form.suffix or "")


def a_generation_apart(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Say whether the birth years are far enough apart for father and son: 1954 and 1984 are, and are one digit apart."""
    if a.birth_year is None or b.birth_year is None:
        return False
    return abs(a.birth_year - b.birth_year) >= YEARS_OF_A_GENERATION


def _same_company(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """For two companies the company's name is what is personal; for a person it only says where they work."""
    return of.company in SAME_COMPANY and a.initial is None and b.initial is None and "person" not in (a.party, b.party)


def _perhaps_two_companies(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """A partnership and the limited company that leads it share name, door and phone: two legal forms or two numbers are two."""
    return of.identifier == OTHER_IDENTIFIER or (
        a.company_form is not None and b.company_form is not None and a.company_form != b.company_form
    )


def _two_surnames(a: ComparisonForm, b: ComparisonForm, of: Seen, model: Model) -> bool:
    """Emma Kelly and Emma Kenny of one flat, its phone and its mailbox: surnames that neither look nor sound alike are two
    people's, or one's who married. Those that look alike are when both are known and more than vowels differ (Hansen and Jansen,
    not Meyer and Meier); else one is a slip of the other."""
    if of.surname == OTHER_SURNAME:
        return not _stands_elsewhere(a, b)
    sound_alike = a.surname_phonetic == b.surname_phonetic or a.surname_skeletons == b.surname_skeletons
    if of.surname not in LOOKALIKE_SURNAME or sound_alike:
        return False
    return all(text is not None and _is_known_surname(text, model) for text in (a.surname, b.surname))


def _stands_elsewhere(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Benita Mercader and Benita Mercader Echeverria, read as a middle name: one surname is among the other's further names."""
    return any(word in (other.givens or ()) for one, other in ((a, b), (b, a)) for word in one.surnames or ())


def _is_known_surname(folded: str, model: Model) -> bool:
    """Among the commonest of some country, or frequent where the model was trained."""
    return is_surname(folded) or model.is_frequent("surname", folded)


def _written_otherwise(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Wang Wei is written in hundreds of ways, each another name: 王伟 and 汪威 are folded alike and are two people's."""
    if a.han is None or b.han is None or len(a.han) != len(b.han):
        return False
    return sorted(a.han) != sorted(b.han)


def _read_by_guess(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Consonants of محمد fit Mahmoud as well, and 翔 is read in many ways: brothers' names, and a family's mailbox and birth date
    may be twins'. Only a name that is known to be the same is a person's beside one in another script."""
    return a.script != b.script and a.initial is not None and b.initial is not None and of.given not in SAME_GIVEN


def _surely_reached(of: Seen) -> bool:
    """What one person has who writes 陈 here and 陳 there."""
    return of.email in SAME_EMAIL or (of.birth in SAME_BIRTH and of.phone in CONTACT[PHONE])


def _reached(of: Seen) -> bool:
    """They share what few share: an e-mail address, a phone, an identifier. With two mailboxes a digit apart is two phones."""
    phone = of.phone == SAME_PHONE or (of.phone in CONTACT[PHONE] and of.email != OTHER_EMAIL)
    return of.email in SAME_EMAIL or phone or of.identifier in CONTACT[IDENTIFIER]


def only_by_place(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Say whether a name and a home or an area are all that ties two people: then whatever tells them apart is asked about."""
    return not (_reached(of) or of.birth in SAME_BIRTH or _same_company(a, b, of))


def told_apart(of: Seen) -> bool:
    """Say whether both have an e-mail address, or both a phone, and none in common."""
    return not _reached(of) and (of.email == OTHER_EMAIL or of.phone == OTHER_PHONE)


def _has_contact(of: Seen) -> bool:
    """A home counts as well, unless two of one name may live there: no birth date in common, and an e-mail address or a phone
    each. One son in twelve bears his father's name."""
    return _reached(of) or (of.address in CONTACT[ADDRESS] and (of.birth in SAME_BIRTH or not told_apart(of)))


def _whole_name(of: Seen) -> bool:
    """In an area the whole name must be one: Marco of Milan is anybody. Swapped fields are told by the given name alone."""
    return of.given == SWAPPED_NAME or (of.given in WHOLE_GIVEN and of.surname in WHOLE_SURNAME)


def _lives_in_the_area(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """A full name in one town with a sure birth date, or behind one postal code with nothing else that both tell.

    A name and a birth date in two towns are the insured of a famous fine: two men, whose files were one for years.
    """
    if of.address not in AREA or not _whole_name(of):
        return False
    if a.birth_sure is not None and b.birth_sure is not None and of.birth in SAME_BIRTH:
        return True
    return of.address == SAME_POSTAL and not (told_apart(of) or (a.streets is not None and b.streets is not None))


def _perhaps_relatives(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    return _perhaps_twins(a, b, of) or _perhaps_siblings(a, b, of) or _perhaps_namesake_of_family(a, b, of)


def _perhaps_siblings(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Claudio and Claudia, Maria Teresa and Maria Luisa, without a birth date that both have: a mailbox, a phone and a door are a
    family's, and two such names are two of it. So are names that look alike where both genders are told and differ."""
    one, other = a.given or "", b.given or ""
    if of.birth in SAME_BIRTH or one == other:
        return False
    if of.given == NICKNAME:
        return _part_after_the_first(one.split(), other.split())
    return of.given in LOOKALIKE_GIVEN and (_stem(one) == _stem(other) or len({a.gender, b.gender} - {None}) > 1)


def _part_after_the_first(one: list[str], other: list[str]) -> bool:
    """Both have a second name, and neither has all of the other's."""
    return min(len(one), len(other)) > 1 and not (set(one) <= set(other) or set(other) <= set(one))


def _stem(given: str) -> str:
    """A name without the ending that tells its gender: Andreja is andrej, Danielle daniel."""
    bare = given.rstrip("aeiouy")
    return bare[:-1] if bare[-2:-1] == bare[-1:] else bare


def _perhaps_twins(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """One birth date, one surname and two names that look alike: so twins are called. One letter after the first, where not both
    are known names, is a slip."""
    if a.birth is None or a.birth != b.birth or of.surname == OTHER_SURNAME:
        return False
    if of.given == INITIAL:  # K. of one birth date with another mailbox or phone may be the brother.
        return of.email == OTHER_EMAIL or of.phone == OTHER_PHONE
    if of.given not in LOOKALIKE_GIVEN:
        return False
    one, other = a.given or "", b.given or ""
    both_known = a.nicknames is not None and b.nicknames is not None
    return both_known or one[:1] != other[:1] or OSA.distance(one, other, score_cutoff=1) > 1


def _perhaps_namesake_of_family(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """One bears a suffix of generation, so the name alone does not tell who the other is."""
    told = of.birth in SAME_BIRTH or of.email in SAME_EMAIL
    return not told and (_generation(a) is None) != (_generation(b) is None)
