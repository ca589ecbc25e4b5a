"""`mdm model list|show|use|diff|shadow|card`: which models there are, what they say, how they differ, who watches beside."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli import adoption_report, forecast_report, model_choice, model_text
from cli.card.page import Facts, page
from cli.words import counted
from kernel import actor, approvals, db
from kernel.errors import NotFound
from matching.calibration import NO_TARGETS, Targets
from matching.model import Model
from matching.model_changes import model_changes
from mdm import model_differences, models, ruling, shadows, targets, versions

FINGERPRINT_SHOWN = 12
NAMED = Annotated[str, typer.Argument(help=model_choice.HELP)]
console = Console()
errors = Console(stderr=True)
model_app = typer.Typer(help="Look at models, compare them, let one watch.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (show, use, diff, shadow, card):
        model_app.command()(command)
    model_app.command("list")(list_models)
    app.add_typer(model_app, name="model")


def list_models() -> None:
    """List the stored models, the youngest first: which rules, which watches, and how many records each was trained on."""
    with db.read_only() as session:
        stored = models.listed(session)
    table = Table("fingerprint", "name", "stored", "records", "", box=None, pad_edge=False)
    for one in stored:
        state = " ".join(word for word, holds in (("current", one.is_current), ("shadow", one.is_shadow)) if holds)
        records = "" if one.records is None else f"{one.records:,}"
        table.add_row(one.fingerprint[:FINGERPRINT_SHOWN], one.name, f"{one.stored_at:%Y-%m-%d %H:%M}", records, state)
    console.print(table if stored else "No model is stored yet: `mdm train` stores one.", highlight=False)


def show(model: NAMED = model_choice.DEFAULT) -> None:
    """Show a model: its lines and what they come to, and what each level of each comparison weighs."""
    found = model_choice.chosen(model)
    model_text.print_model(console, found)
    forecast_report.print_forecast(console, found, forecast_report.forecast_of(found, _targets()))


def _targets() -> Targets:
    """What policy asks, where a database says it."""
    if model_choice.in_force() is None:
        return NO_TARGETS
    with db.read_only() as session:
        return targets.targets(session, versions.current(session).policy)


def use(model: NAMED) -> None:
    """Make a model current; every record is then resolved anew.

    Example: mdm model use default
    """
    found = model_choice.chosen(model)
    with db.transaction() as session:
        waiting = ruling.adopt(session, actor.at_command_line().actor, model=found)
    if waiting is not None:
        raise approvals.needed(waiting)
    console.print(f"[green]current[/green]: {found.name} ({found.fingerprint})", highlight=False)
    adoption_report.tell(console, errors)


def diff(
    before: NAMED,
    after: NAMED,
    records: Annotated[int, typer.Option(min=0, help="How many stored records to try both on; 0: none.")] = 500,
) -> None:
    """Say how two models differ: levels that moved by more than a bit, prior, lines, and verdicts on stored pairs.

    Example: mdm model diff default current
    """
    one, other = model_choice.chosen(before), model_choice.chosen(after)
    model_text.print_changes(console, model_changes(one, other))
    if not records:
        return
    if model_choice.in_force() is None:
        console.print("No stored records were tried: no database with a model in force.", highlight=False)
        return
    with db.read_only(snapshot=True) as session:
        tried = model_differences.on_stored(session, one, other, records)
    model_text.print_verdicts(console, tried.counts, f"{counted(tried.pairs, 'candidate pair')} of {tried.records:,} records")


def shadow(
    model: Annotated[str | None, typer.Argument(help=model_choice.HELP + " None: what it has shown.", show_default=False)] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End the shadow.")] = False,
) -> None:
    """Let a model score beside the current one without deciding, or say where the two differed.

    Workers let it look at some of what they have just resolved, for at most a twentieth of their time; a bulk run at a sample.

    Example: mdm model shadow 3f9c27a1
    """
    if stop:
        with db.transaction() as session:
            ended = shadows.stop(session)
        console.print("The shadow has ended." if ended else "There was no shadow.", highlight=False)
    elif model is not None:
        _start(model_choice.chosen(model))
    else:
        with db.read_only() as session:
            found = shadows.report(session)
        if found is None:
            raise NotFound("No model has been the shadow", code="no_shadow", detail="No model has been the shadow: name one.")
        model_text.print_shadow(console, found)


def _start(model: Model) -> None:
    with db.transaction() as session:
        shadows.start(session, model, "mdm model shadow")
    console.print(f"{model.name} ({model.fingerprint}) scores beside the current model and decides nothing.", highlight=False)
    console.print("`mdm model shadow` says where the two differ, `mdm model shadow --stop` ends it.", highlight=False)


def card(
    model: NAMED = model_choice.DEFAULT,
    output: Annotated[Path, typer.Option(help="The page to write.")] = Path("model-card.html"),
) -> None:
    """Write one HTML page that a person can read: what the model is, what it weighs, where its lines are and what they come to.

    Example: mdm model card current --output card.html
    """
    found = model_choice.chosen(model)
    stored = None
    if model_choice.in_force() is not None:
        with db.read_only() as session:
            stored = models.about(session, found.fingerprint)
    facts = Facts(stored.stored_at if stored else None, bool(stored and stored.is_current), _targets())
    output.write_text(page(found, facts), encoding="utf-8")
    console.print(f"{found.name} ({found.fingerprint}) is described in {output}", highlight=False, soft_wrap=True)
