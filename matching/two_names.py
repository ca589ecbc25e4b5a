"""Whether two surnames, or two names of companies, that look alike are two all the same: by what each has that the other lacks.

What many bear (an ending, one of two surnames, the name of a family of firms) makes names alike and says nothing. Pure.
"""

import re

from rapidfuzz.distance import OSA

from matching.forms import ComparisonForm
from matching.ground_levels import LOOKALIKE_SURNAME, OTHER_SURNAME, PART_OF_SURNAME, Seen
from matching.model import Model
from matching.standardize.known_names import is_given_name, is_surname
from matching.standardize.name_tables import PARTICLES
from matching.standardize.sounds import sound

# Endings that half a country bears, behind the name of a father or of a place: what stands before them is the name.
ENDINGS = (
    "sdottir", "dottir", "datter", "sson", "son", "sen", "ovich", "evich", "ovic", "evic", "owski", "ewski", "ovski", "evski",
    "chenko", "enko", "opoulos", "opoulou", "idis", "akis", "oglu", "shvili", "dze", "yan", "ian", "escu",
)  # fmt: skip
DAUGHTER = "dottir"
SHORTEST_FRONT, SHORTEST_SLIP, LONGEST_INITIAL = 3, 5, 2
MOST_SLIPS = 2
MOST_OF_A_WORD = 0.6  # An abbreviation is shorter than that: Hnos of Hermanos; Bau is none of Brau.
FILLERS = frozenset({
    "and", "the", "of", "for", "der", "die", "das", "fur", "im", "am", "les", "los", "las", "il", "lo", "i", "in", "zum",
})  # fmt: skip
_NUMBER = re.compile(r".*\d.*|[ivx]+|[a-z]")


def two_surnames(a: ComparisonForm, b: ComparisonForm, of: Seen, model: Model) -> bool:
    """Say whether Emma Kelly and Emma Kenny of one flat, its phone and its mailbox are two: surnames that neither look nor sound
    alike are two people's, or one's who married. Those that look alike are when each has a word of its own (García López, García
    Pérez), when only a common ending makes them alike (Gunnarsdóttir, Gunnlaugsdóttir), and when both are known and more than
    vowels differ (Hansen and Jansen, not Meyer and Meier); else one is a slip of the other."""
    if of.surname == OTHER_SURNAME:
        return not _stands_elsewhere(a, b)
    is_alike = of.surname in LOOKALIKE_SURNAME
    if not is_alike and of.surname != PART_OF_SURNAME:
        return False
    if two_whole_surnames(a, b, of, model):
        return True
    fronts = _fronts(a.surname or "", b.surname or "") if is_alike else None
    if fronts and (_two_fathers(*fronts) or _two_short_fathers(*fronts, a.surname or "")):
        return True
    sound_alike = a.surname_phonetic == b.surname_phonetic or a.surname_skeletons == b.surname_skeletons
    if not is_alike or sound_alike:
        return False
    two_fronts = fronts is not None and OSA.distance(*fronts, score_cutoff=1) > 1
    both_known = all(text is not None and _is_known(text, model) for text in (a.surname, b.surname))
    return two_fronts or both_known or (_words(a, b) == 1 and _is_no_slip(a.surname or "", b.surname or ""))


def two_whole_surnames(a: ComparisonForm, b: ComparisonForm, of: Seen, model: Model) -> bool:
    """Say whether each of two surnames of several words has one that the other lacks, while they agree on the rest."""
    if of.surname not in LOOKALIKE_SURNAME and of.surname != PART_OF_SURNAME:
        return False
    return _words(a, b) > 1 and _own_word(a, b, model) and _own_word(b, a, model)


def _stands_elsewhere(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Benita Mercader and Benita Mercader Echeverria, read as a middle name: one surname is among the other's further names."""
    return any(word in (other.givens or ()) for one, other in ((a, b), (b, a)) for word in one.surnames or ())


def _parts(surname: str | None) -> list[str]:
    return [word for word in (surname or "").split() if word not in PARTICLES]


def _words(a: ComparisonForm, b: ComparisonForm) -> int:
    return max(len(_parts(a.surname)), len(_parts(b.surname)))


def _own_word(mine: ComparisonForm, theirs: ComparisonForm, model: Model) -> bool:
    """Whether one has a surname that is none of the other's names, nor a slip of one; two may be written as one."""
    names = (*(theirs.surnames or ()), *(theirs.givens or ()), *_parts(theirs.surname))
    whole, their_whole = ((form.surname or "").replace(" ", "") for form in (mine, theirs))  # de la Fuente, Delafuente
    is_joined = len(_parts(mine.surname)) != len(_parts(theirs.surname))
    if whole == their_whole or (is_joined and OSA.distance(whole, their_whole, score_cutoff=1) <= 1):
        return False
    return not all(any(_is_one_word(word, name, model) for name in names) for word in _parts(mine.surname))


def _is_one_word(one: str, other: str, model: Model) -> bool:
    if min(len(one), len(other)) <= LONGEST_INITIAL:
        return one[:1] == other[:1]
    if one == other or sound(one) == sound(other):
        return True
    return OSA.distance(one, other, score_cutoff=1) <= 1 and not (_is_known(one, model) and _is_known(other, model))


def _is_known(folded: str, model: Model) -> bool:
    """Among the commonest of some country, or frequent where the model was trained."""
    return is_surname(folded) or model.is_frequent("surname", folded)


def _is_no_slip(one: str, other: str) -> bool:
    """Whether two surnames have little in common but their beginning, Tesfaye and Tesfahun; one may be the other cut off."""
    short, long = sorted((one, other), key=len)
    return not long.startswith(short) and OSA.distance(one, other, score_cutoff=MOST_SLIPS) > MOST_SLIPS


def _fronts(one: str, other: str) -> tuple[str, str] | None:
    """What stands before an ending that two surnames share; None when they share none, or little stands there."""
    ending = next((each for each in ENDINGS if one.endswith(each) and other.endswith(each)), None)
    if ending is None:
        return None
    first, second = (name.removesuffix(ending).replace("rn", "m") for name in (one, other))  # A scanner reads one for the other.
    return (first, second) if min(len(first), len(second)) >= SHORTEST_FRONT else None


def _two_fathers(one: str, other: str) -> bool:
    """Whether what stands before the ending is two given names, Jón and Jóhann, and not one in two spellings, Karl and Carl."""
    first, second = one.rstrip("s"), other.rstrip("s")
    return sound(first) != sound(second) and is_given_name(first) and is_given_name(second)


def _two_short_fathers(one: str, other: str, surname: str) -> bool:
    """Whether daughters are called after fathers of so few letters that one more makes another name: Jónsdóttir, Jónasdóttir.
    Karl and Carl are one."""
    first, second = one.rstrip("s"), other.rstrip("s")
    is_written_otherwise = len(first) == len(second) and sound(first) == sound(second)
    return surname.endswith(DAUGHTER) and not is_written_otherwise and min(len(first), len(second)) < SHORTEST_SLIP


def two_company_names(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Say whether two names of companies that look alike differ by a number or by a whole word: Immobilien 1 and 2, Holzbau and
    Hochbau. Slips, abbreviations, fillers and the town are no difference."""
    one, other = (a.company or "").split(), (b.company or "").split()
    if one == other or "".join(one) == "".join(other):
        return False
    passed_over = FILLERS | PARTICLES | {word for city in (*(a.cities or ()), *(b.cities or ())) for word in city.split()}
    mine, theirs = ([word for word in left if word not in right] for left, right in ((one, other), (other, one)))
    if any(map(_NUMBER.fullmatch, (*mine, *theirs))):
        return True
    mine, theirs = ([word for word in words if word not in passed_over] for words in (mine, theirs))
    return not all(any(map(_is_slip, [word] * len(far), far)) for near, far in ((mine, theirs), (theirs, mine)) for word in near)


def _is_slip(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) >= SHORTEST_SLIP and (OSA.distance(one, other, score_cutoff=1) <= 1 or sound(one) == sound(other)):
        return True
    return len(short) <= MOST_OF_A_WORD * len(long) and _is_abbreviation(short, long)


def _is_abbreviation(short: str, long: str) -> bool:
    """Whether the letters of one stand in the other in their order, from its first to its last. A beginning is no abbreviation:
    Bygg and Byggservice are two firms."""
    if len(short) < SHORTEST_FRONT or short[0] != long[0]:
        return False
    letters = iter(long)
    return short[-1] == long[-1] and all(letter in letters for letter in short)
