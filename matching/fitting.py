"""Fits a trained model to its place: corrects it by what stewards decided, counts what its candidates weigh, draws its lines.

Comes after `matching.train`, which knows neither people's decisions nor policy. Pure but for DuckDB, which scores.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from matching.bulk import forms_table, score_candidates
from matching.calibration import NO_TARGETS, Forecast, Kind, Targets, Weighed, WeighedPair, count_weights, forecast, lines_for
from matching.decide import decide
from matching.forms import ComparisonForm
from matching.labels import Label, corrected
from matching.model import Model
from matching.score import Scored, scorer


@dataclass(frozen=True, slots=True)
class Labelled:
    """Two records about which a human decided. `share`: how much the pair counts; the pairs of one decision share one."""

    a: ComparisonForm
    b: ComparisonForm
    is_match: bool
    share: float = 1.0


def fit_to_place(
    model: Model,
    forms: Sequence[ComparisonForm],
    pairs: pa.Table,
    labelled: Sequence[Labelled] = (),
    targets: Targets = NO_TARGETS,
) -> tuple[Model, Forecast]:
    """Give the model that is fit for these records, and what its lines come to.

    `pairs` are the candidates (record_a, record_b) by position in `forms`, as decimal text. Lines change only where the targets
    say something. What was counted and learned stands in the model's report.
    """
    model, learned = corrected(model, _labels(model, labelled))
    weighed = weigh(model, forms, pairs)
    found = forecast(weighed, model.lines, targets) if targets.says_nothing else lines_for(weighed, model.lines, targets)
    report = {**model.report, "weights": weighed.as_json()} | ({"stewards": learned} if labelled else {})
    return replace(model, lines=found.lines, report=report, fingerprint=""), found


def _labels(model: Model, labelled: Sequence[Labelled]) -> list[Label]:
    pair = scorer(model).pair
    scored = [(pair(one.a, one.b), one) for one in labelled]
    return [Label(found.levels, found.weight, one.is_match, one.share) for found, one in scored]


def weigh(model: Model, forms: Sequence[ComparisonForm], pairs: pa.Table) -> Weighed:
    """Count the candidates by what they weigh and what may become of them."""
    if not pairs.num_rows:
        return count_weights(len(forms), ())
    scored = score_candidates(model, forms_table([str(n) for n in range(len(forms))], forms, model.extras), pairs)
    return count_weights(len(forms), _kinds(model, forms, scored))


def _kinds(model: Model, forms: Sequence[ComparisonForm], scored: pa.Table) -> Iterator[WeighedPair]:
    component = model.lines.component
    columns = (scored.column(name).to_pylist() for name in ("record_a", "record_b", "levels", "weight"))
    for one, other, levels, weight in zip(*columns, strict=True):
        a, b = int(one), int(other)
        is_near = weight >= component
        kind = kind_of(model, forms[a], forms[b], Scored(tuple(levels), weight, ())) if is_near else Kind.DISTANT
        yield WeighedPair(a, b, kind, weight)


def kind_of(model: Model, a: ComparisonForm, b: ComparisonForm, scored: Scored) -> Kind:
    """Say what may become of a pair at or above the component line, whatever it weighs."""
    decided = decide(model, a, b, scored)
    if decided.veto is None:
        return Kind.MERGEABLE if decided.has_personal_evidence else Kind.ASKED
    return Kind.VETOED if decided.has_personal_evidence else Kind.DISTANT
