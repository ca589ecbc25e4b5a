"""Fits a trained model to its place: corrects it by what stewards decided, counts what its candidates weigh, draws its lines.

Comes after `matching.train`, which knows neither people's decisions nor policy. Pure but for DuckDB, which scores.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from matching.bulk import forms_table, score_candidates
from matching.calibration import NO_TARGETS, Forecast, Kind, Targets, Weighed, WeighedPair, count_weights, forecast, lines_for
from matching.decide import NO_RULES, IdentifierRules, decide
from matching.forms import ComparisonForm
from matching.labels import Label, corrected
from matching.model import Model
from matching.score import Scored, scorer


@dataclass(frozen=True, slots=True)
class DecidedPair:
    """Two records about which a human decided. `share`: how much the pair counts; the pairs of one decision share one, and its
    number."""

    a: ComparisonForm
    b: ComparisonForm
    is_match: bool
    share: float = 1.0
    decision: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What is asked of a model where it will rule: targets, promises of identifiers, and `asked`, the records (by position) of
    sources of which nothing merges without a human. `records`: of how many the given ones are an even sample, 0: they are all."""

    targets: Targets = NO_TARGETS
    rules: IdentifierRules = field(default_factory=lambda: NO_RULES)
    asked: Collection[int] = ()
    records: int = 0


ANYWHERE = Place()


def fit_to_place(
    model: Model, forms: Sequence[ComparisonForm], pairs: pa.Table, decided: Sequence[DecidedPair] = (), place: Place = ANYWHERE
) -> tuple[Model, Forecast]:
    """Give the model that is fit for these records, and what its lines come to.

    `pairs` are the candidates (record_a, record_b) by position in `forms`, as decimal text. Lines change only where the targets
    say something. What was counted and learned stands in the model's report.
    """
    model, learned = corrected(model, _labels(model, decided))
    return _drawn(model, weigh(model, forms, pairs, place), place.targets, {"stewards": learned} if decided else {})


def fit_to_scores(
    model: Model, forms: Sequence[ComparisonForm], scored: pa.Table, place: Place = ANYWHERE
) -> tuple[Model, Forecast]:
    """Do the same where no human has decided, and this model has scored the candidates already: with levels and weight."""
    return _drawn(model, _counted(model, forms, scored, place), place.targets, {})


def _drawn(model: Model, weighed: Weighed, targets: Targets, more: Mapping[str, Any]) -> tuple[Model, Forecast]:
    """Draw the lines, and let the report hold what was counted and more."""
    found = forecast(weighed, model.lines, targets) if targets.says_nothing else lines_for(weighed, model.lines, targets)
    report = {**model.report, "weights": weighed.as_json(), **more}
    return replace(model, lines=found.lines, report=report, fingerprint=""), found


def _labels(model: Model, decided: Sequence[DecidedPair]) -> list[Label]:
    pair = scorer(model).pair
    scored = [(pair(one.a, one.b), one) for one in decided]
    return [Label(found.levels, found.weight, one.is_match, one.share, one.decision) for found, one in scored]


def weigh(model: Model, forms: Sequence[ComparisonForm], pairs: pa.Table, place: Place = ANYWHERE) -> Weighed:
    """Count the candidates by what they weigh and what may become of them."""
    if not pairs.num_rows:
        return count_weights(len(forms), ())
    scored = score_candidates(model, forms_table([str(n) for n in range(len(forms))], forms, model.extras), pairs)
    return _counted(model, forms, scored, place)


def _counted(model: Model, forms: Sequence[ComparisonForm], scored: pa.Table, place: Place) -> Weighed:
    """Count scored candidates. Most are below the component line, and nothing but their weight is looked at."""
    is_near = pc.greater_equal(scored.column("weight"), model.lines.component)
    distant = scored.column("weight").filter(pc.invert(is_near)).to_pylist()
    counted = count_weights(len(forms), _kinds(model, forms, scored.filter(is_near), place), distant)
    return counted.of_all(place.records) if place.records > len(forms) else counted


def _kinds(model: Model, forms: Sequence[ComparisonForm], scored: pa.Table, place: Place) -> Iterator[WeighedPair]:
    columns = (scored.column(name).to_pylist() for name in ("record_a", "record_b", "levels", "weight"))
    for one, other, levels, weight in zip(*columns, strict=True):
        a, b = int(one), int(other)
        kind = kind_of(model, forms[a], forms[b], Scored(tuple(levels), weight, ()), place.rules)
        is_asked = kind is Kind.MERGEABLE and (a in place.asked or b in place.asked)
        yield WeighedPair(a, b, Kind.ASKED if is_asked else kind, weight)


def kind_of(model: Model, a: ComparisonForm, b: ComparisonForm, scored: Scored, rules: IdentifierRules = NO_RULES) -> Kind:
    """Say what may become of a pair at or above the component line, whatever it weighs."""
    decided = decide(model, a, b, scored, rules)
    if decided.veto is None:
        return Kind.MERGEABLE if decided.has_personal_evidence else Kind.ASKED
    return Kind.VETOED if decided.has_personal_evidence else Kind.DISTANT
