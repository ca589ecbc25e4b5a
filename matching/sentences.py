"""Evidence in words: one sentence for each level of each comparison, and one for a whole pair. Pure; says no value of anybody.

The sentences speak of two records ("both", "one"), so that they read the same whichever stands first.
"""

from collections.abc import Sequence
from typing import NamedTuple

from matching.comparison import Comparison
from matching.comparisons import NULL_LEVEL
from matching.model import Model
from matching.score import Scored

MOST_NAMED = 3
_DIFFERENT = {
    "given_name": "the given names differ", "surname": "the surnames differ", "middle_name": "the middle names differ",
    "birth_date": "the birth dates differ", "gender": "the genders differ", "email": "no e-mail address in common",
    "phone": "no phone number in common", "address": "they live in different places",
    "identifier": "numbers of one kind differ", "company_name": "the company names differ",
}  # fmt: skip
SENTENCES: dict[str, dict[str, str]] = {
    "given_name": {
        "swapped": "given name and surname are swapped",
        "exact": "the same given name",
        "nickname": "one given name is short for the other",
        "close": "given names a slip apart",
        "part": "one given name is part of the other",
        "initial": "one given name is only an initial, which fits",
        "sounds_alike": "given names that sound alike",
    },
    "surname": {
        "exact": "the same surname",
        "close": "surnames a slip apart",
        "part": "one surname in common",
        "sounds_alike": "surnames that sound alike",
    },
    "middle_name": {
        "exact": "the same middle name",
        "close": "middle names a slip apart",
        "initial": "one middle name is only an initial, which fits",
    },
    "birth_date": {
        "exact": "the same birth date",
        "other_reading": "birth dates that agree with day and month exchanged",
        "one_digit": "birth dates one digit apart",
        "same_month": "born in the same month; the day is not known",
        "two_parts": "two parts of the birth dates agree",
        "partial_year": "born in the same year; more is not known",
        "near_year": "birth years at most two apart, or the same with another day",
    },
    "gender": {"exact": "the same gender"},
    "email": {
        "own": "the same e-mail address, which bears the name",
        "exact": "the same e-mail address",
        "close": "e-mail addresses one sign apart",
        "same_local_part": "the same beginning of the e-mail address",
    },
    "phone": {"exact": "the same phone number", "one_digit": "phone numbers one digit apart"},
    "address": {
        "same_home": "the same flat or house",
        "same_building": "the same building",
        "same_house": "the same house number and postal code",
        "same_street": "the same street",
        "same_postal_code": "the same postal code",
        "same_city": "the same town",
    },
    "identifier": {"same": "the same number of one kind", "one_sign": "numbers of one kind one sign apart"},
    "company_name": {
        "exact": "the same company name",
        "close": "company names a slip apart",
        "part": "a word of the company names in common",
    },
    "household": {
        "three_shared": "phone, e-mail address and house are a household's",
        "two_shared": "two of phone, e-mail address and house are a household's",
        "one_shared": "phone, e-mail address or house may be a household's",
        "surname_and_area": "a family may live there",
    },
    "twins": {
        "at_one_home": "one birth date and home with two given names: perhaps twins",
        "elsewhere": "one birth date and surname with two given names: perhaps twins",
    },
    "namesakes": {
        "at_one_house": "one full name in a family",
        "in_one_postal_code": "one full name in one neighbourhood",
        "in_one_city": "one full name in one town",
        "elsewhere": "one full name, which others bear as well",
    },
}
_EXTRA = {
    "exact": "the same {name}",
    "close": "{name} a slip apart",
    "alike": "{name} alike",
    "one_sign": "{name} one sign apart",
    "one_digit": "{name} one digit apart",
    "within_a_hundredth": "{name} within a hundredth",
    "within_a_tenth": "{name} within a tenth",
    "different": "{name} differs",
}


class Said(NamedTuple):
    """What one comparison says of a pair: the level it fell on, what that gives in bits, and the same in words."""

    comparison: str
    level: str
    bits: float
    sentence: str


class Level(NamedTuple):
    """The level that a comparison fell on, and the same in words."""

    comparison: str
    level: str
    sentence: str


class Unsaid(NamedTuple):
    """A comparison that had nothing to compare, and what agreement there would have given at most, in bits."""

    comparison: str
    most_bits: float


def sentence(comparison: Comparison, level: str) -> str:
    """Say a level in words. Raises: KeyError for one that has none."""
    if comparison.extra is not None:
        return _EXTRA[level].format(name=comparison.extra.replace("_", " "))
    return _DIFFERENT[comparison.name] if level == "different" else SENTENCES[comparison.name][level]


def said(model: Model, scored: Scored) -> tuple[Said, ...]:
    """What the comparisons say of a scored pair: what speaks for one customer first, by bits; what speaks against last."""
    named = zip(model.comparisons, scored.levels, scored.contributions, strict=True)
    found = [
        Said(one.name, one.level_name(level), bits, sentence(one, one.level_name(level)))
        for one, level, bits in named
        if level != NULL_LEVEL
    ]
    return tuple(sorted(found, key=lambda one: -one.bits))


def named(model: Model, levels: Sequence[int]) -> tuple[Level, ...]:
    """Name the levels on which a model's comparisons fell, in their order; what was not compared is left out."""
    found = [(one, one.level_name(level)) for one, level in zip(model.comparisons, levels, strict=True) if level != NULL_LEVEL]
    return tuple(Level(one.name, level, sentence(one, level)) for one, level in found)


def unsaid(model: Model, scored: Scored) -> tuple[Unsaid, ...]:
    """What could not be compared, the weightiest first; corrections only take back and are left out."""
    named = zip(model.comparisons, model.parameters, scored.levels, strict=True)
    found = [
        Unsaid(one.name, max(parameter.weight for parameter in parameters))
        for one, parameters, level in named
        if level == NULL_LEVEL and not one.correction
    ]
    return tuple(sorted(found, key=lambda one: -one.most_bits))


def summary(of: Sequence[Said], weight: float, verdict: str, reason: str, merge_line: float) -> str:
    """Say a whole pair in one sentence: how much speaks for one customer, what weighs most each way, and what follows."""
    speaks_for = [one for one in of if one.bits > 0][:MOST_NAMED]
    against = [one for one in reversed(of) if one.bits < 0][:MOST_NAMED]
    parts = [f"{weight:+.1f} bits, where {merge_line:g} merge"]
    if speaks_for:
        parts.append("for one customer: " + ", ".join(f"{one.sentence} ({one.bits:+.1f})" for one in speaks_for))
    if against:
        parts.append("against: " + ", ".join(f"{one.sentence} ({one.bits:+.1f})" for one in against))
    return "; ".join(parts) + f". The verdict is {verdict.replace('_', ' ')} ({reason.replace('_', ' ')})."
