"""The verdict on a scored pair: match, review or no match, with its reason, what vetoes it, and whether the evidence is personal.

Pure. The lines come from the model, the promises of identifier types from policy. Reason codes are stable. Nothing merges without
personal evidence: a shared surname, address and phone is a household.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, Protocol

from matching.comparisons import BIRTH_DATE, COMPANY, EMAIL, GIVEN, IDENTIFIER, NULL_LEVEL, Comparison
from matching.forms import ComparisonForm
from matching.model import Model
from matching.score import Scored


class IdentifierRule(Protocol):
    """What policy promises of an identifier type."""

    @property
    def one_person_per_value(self) -> bool:
        """Two records with one value are one person."""

    @property
    def one_value_per_person(self) -> bool:
        """Two values are two persons."""


# Keyed by type, or by "type|issuer" when a promise holds for one issuer only; a loyalty programme is "loyalty|<programme>".
IdentifierRules = Mapping[str, IdentifierRule]
NO_RULES: IdentifierRules = {}


class Verdict(StrEnum):
    """What is said of a pair."""

    MATCH = "match"
    REVIEW = "review"
    NO_MATCH = "no_match"


class Reason(StrEnum):
    """Why; stored with the decision and shown to people."""

    SHARED_IDENTIFIER = "shared_identifier"
    ABOVE_MERGE_LINE = "above_merge_line"
    BETWEEN_LINES = "between_lines"
    NO_PERSONAL_EVIDENCE = "no_personal_evidence"
    CONTRADICTION = "contradiction"
    BELOW_GUARD_LINE = "below_guard_line"
    IDENTIFIER_CONFLICT = "identifier_conflict"
    BIRTH_DATE_AND_NAME_CONFLICT = "birth_date_and_name_conflict"
    PERSON_AND_COMPANY = "person_and_company"


class Decided(NamedTuple):
    """The verdict with its grounds. `veto` names why the two must not be one, whatever the weight. `decides_by_itself`: they
    share an identifier that policy promises to be one person's."""

    verdict: Verdict
    reason_code: Reason
    has_personal_evidence: bool
    veto: Reason | None
    decides_by_itself: bool = False


class _Places(NamedTuple):
    """Where a model keeps the comparisons that decide looks at; None when it lacks one."""

    given: int | None
    birth: int | None
    email: int | None
    identifier: int | None
    company: int | None


SAME_GIVEN = frozenset(GIVEN.number(name) for name in ("swapped", "exact", "nickname", "close", "part"))
OTHER_GIVEN = GIVEN.number("different")
SAME_BIRTH = frozenset(BIRTH_DATE.number(name) for name in ("exact", "other_reading", "one_digit"))
OTHER_BIRTH = BIRTH_DATE.number("different")
SAME_EMAIL = EMAIL.number("exact")
SAME_IDENTIFIER = IDENTIFIER.number("same")
SAME_COMPANY = frozenset(COMPANY.number(name) for name in ("exact", "close"))


@lru_cache(maxsize=8)
def _places(model: Model) -> _Places:
    names = [comparison.name for comparison in model.comparisons]

    def place(comparison: Comparison) -> int | None:
        return names.index(comparison.name) if comparison.name in names else None

    return _Places(*map(place, (GIVEN, BIRTH_DATE, EMAIL, IDENTIFIER, COMPANY)))


def decide(model: Model, a: ComparisonForm, b: ComparisonForm, scored: Scored, rules: IdentifierRules = NO_RULES) -> Decided:
    """Give the verdict on two forms that `scored` compares.

    Birth dates and given names that both differ veto, unless the two share an identifier: then a human decides. A veto beats
    the weight, and becomes a review where the weight says merge: somebody should look. A shared identifier that is one person's
    decides by itself unless vetoed. Symmetric.
    """
    places = _places(model)
    given, birth, email, identifier, company = (NULL_LEVEL if place is None else scored.levels[place] for place in places)
    contradicted = given == OTHER_GIVEN or birth == OTHER_BIRTH
    personal = (identifier == SAME_IDENTIFIER and (given != OTHER_GIVEN or birth in SAME_BIRTH)) or (
        not contradicted and (given in SAME_GIVEN or birth in SAME_BIRTH or email == SAME_EMAIL or _same_company(a, b, company))
    )
    decides = bool(rules) and any(rule_of(rules, token).one_person_per_value for token in _shared(a, b))
    veto = _veto(a, b, given, birth, rules)
    if veto is not None:
        verdict = Verdict.REVIEW if decides or (personal and scored.weight >= model.merge_line_weight) else Verdict.NO_MATCH
        return Decided(verdict, veto, personal, veto, decides)
    if decides:
        return Decided(Verdict.MATCH, Reason.SHARED_IDENTIFIER, True, None, True)
    return Decided(*_by_weight(model, scored.weight, personal, contradicted), personal, None)


def _by_weight(model: Model, weight: float, personal: bool, contradicted: bool) -> tuple[Verdict, Reason]:
    if weight < model.guard_line_weight:
        return Verdict.NO_MATCH, Reason.BELOW_GUARD_LINE
    if weight < model.merge_line_weight:
        return Verdict.REVIEW, Reason.BETWEEN_LINES
    if personal:
        return Verdict.MATCH, Reason.ABOVE_MERGE_LINE
    return Verdict.REVIEW, Reason.CONTRADICTION if contradicted else Reason.NO_PERSONAL_EVIDENCE


def _same_company(a: ComparisonForm, b: ComparisonForm, level: int) -> bool:
    """For two companies the company's name is what is personal; for a person it only says where they work."""
    return level in SAME_COMPANY and a.initial is None and b.initial is None and "person" not in (a.party, b.party)


def _veto(a: ComparisonForm, b: ComparisonForm, given: int, birth: int, rules: IdentifierRules) -> Reason | None:
    if rules and _conflicting(a, b, rules):
        return Reason.IDENTIFIER_CONFLICT
    if birth == OTHER_BIRTH and given == OTHER_GIVEN and not any(_shared(a, b)):
        return Reason.BIRTH_DATE_AND_NAME_CONFLICT
    if a.party is not None and b.party is not None and a.party != b.party:
        return Reason.PERSON_AND_COMPANY
    return None


def _shared(a: ComparisonForm, b: ComparisonForm) -> Iterator[str]:
    """Yield the identifiers (type|issuer|value) that both hold."""
    others = b.identifiers or ()
    return (token for token in a.identifiers or () if token in others)


def _conflicting(a: ComparisonForm, b: ComparisonForm, rules: IdentifierRules) -> bool:
    """Say whether both hold values of one type and issuer that is one_value_per_person, and none in common."""
    for scope in a.identifier_types or ():
        if scope in (b.identifier_types or ()) and rule_of(rules, scope).one_value_per_person:
            prefix = scope + "|"
            if not any(token.startswith(prefix) for token in _shared(a, b)):
                return True
    return False


class _NoRule(NamedTuple):
    one_person_per_value: bool = False
    one_value_per_person: bool = False


_NO_RULE = _NoRule()


def rule_of(rules: IdentifierRules, token: str) -> IdentifierRule:
    """Find the rule of `type|issuer[|value]`: that of the issuer before that of the type."""
    type_, _, rest = token.partition("|")
    return rules.get(f"{type_}|{rest.partition('|')[0]}") or rules.get(type_) or _NO_RULE
