"""Why two records or golden records are one customer or are not.

Told is what was decided, from the log, and what the records as they stand and the model in force say now. Changes nothing.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from kernel import audit
from kernel.actor import Principal
from kernel.errors import Invalid
from matching.decide import Decided, Verdict, decide
from matching.sentences import Level, Said, Unsaid, named, said, summary, unsaid
from mdm import models, sql, versions
from mdm.decisions import MODEL
from mdm.judge import in_form_order
from mdm.records import CurrentRecord, Shelf
from mdm.steps import Steps, snapshot
from mdm.versions import VersionSet
from stewardship import sides
from stewardship.sides import Side

Key = tuple[str, str]
Pair = tuple[CurrentRecord, CurrentRecord]
MOST_PAIRS = 40_000
MOST_DECIDED = 2_000  # Looked at for what keeps two sides apart: some tenths of a second.


@dataclass(frozen=True, slots=True)
class StoredWord:
    """What the log says about a pair, or a steward about sets that hold it.

    `levels`: on which level each comparison fell then, what was not compared left out. None of a steward's word, none where they
    were not asked for, and none under a model that this program cannot read.
    """

    decision_id: uuid.UUID
    author: str
    verdict: str
    reason_code: str
    weight: float | None
    version_set_id: int
    decided_at: datetime
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class PairExplained:
    """Two records weighed now: what each comparison says, what could not be compared, the verdict, and what was decided."""

    one: Key
    other: Key
    weight: float
    verdict: str
    reason_code: str
    said: tuple[Said, ...]
    unsaid: tuple[Unsaid, ...]
    sentence: str
    stored: tuple[StoredWord, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """Two sides against each other: their strongest pair, and the average over all pairs, which is what joins golden records.

    `apart`: what keeps them from being one without a human although the strongest pair would be merged; None where nothing needs
    to be said.
    """

    together: bool
    pairs: int
    average: float
    merge_line: float
    guard_line: float
    strongest: PairExplained
    apart: str | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """Two sides as they are weighed, before it is read what was decided about their strongest pair."""

    of: VersionSet
    together: bool
    pairs: Sequence[Pair]
    average: float
    strongest: Pair


def why(steps: Steps, caller: Principal, left: Side, right: Side) -> Explained:
    """Weigh two sides against each other, and tell what was decided. Raises: as `weighed`."""
    found = weighed(steps, caller, left, right)
    with steps() as session:
        stored = decided(session, caller, found)
    return explained(found, stored)


def weighed(steps: Steps, caller: Principal, left: Side, right: Side) -> Weighed:
    """Read two sides and weigh them. Raises: what `sides.read` does; Invalid when they make too many pairs."""
    with snapshot(steps) as session:
        of = versions.current(session)
        one, other = sides.read(session, caller.scope, left, right)
        records = Shelf(size=len(one | other)).load(session, sorted(one | other))
        together = sides.live_together(session, one | other)
    return weigh(of, one, other, records, together)


def weigh(
    of: VersionSet,
    one: Collection[uuid.UUID],
    other: Collection[uuid.UUID],
    records: Mapping[uuid.UUID, CurrentRecord],
    together: bool,
) -> Weighed:
    """Weigh two sides by their records as they were read; those that are not among them are left out. Pure.

    `together`: whether all live under one golden id. Raises: Invalid when they make too many pairs, or none.
    """
    pairs = [(records[a], records[b]) for a in sorted(one) for b in sorted(other) if a in records and b in records]
    if not 0 < len(pairs) <= MOST_PAIRS:
        raise Invalid(f"There must be 1 to {MOST_PAIRS:,} pairs of records to compare", code="too_many_pairs")
    weights = [_weight(of, *pair) for pair in pairs]
    strongest = pairs[max(range(len(pairs)), key=weights.__getitem__)]
    return Weighed(of, together, pairs, sum(weights) / len(weights), strongest)


def decided(session: Session, caller: Principal, found: Weighed) -> list[StoredWord]:
    """Read what was decided about the strongest pair of two sides, audited: what is told of them names their values."""
    one, other = found.strongest
    for record in found.strongest:
        audit.record(session, caller.actor, "explain.why", "record", str(record.record_id), detail={"pairs": len(found.pairs)})
    return _stored(session, found.of, one.record_id, other.record_id)


def explained(found: Weighed, stored: Sequence[StoredWord]) -> Explained:
    """Tell why two sides are one customer or are not. Pure."""
    of, average = found.of, found.average
    told = _pair(of, *found.strongest, stored)
    apart = _apart(of, found.pairs, average, stored) if not found.together and told.verdict == Verdict.MATCH else None
    return Explained(found.together, len(found.pairs), average, of.lines.merge, of.lines.guard, told, apart)


def _apart(of: VersionSet, pairs: Sequence[Pair], average: float, stored: Sequence[StoredWord]) -> str:
    """Say what keeps two sides apart whose strongest pair is a match: the first that holds of a veto, the average, the rest."""
    if any(one.author != MODEL and one.verdict == Verdict.NO_MATCH for one in stored):
        return "A steward decided that they are not one customer."
    found = [_decided(of, *pair) for pair in pairs[:MOST_DECIDED]]
    if vetoes := Counter(str(one.veto) for one in found if one.veto):
        code, number = vetoes.most_common(1)[0]
        told = "Another pair" if number == 1 else f"{number:,} other pairs"
        return f"{told} of their records must not be one without a human ({code.replace('_', ' ')})."
    if against := sum(one.speaks_against for one in found):
        told = "another pair" if against == 1 else f"{against:,} other pairs"
        return f"Names or birth dates of {told} of their records speak against one person."
    if average < of.lines.merge:
        return f"All {len(pairs):,} pairs of their records weigh {average:+.1f} bits on average, where {of.lines.merge:g} merge."
    return "Other records that hang together with them, or the policy, let nobody be merged here without a human."


def _decided(of: VersionSet, a: CurrentRecord, b: CurrentRecord) -> Decided:
    first, second = in_form_order(a, b)
    return decide(of.model, first.form, second.form, of.scorer.pair(first.form, second.form), of.identifier_rules)


def _weight(of: VersionSet, a: CurrentRecord, b: CurrentRecord) -> float:
    first, second = in_form_order(a, b)
    return of.scorer.weight(first.form, second.form)


def _pair(of: VersionSet, a: CurrentRecord, b: CurrentRecord, stored: Sequence[StoredWord]) -> PairExplained:
    first, second = in_form_order(a, b)
    scored = of.scorer.pair(first.form, second.form)
    found = decide(of.model, first.form, second.form, scored, of.identifier_rules)
    told = said(of.model, scored)
    words = summary(told, scored.weight, str(found.verdict), str(found.reason_code), of.lines.merge)
    verdict = (scored.weight, str(found.verdict), str(found.reason_code))
    return PairExplained(a.order_key, b.order_key, *verdict, told, unsaid(of.model, scored), words, tuple(stored))


_STORED = """
SELECT found.*, v.model FROM (
  SELECT decision_id, author, verdict, reason_code, weight, version_set_id, created_at, levels FROM decision
  WHERE superseded_at IS NULL AND record_a = %(first)s AND record_b = %(second)s
  UNION ALL
  SELECT decision_id, author, verdict, reason_code, weight, version_set_id, created_at, NULL FROM decision
  WHERE superseded_at IS NULL AND record_a IS NULL
    AND ((left_records @> ARRAY[%(first)s::uuid] AND right_records @> ARRAY[%(second)s::uuid])
      OR (left_records @> ARRAY[%(second)s::uuid] AND right_records @> ARRAY[%(first)s::uuid]))) AS found
JOIN version_set v USING (version_set_id) ORDER BY created_at, decision_id"""


def _stored(session: Session, of: VersionSet, one: uuid.UUID, other: uuid.UUID) -> list[StoredWord]:
    """Read what the log says about two records now: the model's word, and stewards' about sets that hold them."""
    first, second = sorted((one, other))
    found = sql.rows(session, _STORED, {"first": first, "second": second})
    return [replace(StoredWord(*row[:7]), levels=_levels(session, of, row[8], row[7] or ())) for row in found]


def _levels(session: Session, of: VersionSet, fingerprint: str, levels: Sequence[int]) -> tuple[Level, ...]:
    """Name the levels of a stored pair by the model that it was weighed with, whichever rules by now."""
    if not levels:
        return ()
    try:
        model = of.model if of.model.fingerprint == fingerprint else models.load(session, fingerprint)
    except Invalid:
        return ()
    return named(model, levels)
