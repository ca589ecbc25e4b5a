"""Scores pairs of current records and says what the model decides about them. Pure given the version set; no storage.

The same verdict serves candidate pairs (kept as decisions) and all cross pairs of a component (the clustering's evidence).
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations

from matching.components import Component
from matching.decide import Reason, Verdict, decide
from matching.forms import ComparisonForm
from matching.score import Scored
from matching.units import Evidence, Weights
from mdm.decisions import PairDecision
from mdm.records import CurrentRecord, Pair
from mdm.versions import VersionSet

SOURCE_IN_REVIEW = "source_in_review"
# Records of different identity domains are never compared: no weight, and held apart.
NOT_COMPARED = Evidence(weight=-1_000.0, veto=True)


def pair_decisions(versions: VersionSet, pairs: Iterable[Pair], records: Mapping[uuid.UUID, CurrentRecord]) -> list[PairDecision]:
    """Score candidate pairs and give the decisions to keep: at or above the component line, or decided by an identifier.

    A pair with a record that is gone, or of two identity domains, gives none.
    """
    found = []
    for id_a, id_b in sorted(pairs):
        a, b = records.get(id_a), records.get(id_b)
        if a and b and versions.domain(a.source) == versions.domain(b.source):
            decision = pair_decision(versions, a, b)
            if decision:
                found.append(decision)
    return found


def pair_decision(versions: VersionSet, a: CurrentRecord, b: CurrentRecord) -> PairDecision | None:
    """Score one pair, ids ordered; None when it is not worth keeping."""
    first, second = _in_form_order(a, b)
    return decision_of(versions, a, b, versions.scorer.pair(first.form, second.form))


def decision_of(versions: VersionSet, a: CurrentRecord, b: CurrentRecord, scored: Scored) -> PairDecision | None:
    """Decide about a scored pair, whoever scored it."""
    decided = decide(versions.model, a.form, b.form, scored, versions.identifier_rules)
    kept = scored.weight >= versions.lines.component or decided.decides_by_itself
    if not kept:
        return None
    verdict, reason = str(decided.verdict), str(decided.reason_code)
    if decided.verdict is Verdict.MATCH and (versions.asks(a.source) or versions.asks(b.source)):
        verdict = str(Verdict.REVIEW)
        reason = reason if decided.reason_code is Reason.SHARED_IDENTIFIER else SOURCE_IN_REVIEW
    return PairDecision(
        a.record_id,
        b.record_id,
        a.version_no,
        b.version_no,
        verdict,
        scored.weight,
        scored.levels,
        reason,
        versions.version_set_id,
    )


def _in_form_order(a: CurrentRecord, b: CurrentRecord) -> tuple[CurrentRecord, CurrentRecord]:
    """One order of scoring for a pair, whatever its ids are, so that every installation sums alike."""
    return (a, b) if (a.form_hash, a.order_key) <= (b.form_hash, b.order_key) else (b, a)


def form_key(versions: VersionSet, record: CurrentRecord) -> bytes:
    """Name what a record says in evidence: its form, within its identity domain."""
    return record.form_hash + versions.domain(record.source).encode()


def cross_weights(
    versions: VersionSet, component: Component[uuid.UUID], records: Mapping[uuid.UUID, CurrentRecord]
) -> Weights | None:
    """Weigh all cross pairs of a component's distinct forms; None when only stewards' matches hold it together."""
    if component.line is None:
        return None
    holders: dict[bytes, list[CurrentRecord]] = {}
    for record in sorted((records[one] for one in component.records), key=lambda one: one.order_key):
        holders.setdefault(form_key(versions, record), []).append(record)
    shared = _Holders(versions, [held[0].form for held in holders.values()])
    ordered = sorted(holders.items())
    weights = {(key, key): _evidence(versions, held[0], held[1], shared) for key, held in ordered if len(held) > 1}
    for (key_a, held_a), (key_b, held_b) in combinations(ordered, 2):
        weights[key_a, key_b] = _evidence(versions, held_a[0], held_b[0], shared)
    return weights


def _evidence(versions: VersionSet, a: CurrentRecord, b: CurrentRecord, shared: "_Holders") -> Evidence:
    if versions.domain(a.source) != versions.domain(b.source):
        return NOT_COMPARED
    first, second = _in_form_order(a, b)
    scored = versions.scorer.pair(first.form, second.form)
    decided = decide(versions.model, a.form, b.form, scored, versions.identifier_rules)
    holders = shared.of(a.form, b.form) if decided.decides_by_itself else 0
    return Evidence(scored.weight, decided.has_personal_evidence, decided.veto is not None, decided.decides_by_itself, holders)


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
