"""Conditions on two comparison forms: small objects that say themselves both in DuckDB SQL and in Python.

Both texts are made from one object, so the bulk engine and the online scorer cannot drift apart. SQL follows three-valued logic
and Python two-valued; every condition here is written so that NULL and False fall on the same side. All are symmetric.
"""

from dataclasses import dataclass
from typing import Protocol

# DuckDB and rapidfuzz agree on ASCII text except in the last bit (907 of 190,319 pairs), so a threshold is never met exactly.
TOLERANCE = 1e-9
# rapidfuzz gives up below a cutoff, which is faster, but not exactly there: maria and mario are 0.92 alike and 0.0 with a
# cutoff of 0.92 - 1e-9. So the cutoff stands well below the line.
CUTOFF_MARGIN = 0.01


class Condition(Protocol):
    """What a level needs: the same test as SQL over `<column>_l`, `<column>_r` and as Python over `a.<column>`, `b.<column>`."""

    def sql(self) -> str:
        """The condition in DuckDB SQL; NULL counts as not met."""

    def python(self) -> str:
        """The condition as a Python expression over `a` and `b`."""


@dataclass(frozen=True, slots=True)
class Exact:
    """Both sides hold the same value."""

    column: str

    def sql(self) -> str:
        """See Condition."""
        return f"{self.column}_l = {self.column}_r"

    def python(self) -> str:
        """See Condition."""
        return f"(a.{self.column} == b.{self.column} and a.{self.column} is not None)"


@dataclass(frozen=True, slots=True)
class Missing:
    """At least one side lacks the value."""

    column: str

    def sql(self) -> str:
        """See Condition."""
        return f"({self.column}_l IS NULL OR {self.column}_r IS NULL)"

    def python(self) -> str:
        """See Condition."""
        return f"(a.{self.column} is None or b.{self.column} is None)"


@dataclass(frozen=True, slots=True)
class Unlike:
    """One side holds a value that the other does not hold: another one, or none."""

    column: str

    def sql(self) -> str:
        """See Condition."""
        return f"{self.column}_l IS DISTINCT FROM {self.column}_r"

    def python(self) -> str:
        """See Condition."""
        return f"a.{self.column} != b.{self.column}"


@dataclass(frozen=True, slots=True)
class Crossed:
    """One column of each side equals the other column of the other side, both ways."""

    column: str
    other: str

    def sql(self) -> str:
        """See Condition."""
        return f"({self.column}_l = {self.other}_r AND {self.other}_l = {self.column}_r)"

    def python(self) -> str:
        """See Condition."""
        first = f"a.{self.column} == b.{self.other} and a.{self.column} is not None"
        return f"({first} and a.{self.other} == b.{self.column} and b.{self.column} is not None)"


@dataclass(frozen=True, slots=True)
class EitherCrossed:
    """One column of one side equals the other column of the other side, one way or the other."""

    column: str
    other: str

    def sql(self) -> str:
        """See Condition."""
        return f"({self.column}_l = {self.other}_r OR {self.other}_l = {self.column}_r)"

    def python(self) -> str:
        """See Condition."""
        first = f"a.{self.column} == b.{self.other} and a.{self.column} is not None"
        return f"({first} or a.{self.other} == b.{self.column} and b.{self.column} is not None)"


@dataclass(frozen=True, slots=True)
class Within:
    """Two whole numbers differ by at most `most`."""

    column: str
    most: int

    def sql(self) -> str:
        """See Condition."""
        return f"abs({self.column}_l - {self.column}_r) <= {self.most}"

    def python(self) -> str:
        """See Condition."""
        known = f"a.{self.column} is not None and b.{self.column} is not None"
        return f"({known} and -{self.most} <= a.{self.column} - b.{self.column} <= {self.most})"


@dataclass(frozen=True, slots=True)
class Apart:
    """Two whole numbers differ by more than `most`."""

    column: str
    most: int

    def sql(self) -> str:
        """See Condition."""
        return f"abs({self.column}_l - {self.column}_r) > {self.most}"

    def python(self) -> str:
        """See Condition."""
        known = f"a.{self.column} is not None and b.{self.column} is not None"
        return f"({known} and not -{self.most} <= a.{self.column} - b.{self.column} <= {self.most})"


@dataclass(frozen=True, slots=True)
class ListsIntersect:
    """The two lists share a value: the best pair of a multi-valued attribute is equal."""

    column: str

    def sql(self) -> str:
        """See Condition."""
        return f"list_has_any({self.column}_l, {self.column}_r)"

    def python(self) -> str:
        """See Condition."""
        known = f"a.{self.column} is not None and b.{self.column} is not None"
        return f"({known} and meet(a.{self.column}, b.{self.column}))"


@dataclass(frozen=True, slots=True)
class ListsCross:
    """A value of one list of one side is in the other list of the other side, one way or the other."""

    column: str
    other: str

    def sql(self) -> str:
        """See Condition."""
        one = f"coalesce(list_has_any({self.column}_l, {self.other}_r), false)"
        return f"({one} OR list_has_any({self.other}_l, {self.column}_r))"

    def python(self) -> str:
        """See Condition."""
        known = "a.{0} is not None and b.{1} is not None and meet(a.{0}, b.{1})"
        return f"({known.format(self.column, self.other)} or {known.format(self.other, self.column)})"


@dataclass(frozen=True, slots=True)
class Distance:
    """A string distance as both engines spell it: templates over {a} and {b}, and the name of the same test over two lists."""

    sql: str
    python: str
    lists: str


def jaro_winkler(least: float) -> Distance:
    """Jaro-Winkler of at least `least`."""
    line, cutoff = least - TOLERANCE, least - CUTOFF_MARGIN
    return Distance(
        f"jaro_winkler_similarity({{a}}, {{b}}) >= {line!r}",
        f"jaro({{a}}, {{b}}, score_cutoff={cutoff!r}) >= {line!r}",
        f"any_jaro({{a}}, {{b}}, {line!r}, {cutoff!r})",
    )


# One edit touches a text before its middle or behind it, never both, so that one of the halves stays: DuckDB looks at that in
# 0.1 µs, where its distance takes 10. For texts it finds halves alike, it still computes the distance.
_HALF = "(least(strlen({a}), strlen({b})) - 1) // 2"
_HALF_ALIKE = (
    "abs(strlen({a}) - strlen({b})) <= 1"
    f" AND (left({{a}}, {_HALF}) = left({{b}}, {_HALF}) OR right({{a}}, {_HALF}) = right({{b}}, {_HALF}))"
)


def one_edit() -> Distance:
    """One sign inserted, left out, replaced, or two swapped.

    For one edit, optimal string alignment (online, 0.2 µs) and Damerau-Levenshtein (DuckDB) are the same; for two they are not.
    """
    return Distance(
        f"CASE WHEN {_HALF_ALIKE} THEN damerau_levenshtein({{a}}, {{b}}) <= 1 ELSE false END",
        "edit({a}, {b}, score_cutoff=1) <= 1",
        "any_edit({a}, {b})",
    )


@dataclass(frozen=True, slots=True)
class Near:
    """Two folded texts are near by a distance. The column must be ASCII: the engines disagree on anything else."""

    column: str
    distance: Distance

    def sql(self) -> str:
        """See Condition."""
        return self.distance.sql.format(a=f"{self.column}_l", b=f"{self.column}_r")

    def python(self) -> str:
        """See Condition."""
        known = f"a.{self.column} is not None and b.{self.column} is not None"
        return f"({known} and {self.distance.python.format(a=f'a.{self.column}', b=f'b.{self.column}')})"


@dataclass(frozen=True, slots=True)
class AnyNear:
    """Some pair of two lists is near by a distance. The lists must be ASCII."""

    column: str
    distance: Distance

    def sql(self) -> str:
        """See Condition."""
        test = self.distance.sql.format(a="x", b="y")
        inner = f"list_bool_or(list_transform({self.column}_r, lambda y: {test}))"
        return f"list_bool_or(list_transform({self.column}_l, lambda x: {inner}))"

    def python(self) -> str:
        """See Condition."""
        known = f"a.{self.column} is not None and b.{self.column} is not None"
        return f"({known} and {self.distance.lists.format(a=f'a.{self.column}', b=f'b.{self.column}')})"


@dataclass(frozen=True, slots=True, init=False)
class All:
    """Every condition holds."""

    parts: tuple[Condition, ...]

    def __init__(self, *parts: Condition) -> None:
        object.__setattr__(self, "parts", parts)

    def sql(self) -> str:
        """See Condition."""
        return "(" + " AND ".join(part.sql() for part in self.parts) + ")"

    def python(self) -> str:
        """See Condition."""
        return "(" + " and ".join(part.python() for part in self.parts) + ")"


@dataclass(frozen=True, slots=True, init=False)
class Some:
    """At least one condition holds."""

    parts: tuple[Condition, ...]

    def __init__(self, *parts: Condition) -> None:
        object.__setattr__(self, "parts", parts)

    def sql(self) -> str:
        """See Condition."""
        return "(" + " OR ".join(part.sql() for part in self.parts) + ")"

    def python(self) -> str:
        """See Condition."""
        return "(" + " or ".join(part.python() for part in self.parts) + ")"


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold; what is unknown counts as not holding."""

    part: Condition

    def sql(self) -> str:
        """See Condition. A CASE stops at the first part that settles it; a coalesce has all of them computed."""
        return f"CASE WHEN {self.part.sql()} THEN false ELSE true END"

    def python(self) -> str:
        """See Condition."""
        return f"not {self.part.python()}"


@dataclass(frozen=True, slots=True)
class Else:
    """Whatever no earlier level took."""

    def sql(self) -> str:
        """See Condition."""
        return "ELSE"

    def python(self) -> str:
        """See Condition."""
        return "True"


@dataclass(frozen=True, slots=True)
class WithinShare:
    """Two numbers differ by at most a share of the larger."""

    column: str
    share: float

    def sql(self) -> str:
        """See Condition."""
        left, right = f"{self.column}_l", f"{self.column}_r"
        return f"abs({left} - {right}) <= {self.share!r} * greatest(abs({left}), abs({right}))"

    def python(self) -> str:
        """See Condition."""
        left, right = f"a.{self.column}", f"b.{self.column}"
        known = f"{left} is not None and {right} is not None"
        return f"({known} and abs({left} - {right}) <= {self.share!r} * max(abs({left}), abs({right})))"
