"""Merges that a source asserts, held against what we know: each counts as a match unless something says otherwise. Pure.

What says otherwise is a steward's `no_match`, a veto, or names and birth dates that speak against one person. Such a merge is
asked about; once nothing contradicts it any more it counts by itself.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from matching.closure import StewardRule, contradictions
from matching.units import Evidence, Weights, weight_key
from mdm.decisions import StewardDecision

Id = uuid.UUID


class Because(StrEnum):
    """What a source's merge yields to. Stable codes; a task tells them as its reason."""

    STEWARD = "source_against_steward"
    VETO = "source_against_veto"
    NAMES = "source_against_names"
    NOT_WEIGHED = "source_not_weighed"


@dataclass(frozen=True, slots=True)
class Aside:
    """A merge that yields, and why; the match weight (bits) of its strongest pair that was weighed."""

    decision: StewardDecision
    because: Because
    weight: float | None


def sift(
    rules: Iterable[StewardDecision], weights: Weights | None, keys: Mapping[Id, bytes]
) -> tuple[list[StewardDecision], list[Aside]]:
    """Part decisions into those that count and those that yield. `keys` names what each living record says in evidence.

    Merges that contradict a `no_match` only together all yield, whichever came first, so that their order does not matter.
    """
    counting = [rule for rule in rules if not rule.yields]
    asserted = [rule for rule in rules if rule.yields]
    found = {rule.decision_id: _against(rule, weights, keys) for rule in asserted}
    aside = {
        rule.decision_id: _Found(Because.STEWARD, one.weight) if _contradicting([*counting, rule], keys) else one
        for rule in asserted
        if (one := found[rule.decision_id]).because
    }
    counts = {rule.decision_id: rule for rule in asserted if rule.decision_id not in aside}
    while named := _contradicting([*counting, *counts.values()], keys) & counts.keys():
        aside |= {known: _Found(Because.STEWARD, found[known].weight) for known in named}
        counts = {known: rule for known, rule in counts.items() if known not in named}
    told = [(rule, aside[rule.decision_id]) for rule in asserted if rule.decision_id in aside]
    return [*counting, *counts.values()], [Aside(rule, one.because, one.weight) for rule, one in told if one.because]


@dataclass(frozen=True, slots=True)
class _Found:
    because: Because | None
    weight: float | None = None


def _against(rule: StewardDecision, weights: Weights | None, keys: Mapping[Id, bytes]) -> _Found:
    """Say what the records on the two sides say against their merge. Copies say nothing against each other."""
    pairs = [(keys[one], keys[other]) for one, other in product(rule.left & keys.keys(), rule.right & keys.keys())]
    if weights is None:
        return _Found(Because.NOT_WEIGHED if pairs else None)
    said = [one for pair in pairs if pair[0] != pair[1] and (one := weights.get(weight_key(*pair)))]
    weight = max((one.weight for one in said), default=None)
    return _Found(_strongest(said), weight)


def _strongest(said: Iterable[Evidence]) -> Because | None:
    found = {Because.VETO if one.veto else Because.NAMES for one in said if one.veto or one.against}
    return Because.VETO if Because.VETO in found else next(iter(found), None)


def _contradicting(rules: Sequence[StewardDecision], living: Mapping[Id, bytes]) -> set[Id]:
    """Name all matches that yield, on chains of matches that contradict a `no_match` between living records."""
    matches, apart = [], []
    for rule in rules:
        left, right = rule.left & living.keys(), rule.right & living.keys()
        if rule.is_match:
            matches.append(rule.as_rule)
        elif left and right:
            apart.append(StewardRule(left, right, "no_match", rule.decision_id))
    named = {match.decision_id for one in contradictions(matches, apart) for match in one.chain}
    return {rule.decision_id for rule in rules if rule.yields and rule.decision_id in named}
