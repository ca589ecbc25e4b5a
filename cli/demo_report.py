"""What the demo prints: tables for a reader who has two minutes."""

import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cli.demo_figures import Figures
from cli.words import own_command
from matching.evaluate import Evaluation
from matching.metrics import Measure
from sampledata.retailer import SOURCES

# Headings of a table that should fit into 80 columns; the rows have the whole name.
SHORT = {
    "webshop": "web", "loyalty": "loy", "marketplace": "mkt", "service": "svc", "returns": "ret", "marketing": "mail",
    "acquired": "acq",
}  # fmt: skip


def print_stages(console: Console, seconds: Mapping[str, float]) -> None:
    """How long each stage took."""
    table = Table("stage", "seconds", title="Time")
    table.columns[1].justify = "right"
    for stage, taken in seconds.items():
        table.add_row(stage, f"{taken:.1f}")
    table.add_section()
    table.add_row("together", f"{sum(seconds.values()):.1f}")
    console.print(table, highlight=False)


def print_outcome(console: Console, figures: Figures, stored: Mapping[str, int]) -> None:
    """Records in, golden records out, and what is left for a steward."""
    total = sum(figures.records.values())
    table = Table("figure", "what became of the records", title="From records to golden records")
    rows = (
        ("records sent", f"{total:,} from {len(figures.records)} channels: {_counts(stored)}"),
        ("golden records", f"{figures.golden:,} for {figures.customers:,} true customers"),
        ("merges", f"{total - figures.golden:,} records joined another; {figures.multi_channel:,} golden records span channels"),
        ("largest golden record", f"{figures.largest} records"),
        ("questions for a steward", f"{figures.questions:,}; the truth says yes to {figures.true_questions:,} of them"),
    )
    for name, text in rows:
        table.add_row(name, text)
    console.print(table, highlight=False)
    console.print(
        "More golden records than customers is the price of 'doubt goes to a human': what is not sure is asked, not merged."
        f"\nOnce the {figures.questions:,} questions are answered, recall is {figures.after_review.recall:.2f}"
        f" instead of {figures.pairwise.recall:.2f}.",
        style="dim",
        highlight=False,
    )


def print_story(console: Console, lines: Iterable[str]) -> None:
    """A story, each sentence as it happens."""
    console.print("Two golden ids, merged by hand and parted again", style="italic", justify="center")
    for line in lines:
        console.print(f"- {line}", highlight=False, markup=False)


def print_measures(console: Console, figures: Figures) -> None:
    """Precision and recall against the truth: what was merged without a human, and what a steward's answers would add."""
    table = Table("against the known truth", "precision", "recall", "F1", title="Right or wrong?")
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("merged without a human: pairs of records", *_measure(figures.pairwise))
    table.add_row("the same by record (B-cubed)", *_measure(figures.bcubed))
    table.add_row("once a steward has answered: pairs", *_measure(figures.after_review))
    console.print(table, highlight=False)


def print_recognition(console: Console, figures: Figures) -> None:
    """Channel by channel: of the customers known in both, the share whose records there all have one golden id."""
    table = Table(
        "records", "channel", *(SHORT.get(one, one) for one in SOURCES), box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.title = (
        "Recognised across channels: of the customers known in both,\nthose whose records there all have one golden id, in %"
    )
    for column in table.columns:
        column.justify, column.no_wrap = ("left" if column.header == "channel" else "right"), True
    for row, one in enumerate(SOURCES):
        found = (figures.recognition.get((other, one)) for other in SOURCES[: row + 1])
        table.add_row(
            f"{figures.records[one]:,}", one, *(f"{cell.found / cell.customers * 100:.0f}" if cell else "-" for cell in found)
        )
    console.print(table, highlight=False)


def print_evaluation(console: Console, title: str, evaluation: Evaluation) -> None:
    """One labelled file through the same engine, at both operating points."""
    table = Table("operating point", "precision", "recall", "F1", "B-cubed F1", "clusters", "seconds", title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, point in (("automatic", evaluation.automatic), ("balanced", evaluation.balanced)):
        seconds = f"{evaluation.seconds:.1f}"
        table.add_row(name, *_measure(point.pairwise), f"{point.bcubed.f1:.4f}", f"{point.clusters:,}", seconds)
    console.print(table, highlight=False)
    console.print(
        f"{evaluation.records:,} records, {evaluation.true_clusters:,} true customers, "
        f"{evaluation.review_pairs:,} questions for a steward.\n"
        "automatic: what is merged without a human; balanced: the questions settled by what is more probable."
        " Seconds count everything, reading the file as well.",
        style="dim",
        highlight=False,
    )


def print_try(console: Console, base_url: str, key: str, steward: tuple[str, str], email: str, answer: Mapping[str, Any]) -> None:
    """Commands to copy, and what they answer now. `steward`: a name and a password."""
    plain: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}
    body = json.dumps({"identifier": {"kind": "email", "value": email}, "view": "checkout"})
    console.print("\n[bold]Try it[/bold]")
    name, password = steward
    console.print(f"  {base_url}/console asks stewards what is in doubt: sign in as {name}, {password}", **plain)
    console.print(f"  {base_url}/docs describes the API", **plain)
    console.print(f"  export MDM_KEY={key}", **plain)
    console.print(f'  curl -s {base_url}/v1/lookup -H "Authorization: Bearer $MDM_KEY" \\', **plain)
    console.print(f"    -H 'Content-Type: application/json' -d {shlex.quote(body)}", **plain)
    console.print("It answers:", style="dim")
    console.print_json(json.dumps(answer))


def print_elsewhere(console: Console, folder: Path) -> None:
    """How other commands find the demo, which has a data folder of its own."""
    called = f"MDM_DATA_DIR={shlex.quote(str(folder))} {own_command()} verify"
    told = f"  {called}    recompute everything; also: doctor, source list, keys list"
    console.print(told, highlight=False, markup=False, soft_wrap=True)


def _measure(measure: Measure) -> tuple[str, str, str]:
    return f"{measure.precision:.4f}", f"{measure.recall:.4f}", f"{measure.f1:.4f}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count)
