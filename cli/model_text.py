"""What `mdm train` and `mdm model` print: what a model says, how two differ, what a shadow has shown."""

from collections.abc import Mapping
from itertools import groupby, islice
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.forecast_report import lines_text
from cli.words import counted
from matching.model import Model
from matching.model_changes import ModelChanges
from mdm.shadows import Report

LINES = ("component", "guard", "merge")
# What a table of words cannot show; the model's card draws it.
DRAWN = ("weights",)
EXAMPLES_SHOWN = 5


def print_model(console: Console, model: Model) -> None:
    """Print a model's lines, what each level weighs, and how it was made."""
    lines = lines_text(model.lines)
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
    for verdicts, examples in groupby(found.examples, key=lambda one: (one.verdict, one.shadow_verdict)):
        console.print(f"{verdicts[0]}, then {verdicts[1]}:", highlight=False)
        for one in islice(examples, EXAMPLES_SHOWN):
            ids = "  ".join(map(str, one.pair))
            console.print(f"  {one.weight:+6.1f} {one.shadow_weight:+6.1f}  {ids}", highlight=False, soft_wrap=True)


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
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
