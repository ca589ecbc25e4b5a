"""`mdm evaluate`, `mdm train`: how good matching is on labelled data or on the adversarial pack, and a model of your own."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli import forecast_report, label_rules, model_choice, model_report, model_text, pack_report
from cli.output import Output
from cli.progress import progress
from cli.words import counted
from kernel import actor, approvals, db
from matching.calibration import NO_TARGETS
from matching.decide import NO_RULES, IdentifierRules
from matching.evaluate import Evaluation, evaluate_records
from matching.model import Model, dump_model
from mdm import models, ruling, training
from mdm.labelled import LabelledFile, asked_extras, read_labelled
from mdm.policy import Policy

TRAIN = "train"
PACK_SEED = 2026
console = Console()
errors = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(evaluate)
    app.command()(train)


def evaluate(  # noqa: PLR0913, PLR0917 - each option of the command is a parameter.
    files: Annotated[list[Path] | None, typer.Argument(help="CSV, NDJSON or Parquet; several are taken as one.")] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="How their columns become our attributes; a policy: by each row's 'source'. Without: drafted."),
    ] = None,
    truth: Annotated[str | None, typer.Option(help="The column that says which customer a row truly is.")] = None,
    truth_pattern: Annotated[str | None, typer.Option(help="A regular expression; its first group is the label.")] = None,
    model: Annotated[
        str, typer.Option(help="train (on this file, without its labels), default (as shipped), or a model file.")
    ] = TRAIN,
    extra: Annotated[list[str] | None, typer.Option(help="Compare an extra of the mapping: name:kind. Repeatable.")] = None,
    output: Annotated[Output, typer.Option(help="For people, or for programs.")] = Output.TABLE,
    wrong: Annotated[
        Path | None, typer.Option("--errors", help="Write the pairs that 'automatic' got wrong to this CSV, as file and line.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="A column, such as source: figures for each pair of its values as well.")] = None,
    pack: Annotated[
        bool, typer.Option("--pack", help="Instead of files: the adversarial identity pack, under the model that ships.")
    ] = False,
    customers: Annotated[int, typer.Option(min=1, help="With --pack: how many simulated customers stand around it.")] = 50_000,
) -> None:
    """Run the whole pipeline on a labelled file, without a database, and measure it. With --pack exit 1 tells of false merges.

    Example: mdm evaluate people.csv --truth person_id

    Example: mdm evaluate people.csv --mapping docs/examples/febrl.yaml --truth rec_id --truth-pattern 'rec-(\\d+)'

    Example: mdm evaluate retailer/labelled.ndjson --mapping retailer/policy.yaml --truth truth --by source --model default

    Example: mdm evaluate --pack --customers 2000
    """
    if pack:
        _evaluate_pack(customers, model_choice.chosen("default" if model == TRAIN else model), output)
        return
    if not files or truth is None:
        raise typer.BadParameter("say the files and --truth; or --pack")
    read_by = label_rules.rules_of(errors, mapping, files[0], truth)
    rules: IdentifierRules = read_by.identifier_rules() if isinstance(read_by, Policy) else NO_RULES
    extras = asked_extras(extra or (), read_by)
    started = time.perf_counter()
    with progress(errors, "reading", "rows") as tell:
        read = read_labelled(files, read_by, truth, truth_pattern, extras, by, tell)
    model_report.say_problems(errors, read)
    chosen = None if model == TRAIN else model_choice.chosen(model)
    targets = read_by.targets() if isinstance(read_by, Policy) else NO_TARGETS
    with errors.status(f"{counted(len(read.records), 'record')}: finding pairs, training, weighing, clustering"):
        found, refusal = evaluate_records(read.records, chosen, tuple(extras.items()), rules, targets)
    found = replace(found, seconds=time.perf_counter() - started)  # Reading and standardizing the file as well.
    if refusal:
        errors.print(f"[yellow]not trained[/yellow]: {refusal}; the model that ships was used", highlight=False, soft_wrap=True)
    if wrong is not None:
        model_report.write_wrong_pairs(errors, wrong, read, found)
    _tell_evaluation(read, found, by, output)


def _tell_evaluation(read: LabelledFile, found: Evaluation, by: str | None, output: Output) -> None:
    pairs = model_report.by_groups(read, found) if by else []
    if output is Output.JSON:
        broken_down = {"by": by, "group_pairs": [pair.as_json() for pair in pairs]} if by else {}
        typer.echo(json.dumps(found.as_json() | broken_down, indent=2))
        return
    model_report.print_evaluation(console, found)
    if by:
        model_report.print_group_pairs(console, by, pairs)


def _evaluate_pack(customers: int, model: Model, output: Output) -> None:
    with errors.status(f"{customers:,} simulated customers around the pack; two minutes for 50,000"):
        found = pack_report.run_pack(customers, PACK_SEED, model)
    if output is Output.JSON:
        typer.echo(json.dumps(found.as_json(), indent=2))
    else:
        pack_report.print_pack(console, found)
    if found.false_merges:
        raise typer.Exit(1)


def train(
    name: Annotated[str, typer.Option(help="What to call the model.")] = "trained",
    output: Annotated[Path | None, typer.Option(help="Write the model to this file.")] = None,
    use: Annotated[bool, typer.Option("--use", help="Make it current; every record is then resolved anew.")] = False,
    form: Annotated[Output, typer.Option("--format", help="For people, or for programs.")] = Output.TABLE,
) -> None:
    """Train a model on the stored records, store it, and say what its lines come to. It rules only with --use.

    What stewards decided corrects it; what the policy asks (matching) draws its lines. Refuses a degenerate model with the
    reason, and the old one stays.
    """
    with errors.status("training; about a minute for 50,000 records, four at most"), db.read_only(snapshot=True) as session:
        trained = training.train_on_stored(session, name)
    waiting = None
    with db.transaction() as session:
        models.store(session, trained.model, "mdm train")
        if use:
            waiting = ruling.adopt(session, actor.at_command_line().actor, model=trained.model)
    if output is not None:
        output.write_text(dump_model(trained.model), encoding="utf-8")
    if form is Output.JSON:
        typer.echo(dump_model(trained.model))
        return
    model_text.print_model(console, trained.model)
    forecast_report.print_forecast(console, trained.model, trained.forecast)
    compare = f"It does not rule yet: `mdm model diff current {trained.model.fingerprint[:12]}` compares."
    rules = "It is current; every record is resolved anew." if use and not waiting else compare
    console.print(f"Stored as {trained.model.fingerprint}. {rules}", highlight=False, soft_wrap=True)
    if waiting is not None:
        raise approvals.needed(waiting)
