"""What a policy document says against itself beyond the shape of its parts: rules that cancel each other, or can never act. Pure.

Asked when a document is read, never of a stored policy: one that rules already goes on to rule.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

from consent.purposes import shipped
from matching.standardize.identifiers import standard_name
from mdm.documents import Finding, Spot
from mdm.policy_schema import AttributeRule, ExtraKind, PolicyDocument
from mdm.survivorship_rules import Criterion

_ORDERED = frozenset({ExtraKind.NUMBER, ExtraKind.DATE})
_BY_ORDER = frozenset({Criterion.MIN, Criterion.MAX})
DEFAULT: Spot = ("survivorship", "default")


def faults(policy: PolicyDocument) -> Iterator[Finding]:
    """Name each contradiction, and where the document says it."""
    yield from _survivorship(policy)
    yield from _named_alike(policy)
    yield from _checks_of_merges(policy)
    yield from _purposes(policy)


def _survivorship(policy: PolicyDocument) -> Iterator[Finding]:
    yield from ((DEFAULT, fault) for fault in _criteria(policy.survivorship.default))
    if _BY_ORDER.intersection(policy.survivorship.default.criteria):
        yield DEFAULT, "most attributes have no order: say min or max of the attribute that has one"
    for attribute, rule in policy.survivorship.attributes.items():
        spot = ("survivorship", "attributes", attribute)
        yield from ((spot, fault) for fault in _criteria(rule))
        if rule.half_life_days is not None and Criterion.TRUST not in rule.criteria:
            yield (*spot, "half_life_days"), "has no effect: it is the time in which trust halves, and no criterion is trust"
        extra = policy.extras.get(attribute.removeprefix("extras.")) if attribute.startswith("extras.") else None
        if extra is not None and extra.kind not in _ORDERED and _BY_ORDER.intersection(rule.criteria):
            yield spot, f"min and max do not apply: what is of kind {extra.kind} has no order"


def _criteria(rule: AttributeRule) -> Iterator[str]:
    if twice := sorted({one for one in rule.criteria if rule.criteria.count(one) > 1}):
        yield f"{', '.join(twice)} stands twice among the criteria"
    if _BY_ORDER.issubset(rule.criteria):
        yield "min and max prefer opposite values: say one of them"


def _named_alike(policy: PolicyDocument) -> Iterator[Finding]:
    """Records know a type by its standard name: of two that share one, whichever is read last would decide who is one person."""
    for section, names in (("identifiers", list(policy.identifiers)), ("loyalty_programmes", list(policy.loyalty_programmes))):
        for one, other in combinations(names, 2):
            if standard_name(one) == standard_name(other):
                yield (section, other), f"is the same name to records as {one!r}: they would share one promise"


def _checks_of_merges(policy: PolicyDocument) -> Iterator[Finding]:
    audit = policy.merge_audit
    weights = [band.from_weight for band in audit.by_weight]
    for place, weight in enumerate(weights):
        if weight in weights[:place]:
            yield ("merge_audit", "by_weight", place), f"a band from {weight:g} bits on stands twice"
    if audit.budget is not None and not (audit.by_identifier or any(band.share for band in audit.by_weight)):
        yield ("merge_audit", "budget"), "can never be judged: no merge is asked about (by_weight, by_identifier)"


def _purposes(policy: PolicyDocument) -> Iterator[Finding]:
    said: list[tuple[Spot, Sequence[str], Sequence[str]]] = [
        (("sources", name), source.serves, source.not_for) for name, source in policy.sources.items()
    ]
    said += [(("attributes", name), use.serves, use.not_for) for name, use in policy.attributes.items()]
    for spot, serves, not_for in said:
        for place, purpose in enumerate(serves):
            if kept_out := sorted(set(shipped().family(purpose)).intersection(not_for)):
                yield (*spot, "serves", place), f"serves {purpose!r}, and is not for {', '.join(kept_out)}"
