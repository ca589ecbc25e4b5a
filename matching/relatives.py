"""Whether two who share a name, a home and a mailbox may be two of one family: twins, siblings, father and son, two genders.

Names that look alike, or that a table holds for one, are what parents give their children. Pure.
"""

from rapidfuzz.distance import OSA

from matching.forms import ComparisonForm
from matching.ground_levels import (
    EXACT_GIVEN,
    INITIAL,
    LOOKALIKE_GIVEN,
    NICKNAME,
    OTHER_EMAIL,
    OTHER_MIDDLE,
    OTHER_PHONE,
    OTHER_SURNAME,
    OWN_EMAIL,
    SAME_BIRTH,
    SAME_EMAIL,
    SWAPPED_NAME,
    Seen,
)
from matching.standardize.genders import SIGNS
from matching.standardize.nicknames import is_full_name
from matching.standardize.sounds import sound

# Which of one name in a family: the folded suffixes. Others (PhD, OBE) say nothing of that.
GENERATIONS = {
    "sr": 1, "senior": 1, "jr": 2, "junior": 2, "2": 2, "ii": 2, "2nd": 2, "3": 3, "iii": 3, "3rd": 3, "4": 4, "iv": 4, "4th": 4,
    "5": 5, "v": 5, "5th": 5,
}  # fmt: skip
LONGEST_SHORT_FORM = 3


def perhaps_relatives(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Say whether the two are what relatives look like. Symmetric."""
    return (
        two_genders(a, b, of)
        or _either_gender(a, b, of)
        or two_full_names(a, b, of)
        or _perhaps_twins(a, b, of)
        or _perhaps_siblings(a, b, of)
        or two_middle_names(a, b, of)
        or _perhaps_namesake_of_family(a, b, of)
    )


def other_generation(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Say whether both bear a suffix of generation, and not the same one: senior and junior, the second and the third."""
    one, other = _generation(a), _generation(b)
    return one is not None and other is not None and one != other


def _generation(form: ComparisonForm) -> int | None:
    return GENERATIONS.get(form.suffix or "")


def two_genders(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Say whether the names are of two genders, Julie and Jules, Trần Văn Bình and Trần Thị Bình: two people's, whatever makes
    them alike. A birth date and a mailbox of one's own outweigh a title or a gender that a form filled in beside one name."""
    one, other = a.name_genders, b.name_genders
    if one is None or other is None or of.given == SWAPPED_NAME or not set(one).isdisjoint(other):
        return False
    return not (of.given == EXACT_GIVEN and _is_told(of))


def _is_told(of: Seen) -> bool:
    return of.birth in SAME_BIRTH or of.email == OWN_EMAIL


def _either_gender(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Sasha fits Alexander and Alexandra: only a birth date, or a mailbox called after one of them, tells which it is."""
    if of.given != NICKNAME or a.name_genders is None or b.name_genders is None or a.name_genders == b.name_genders:
        return False
    return not (_is_told(of) or _within(a, b) or _mailbox_says(a, b) or _mailbox_says(b, a))


def _within(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Jean within Jean-Pierre leaves nothing open."""
    one, other = ((form.given or "").split() for form in (a, b))
    return set(one) <= set(other) or set(other) <= set(one)


def _mailbox_says(short: ComparisonForm, full: ComparisonForm) -> bool:
    """Pat with the mailbox patrick.b@ is Patrick."""
    name = (full.given or "").partition(" ")[0]
    return len(name) > LONGEST_SHORT_FORM and any(name in key.rpartition("@")[0] for key in short.own_emails or ())


def two_full_names(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Say whether two names are full ones that a table takes for one: Julia may be called Julie, and Julie is a name of its own.
    They are sisters, twins even, unless the mailbox is called after her."""
    if of.given != NICKNAME or of.email == OWN_EMAIL:
        return False
    one, other = ((form.given or "").partition(" ")[0] for form in (a, b))
    return one != other and is_full_name(one) and is_full_name(other) and not _one_by_ear(one, other)


def _one_by_ear(one: str, other: str) -> bool:
    """Sophia and Sofia, Sara and Sarah sound alike to the end, and are nobody's sisters or brothers."""
    ends = {name.rstrip("h")[-1:] for name in (one, other)}
    return sound(one) == sound(other) and (len(ends) == 1 or ends.isdisjoint("aeiouy"))


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
    are known names, is a slip, unless it is the ending that tells the gender: Michele and Michela."""
    if a.birth is None or a.birth != b.birth or of.surname == OTHER_SURNAME:
        return False
    if of.given == INITIAL:  # K. of one birth date with another mailbox or phone may be the brother.
        return of.email == OTHER_EMAIL or of.phone == OTHER_PHONE
    if of.given not in LOOKALIKE_GIVEN:
        return False
    one, other = a.given or "", b.given or ""
    both_known = a.nicknames is not None and b.nicknames is not None
    is_slip = one[:1] == other[:1] and OSA.distance(one, other, score_cutoff=1) <= 1
    return both_known or not is_slip or (_stem(one) == _stem(other) and one[-1:] != other[-1:])


def two_middle_names(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """Say whether two middle names tell who is who of one name in a family, Ivan Petrovich and Ivan Pavlovich, John Robert and
    John William. One that stands among the other's names elsewhere does not."""
    if of.middle != OTHER_MIDDLE or of.given != EXACT_GIVEN or of.email == OWN_EMAIL:
        return False
    pairs = ((a.middle, b), (b.middle, a))
    return not any(
        (set((middle or "").split()) - SIGNS) & {*(form.surnames or ()), *(form.givens or ())} for middle, form in pairs
    )


def _perhaps_namesake_of_family(a: ComparisonForm, b: ComparisonForm, of: Seen) -> bool:
    """One bears a suffix of generation, so the name alone does not tell who the other is."""
    told = of.birth in SAME_BIRTH or of.email in SAME_EMAIL
    return not told and (_generation(a) is None) != (_generation(b) is None)
