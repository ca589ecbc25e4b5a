"""What `mdm evaluate` prints: figures at both operating points, by groups, and what was wrong."""

import csv
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.words import counted
from matching.breakdown import GroupPair, break_down
from matching.evaluate import Evaluation
from matching.metrics import wrong_pairs
from mdm.csv_files import DELIMITER_NAMES
from mdm.labelled import LabelledFile

MEASURES = {"pairwise": "pairs", "bcubed": "B-cubed"}
MOST_WRONG_PAIRS = 100_000
UNKNOWN = "\N{EN DASH}"  # There is nothing to take a share of.
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
        f" {counted(found.review_pairs, 'question')} for a steward"
        f"{_left_apart(found)};"
        f" {counted(found.unreachable_records, 'record')} without a usable key,"
        f" {found.partly_filed_records:,} with more values than one is filed by; {found.seconds:.1f} s;"
        f" {found.peak_mb:,.0f} MB at most",
        highlight=False,
    )


def _left_apart(found: Evaluation) -> str:
    """Say where the guard line stands when it is not where the model drew it, and what that leaves apart."""
    guard = f"the policy's budget puts the guard line at {found.model.lines.guard:+.1f} bits"
    return f" ({guard} and leaves {counted(found.left_apart, 'pair')} apart unasked)" if found.left_apart else ""


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
