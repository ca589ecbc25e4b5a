"""The verdict on a scored pair: match, review or no match, with its reason, what vetoes it, and whether the evidence is personal.

Pure. The lines come from the model, the promises of identifier types from policy, the grounds without which nothing merges from
`matching.grounds`. Reason codes are stable.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from matching.forms import ComparisonForm
from matching.ground_levels import OTHER_BIRTH, OTHER_GIVEN, Seen, seen
from matching.grounds import Lack, a_generation_apart, lack, named_as_two, only_by_place, told_apart
from matching.model import Model
from matching.relatives import other_generation
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
    UNCORROBORATED = "uncorroborated"
    PERHAPS_RELATIVES = "perhaps_relatives"
    BELOW_GUARD_LINE = "below_guard_line"
    IDENTIFIER_CONFLICT = "identifier_conflict"
    BIRTH_DATE_AND_NAME_CONFLICT = "birth_date_and_name_conflict"
    GENERATION_CONFLICT = "generation_conflict"
    PERSON_AND_COMPANY = "person_and_company"


# Whatever `_veto` can give: why two must not be one, whatever the weight. Who reads decisions tells vetoes by it.
VETOES = frozenset(
    {Reason.IDENTIFIER_CONFLICT, Reason.BIRTH_DATE_AND_NAME_CONFLICT, Reason.GENERATION_CONFLICT, Reason.PERSON_AND_COMPANY}
)
# Of the verdicts given here and of what they rest on (grounds, relatives, namesakes): moves when any pair is judged otherwise.
RULES_VERSION = "2"
_LACKING = {
    Lack.CONTRADICTION: Reason.CONTRADICTION,
    Lack.NOT_PERSONAL: Reason.NO_PERSONAL_EVIDENCE,
    Lack.RELATIVES: Reason.PERHAPS_RELATIVES,
    Lack.NOT_CORROBORATED: Reason.UNCORROBORATED,
}


class Decided(NamedTuple):
    """The verdict with its grounds. `has_personal_evidence`: it says who, is corroborated, and may merge without a human.
    `speaks_against`: names or birth dates speak against one person, and the rest does not outweigh them; nothing outweighs birth
    dates a generation apart, nor names that tell two of one family. `veto` names why the two must not be one, whatever the
    weight. `decides_by_itself`: they share an identifier that is promised to be one person's. `only_by_place`: beside the name
    nothing but a place is personal evidence. `told_apart`: they have other contacts."""

    verdict: Verdict
    reason_code: Reason
    has_personal_evidence: bool
    veto: Reason | None
    decides_by_itself: bool = False
    speaks_against: bool = False
    only_by_place: bool = False
    told_apart: bool = False


def decide(model: Model, a: ComparisonForm, b: ComparisonForm, scored: Scored, rules: IdentifierRules = NO_RULES) -> Decided:
    """Give the verdict on two forms that `scored` compares.

    Birth dates and given names that both differ veto, unless the two share an identifier: then a human decides. A veto beats
    the weight, and becomes a review where the weight outweighs it (`Lines.contradiction`): somebody should look. A shared
    identifier that is one person's decides by itself unless vetoed. Symmetric.
    """
    of = seen(model, a, b, scored.levels)
    lacking = lack(a, b, of, model)
    personal, is_light = lacking is None, scored.weight < model.lines.sure
    is_far = is_light or (a_generation_apart(a, b) and not shared_identifiers(a, b))
    against = (lacking is Lack.CONTRADICTION and is_far) or (lacking is not None and named_as_two(a, b, of, model))
    cluster_wide = (against, personal and only_by_place(a, b, of), told_apart(of))
    decides = bool(rules) and any(rule_of(rules, token).one_person_per_value for token in shared_identifiers(a, b))
    veto = _veto(a, b, of, rules)
    if veto is not None:
        is_asked = decides or (personal and scored.weight >= model.lines.contradiction)
        verdict = Verdict.REVIEW if is_asked else Verdict.NO_MATCH
        return Decided(verdict, veto, personal, veto, decides, *cluster_wide)
    if decides:
        return Decided(Verdict.MATCH, Reason.SHARED_IDENTIFIER, True, None, True, *cluster_wide)
    return Decided(*_by_weight(model, scored.weight, lacking), personal, None, False, *cluster_wide)


def _by_weight(model: Model, weight: float, lacking: Lack | None) -> tuple[Verdict, Reason]:
    is_heavy = weight >= model.lines.merge
    if is_heavy and lacking is None:
        return Verdict.MATCH, Reason.ABOVE_MERGE_LINE
    if weight < model.lines.guard:
        return Verdict.NO_MATCH, Reason.BELOW_GUARD_LINE
    return Verdict.REVIEW, _LACKING[lacking] if is_heavy and lacking is not None else Reason.BETWEEN_LINES


def _veto(a: ComparisonForm, b: ComparisonForm, of: Seen, rules: IdentifierRules) -> Reason | None:
    if rules and _conflicting(a, b, rules):
        return Reason.IDENTIFIER_CONFLICT
    if of.birth == OTHER_BIRTH and of.given == OTHER_GIVEN and not any(shared_identifiers(a, b)):
        return Reason.BIRTH_DATE_AND_NAME_CONFLICT
    if other_generation(a, b):
        return Reason.GENERATION_CONFLICT
    if a.party is not None and b.party is not None and a.party != b.party:
        return Reason.PERSON_AND_COMPANY
    return None


def shared_identifiers(a: ComparisonForm, b: ComparisonForm) -> Sequence[str]:
    """List the identifiers (type|issuer|value) that both hold."""
    ours, others = a.identifiers, b.identifiers
    return () if ours is None or others is None else [token for token in ours if token in others]


def deciding(form: ComparisonForm, rules: IdentifierRules) -> frozenset[str]:
    """Name the identifiers of a form that decide by themselves: two records that share one are one person's, unless vetoed."""
    return frozenset(token for token in form.identifiers or () if rule_of(rules, token).one_person_per_value)


def _conflicting(a: ComparisonForm, b: ComparisonForm, rules: IdentifierRules) -> bool:
    """Say whether both hold values of one type and issuer that is one_value_per_person, and none in common."""
    for scope in a.identifier_types or ():
        if scope in (b.identifier_types or ()) and rule_of(rules, scope).one_value_per_person:
            prefix = scope + "|"
            if not any(token.startswith(prefix) for token in shared_identifiers(a, b)):
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
