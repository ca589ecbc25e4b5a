"""The whole service under one supervisor: servers, schema, first policy and key, API, workers, relay, sweeper.

`running_stack` is what `mdm up` and the demo share. Everything it starts it stops; what a killed supervisor left, it ends first.
"""

import json
import socket
import sys
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from cli import migrations, own_address
from cli.children import Children, Say, end_leftovers
from cli.services import ServiceUrls, remove_data, running_services, sole
from kernel import actor, db
from kernel.errors import Conflict, MdmError, Unavailable
from kernel.settings import Settings, configure, settings
from mdm import ownership, versions
from mdm import policy as policies

READY_SECONDS = 180.0  # Dozens of processes on two busy cores took over a minute; one that ends is told of at once.
NOTED = "children.json"
FIRST_KEY_NAME = "first admin"


@dataclass(frozen=True)
class Stack:
    """A running service. `admin_key` is there on the first start only: afterwards nobody knows it but its holder."""

    base_url: str
    admin_key: str | None
    urls: ServiceUrls
    children: Children


@contextmanager
def running_stack(chosen: Settings, say: Say) -> Iterator[Stack]:
    """Run everything for the length of the block. Raises: MdmError when something does not come up."""
    with sole(chosen.data_dir, "up"):
        if left := end_leftovers(chosen.data_dir / NOTED):
            say("mdm", f"ended {left} processes that an earlier, killed supervisor had left")
        configure(chosen)
        try:
            with (
                _listening(chosen) as listener,
                running_services(chosen.data_dir) as urls,
                _running(chosen, listener, urls, say) as stack,
            ):
                yield stack
        finally:
            db.dispose()
            configure(chosen)


@contextmanager
def _running(chosen: Settings, listener: socket.socket, urls: ServiceUrls, say: Say) -> Iterator[Stack]:
    running = configure(chosen.model_copy(update={"database_url": urls.database_url, "redis_url": urls.redis_url}))
    db.dispose()
    say("mdm", "PostgreSQL and the broker run" + (f", their data in {urls.folder}" if urls.servers else ""))
    admin_key = prepare(say)
    children = Children(running.child_environment(), chosen.data_dir / NOTED, say)
    children.also_watch(urls.revive)
    try:
        _start_children(children, listener, running)
        base_url = own_address.base(running, listener.getsockname()[1])
        _wait_until_ready(base_url, children)
        yield Stack(base_url, admin_key, urls, children)
    finally:
        say("mdm", "stopping")
        children.stop()


def forget(data_dir: Path) -> None:
    """End what a killed supervisor left of this data folder, and remove all that the embedded servers keep for it."""
    with sole(data_dir, "up"):
        end_leftovers(data_dir / NOTED)
        remove_data(data_dir)


def _choose_versions(session: Session, say: Say) -> None:
    """Go on with the model and policy in force under this program's standardizer; without a model reads go on, matching waits."""
    try:
        before = versions.stored(session)
        chosen = versions.adopt(session)
    except Unavailable as error:
        say("mdm", error.detail)
        return
    if before is not None and before is not chosen:
        say("mdm", "this program standardizes or blocks otherwise than the one before: every record is resolved anew")


@contextmanager
def _listening(chosen: Settings) -> Iterator[socket.socket]:
    """Bind the port before anything else starts: a port in use should cost a second, not a minute."""
    try:
        listener = socket.create_server((chosen.host, chosen.port), backlog=1024)
    except OSError as taken:
        why = (taken.strerror or type(taken).__name__).partition(" (")[0]  # The rest repeats the address.
        raise MdmError(
            f"Port {chosen.port} on {chosen.host} cannot be used ({why}): set MDM_PORT to another, or to 0 for any",
            code="port_taken",
        ) from taken
    with listener:
        yield listener


def prepare(say: Say) -> str | None:
    """Migrate, store the first policy and version set, make the first key; idempotent. Returns the key if it was made now."""
    before, after = migrations.migrate()
    if before != after:
        say("mdm", f"schema migrated from {before or 'nothing'} to {after}")
    with db.transaction() as session:
        if not ownership.holds_secret(session, adopt=True):
            raise Conflict(
                "This database was filled under another secret key, with which nothing could be matched or unsealed:"
                f" put the right key into {settings().secret_path()} or MDM_SECRET_KEY",
                code="wrong_secret_key",
            )
        try:
            policies.current(session)
        except MdmError:
            policies.store(session, policies.default(), "mdm up")
        _choose_versions(session, say)
        if actor.list_keys(session):
            return None
        return actor.create_key(session, FIRST_KEY_NAME, ["admin"], by=actor.at_command_line().actor)[1]


def _start_children(children: Children, listener: socket.socket, running: Settings) -> None:
    handle = listener.fileno()
    for number in range(running.api_processes):
        children.start(f"api-{number + 1}", [sys.executable, "-m", "cli.serve", str(handle), f"api-{number + 1}"], (handle,))
    processes = str(running.worker_processes)
    # Celery warns of root; what the worker may do is decided by its database role, and nothing it reads is code.
    python = [sys.executable, "-W", "ignore:You're running the worker with superuser"]
    worker = [*python, "-m", "celery", "--quiet", "-A", "workers.app", "worker", "--concurrency", processes]
    quiet = ["--without-gossip", "--without-mingle"]
    children.start("worker", [*worker, *quiet])
    # One process takes nothing but what somebody waits for: behind batches of a bulk load a till would wait for minutes.
    urgent = [*python, "-m", "celery", "--quiet", "-A", "workers.app", "worker", "--concurrency", "1", "-Q", "interactive"]
    children.start("urgent", [*urgent, *quiet, "-n", "urgent@%h"])
    children.start("relay", [sys.executable, "-m", "workers.relay"])
    children.start("sequencer", [sys.executable, "-m", "workers.sequencer"])
    children.start("dispatcher", [sys.executable, "-m", "workers.dispatcher"])
    if running.metrics_port is not None:
        children.start("metrics", [sys.executable, "-m", "workers.metrics"])
    if running.public_port is not None:
        children.start("public", [sys.executable, "-m", "cli.serve_public"])
    children.start("sealer", [sys.executable, "-m", "workers.sealer"])
    children.start("sweeper", [sys.executable, "-m", "workers.sweeper"])


def _wait_until_ready(base_url: str, children: Children) -> None:
    deadline = time.monotonic() + READY_SECONDS
    missing = "no answer"
    while time.monotonic() < deadline:
        children.watch()
        ready, missing = _ready(base_url)
        if ready:
            return
        time.sleep(0.1)
    raise MdmError(f"The service did not become ready in {READY_SECONDS:.0f} s: {missing}", code="not_ready")


def _ready(base_url: str) -> tuple[bool, str]:
    try:
        return True, own_address.ask(settings(), f"{base_url}/ready", 2).decode()
    except urllib.error.HTTPError as answered:
        return False, json.dumps(json.loads(answered.read() or b"{}").get("missing"))
    except OSError as silent:
        return False, type(silent).__name__
