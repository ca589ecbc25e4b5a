"""The `mdm` command: puts the command modules together, and turns errors into one line and an exit code."""

import sys

import typer
from rich.console import Console

from cli import demo_commands, import_commands, policy_commands, up_commands
from cli.services import attach_if_running
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

app = typer.Typer(
    name="mdm",
    help="The customer master: one durable golden id for every customer, and the reason for it.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (up_commands, policy_commands, import_commands, demo_commands):
    module.register(app)


def main() -> None:
    """Run the command; an expected error is told in one line, an unexpected one with its traceback."""
    log.configure(json=settings().log_json, level=settings().log_level)
    try:
        attach_if_running(settings().data_dir)
        app()
    except MdmError as error:
        Console(stderr=True).print(f"[red]mdm:[/red] {error.detail}", highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
