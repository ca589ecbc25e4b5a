"""The evidence by which a component is clustered: all its cross pairs, weighed once for each two distinct forms.

Remembers what it has weighed: a component that grows by one record costs that record's pairs, not all of them again. Pure
given the version set; no storage.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from matching.components import Component
from matching.decide import decide
from matching.forms import ComparisonForm
from matching.units import Evidence, Weights
from mdm.judge import in_form_order
from mdm.records import CurrentRecord
from mdm.versions import VersionSet

MOST_REMEMBERED = 100_000
# Records of different identity domains are never compared: no weight, and held apart.
NOT_COMPARED = Evidence(weight=-1_000.0, veto=True)


@dataclass(slots=True)
class Weigher:
    """Weighs forms under one version set."""

    versions: VersionSet
    _known: dict[tuple[bytes, bytes], Evidence] = field(default_factory=dict)

    def form_key(self, record: CurrentRecord) -> bytes:
        """Name what a record says in evidence: its form, within its identity domain."""
        return record.form_hash + self.versions.domain(record.source).encode()

    def weights(self, component: Component[uuid.UUID], records: Mapping[uuid.UUID, CurrentRecord]) -> Weights | None:
        """Weigh all cross pairs of a component's distinct forms; None when only stewards' matches hold it together."""
        if component.line is None:
            return None
        copies: dict[bytes, list[CurrentRecord]] = {}
        for record_id in component.records:
            copies.setdefault(self.form_key(records[record_id]), []).append(records[record_id])
        holders = _Holders(self.versions, [held[0].form for held in copies.values()])
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        pairs = [(key, key) for key, held in copies.items() if len(held) > 1]
        pairs += combinations(sorted(copies), 2)
        found = {}
        for key in pairs:
            evidence = self._known.get(key)
            if evidence is None:
                evidence = self._known[key] = self._weigh(copies[key[0]][0], copies[key[1]][-1])
            if evidence.decided:
                evidence = evidence._replace(holders=holders.of(copies[key[0]][0].form, copies[key[1]][-1].form))
            found[key] = evidence
        return found

    def _weigh(self, a: CurrentRecord, b: CurrentRecord) -> Evidence:
        if self.versions.domain(a.source) != self.versions.domain(b.source):
            return NOT_COMPARED
        first, second = in_form_order(a, b)
        scored = self.versions.scorer.pair(first.form, second.form)
        decided = decide(self.versions.model, a.form, b.form, scored, self.versions.identifier_rules)
        return Evidence(scored.weight, decided.has_personal_evidence, decided.veto is not None, decided.decides_by_itself)


class _Holders:
    """How many distinct name and birth date combinations hold each deciding identifier, among all forms of a component.

    All holders are in the component: a shared deciding identifier reaches at every rung that has a line.
    """

    def __init__(self, versions: VersionSet, forms: Sequence[ComparisonForm]) -> None:
        self._versions = versions
        self._held: dict[str, set[tuple[str | None, ...]]] = {}
        for form in forms:
            for token in self._deciding(form):
                self._held.setdefault(token, set()).add((form.given or form.initial, form.surname, form.birth))

    def _deciding(self, form: ComparisonForm) -> Collection[str]:
        rules = self._versions.identifier_rules
        return [token for token in form.identifiers or () if rules and _decides(rules, token)]

    def of(self, a: ComparisonForm, b: ComparisonForm) -> int:
        """The number for the shared identifier that the fewest hold."""
        common = set(self._deciding(a)) & set(self._deciding(b))
        return min((len(self._held[token]) for token in common), default=0)


def _decides(rules: Mapping[str, object], token: str) -> bool:
    """Say whether an identifier (type|issuer|value) is promised to be one person's: by its issuer's rule, else by its type's."""
    type_, _, rest = token.partition("|")
    rule = rules.get(f"{type_}|{rest.partition('|')[0]}") or rules.get(type_)
    return bool(rule and getattr(rule, "one_person_per_value", False))
