"""Evaluate the whole pipeline on labelled records, without a database: keys, pairs, weights, verdicts, clusters, measures.

Two operating points: `automatic`, what is merged without a human, and `balanced`, where review pairs are settled by what is more
probable. The labels are looked at after the partition stands, never before.
"""

import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.compute as pc

from matching.blocking import keys, left_out
from matching.bulk import all_pairs, by_position, candidate_pairs, copy_pairs, forms_table, pair_scorer, score_candidates
from matching.calibration import NO_TARGETS, Targets
from matching.cluster import Clustering, of_one, partition
from matching.comparisons import comparison_form
from matching.components import Component, Edge, capped_components, edge_of
from matching.decide import NO_RULES, IdentifierRules, decide, deciding
from matching.evidence import FormPair, Weigher, as_evidence
from matching.fitting import Place, fit_to_scores
from matching.forms import ComparisonForm
from matching.metrics import Measure, bcubed, pairwise
from matching.model import Model, default_model
from matching.record import StandardRecord
from matching.score import Scored
from matching.standardize import form_hash
from matching.train import TrainingRefused, train
from matching.units import Evidence, Member, Weights, weight_key

SECRET = b"evaluate"
BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Labelled:
    """A standard record with its id in the file and the label of the customer it truly belongs to.

    `group` is what figures are broken down by, such as its channel; empty when they are not.
    """

    record_id: str
    truth: str
    record: StandardRecord
    group: str = ""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """How one partition did. `parts` number the cluster of each record, in the order of the records."""

    pairwise: Measure
    bcubed: Measure
    clusters: int
    largest_cluster: int
    parts: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of an evaluation; `review_pairs` is the number of questions a steward would be asked.

    `questions` names for each of them the parts of the automatic partition that it is about. `left_apart`: pairs about which
    nobody is asked because the targets say how much stewards settle.
    """

    records: int
    true_clusters: int
    review_pairs: int
    candidate_pairs: int
    unreachable_records: int
    partly_filed_records: int
    seconds: float
    peak_mb: float
    automatic: OperatingPoint
    balanced: OperatingPoint
    model: Model
    questions: tuple[tuple[int, ...], ...] = field(default=(), repr=False)
    left_apart: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the figures as the published keys."""
        return {
            "records": self.records,
            "true_clusters": self.true_clusters,
            "review_pairs": self.review_pairs,
            "candidate_pairs": self.candidate_pairs,
            "keyless_records": self.unreachable_records,
            "partly_filed_records": self.partly_filed_records,
            "left_apart_pairs": self.left_apart,
            "model": {"name": self.model.name, "fingerprint": self.model.fingerprint, "lines": asdict(self.model.lines)},
            "seconds": round(self.seconds, 3),
            "peak_mb": round(self.peak_mb, 1),
            "automatic": _point_json(self.automatic),
            "balanced": _point_json(self.balanced),
        }


def _point_json(point: OperatingPoint) -> dict[str, Any]:
    measures = {
        name: {"precision": measure.precision, "recall": measure.recall, "f1": measure.f1}
        for name, measure in (("pairwise", point.pairwise), ("bcubed", point.bcubed))
    }
    return {**measures, "clusters": point.clusters, "largest_cluster": point.largest_cluster}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the pipeline needs of labelled records, computed once: forms, their hashes, and candidate pairs."""

    ids: Sequence[str]
    forms: Sequence[ComparisonForm]
    hashes: Sequence[bytes]
    pairs: pa.Table
    unreachable: int
    partly_filed: int = 0


def prepare(records: Iterable[tuple[str, StandardRecord]]) -> Prepared:
    """Build comparison forms and candidate pairs of (record id, standard record). Reads them once and keeps none of them."""
    ids: list[str] = []
    forms: list[ComparisonForm] = []
    hashes: list[bytes] = []
    filed, holders, partly_filed = array("q"), array("q"), 0
    for position, (record_id, record) in enumerate(records):
        ids.append(record_id)
        forms.append(comparison_form(record))
        hashes.append(form_hash(record))
        found = [key for _, key in keys(record, SECRET)]
        partly_filed += bool(left_out(record))
        filed.extend(found)
        holders.extend([position] * len(found))
    places = pa.array(holders, pa.int64())
    table = pa.table({"blocking_key": pa.array(filed, pa.int64()), "record_id": pa.array(ids, pa.string()).take(places)})
    pairs = all_pairs(candidate_pairs(table), copy_pairs(hashes, pa.array(ids, pa.string())))
    return Prepared(tuple(ids), tuple(forms), tuple(hashes), pairs, len(ids) - len(pc.unique(places)), partly_filed)


def evaluate_records(
    labelled: Sequence[Labelled],
    model: Model | None,
    extras: Sequence[tuple[str, str]] = (),
    rules: IdentifierRules = NO_RULES,
    targets: Targets = NO_TARGETS,
) -> tuple[Evaluation, str | None]:
    """Evaluate labelled records under a model, or (None) under one trained on them without their labels.

    Returns the evaluation, and why training was refused and the model that ships was used instead. Seconds count everything after
    standardization: keys, pairs, training, weights, clusters. `targets` draw the lines for these records, without their labels.
    """
    started = time.perf_counter()
    prepared = prepare([(item.record_id, item.record) for item in labelled])
    refusal, left_apart, scored = None, 0, None
    if model is None:
        try:
            model = train(prepared.forms, by_position(prepared.pairs, prepared.ids), default_model(), extras)
        except TrainingRefused as refused:
            model, refusal = default_model(), str(refused)
    if not targets.says_nothing:
        scored = score_all(prepared, model)
        model, forecast = fit_to_scores(model, prepared.forms, by_position(scored, prepared.ids), Place(targets, rules))
        left_apart = forecast.moved_apart
    found = evaluate(labelled, prepared, model, rules, scored)
    return replace(found, left_apart=left_apart, seconds=time.perf_counter() - started), refusal


def score_all(prepared: Prepared, model: Model) -> pa.Table:
    """Score every candidate pair: record_a, record_b, levels, weight. They stand while only the model's lines change."""
    return score_candidates(model, forms_table(prepared.ids, prepared.forms, model.extras), prepared.pairs)


def evaluate(
    labelled: Sequence[Labelled],
    prepared: Prepared,
    model: Model,
    rules: IdentifierRules = NO_RULES,
    scored: pa.Table | None = None,
) -> Evaluation:
    """Run the pipeline over prepared records and measure it against their labels. Seconds count from here.

    `scored`: see `resolve`.
    """
    started = time.perf_counter()
    clusterings = resolve(prepared, model, rules, None if scored is None else (scored,))
    automatic = _labels(prepared.ids, (part for one in clusterings for part in one.parts))
    balanced = _labels(prepared.ids, (part for one in clusterings for part in one.balanced))
    truth = [item.truth for item in labelled]
    return Evaluation(
        records=len(labelled),
        true_clusters=len(set(truth)),
        review_pairs=sum(len(one.reviews) for one in clusterings),
        candidate_pairs=prepared.pairs.num_rows,
        unreachable_records=prepared.unreachable,
        partly_filed_records=prepared.partly_filed,
        seconds=time.perf_counter() - started,
        peak_mb=peak_mb(),
        automatic=_measure(automatic, truth),
        balanced=_measure(balanced, truth),
        model=model,
        questions=tuple(_questions(prepared.ids, automatic, clusterings)),
    )


def _questions(ids: Sequence[str], parts: list[int], clusterings: Iterable[Clustering[str]]) -> Iterator[tuple[int, ...]]:
    """The parts that each question is about, by their numbers."""
    number = dict(zip(ids, parts, strict=True))
    for clustering in clusterings:
        for review in clustering.reviews:
            yield tuple(sorted({number[next(iter(part))] for part in review.parts}))


def resolve(
    prepared: Prepared, model: Model, rules: IdentifierRules = NO_RULES, scored: Iterable[pa.Table] | None = None
) -> list[Clustering[str]]:
    """Partition prepared records: one clustering for each capped component.

    `scored`: all their pairs, or those at or above the component line where there are no rules, if this model has scored them
    already or is at it; its lines may be others by now.
    """
    if scored is None:
        with pair_scorer(model, forms_table(prepared.ids, prepared.forms, model.extras)) as scorer:
            ahead = scorer.score_ahead(prepared.pairs, model.lines.component, or_same_identifier=bool(rules))
            return resolve(prepared, model, rules, ahead)
    crossing = _Crossing(prepared, model, rules)
    edges = [edge for some in scored for edge in crossing.edges(some)]
    found = capped_components(dict(zip(prepared.ids, prepared.hashes, strict=True)), edges, model.lines)
    return [crossing.partition(component) for component in found.components]


class _Crossing:
    """Weighs components and partitions them. Pairs that the bulk engine has scored are only decided about."""

    def __init__(self, prepared: Prepared, model: Model, rules: IdentifierRules) -> None:
        self._forms, self._model, self._rules = prepared.forms, model, rules
        self._place = dict(zip(prepared.ids, range(len(prepared.ids)), strict=True))
        self._weigher = Weigher(model, rules, model.lines.most_holders)
        self._met: dict[str, list[tuple[str, Evidence]]] = {}
        named = zip(prepared.ids, prepared.forms, strict=True) if rules else ()
        self._holders = pa.array([record for record, form in named if deciding(form, rules)], pa.string())

    def edges(self, scored: pa.Table) -> Iterator[Edge[str]]:
        """Decide the pairs that can hold a component together: at or above its line, or of one deciding identifier."""
        may_decide = pc.and_(*(pc.is_in(scored.column(side), value_set=self._holders) for side in ("record_a", "record_b")))
        kept = scored.filter(pc.or_(may_decide, pc.greater_equal(scored.column("weight"), self._model.lines.component)))
        columns = (kept.column(name).to_pylist() for name in ("record_a", "record_b", "levels", "weight"))
        for a, b, levels, weight in zip(*columns, strict=True):
            decided = decide(self._model, self._form(a), self._form(b), Scored(tuple(levels), weight, ()), self._rules)
            self._met.setdefault(a, []).append((b, as_evidence(weight, decided)))
            edge = edge_of(weight, decided.reason_code, decided.verdict)
            if edge:
                yield Edge(a, b, edge.weight, edge.decided)

    def partition(self, component: Component[str]) -> Clustering[str]:
        if len(component.records) == 1:
            return of_one(next(iter(component.records)))
        members = [Member(record, ("", record), form) for record, form in component.records.items()]
        weights = None if component.line is None else self._weights(component.records)
        return partition(members, weights, (), self._model.lines)

    def _weights(self, records: Mapping[str, bytes]) -> Weights:
        self._weigher.know(self._known(records))
        copies = Counter(records.values())
        distinct = {form: self._form(record) for record, form in records.items()}
        return self._weigher.weights(distinct, [form for form, number in copies.items() if number > 1])

    def _known(self, records: Mapping[str, bytes]) -> Iterator[tuple[FormPair, Evidence]]:
        for a, form_a in records.items():
            for b, evidence in self._met.get(a, ()):
                if b in records:
                    yield weight_key(form_a, records[b]), evidence

    def _form(self, record: str) -> ComparisonForm:
        return self._forms[self._place[record]]


def _labels(ids: Sequence[str], parts: Iterable[frozenset[str]]) -> list[int]:
    """Number the parts and give each record, in file order, the number of its part."""
    number = {record: position for position, part in enumerate(parts) for record in part}
    return [number[record] for record in ids]


def _measure(found: list[int], truth: list[str]) -> OperatingPoint:
    sizes = Counter(found)
    return OperatingPoint(pairwise(found, truth), bcubed(found, truth), len(sizes), max(sizes.values(), default=0), tuple(found))


def peak_mb() -> float:
    """Return the most memory this process has held so far."""
    memory = psutil.Process().memory_info()
    return float(getattr(memory, "peak_wset", 0) or _peak_unix()) / BYTES_PER_MB


def _peak_unix() -> int:
    import resource  # noqa: PLC0415 - the module does not exist on Windows.

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
