"""Accuracy beside Splink, in one run: our engine without any configuration, and a plain, well-made Splink 5 (`bench.rival`).

Ours: a model trained on the set without its labels (what `mdm evaluate` does), and the model that ships; each at `automatic`
(merged without a human) and `balanced` (review pairs settled by what is more probable). The retailers' policy says how much their
stewards settle; "in budget" asks no more than that. Splink's: once with its own blocking and once with our candidate pairs, each
at the threshold that the truth says is best, for each measure by itself; we never get that. Sets: `bench.accuracy_sets`. More
customers, or some of the sets only: `python -m bench.accuracy --customers 20000 typical`. Any labelled file, read as `mdm map`
would draft it: `python -m bench.accuracy --file people.csv --truth person_id`.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.accuracy_sets import CUSTOMERS, LabelledSet, labelled_file, sets
from bench.line import Line
from bench.rival import Outcome, Rival
from matching.bulk import by_position
from matching.evaluate import Evaluation, Prepared, evaluate, evaluate_records, prepare, score_all
from matching.fitting import Place, fit_to_scores
from matching.metrics import Measure
from matching.model import Model, default_model

TRAINED, SHIPPED = "ours, trained here", "ours, as shipped"
BUDGETED = ", in budget"
OWN_BLOCKING, OUR_PAIRS = "splink, own blocking", "splink, our pairs"
MOST_BEHIND = -0.002
LEAST_AHEAD = 0.0001  # "Above" Splink, in the fourth digit.
PRECISION = {"clean": 0.999, "typical": 0.998}
LEAST_SHARE_OF_RECALL = 0.9
MOST_REVIEWS = 3.0
POINTS = ("automatic", "balanced")
HEADERS = ("set", "run", "P", "R", "F1", "B³ P", "B³ R", "B³ F1", "candidates", "review / 100", "line (bits)")
console = Console(stderr=True, width=None if sys.stderr.isatty() else 150)


@dataclass(frozen=True, slots=True)
class Compared:
    """All runs over one set. `refusal`: why no model could be trained on it, the shipped one standing in."""

    of: LabelledSet
    ours: dict[str, Evaluation]
    rivals: dict[str, Outcome]
    refusal: str | None
    seconds: float

    def best(self, measure: str) -> float:
        """The best F1 of the rival's runs."""
        return max(float(getattr(one, measure).f1) for one in self.rivals.values())


def measure() -> list[Line]:
    """Compare on every set; the wide table goes to the terminal, the lines to the results."""
    return _measured(sets(CUSTOMERS))


def _measured(of: Iterable[LabelledSet]) -> list[Line]:
    found = [compare(one) for one in of]
    console.print(table(found))
    return [line for one in found for line in (*figures(one), *goals(one))]


def compare(of: LabelledSet) -> Compared:
    """Run everything over one set."""
    console.print(f"  {of.name}: {len(of.records):,} records …", style="dim")
    started = time.perf_counter()
    trained, refusal = evaluate_records(of.records, None, rules=of.rules)
    prepared = prepare([(one.record_id, one.record) for one in of.records])
    shipped = evaluate(of.records, prepared, default_model(), of.rules)
    ours = {TRAINED: trained, SHIPPED: shipped}
    if not of.targets.says_nothing:
        ours |= {name + BUDGETED: _within_budget(of, prepared, run.model) for name, run in ours.items()}
    with Rival(of.records) as rival:
        rivals = {OWN_BLOCKING: rival.outcome(), OUR_PAIRS: rival.outcome(prepared)}
    return Compared(of, ours, rivals, refusal, time.perf_counter() - started)


def _within_budget(of: LabelledSet, prepared: Prepared, model: Model) -> Evaluation:
    """The same model with the guard line where the questions are no more than stewards settle; labels are not looked at."""
    scored = score_all(prepared, model)
    fitted, _ = fit_to_scores(model, prepared.forms, by_position(scored, prepared.ids), Place(of.targets, of.rules))
    return evaluate(of.records, prepared, fitted, of.rules, scored)


def table(found: list[Compared]) -> Table:
    """Everything side by side: a row for each set and run."""
    made = Table(*HEADERS, title="Accuracy beside Splink at its best threshold by the truth")
    for column in made.columns[2:]:
        column.justify = "right"
    for one in found:
        for name, run in one.ours.items():
            for point in POINTS:
                at = getattr(run, point)
                shown = (*_digits(at.pairwise), *_digits(at.bcubed), f"{run.candidate_pairs:,}", f"{_reviews(run):.2f}", "")
                made.add_row(one.of.name, f"{name}, {point}", *shown)
        for name, rival in one.rivals.items():
            lines = f"{rival.pairwise_threshold:.1f}, {rival.bcubed_threshold:.1f}"
            made.add_row(one.of.name, name, *_digits(rival.pairwise), *_digits(rival.bcubed), f"{rival.pairs:,}", "", lines)
        made.add_section()
    return made


def figures(one: Compared) -> Iterator[Line]:
    """F1 of every run, with precision and recall beside it."""
    for name, run in one.ours.items():
        for point in POINTS:
            at = getattr(run, point)
            yield from _f1(f"{one.of.name}: {name}, {point}", at.pairwise, at.bcubed)
    for name, rival in one.rivals.items():
        yield from _f1(f"{one.of.name}: {name}", rival.pairwise, rival.bcubed)
    note = f"{len(one.of.records):,} records; {one.refusal or 'trained without labels'}"
    yield Line(f"{one.of.name}: all runs", one.seconds, "s", note=note)


def _f1(name: str, pairs: Measure, cubes: Measure) -> Iterator[Line]:
    yield Line(f"{name}, pairwise F1", pairs.f1, "", note=f"P {pairs.precision:.4f}, R {pairs.recall:.4f}")
    yield Line(f"{name}, B-cubed F1", cubes.f1, "", note=f"P {cubes.precision:.4f}, R {cubes.recall:.4f}")


def goals(one: Compared) -> Iterator[Line]:
    """What each set is to show; the model that ships is held to the retailer's goals too."""
    profile = one.of.profile
    for name, run in one.ours.items():
        head, is_held = f"{one.of.name}: {name}", profile is not None or name == TRAINED
        ahead = run.balanced.pairwise.f1 - one.best("pairwise")
        least = LEAST_AHEAD if profile else MOST_BEHIND
        yield Line(f"{head}, balanced minus Splink's best, pairwise", ahead, "F1", least if is_held else None, at_most=False)
        cubes = run.balanced.bcubed.f1 - one.best("bcubed")
        yield Line(f"{head}, balanced minus Splink's best, B-cubed", cubes, "F1", LEAST_AHEAD if profile else None, at_most=False)
        precision = run.automatic.pairwise.precision
        yield Line(f"{head}, automatic precision", precision, "", PRECISION.get(profile or ""), at_most=False)
        share = run.automatic.pairwise.recall / (run.balanced.pairwise.recall or 1.0)
        is_budgeted = profile in PRECISION and name.endswith(BUDGETED)
        held = LEAST_SHARE_OF_RECALL if is_budgeted else None
        yield Line(f"{head}, automatic / balanced recall", share, "", held, at_most=False)
        yield Line(f"{head}, review pairs", _reviews(run), "per 100 records", MOST_REVIEWS if is_budgeted else None)


def _reviews(run: Evaluation) -> float:
    return run.review_pairs / run.records * 100


def _digits(measure: Measure) -> tuple[str, str, str]:
    return f"{measure.precision:.4f}", f"{measure.recall:.4f}", f"{measure.f1:.4f}"


def main() -> None:
    """Run by hand: the wide table, then the goals that are missed."""
    parser = argparse.ArgumentParser(description="Accuracy beside Splink")
    parser.add_argument("sets", nargs="*", help="words of the sets' names: 'febrl 3', typical; all when none is said")
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help="simulated customers of each profile")
    parser.add_argument("--file", type=Path, action="append", default=[], help="a labelled file instead of the sets")
    parser.add_argument("--truth", help="the column of the files' labels")
    asked = parser.parse_args()
    if bool(asked.file) != bool(asked.truth):
        parser.error("--file and --truth go together")
    given = (labelled_file(path, asked.truth) for path in asked.file)
    for line in _measured(given if asked.file else sets(asked.customers, tuple(asked.sets))):
        if line.is_met is False:
            console.print(f"missed: {line.name} {line.value:.4f} (goal {line.goal:g})")


if __name__ == "__main__":
    main()
