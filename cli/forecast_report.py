"""What a model's lines come to, in words: expected false merges, questions a day, backlog, and what is left apart unasked."""

import math
from collections.abc import Iterator

from rich.console import Console

from cli.words import counted
from matching.calibration import Forecast, Targets, Weighed, forecast, lines_for, outgrown_bits, weighed_from
from matching.model import Lines, Model, match_probability

NOT_COUNTED = "how its candidates weigh is not known: it was not trained on stored records; `mdm train` counts them"


def forecast_of(model: Model, targets: Targets) -> Forecast | None:
    """Say what the lines of a model come to under what policy asks; None for a model that does not say how candidates weigh."""
    weighed = weighed_from(model.report)
    return forecast(weighed, model.lines, targets) if weighed else None


def asked_of(model: Model, targets: Targets) -> Forecast | None:
    """Say which lines a model would get by what policy asks; None as above."""
    weighed: Weighed | None = weighed_from(model.report)
    return lines_for(weighed, model.lines, targets) if weighed else None


def print_forecast(console: Console, model: Model, found: Forecast | None, says_lines: bool = False) -> None:
    """Print what lines come to; with `says_lines` the lines themselves as well."""
    if found is None:
        console.print(f"model {model.name}: {NOT_COUNTED}", highlight=False, soft_wrap=True)
        return
    if says_lines:
        console.print(f"lines: {lines_text(found.lines)} bits", highlight=False, soft_wrap=True)
    for line in sentences(found, int(model.report.get("records", 0))):
        console.print(line, highlight=False, soft_wrap=True)


def outgrown(model: Model, records: int) -> str | None:
    """Say that a model was trained for far fewer records than are stored; None when it was not."""
    bits = outgrown_bits(model.report, records)
    if bits is None:
        return None
    trained = int(model.report["records"])
    return (
        f"trained for {counted(trained, 'record')}, of which there are {records:,}: it gives each pair some"
        f" {bits:.0f} bits too much, and many are asked about in vain"
    )


def lines_text(lines: Lines) -> str:
    """Say where the lines are, in bits."""
    return f"component {lines.component:+.1f}, guard {lines.guard:+.1f}, merge {lines.merge:+.1f}"


def sentences(found: Forecast, records: int) -> Iterator[str]:
    """Say what lines come to, a sentence each."""
    seen = found.expected
    rate = f" ({one_in(seen.false_merge_rate)})" if seen.merged else ""
    yield (
        f"of {records:,} records {counted(seen.merged, 'pair')} merged without a human,"
        f" {seen.false_merges:,.1f} of them expected to be wrong{rate}"
    )
    yield f"{counted(seen.questions, 'question')} for a human ({counted(seen.asked, 'pair')}) at most; {_inflow(found)}"
    yield (
        f"{counted(seen.apart, 'pair')} above the component line left apart unasked,"
        f" {seen.missed:,.1f} of them expected to be one customer's"
    )
    if found.moved_apart:
        yield (
            f"the budget of reviews moved the guard line to {found.lines.guard:+.1f}: {counted(found.moved_apart, 'pair')} more"
            f" left apart unasked, {found.moved_missed:,.1f} of them expected to be one customer's"
        )
    if found.over_budget:
        yield "over budget: what weighs enough to merge but lacks grounds is asked about whatever the lines are"
    if found.out_of_reach:
        yield "the rate of false merges is out of reach: the merge line is as high as it can be"


def one_in(rate: float) -> str:
    """Say a small rate as one in so many."""
    return f"one in {1.0 / rate:,.0f}" if rate > 0 else "none"


def _inflow(found: Forecast) -> str:
    if found.inflow_per_day is None:
        return "how many come in a day is not known yet: say matching.records_per_day, or wait for three days of records"
    a_day = f"{found.inflow_per_day:,.1f} expected a day"
    if found.reviews_per_day is None or found.backlog_days is None:
        return a_day
    budget = f"{a_day}, {found.reviews_per_day:,.0f} are settled"
    if math.isinf(found.backlog_days):
        return f"{budget}: the backlog grows"
    return f"{budget}: the backlog is gone in {math.ceil(found.backlog_days):,} days"


def doubt_at(line: float) -> str:
    """Say how doubtful a pair on a line is."""
    doubt = match_probability(-line)
    return one_in(doubt) if line > 0 else f"{doubt:.0%}"
