"""Pairs of invented people by which a card shows how a model weighs: typical ones, and those that it must not get wrong.

Nobody of a customer base is among them. They are standardized and compared as any record is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matching.comparisons import NULL_LEVEL
from matching.decide import Decided, decide
from matching.forms import ComparisonForm, comparison_form
from matching.model import Model
from matching.score import Scored, score_pair
from matching.standardize import Context, standardize

Said = Mapping[str, Any]
HOME = {"line1": "14 Wexcombe Lane", "city": "Ashbury", "postal_code": "RG8 9QT", "country": "GB"}
ELSEWHERE = {"line1": "3 Tannery Court", "city": "Holmfield", "postal_code": "LS12 4PX", "country": "GB"}
RUTH: Said = {
    "given_name": "Ruth", "surname": "Ellerby", "birth_date": "1979-05-21", "emails": ["r.ellerby@brightmail.example"],
    "phones": ["+44 7700 900417"], "addresses": [HOME],
}  # fmt: skip
OWEN: Said = {**RUTH, "given_name": "Owen", "birth_date": "1951-11-03", "emails": []}


@dataclass(frozen=True, slots=True)
class Example:
    """Two records and what they are meant to show."""

    title: str
    about: str
    one: Said
    other: Said


EXAMPLES: tuple[Example, ...] = (
    Example(
        "One customer who moved", "Same name, birth date and phone; another address and e-mail, a slip in the surname.",
        RUTH, {**RUTH, "surname": "Elerby", "emails": ["ruth79@postfach.example"], "addresses": [ELSEWHERE]},
    ),
    Example(
        "One customer, little said", "A till that knows a name and a phone, against a full record.",
        {"given_name": "Ruth", "surname": "Ellerby", "phones": ["+44 7700 900417"]}, RUTH,
    ),
    Example(
        "A father and his daughter", "One home, one phone, one surname: all of that for one reason, which is taken back.",
        OWEN, RUTH,
    ),
    Example(
        "Two strangers of one name", "A common name and nothing else in common.",
        {"given_name": "Mary", "surname": "Smith", "birth_date": "1988-02-14", "addresses": [HOME]},
        {"given_name": "Mary", "surname": "Smith", "birth_date": "1963-09-30", "addresses": [ELSEWHERE]},
    ),
    Example(
        "Twins at home", "Surname, home and birth date are shared; the given name is not.",
        {**RUTH, "emails": []}, {**RUTH, "given_name": "Clara", "emails": []},
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weighed:
    """An example under a model: what each comparison gave (comparison, level, bits), and the verdict."""

    example: Example
    parts: Sequence[tuple[str, str, float]]
    scored: Scored
    decided: Decided


def _form(said: Said) -> ComparisonForm:
    """Standardize what an invented person says; reserved phones and e-mails count as if they were somebody's."""
    standard = standardize(said, Context(default_country="GB", date_order="YMD"))
    emails = tuple(replace(one, key=one.value) for one in standard.emails)
    return comparison_form(replace(standard, emails=emails, phones=tuple(replace(one, key=one.value) for one in standard.phones)))


def weigh_examples(model: Model) -> list[Weighed]:
    """Score the examples; what says nothing is left out of the parts."""
    found = []
    for example in EXAMPLES:
        a, b = (_form(said) for said in (example.one, example.other))
        scored = score_pair(model, a, b)
        parts = [
            (comparison.name, comparison.levels[-1 - level].name, bits)
            for comparison, level, bits in zip(model.comparisons, scored.levels, scored.contributions, strict=True)
            if level != NULL_LEVEL
        ]
        found.append(Weighed(example, parts, scored, decide(model, a, b, scored)))
    return found
