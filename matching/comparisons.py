"""The comparisons: for each kind of evidence an ordered list of levels, strongest first, each defined once for both engines.

`levels` computes them in process; `Comparison.splink` yields the same definition for Splink. A level's number counts from 0
(else) up, -1 is "no evidence". Weights live in the model, never here. Three guards against counting one fact twice: an address
is one comparison; a swap is told by the given name and silences the surname; `household` takes back what a shared home lends to
two people.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations
from operator import attrgetter
from typing import Any

from anyascii import anyascii
from rapidfuzz.distance import OSA, JaroWinkler

from matching.comparison import NULL_LEVEL, Comparison, Level
from matching.conditions import (
    All,
    AnyNear,
    Apart,
    Condition,
    EitherCrossed,
    Else,
    Exact,
    ListsCross,
    ListsIntersect,
    Missing,
    Near,
    Not,
    Some,
    Within,
    WithinShare,
    jaro_winkler,
    one_edit,
)
from matching.forms import ComparisonForm, comparison_form
from matching.name_comparisons import GIVEN, MIDDLE, SURNAME

__all__ = [
    "COMPARISONS", "GIVEN", "MIDDLE", "NULL_LEVEL", "SURNAME", "Comparison", "ComparisonForm", "Level", "Levels",
    "comparison_form", "level_functions", "levels", "levels_function",
]  # fmt: skip

Levels = tuple[int, ...]
LevelOf = Callable[[ComparisonForm, ComparisonForm], int]
LevelsOf = Callable[[ComparisonForm, ComparisonForm], Levels]

OTHER_READING = Some(EitherCrossed("birth", "birth_flipped"), EitherCrossed("birth", "birth_alternative"))
BIRTH_DATE = Comparison(
    "birth_date",
    Missing("birth_year"),
    (
        Level("exact", Exact("birth"), frequency="birth"),
        Level("other_reading", OTHER_READING),
        Level("one_digit", Near("birth", one_edit())),
        Level("same_month", All(Missing("birth_sure"), Exact("birth_month"))),
        Level("two_parts", Some(Exact("birth_month"), Exact("birth_month_day"), Exact("birth_year_day"))),
        Level("partial_year", All(Missing("birth_sure"), Exact("birth_year"))),
        Level("near_year", Some(Exact("birth_year"), All(Missing("birth_sure"), Within("birth_year", 2)))),
        Level("different", Else()),
    ),
)
GENDER = Comparison("gender", Missing("gender"), (Level("exact", Exact("gender")), Level("different", Else())))
OTHER_GIVEN = Not(Some(GIVEN.null, *(level.condition for level in GIVEN.levels[:-1])))
# An address that holds its holder's given name is that person's; any other may be a household's. A spouse may give it too.
EMAIL = Comparison(
    "email",
    Missing("emails"),
    (
        Level("own", All(ListsCross("own_emails", "emails"), Not(OTHER_GIVEN))),
        Level("exact", ListsIntersect("emails")),
        Level("close", AnyNear("email_texts", one_edit())),
        Level("same_local_part", ListsIntersect("email_locals")),
        Level("different", Else()),
    ),
)
PHONE = Comparison(
    "phone",
    Missing("phones"),
    (
        Level("exact", ListsIntersect("phones")),
        Level("one_digit", AnyNear("phones", one_edit())),
        Level("different", Else()),
    ),
)
# A street is the same in the same area, or where no area is known to compare.
SAME_AREA = Some(ListsIntersect("postals"), ListsIntersect("cities"), All(Missing("postals"), Missing("cities")))
ADDRESS = Comparison(
    "address",
    All(Missing("streets"), Missing("postals"), Missing("cities")),
    (
        Level("same_home", ListsIntersect("homes")),
        Level("same_building", ListsIntersect("buildings")),
        Level("same_house", ListsIntersect("house_postals")),
        Level("same_street", All(SAME_AREA, AnyNear("streets", jaro_winkler(0.9)))),
        Level("same_postal_code", ListsIntersect("postals")),
        Level("same_city", Some(ListsIntersect("cities"), AnyNear("cities", jaro_winkler(0.92)), AnyNear("postals", one_edit()))),
        Level("different", Else()),
    ),
)
IDENTIFIER = Comparison(
    "identifier",
    Not(ListsIntersect("identifier_types")),
    (
        Level("same", ListsIntersect("identifiers")),
        Level("one_sign", AnyNear("identifier_texts", one_edit())),
        Level("different", Else()),
    ),
)
COMPANY = Comparison(
    "company_name",
    Missing("company"),
    (
        Level("exact", Exact("company"), frequency="company"),
        Level("close", Near("company", jaro_winkler(0.92))),
        Level("part", ListsIntersect("company_words")),
        Level("different", Else()),
    ),
)
# Two people of one home agree on surname, address, phone and e-mail for one reason, not for four. When their given names
# differ, or one name comes with birth dates of two generations, a shared home counts once: this comparison takes the rest back,
# by how much is shared. Twins share the birth date for that reason too.
SHARED_CONTACTS = (ListsIntersect("house_postals"), ListsIntersect("phones"), ListsIntersect("emails"))
ONE_FAMILY = All(ListsIntersect("postals"), Some(Exact("surname"), ListsIntersect("surnames")))
OTHER_GENERATION = Apart("birth_year", 10)
HOUSEHOLD = Comparison(
    "household",
    Not(All(Some(*SHARED_CONTACTS, ONE_FAMILY), Some(OTHER_GENERATION, OTHER_GIVEN))),
    (
        Level("three_shared", All(*SHARED_CONTACTS)),
        Level("two_shared", Some(*(All(one, other) for one, other in combinations(SHARED_CONTACTS, 2)))),
        Level("one_shared", Some(*SHARED_CONTACTS)),
        Level("surname_and_area", Else()),
    ),
    correction=True,
)
TWINS = Comparison(
    "twins",
    Not(All(Exact("birth"), Some(Exact("surname"), *SHARED_CONTACTS), OTHER_GIVEN)),
    (Level("at_one_home", Some(*SHARED_CONTACTS)), Level("elsewhere", Else())),
    correction=True,
)
# Names go together with each other and with places: in a country's language, in a family that hands them down. How much
# likelier that makes one full name in two people, and in two people of one area, is taken back here.
NAMESAKES = Comparison(
    "namesakes",
    Not(All(Exact("given"), Exact("surname"))),
    (
        Level("at_one_house", ListsIntersect("house_postals")),
        Level("in_one_postal_code", ListsIntersect("postals")),
        Level("in_one_city", ListsIntersect("cities")),
        Level("elsewhere", Else()),
    ),
    correction=True,
)
COMPARISONS: tuple[Comparison, ...] = (
    GIVEN, SURNAME, MIDDLE, BIRTH_DATE, GENDER, EMAIL, PHONE, ADDRESS, IDENTIFIER, COMPANY, HOUSEHOLD, TWINS, NAMESAKES,
)  # fmt: skip

_EXTRA_LEVELS: dict[str, tuple[tuple[str, Callable[[str], Condition]], ...]] = {
    "category": (("exact", Exact),),
    "text": (
        ("exact", Exact),
        ("close", lambda column: Near(column, jaro_winkler(0.92))),
        ("alike", lambda column: Near(column, jaro_winkler(0.82))),
    ),
    "identifier": (("exact", Exact), ("one_sign", lambda column: Near(column, one_edit()))),
    "date": (("exact", Exact), ("one_digit", lambda column: Near(column, one_edit()))),
    "number": (
        ("exact", lambda column: Exact(column + "_number")),
        ("within_a_hundredth", lambda column: WithinShare(column + "_number", 0.01)),
        ("within_a_tenth", lambda column: WithinShare(column + "_number", 0.1)),
    ),
}


def extra_comparison(name: str, kind: str, position: int) -> Comparison:
    """Return the comparison of a user's attribute by its kind. `position` makes its column name. Raises: KeyError."""
    column = f"extra{position}"
    weighed = {"exact": column} if kind == "category" else {}  # Red is worth less than teal.
    steps = tuple(Level(step, make(column), weighed.get(step)) for step, make in _EXTRA_LEVELS[kind])
    missing = Missing(column + "_number" if kind == "number" else column)
    return Comparison(f"extra:{name}", missing, (*steps, Level("different", Else())), extra=name)


def _meet(left: Sequence[str], right: Sequence[str]) -> bool:
    """Say whether two short tuples share a value; faster than sets at the one to three values a record has."""
    for value in left:  # noqa: SIM110 - a generator would triple the cost of the commonest call of the scorer.
        if value in right:
            return True
    return False


def _any_jaro(left: Sequence[str], right: Sequence[str], line: float, cutoff: float) -> bool:
    for one in left:
        for other in right:
            if JaroWinkler.similarity(one, other, score_cutoff=cutoff) >= line:
                return True
    return False


def _any_edit(left: Sequence[str], right: Sequence[str]) -> bool:
    for one in left:
        for other in right:
            if OSA.distance(one, other, score_cutoff=1) <= 1:
                return True
    return False


def _pick(extras: Sequence[tuple[str, str]] | None, name: str) -> str | None:
    return dict(extras).get(name) if extras else None


def folded_extra(value: str | None) -> str | None:
    """Return the text of an extra as it is compared: ASCII lower case, other scripts read in Latin; None when nothing is left."""
    text = value or ""
    text = (text if text.isascii() else anyascii(text)).casefold().strip()
    return text or None


def value_of(comparison: Comparison, column: str) -> Callable[[ComparisonForm], Any]:
    """Return what reads a column of a comparison from a form, as it is compared; None where the form has no value."""
    name = comparison.extra
    return attrgetter(column) if name is None else lambda form: folded_extra(_pick(form.extras, name))


def number_extra(value: str | None) -> float | None:
    """Return the number of an extra as it is compared, None when it is not a finite one."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if number - number == 0 else None


def _source(comparison: Comparison, position: int) -> str:
    """Write the Python function of one comparison: the first level that holds wins, as in SQL's CASE."""
    lines = [f"def comparison{position}(a, b):"]
    if comparison.extra is not None:
        name = comparison.extra
        lines += [f"    left = pick(a.extras, {name!r})", f"    right = pick(b.extras, {name!r})"]
        lines += ["    a, b = one_extra(left), one_extra(right)"]
    lines.append(f"    if {comparison.null.python()}: return -1")
    top = len(comparison.levels) - 1
    lines += [f"    if {level.condition.python()}: return {top - step}" for step, level in enumerate(comparison.levels[:-1])]
    return "\n".join([*lines, "    return 0"])


class _OneExtra:
    """A user's attribute under the column names that its conditions use, whatever its position in the model."""

    __slots__ = ("number", "text")

    def __init__(self, value: str | None) -> None:
        self.text, self.number = folded_extra(value), number_extra(value)

    def __getattr__(self, column: str) -> str | float | None:
        return self.number if column.endswith("_number") else self.text


@lru_cache(maxsize=64)
def level_functions(comparisons: tuple[Comparison, ...]) -> tuple[LevelOf, ...]:
    """Compile the comparisons, each into a function of two forms; it costs milliseconds and is kept.

    The text is made of our own declarations only: compiled code does in 3 µs what a tree of closures does in 8.
    """
    names: dict[str, Any] = {
        "meet": _meet,
        "any_jaro": _any_jaro,
        "any_edit": _any_edit,
        "pick": _pick,
        "one_extra": _OneExtra,
        "jaro": JaroWinkler.similarity,
        "edit": OSA.distance,
    }
    text = "\n".join(map(_source, comparisons, range(len(comparisons))))
    exec(compile(text, "<comparisons>", "exec"), names)  # noqa: S102 - text made of our own declarations, see above.
    return tuple(names[f"comparison{position}"] for position in range(len(comparisons)))


@lru_cache(maxsize=64)
def levels_function(comparisons: tuple[Comparison, ...]) -> LevelsOf:
    """Compile the comparisons into one function of two forms; kept as well."""
    names: dict[str, Any] = {f"comparison{position}": one for position, one in enumerate(level_functions(comparisons))}
    calls = ", ".join(f"{name}(a, b)" for name in names)
    exec(f"def levels(a, b):\n    return ({calls},)", names)  # noqa: S102 - as above.
    function: LevelsOf = names["levels"]
    return function


def comparison_column(position: int) -> str:
    """Name a comparison's output column in Splink: by position, since a user's attribute may have any name."""
    return f"c{position}"


def levels(a: ComparisonForm, b: ComparisonForm) -> Levels:
    """Return the level of each comparison in COMPARISONS for two forms. Symmetric."""
    return levels_function(COMPARISONS)(a, b)
