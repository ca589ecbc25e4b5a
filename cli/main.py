"""The `mdm` command: puts the command modules together, and turns errors into one line and an exit code.

Only the module of the command that is asked for is imported: all of them cost three seconds, most of it Splink and DuckDB.
"""

import importlib
import importlib.metadata
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from kernel import log
from kernel.errors import MdmError
from kernel.settings import settings

EXAMPLES = """
Examples:

  mdm up                                       run everything here; the first start prints an admin key

  mdm import customers.csv --source crm        load a file (try it first with --dry-run)

  mdm evaluate people.csv --mapping m.yaml --truth person_id

  mdm verify                                   recompute everything; expect 0 differences

  mdm doctor                                   what is wrong, and how to mend it

Exit codes: 0 done, 1 failed, 2 done with rejects or differences, 64 wrong usage.
"""

# Each module has `register(app)`; each owner of commands adds a line.
MODULES = {
    "cli.up_commands": ("up", "migrate", "doctor", "keys"),
    "cli.policy_commands": ("policy", "source"),
    "cli.import_commands": ("import", "map"),
    "cli.resolve_commands": ("verify", "reconcile"),
    "cli.model_commands": ("evaluate", "train", "model"),
    "cli.demo_commands": ("demo", "simulate"),
}


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
    try:
        log.configure(json=settings().log_json, level=settings().log_level)
        if not {"--help", "--version"} & set(sys.argv):
            importlib.import_module("cli.services").attach_if_running(settings().data_dir)
        build(sys.argv[1:])()
    except MdmError as error:
        _fail(error.detail)
    except ValidationError as error:
        _fail("; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)))


def _fail(text: str) -> None:
    Console(stderr=True).print("[red]mdm:[/red]", Text(text), highlight=False, soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
