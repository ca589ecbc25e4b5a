"""The `mdm` command: puts the command modules together, and turns errors into one line and an exit code.

Only the module of the command that is asked for is imported: all of them cost three seconds, most of it Splink and DuckDB.
"""

import importlib
import importlib.metadata
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
import typer.exceptions
from rich.console import Console
from rich.text import Text

from kernel import log
from kernel.errors import Unavailable
from kernel.settings import settings

EXAMPLES = """
Examples:

  mdm up                                  run everything here

  mdm map customers.csv --source crm      draft how its columns are read

  mdm import customers.csv --source crm   load it (first with --dry-run)

  mdm evaluate people.csv --mapping m.yaml --truth person_id

  mdm verify                              recompute all: 0 differences?

  mdm rebuild                             put right what differs

  mdm doctor                              what is wrong, how to mend it

Exit codes: 0 done, 1 failed, 2 done with rejects or differences,
64 wrong usage, 130 interrupted.
"""

WRONG_USAGE = 64
INTERRUPTED = 130
# What typer calls wrong usage, which here is a code of its own: 2 says that rows were rejected or that something differs.
TYPERS_WRONG_USAGE = 2
# Each module has `register(app)`; each owner of commands adds a line.
MODULES = {
    "cli.up_commands": ("up", "migrate", "doctor", "keys"),
    "cli.policy_commands": ("policy", "source"),
    "cli.import_commands": ("import", "map"),
    "cli.imports_commands": ("imports",),
    "cli.resolve_commands": ("verify", "reconcile"),
    "cli.rebuild_commands": ("rebuild",),
    "cli.quality_commands": ("quality",),
    "cli.quarantine_commands": ("quarantine",),
    "cli.decision_commands": ("decisions",),
    "cli.model_commands": ("evaluate", "train"),
    "cli.model_life": ("model",),
    "cli.plan_commands": ("policy", "model"),  # After the two whose groups it adds to.
    "cli.stage_commands": ("source",),  # After the one whose group it adds to.
    "cli.certificate_commands": ("source",),  # The same.
    "cli.blocking_commands": ("blocking",),
    "cli.job_commands": ("jobs",),
    "cli.task_commands": ("tasks",),
    "cli.look_commands": ("second-looks",),
    "cli.approval_commands": ("approvals",),
    "cli.merging_commands": ("merging",),
    "cli.user_commands": ("users",),
    "cli.audit_commands": ("audit",),
    "cli.sealing_commands": ("sealing",),
    "cli.alert_commands": ("alerts",),
    "cli.report_commands": ("report",),
    "cli.backup_commands": ("backup", "restore"),
    "cli.event_commands": ("events",),
    "cli.export_commands": ("export",),
    "cli.webhook_commands": ("webhooks",),
    "cli.privacy_commands": ("privacy",),
    "cli.consent_commands": ("consents",),
    "cli.demo_commands": ("demo", "simulate"),
}
# What may be done while the database lacks an erasure, as after a restore: run and mend the service, and look at what speaks of
# no customer. Every other command, and whichever is added, tells of customers or works on them: it waits for `privacy replay`.
BEFORE_REPLAY = frozenset({
    "up", "migrate", "doctor", "keys", "users", "policy", "model", "jobs", "backup", "restore", "verify", "audit", "alerts",
    "map", "demo", "simulate", "evaluate", "train",
})  # fmt: skip
REPLAY = ["privacy", "replay"]


def build(arguments: Sequence[str]) -> typer.Typer:
    """Make the program: with the one module that these arguments ask for, else (help, completion, a typing error) with all."""
    app = typer.Typer(
        name="mdm",
        help="The customer master: one durable golden id for every customer, and the reason for it.",
        epilog=EXAMPLES,
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    asked = [name for name, commands in MODULES.items() if arguments and arguments[0] in commands]
    for name in asked or ([] if arguments[:1] == ["--version"] else MODULES):
        importlib.import_module(name).register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        Console().print(importlib.metadata.version("customer-master"), highlight=False)
        raise typer.Exit


def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")] = False,
) -> None:
    pass


def main() -> None:
    """Run the command; an expected error is told in one line, an unexpected one with its traceback."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code."""
    try:
        log.configure(json=settings().log_json, level=settings().log_level)
        _attach(arguments)
        _require_erasures(arguments)
        return int(build(arguments)(list(arguments) or ["--help"], standalone_mode=False) or 0)
    except typer.exceptions.TyperException as wrong:
        return _wrong_usage(wrong)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        told = importlib.import_module("cli.failures").explain(error)
        if told is None:
            raise
        Console(stderr=True).print("[red]mdm:[/red]", Text(told), highlight=False, soft_wrap=True)
        return 1


def _attach(arguments: Sequence[str]) -> None:
    """Use the servers that `mdm up` runs here. The doctor looks at a folder that cannot be used all the same."""
    if "--help" in arguments or list(arguments[:1]) in ([], ["--version"]):
        return
    try:
        importlib.import_module("cli.services").attach_if_running(settings().data_dir)
    except Unavailable:
        if arguments[0] != "doctor":
            raise


def _require_erasures(arguments: Sequence[str]) -> None:
    """Raises: Unavailable for what would tell of people, or work on them, whom the database must not know any more."""
    waits = arguments and not arguments[0].startswith("-") and arguments[0] not in BEFORE_REPLAY
    if waits and "--help" not in arguments and list(arguments[:2]) != REPLAY:
        importlib.import_module("stewardship.privacy_gate").require_now()


def _wrong_usage(wrong: typer.exceptions.TyperException) -> int:
    show, code = getattr(wrong, "show", None), getattr(wrong, "exit_code", 1)
    if show is not None:
        show()
    return WRONG_USAGE if code == TYPERS_WRONG_USAGE else code


if __name__ == "__main__":
    main()
