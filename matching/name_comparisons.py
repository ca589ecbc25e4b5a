"""The comparisons of a person's names, and what may be said of two names of which one is written in a script without vowels."""

from collections.abc import Sequence

from matching.comparison import Comparison, Level
from matching.conditions import (
    All,
    AnyNear,
    Condition,
    Crossed,
    Else,
    Exact,
    ListsCross,
    ListsIntersect,
    Missing,
    Near,
    Not,
    Some,
    Unlike,
    jaro_winkler,
    one_edit,
)

# محمد has no vowels and 健太 no letters: beside a Latin name the consonants are compared, which says less than the spelling.
# Where there are none to compare, or only one is another, nothing is known of two names that seem to differ.
SCRIPTS = Unlike("script")


def _same_consonants(column: str) -> Condition:
    return All(SCRIPTS, ListsIntersect(column))


def _unread(column: str, levels: Sequence[Level]) -> Condition:
    alike = Some(Missing(column), AnyNear(column, one_edit()))
    return All(SCRIPTS, alike, Not(Some(*(level.condition for level in levels))))


_GIVEN_LEVELS = (
    Level("swapped", All(Crossed("given", "surname"), Not(Exact("given")))),
    Level("exact", Exact("given"), frequency="given"),
    Level("nickname", ListsIntersect("nicknames")),
    Level("close", Near("given", jaro_winkler(0.92))),
    Level("part", ListsCross("given_words", "givens")),
    Level("initial", All(Missing("given"), Exact("initial"))),
    Level(
        "sounds_alike",
        Some(Exact("given_phonetic"), Near("given", jaro_winkler(0.82)), _same_consonants("given_skeletons")),
    ),
)
GIVEN = Comparison(
    "given_name",
    Some(Missing("initial"), _unread("given_skeletons", _GIVEN_LEVELS)),
    (*_GIVEN_LEVELS, Level("different", Else())),
)
_SURNAME_LEVELS = (
    Level("exact", Exact("surname"), frequency="surname"),
    Level("close", Near("surname", jaro_winkler(0.92))),
    Level("part", ListsIntersect("surnames")),
    Level(
        "sounds_alike",
        Some(Exact("surname_phonetic"), Near("surname", jaro_winkler(0.82)), _same_consonants("surname_skeletons")),
    ),
)
SURNAME = Comparison(
    "surname",
    Some(
        Missing("surname"),
        All(Crossed("given", "surname"), Not(Exact("given"))),
        _unread("surname_skeletons", _SURNAME_LEVELS),
    ),
    (*_SURNAME_LEVELS, Level("different", Else())),
)
MIDDLE = Comparison(
    "middle_name",
    Missing("middle_initial"),
    (
        Level("exact", Exact("middle")),
        Level("close", Near("middle", jaro_winkler(0.88))),
        Level("initial", All(Missing("middle"), Exact("middle_initial"))),
        Level("different", Else()),
    ),
)
