"""Whether what a pair agrees on is enough to merge it without a human, whatever it weighs: who, corroborated, and no relative.

Weights take each comparison for itself; here stands what people share for one reason. Pure: levels and forms in, grounds out.
"""

from enum import Enum

from matching.forms import ComparisonForm
from matching.ground_levels import (
    ADDRESS_CONTACT,
    AREA,
    IDENTIFIER_CONTACT,
    NULL_LEVEL,
    ONE_GIVEN,
    ONE_SURNAME,
    OTHER_BIRTH,
    OTHER_EMAIL,
    OTHER_GIVEN,
    OTHER_IDENTIFIER,
    OTHER_PHONE,
    OWN_EMAIL,
    PHONE_CONTACT,
    SAME_BIRTH,
    SAME_COMPANY,
    SAME_EMAIL,
    SAME_GIVEN,
    SAME_IDENTIFIER,
    SAME_PHONE,
    SAME_POSTAL,
    SWAPPED_NAME,
    WHOLE_GIVEN,
    WHOLE_SURNAME,
    Seen,
)
from matching.model import Model
from matching.namesakes import may_have_namesake, may_have_neighbour
from matching.relatives import perhaps_relatives, two_full_names, two_genders, two_middle_names
from matching.two_names import two_company_names, two_surnames, two_whole_surnames

YEARS_OF_A_GENERATION = 15
LONGEST_INITIALS = 2


class Lack(Enum):
    """What keeps a pair from being merged without a human."""

    CONTRADICTION = "contradiction"
    NOT_PERSONAL = "not_personal"
    RELATIVES = "relatives"
    NOT_CORROBORATED = "not_corroborated"


def lack(a: ComparisonForm, b: ComparisonForm, of: Seen, model: Model) -> Lack | None:
    """Say what keeps the pair from being merged without a human, None when nothing does. Symmetric."""
    if is_contradicted(a, b, of):
        return Lack.CONTRADICTION
    if _same_company(a, b, of):
        is_placed = _reached(of) or of.address in ADDRESS_CONTACT | AREA
        return None if is_placed and not _perhaps_two_companies(a, b, of) else Lack.NOT_CORROBORATED
    if not _says_who(a, b, of, model):
        return Lack.NOT_PERSONAL
    if of.identifier not in IDENTIFIER_CONTACT and perhaps_relatives(a, b, of):
        return Lack.RELATIVES
    return None if _has_contact(of) or _lives_in_the_area(a, b, of, model) else Lack.NOT_CORROBORATED


def _says_who(a: ComparisonForm, b: ComparisonForm, of: Seen, model: Model) -> bool:
    """Say whether the two agree on what one person has: a full name, a birth date, a mailbox, an identifier."""
    if of.identifier == SAME_IDENTIFIER:
        return True
    if _read_by_guess(a, b, of) or (_written_otherwise(a, b) and not _surely_reached(of)):
        return False
    if of.birth in SAME_BIRTH:
        return True
    return (of.given in SAME_GIVEN or of.email == OWN_EMAIL) and not two_surnames(a, b, of, model)


def named_as_two(a: ComparisonForm, b: ComparisonForm, of: Seen, model: Model) -> bool:
    """Say whether the names tell two of one family: by gender, by the middle name, by a surname each, or by two full names of
    one birth date. No third record, which leaves that name out, makes them one."""
    if of.identifier in IDENTIFIER_CONTACT:
        return False
    if two_genders(a, b, of) or two_middle_names(a, b, of):
        return True
    return two_full_names(a, b, of) if of.birth in SAME_BIRTH else two_whole_surnames(a, b, of, model)


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


def a_generation_apart(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Say whether the birth years are far enough apart for father and son: 1954 and 1984 are, and are one digit apart."""
    if a.birth_year is None or b.birth_year is None:
        return False
    return abs(a.birth_year - b.birth_year) >= YEARS_OF_A_GENERATION


def _same_company(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """For two companies the company's name is what is personal; for a person it only says where they work."""
    return of.company in SAME_COMPANY and a.initial is None and b.initial is None and "person" not in (a.party, b.party)


def _perhaps_two_companies(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """A partnership and the limited company that leads it share name, door and phone: two legal forms or two numbers are two. So
    are two names of one group, unless a number says that a company took another name."""
    if of.identifier == OTHER_IDENTIFIER or (of.identifier != SAME_IDENTIFIER and two_company_names(a, b)):
        return True
    return a.company_form is not None and b.company_form is not None and a.company_form != b.company_form


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
    return of.email in SAME_EMAIL or (of.birth in SAME_BIRTH and of.phone in PHONE_CONTACT)


def _reached(of: Seen) -> bool:
    """They share what few share: an e-mail address, a phone, an identifier. With two mailboxes a digit apart is two phones."""
    phone = of.phone == SAME_PHONE or (of.phone in PHONE_CONTACT and of.email != OTHER_EMAIL)
    return of.email in SAME_EMAIL or phone or of.identifier in IDENTIFIER_CONTACT


def only_by_place(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Say whether a name and a home or an area are all that ties two people: then whatever tells them apart is asked about."""
    return not (_reached(of) or of.birth in SAME_BIRTH or _same_company(a, b, of))


def told_apart(of: Seen) -> bool:
    """Say whether both have an e-mail address, or both a phone, and none in common."""
    return not _reached(of) and (of.email == OTHER_EMAIL or of.phone == OTHER_PHONE)


def _has_contact(of: Seen) -> bool:
    """A home counts as well, unless two of one name may live there: no birth date in common, and an e-mail address or a phone
    each, or a given name that is not written alike. One son in twelve bears his father's name, and John's may be called Jack."""
    if _reached(of) or of.address not in ADDRESS_CONTACT:
        return _reached(of)
    return of.birth in SAME_BIRTH or (of.given in ONE_GIVEN and not told_apart(of))


def _whole_name(of: Seen) -> bool:
    """In an area the whole name must be one: Marco of Milan is anybody. Swapped fields are told by the given name alone."""
    return of.given == SWAPPED_NAME or (of.given in WHOLE_GIVEN and of.surname in WHOLE_SURNAME)


def _lives_in_the_area(a: ComparisonForm, b: ComparisonForm, of: Seen, model: Model) -> bool:
    """A full name in one town with a sure birth date, or, letter for letter, one that is not common behind one postal code, where
    both tell no more.

    A name and a birth date in two towns are the insured of a famous fine: two men, whose files were one for years. So may be the
    commonest names in one city.
    """
    if of.address not in AREA or not _whole_name(of):
        return False
    if a.birth_sure is not None and b.birth_sure is not None and of.birth in SAME_BIRTH:
        return not may_have_namesake(a, b, of, model)
    tells_more = told_apart(of) or (a.streets is not None and b.streets is not None)
    is_letter_for_letter = of.given == SWAPPED_NAME or (of.given in ONE_GIVEN and of.surname in ONE_SURNAME)
    return of.address == SAME_POSTAL and is_letter_for_letter and not tells_more and not may_have_neighbour(a, b, model)
