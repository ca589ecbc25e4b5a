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
from matching.units import Evidence, Weights, weight_key
from mdm.assertions import Assertion
from mdm.judge import in_form_order
from mdm.policy_schema import AssertedMeaning
from mdm.records import CurrentRecord
from mdm.versions import VersionSet

MOST_REMEMBERED = 100_000
# Pairs of records that a customer said are one: the one whose source says so, and the anchor of the golden id it names.
Confirmed = frozenset[tuple[uuid.UUID, uuid.UUID]]
# Records of different identity domains are never compared: no weight, and held apart.
NOT_COMPARED = Evidence(weight=-1_000.0, veto=True)


@dataclass(slots=True)
class Weigher:
    """Weighs forms under one version set."""

    versions: VersionSet
    _known: dict[tuple[bytes, bytes], Evidence] = field(default_factory=dict)

    @staticmethod
    def confirmed(said: Collection[Assertion]) -> Confirmed:
        """Pick the pairs of records (one and its anchor) that policy lets an assertion decide."""
        return frozenset((one.record_id, one.anchor) for one in said if one.anchor and one.meaning is AssertedMeaning.MATCH)

    def form_keys(self, records: Collection[CurrentRecord], confirmed: Confirmed) -> dict[uuid.UUID, bytes]:
        """Name what each record says in evidence: its form, within its identity domain. A confirmed record is like no copy."""
        keys = {one.record_id: one.form_hash + self.versions.domain(one.source).encode() for one in records}
        for record_id in {one for pair in confirmed for one in pair} & keys.keys():
            keys[record_id] += record_id.bytes
        return keys

    def weights(
        self, component: Component[uuid.UUID], records: Mapping[uuid.UUID, CurrentRecord], confirmed: Confirmed = frozenset()
    ) -> Weights | None:
        """Weigh all cross pairs of a component's distinct forms; None when only stewards' matches hold it together."""
        if component.line is None:
            return None
        keys = self.form_keys([records[record_id] for record_id in component.records], confirmed)
        copies: dict[bytes, list[CurrentRecord]] = {}
        for record_id in component.records:
            copies.setdefault(keys[record_id], []).append(records[record_id])
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
        for key in (weight_key(keys[a], keys[b]) for a, b in confirmed if a in keys and b in keys):
            found[key] = found[key]._replace(personal=True, decided=True, holders=0)
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
