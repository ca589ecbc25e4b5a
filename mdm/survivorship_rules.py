"""What policy says about survivorship: criteria in order for each attribute, trust in each source, systems of record.

Validated against the kinds of the attributes; says nothing about how values are picked (`mdm.survivorship`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from matching.record import ATTRIBUTES, AttributeKind


class Criterion(StrEnum):
    """One way to prefer a value. The first criterion of a rule that tells the values apart decides.

    VERIFIED: the source says it checked it. TRUST: trust in the source, halved with every half-life since the record was
    observed. RECENT: observed last. FREQUENT: said by most records. COMPLETE: most parts known. LONGEST: most characters. MIN,
    MAX: of dates and numbers. UNION: all values are kept, the others order them; the first is the primary.
    """

    VERIFIED = "verified"
    TRUST = "trust"
    RECENT = "recent"
    FREQUENT = "frequent"
    COMPLETE = "complete"
    LONGEST = "longest"
    MIN = "min"
    MAX = "max"
    UNION = "union"


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """The criteria of one attribute in order. `half_life_days` None: that of the default rule."""

    criteria: tuple[Criterion, ...]
    half_life_days: float | None = None


DEFAULT_HALF_LIFE_DAYS = 730.0
_C = Criterion
_DEFAULT = AttributeRule((_C.VERIFIED, _C.TRUST, _C.RECENT, _C.FREQUENT, _C.COMPLETE), DEFAULT_HALF_LIFE_DAYS)
# What does not change is settled by how many say it, what changes by whom we trust lately.
_LASTING = AttributeRule((_C.COMPLETE, _C.FREQUENT, _C.TRUST, _C.RECENT))
_ALL = AttributeRule((_C.UNION, _C.VERIFIED, _C.TRUST, _C.RECENT, _C.FREQUENT))
DEFAULT_RULES: Mapping[str, AttributeRule] = {
    "name": _LASTING,
    "birth_date": _LASTING,
    "gender": AttributeRule((_C.FREQUENT, _C.TRUST, _C.RECENT)),
    "party": AttributeRule((_C.FREQUENT, _C.TRUST, _C.RECENT)),
    "emails": _ALL,
    "phones": _ALL,
    "identifiers": _ALL,
    "loyalty_accounts": _ALL,
}

_SEVERAL = {AttributeKind.CONTACT_POINTS, AttributeKind.ACCOUNTS, AttributeKind.IDENTIFIERS}
_MUST_KEEP_ALL = {AttributeKind.ACCOUNTS, AttributeKind.IDENTIFIERS}
_KINDS = {attribute.name: attribute.kind for attribute in ATTRIBUTES if attribute.name != "extras"}


@dataclass(frozen=True, slots=True)
class SurvivorshipRules:
    """How golden values are picked. `attributes` are laid over DEFAULT_RULES; a user's own attribute is named `extras.<name>`.

    `trust` is by source, 0 to 1. `system_of_record`: attribute to the sources whose values beat all others'. `steward_sources`
    beat those in turn, and never vote. Raises: ValueError listing every fault.
    """

    default: AttributeRule = _DEFAULT
    attributes: Mapping[str, AttributeRule] = field(default_factory=dict)
    trust: Mapping[str, float] = field(default_factory=dict)
    default_trust: float = 0.5
    system_of_record: Mapping[str, frozenset[str]] = field(default_factory=dict)
    steward_sources: frozenset[str] = frozenset({"steward"})

    def __post_init__(self) -> None:
        faults = [fault for name, rule in self.attributes.items() for fault in rule_faults(name, rule)]
        faults += [f"trust of {source} must lie in 0 to 1" for source, trust in self.trust.items() if not 0 <= trust <= 1]
        if faults:
            raise ValueError("; ".join(faults))

    def rule(self, attribute: str) -> AttributeRule:
        """Give the rule of an attribute: the policy's own, else ours, else the default."""
        return self.attributes.get(attribute) or DEFAULT_RULES.get(attribute) or self.default

    def half_life_days(self, attribute: str) -> float:
        """Give the time in which trust in a value of this attribute halves."""
        return self.rule(attribute).half_life_days or self.default.half_life_days or DEFAULT_HALF_LIFE_DAYS


def rule_faults(attribute: str, rule: AttributeRule) -> list[str]:
    """List what is wrong with a rule for this attribute, as sentences; a user's own attribute takes any single-value rule."""
    kind = _KINDS.get(attribute)
    several = kind in _SEVERAL
    faults = []
    if not rule.criteria:
        faults.append(f"{attribute} needs at least one criterion")
    if Criterion.UNION in rule.criteria and not several:
        faults.append(f"{attribute} has one value: union does not apply")
    if kind in _MUST_KEEP_ALL and Criterion.UNION not in rule.criteria:
        faults.append(f"{attribute} keeps all its values: its rule must say union")
    if {Criterion.MIN, Criterion.MAX} & set(rule.criteria) and kind not in {AttributeKind.DATE, None}:
        faults.append(f"{attribute} has no order: min and max do not apply")
    if rule.half_life_days is not None and rule.half_life_days <= 0:
        faults.append(f"{attribute} needs a half-life above 0 days")
    return faults
