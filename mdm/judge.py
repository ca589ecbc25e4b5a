"""Scores candidate pairs of current records and says which decisions the model makes. Pure given the version set; no storage."""

import uuid
from collections.abc import Iterable, Mapping

from matching.decide import Reason, Verdict, decide
from matching.evidence import as_evidence
from matching.score import Scored
from mdm.decisions import PairDecision
from mdm.records import ComparedRecord, Pair
from mdm.versions import VersionSet

SOURCE_IN_REVIEW = "source_in_review"


def pair_decisions(
    versions: VersionSet, pairs: Iterable[Pair], records: Mapping[uuid.UUID, ComparedRecord]
) -> list[PairDecision]:
    """Score candidate pairs and give the decisions to keep: at or above the component line, or decided by an identifier.

    A pair with a record that is gone, or of two identity domains, gives none.
    """
    found = []
    for id_a, id_b in pairs:
        a, b = records.get(id_a), records.get(id_b)
        if a and b and versions.domain(a.source) == versions.domain(b.source):
            decision = pair_decision(versions, a, b)
            if decision:
                found.append(decision)
    return sorted(found, key=lambda one: one.pair)


def pair_decision(versions: VersionSet, a: ComparedRecord, b: ComparedRecord) -> PairDecision | None:
    """Score one pair, ids ordered; None when it is not worth keeping."""
    first, second = in_form_order(a, b)
    scorer, line = versions.scorer, versions.lines.component
    is_light = scorer.weight(first.form, second.form, line) < line  # As most are: no more is asked of them.
    if is_light and not _share_an_identifier(a, b):
        return None
    return decision_of(versions, a, b, scorer.pair(first.form, second.form))


def decision_of(versions: VersionSet, a: ComparedRecord, b: ComparedRecord, scored: Scored) -> PairDecision | None:
    """Decide about a scored pair, whoever scored it."""
    if scored.weight < versions.lines.component and not _share_an_identifier(a, b):
        return None
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
        (a.stamp, b.stamp),
        as_evidence(scored.weight, decided),
    )


def _share_an_identifier(a: ComparedRecord, b: ComparedRecord) -> bool:
    return not frozenset(a.form.identifiers or ()).isdisjoint(b.form.identifiers or ())


def in_form_order(a: ComparedRecord, b: ComparedRecord) -> tuple[ComparedRecord, ComparedRecord]:
    """One order of scoring for a pair, whatever its ids are, so that every installation sums alike."""
    return (a, b) if (a.form_hash, a.order_key) <= (b.form_hash, b.order_key) else (b, a)
