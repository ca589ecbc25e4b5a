"""What `mdm evaluate` and `mdm train` print: figures at both operating points, what was wrong, what a model says."""

import csv
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.words import counted
from matching.breakdown import GroupPair, break_down
from matching.evaluate import Evaluation
from matching.metrics import wrong_pairs
from matching.model import Model
from matching.model_changes import ModelChanges
from mdm.csv_files import DELIMITER_NAMES
from mdm.labelled import LabelledFile
from mdm.shadows import Report

MEASURES = {"pairwise": "pairs", "bcubed": "B-cubed"}
MOST_WRONG_PAIRS = 100_000
UNKNOWN = "\N{EN DASH}"  # There is nothing to take a share of.
LINES = ("component", "guard", "merge")
# What a table of words cannot show; the model's card draws it.
DRAWN = ("weights",)
EXPLAINED = (
    "automatic: what is merged without a human; balanced: the questions settled by what is more probable.\n"
    "pairs: of the pairs put together, how many are right (precision), and how many of the true ones were found (recall);"
    " B-cubed: the same averaged over records."
)


def say_problems(console: Console, read: LabelledFile) -> None:
    """Say what of the files and the mapping could not be used."""
    for name, delimiter in read.delimiters.items():
        console.print(
            f"{name}: read with a {DELIMITER_NAMES[delimiter]} between columns, found out from the file", highlight=False
        )
    for path, alike in read.absent.items():
        hint = f"; did you mean {' or '.join(alike)}?" if alike else ""
        _warn(console, "not in the file", f"{path}{hint}")
    for kind, noted in (("rejected rows", read.rejected), ("values the mapping could not read", read.problems)):
        for code, count in sorted(noted.items()):
            _warn(console, kind, f"{count} {code}")


def _warn(console: Console, kind: str, text: str) -> None:
    console.print(Text.assemble((kind, "yellow"), f": {text}"), soft_wrap=True)


def print_evaluation(console: Console, found: Evaluation) -> None:
    """Print both operating points as a table, and what the words mean."""
    table = Table(title=f"{counted(found.records, 'record')} of {counted(found.true_clusters, 'customer')}", title_justify="left")
    table.add_column("")
    for column in ("precision", "recall", "F1", "clusters", "largest"):
        table.add_column(column, justify="right")
    for name, point in (("automatic", found.automatic), ("balanced", found.balanced)):
        for measure, called in MEASURES.items():
            one = getattr(point, measure)
            sizes = (f"{point.clusters:,}", str(point.largest_cluster)) if measure == "pairwise" else ("", "")
            table.add_row(f"{name}, {called}", f"{one.precision:.4f}", f"{one.recall:.4f}", f"{one.f1:.4f}", *sizes)
    console.print(table)
    console.print(EXPLAINED, style="dim", highlight=False)
    console.print(
        f"model {found.model.name}; {counted(found.candidate_pairs, 'candidate pair')};"
        f" {counted(found.review_pairs, 'question')} for a steward;"
        f" {counted(found.unreachable_records, 'record')} without a usable key,"
        f" {found.partly_filed_records:,} with more values than one is filed by; {found.seconds:.1f} s;"
        f" {found.peak_mb:,.0f} MB at most",
        highlight=False,
    )


def by_groups(read: LabelledFile, found: Evaluation) -> list[GroupPair]:
    """Break the automatic operating point down by the groups of the records."""
    groups, truth = [one.group for one in read.records], [one.truth for one in read.records]
    return break_down(groups, found.automatic.parts, truth, found.questions)


def print_group_pairs(console: Console, by: str, pairs: Sequence[GroupPair]) -> None:
    """Print the figures of each pair of groups, and what the words mean."""
    table = Table(by, "and", "true", "merged", "precision", "recall", "review", title=f"By {by}", title_justify="left")
    for column in table.columns:
        column.justify, column.no_wrap = ("right" if column in table.columns[2:] else "left"), True
    for pair in pairs:
        shares = (_share(one) for one in (pair.precision, pair.recall, pair.review_share))
        table.add_row(*pair.groups, f"{pair.true_pairs:,}", f"{pair.merged:,}", *shares)
    console.print(table)
    console.print(
        "true: pairs that truly are one customer; review: the share of them about which a steward would be asked;"
        f" {UNKNOWN}: nothing to take a share of.",
        style="dim",
        highlight=False,
    )


def _share(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share:.4f}"


def write_wrong_pairs(console: Console, path: Path, read: LabelledFile, found: Evaluation) -> None:
    """Write the pairs that were wrongly merged or missed without a human: where they stand, no values."""
    pairs = list(islice(wrong_pairs(found.automatic.parts, [one.truth for one in read.records]), MOST_WRONG_PAIRS + 1))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("what", "one", "other"))
        writer.writerows(
            ("merged" if merged else "missed", read.place(a), read.place(b)) for a, b, merged in pairs[:MOST_WRONG_PAIRS]
        )
    more = "; there are more" if len(pairs) > MOST_WRONG_PAIRS else ""
    told = counted(min(len(pairs), MOST_WRONG_PAIRS), "wrong pair")
    console.print(f"{told} in {path}{more}", soft_wrap=True, highlight=False)


def print_model(console: Console, model: Model) -> None:
    """Print a model's lines, what each level weighs, and how it was made."""
    lines = f"component {model.lines.component:+.1f}, guard {model.lines.guard:+.1f}, merge {model.lines.merge:+.1f}"
    console.print(f"{model.name} ({model.fingerprint}): prior {model.prior_weight:+.2f} bits; lines {lines}", highlight=False)
    table = Table("comparison", "level", "m", "u", "weight in bits")
    for comparison, parameters in zip(model.comparisons, model.parameters, strict=True):
        for place, (level, one) in enumerate(zip(comparison.levels, parameters, strict=True)):
            first = comparison.name if place == 0 else ""
            last = level is comparison.levels[-1]
            table.add_row(first, level.name, f"{one.m:.3g}", f"{one.u:.3g}", f"{one.weight:+.1f}", end_section=last)
    console.print(table)
    report = {name: value for name, value in model.report.items() if name not in DRAWN}
    if report:
        console.print(_report(report))


def print_changes(console: Console, changes: ModelChanges) -> None:
    """Print how two models differ."""
    console.print(f"prior {changes.prior_before:+.2f} → {changes.prior_after:+.2f} bits", highlight=False)
    for name, before, after in changes.lines:
        console.print(
            f"{name} line {before:+g} → {after:+g}" if name in LINES else f"{name} {before:g} → {after:g}", highlight=False
        )
    for word, names in (("no longer compared", changes.only_before), ("compared anew", changes.only_after)):
        if names:
            console.print(f"{word}: {', '.join(names)}", highlight=False)
    if not changes.moved:
        console.print("No level moved by more than a bit.", highlight=False)
        return
    table = Table("comparison", "level", "before", "after", "moved, in bits", box=None, pad_edge=False)
    for one in changes.moved:
        table.add_row(one.comparison, one.level, f"{one.before:+.1f}", f"{one.after:+.1f}", f"{one.bits:+.1f}")
    console.print(table)


def print_verdicts(console: Console, counts: Mapping[tuple[str, str], int], of_what: str) -> None:
    """Print how verdicts change, as counts by what the one and the other says."""
    same = sum(pairs for (one, other), pairs in counts.items() if one == other)
    console.print(f"{of_what}: {same:,} with the same verdict", highlight=False)
    changed = sorted(((pairs, verdicts) for verdicts, pairs in counts.items() if verdicts[0] != verdicts[1]), reverse=True)
    if changed:
        table = Table("now", "then", "pairs", box=None, pad_edge=False)
        for pairs, verdicts in changed:
            table.add_row(*verdicts, f"{pairs:,}")
        console.print(table)


def print_shadow(console: Console, found: Report) -> None:
    """Print what a shadow has shown: counts, and pairs on which the two models differ, by record ids."""
    console.print(f"{found.name} ({found.model}) since {found.started_at:%Y-%m-%d %H:%M}", highlight=False)
    print_verdicts(console, found.counts, f"{counted(sum(found.counts.values()), 'pair')}, as often as they were looked at")
    if found.examples:
        table = Table("now", "then", "bits now", "bits then", "record", "record", box=None, pad_edge=False)
        for one in found.examples:
            bits = (f"{one.weight:+.1f}", f"{one.shadow_weight:+.1f}")
            table.add_row(one.verdict, one.shadow_verdict, *bits, *map(str, one.pair))
        console.print(table)


def _report(report: Mapping[str, Any]) -> Table:
    table = Table("how it was made", "", show_header=False, title="How it was made", title_justify="left")
    for name, value in report.items():
        table.add_row(name.replace("_", " "), Text(_said(value)))
    return table


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_said(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return (", " if all(isinstance(one, str | int | float) for one in value) else "\n").join(map(_said, value))
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
