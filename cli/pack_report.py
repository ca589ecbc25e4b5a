"""`mdm evaluate --pack`: the shipped model and policy on the adversarial pack inside the simulated retailer, and its table."""

import time
from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from cli.words import counted
from matching.decide import Verdict
from matching.evaluate import prepare
from matching.evaluate_pack import Expectation, PackEvaluation, evaluate_pack
from matching.model import Model
from matching.record import StandardRecord
from matching.standardize import standardize
from mdm import mapping, policy
from mdm.mapping_schema import Mapping
from sampledata.files import policy_text
from sampledata.pack import Case, cases
from sampledata.retailer import simulate

COLUMNS = {
    "cases": "cases",
    "as_expected": "exact",
    "match_cases": "to merge",
    "matched": "merged",
    "matched_or_asked": "or asked",
    "missed": "missed",
    "false_merges": "false",
}
EXPLAINED = (
    "exact: cases in which each pair has the very verdict expected. To merge: cases with several records of one customer; merged:"
    " all of them without a human; or asked: at least a steward is. Missed: pairs of one customer, neither. False: pairs merged"
    " without a human that must not be."
)
CANONICAL = Mapping()


def run_pack(customers: int, seed: int, model: Model) -> PackEvaluation:
    """Judge every case of the pack among the records of so many simulated customers, under the retailer's policy."""
    started = time.perf_counter()
    known = policy.parse(policy_text())
    prepared = prepare(_records(known, customers, seed))
    found = evaluate_pack([_expectation(case) for case in cases()], prepared, model, known.identifier_rules())
    return replace(found, seconds=time.perf_counter() - started)  # Simulating and standardizing as well.


def _records(known: policy.Policy, customers: int, seed: int) -> Iterator[tuple[str, StandardRecord]]:
    """The records of all cases, then the crowd's, each standardized as its source's are."""
    contexts = {source: known.standardize_context(source) for source in known.sources}
    for case in cases():
        for one in case.records:
            yield f"{case.name}/{one.label}", standardize(mapping.apply(CANONICAL, one.data).input, contexts[one.source])
    for record in simulate(customers, seed):
        read = mapping.apply(known.source(record.source), record.payload)
        yield f"{record.source}:{record.key}", standardize(read.input, contexts[record.source])


def _expectation(case: Case) -> Expectation:
    pairs = {(f"{case.name}/{a}", f"{case.name}/{b}"): Verdict(verdict) for (a, b), verdict in case.expected.items()}
    return Expectation(case.name, case.category, pairs)


def print_pack(console: Console, found: PackEvaluation) -> None:
    """Print the figures by category, what was merged wrongly or missed, and what the words mean."""
    figures = found.as_json()
    title = f"{counted(len(found.outcomes), 'case')} among {counted(found.crowd, 'record')} of simulated customers"
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for header in COLUMNS.values():
        table.add_column(header, justify="right")
    for category, one in found.by_category().items():
        table.add_row(category.replace("_", " "), *(str(one[column]) for column in COLUMNS))
    table.add_section()
    table.add_row("all", *(str(figures[column]) for column in COLUMNS))
    console.print(table)
    console.print(EXPLAINED, style="dim", highlight=False)
    _print_wrong(console, found)
    console.print(
        f"model {found.model.name}; {counted(found.candidate_pairs, 'candidate pair')}; {found.seconds:.1f} s;"
        f" {found.peak_mb:,.0f} MB at most",
        highlight=False,
    )


def _print_wrong(console: Console, found: PackEvaluation) -> None:
    for one in found.differences():
        if one["found"] == Verdict.MATCH:
            console.print(f"[red]merged[/red]: {one['case']}, {one['pair']}: {one['expected']} was expected", highlight=False)
        elif one["expected"] == Verdict.MATCH and one["found"] == Verdict.NO_MATCH:
            console.print(f"[yellow]missed[/yellow]: {one['case']}, {one['pair']}", highlight=False)
