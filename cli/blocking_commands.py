"""`mdm blocking report`: which pairs blocking finds, which it misses, and what each rule costs."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli import label_rules, model_choice, model_report
from cli.memory import memory_of
from cli.output import Output, unfolded
from cli.words import counted
from kernel import db
from matching.blocking import NARROW_RULES
from matching.blocking_measure import measure
from matching.blocking_report import BlockingReport, RuleReport, blocking_report
from matching.hot_keys import LIMITS
from matching.model import Model
from mdm import exact_copies, key_index, versions
from mdm.discover import by_domain, by_place
from mdm.labelled import compared_extras, read_labelled

WITHOUT_KEY = "without any key: no candidate can be found for them"
HOT_ONLY = "with hot keys only: nobody is found for them but exact copies"
console = Console()
errors = Console(stderr=True)
blocking_app = typer.Typer(help="Look at blocking: how records find each other.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(blocking_app, name="blocking")


@blocking_app.callback()
def _blocking() -> None:
    """Keep `report` a command of its own."""


@blocking_app.command()
def report(
    files: Annotated[list[Path] | None, typer.Argument(help="Labelled CSV, NDJSON or Parquet; none: the stored records.")] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="How their columns become our attributes; a policy: by each row's 'source'. Without: drafted."),
    ] = None,
    truth: Annotated[str | None, typer.Option(help="The column that says which customer a row truly is.")] = None,
    truth_pattern: Annotated[str | None, typer.Option(help="A regular expression; its first group is the label.")] = None,
    model: Annotated[str, typer.Option(help="What weighs the true pairs: " + model_choice.HELP)] = model_choice.DEFAULT,
    memory_limit: Annotated[str | None, typer.Option(help="Memory for DuckDB, such as 2GB; the rest spills to disk.")] = None,
    output: Annotated[Output, typer.Option(help="For people, or for programs.")] = Output.TABLE,
) -> None:
    """Say what each blocking rule finds and costs, on labelled files (then also what is missed) or on the stored records.

    Example: mdm blocking report retailer/labelled.ndjson --mapping retailer/policy.yaml --truth truth
    """
    memory = memory_of(memory_limit)
    found = (
        _of_stored(memory) if not files else _of_files(files, mapping, truth, truth_pattern, model_choice.chosen(model), memory)
    )
    if output is Output.JSON:
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        show(unfolded(console), found)


def _of_stored(memory: str) -> BlockingReport:
    with db.read_only(snapshot=True) as session:
        index = key_index.read(session)
        current = versions.stored(session)
        copies = exact_copies.every(session, current) if current else set()
        groups = by_domain(current, key_index.sources(session)) if current else None
    placed = by_place(copies, index.record_ids)
    return blocking_report(index.keys, len(index.record_ids), memory_limit=memory, copies=placed, groups=groups)


def _of_files(
    files: list[Path], mapping: Path | None, truth: str | None, pattern: str | None, model: Model, memory: str
) -> BlockingReport:
    if truth is None:
        raise typer.BadParameter("say the --truth of the files; or no files, for the stored records")
    rules = label_rules.rules_of(errors, mapping, files[0], truth)
    read = read_labelled(files, rules, truth, pattern, compared_extras(rules))
    model_report.say_problems(errors, read)
    return measure(read.records, model, memory_limit=memory)


def show(to: Console, found: BlockingReport) -> None:
    """Print the rules as a table, and the whole in sentences."""
    table = Table(title=f"Blocking of {counted(found.records, 'record')}", title_justify="left")
    table.add_column("rule", overflow="fold")
    columns = ("pairs", "only here", "true pairs", "only here", "largest keys", "their share", "hot keys", "by refined keys")
    for column in columns:
        table.add_column(column, justify="right")
    for rule in found.rules:
        table.add_row(f"{rule.rule} {rule.name}", *_cells(rule))
    to.print(table)
    for line in sentences(found):
        to.print(line, highlight=False)


def _cells(rule: RuleReport) -> tuple[str, ...]:
    known = rule.true_pairs is not None
    return (
        f"{rule.pairs:,}",
        f"{rule.only_pairs:,}",
        f"{rule.true_pairs:,} ({rule.recall:.1%})" if known else "not known",
        f"{rule.only_true_pairs:,}" if known else "not known",
        ", ".join(f"{one.key} {one.records:,}" for one in rule.largest),
        f"{rule.largest_share:.1%}",
        f"{rule.hot_keys:,} of {counted(rule.hot_records, 'record')}" if rule.hot_keys else "0",
        f"{rule.refined_pairs:,}",
    )


def sentences(found: BlockingReport) -> list[str]:
    """Say the whole: company per record, what is found of the truth, who cannot be found."""
    pairs = counted(found.pairs, "candidate pair")
    said = [
        f"{pairs}: a record is compared with {found.candidates_mean:.1f} others on average, 99 of 100 records with at most"
        f" {found.candidates_p99:,}, none with more than {found.candidates_most:,}."
    ]
    if found.true_pairs is not None:
        reaching = counted(found.reaching_pairs or 0, "true pair")
        said.append(
            f"Of {reaching} that weigh enough to be merged or asked about, {found.recall_reaching:.2%} are candidates;"
            f" of all {found.true_pairs:,} true pairs, {found.recall:.2%}."
        )
    if any(rule.hot_keys for rule in found.rules):
        narrow = ", ".join(map(str, sorted(NARROW_RULES)))
        said.append(
            f"A key of more than {LIMITS.wide} records ({LIMITS.narrow} under rules {narrow}) is hot:"
            " its refined keys yield pairs instead."
        )
    for number, what in ((found.keyless, WITHOUT_KEY), (found.unreachable, HOT_ONLY)):
        if number:
            said.append(f"{counted(number, 'record')} {what}.")
    said.append('"only here": pairs that no other rule yields. Keys are shown by the first digits of their hash.')
    return said
