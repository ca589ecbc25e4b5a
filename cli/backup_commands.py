"""`mdm backup` and `mdm restore`: a file that holds everything but the secret, and a database made of it beside the one there is.

A restore that fails leaves everything as it was; one that succeeds leaves the database of before under another name.
"""

import hashlib
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg
import typer
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console

from cli import migrations, postgres_programs
from cli.services import running_services, sole
from cli.words import counted
from kernel import actor, audit, clock, db
from kernel.errors import Conflict, Invalid
from kernel.settings import configure, settings
from mdm import backups, ownership
from stewardship import audit_files, audit_sealing

console = Console()
WHO = actor.at_command_line()
DUMP, MANIFEST, FORM = "database.dump", "backup.json", 1
MAINTENANCE = "postgres"  # Whoever renames a database is connected to another.


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(backup)
    app.command()(restore)


def backup(file: Annotated[Path, typer.Argument(help="Where to write it.", show_default=False)]) -> None:
    """Write the whole database to one file, as of one moment, while the service runs. Keep the secret key apart: it is not in it.

    Example: mdm backup /backups/monday.mdm
    """
    begun = time.monotonic()
    with _servers(), tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".backup-") as folder:
        manifest = _dump(Path(folder))
        draft = Path(folder) / "draft"
        with tarfile.open(draft, "w") as archive:
            for name in (MANIFEST, DUMP):
                archive.add(Path(folder) / name, name)
        os.chmod(draft, 0o600)
        draft.replace(file)
    size = file.stat().st_size / 1e6
    said = f"{counted(manifest['records'], 'record')}, events up to {manifest['last_seq']:,}, {size:,.1f} MB"
    console.print(f"written to {file}: {said} in {time.monotonic() - begun:.1f} s", highlight=False, soft_wrap=True)


def _dump(folder: Path) -> dict[str, Any]:
    """Dump what one snapshot sees, and say what that is."""
    with db.read_only(db.Role.OWNER, snapshot=True) as session:
        ownership.require_mode(session)
        found = backups.contents(session)
        path = postgres_programs.program("pg_dump", found.server_version, settings().require_database_url())
        how = ["--format=custom", "--compress=1", "--no-owner", f"--snapshot={found.snapshot}", f"--file={folder / DUMP}"]
        postgres_programs.run(path, settings().require_database_url(), how)
    manifest = {**asdict(found), "form": FORM, "revision": migrations.current_revision(), "sha256": _hash(folder / DUMP)}
    (folder / MANIFEST).write_text(json.dumps(manifest, default=str, indent=2), encoding="utf-8")
    return manifest


def restore(
    file: Annotated[Path, typer.Argument(help="As `mdm backup` wrote it.", show_default=False)],
    into: Annotated[str | None, typer.Option(help="Make this database and leave the service's alone: a drill.")] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Tables restored at once.")] = 2,
    change_mode: Annotated[
        bool, typer.Option("--change-mode", help="Make a live service's backup a test service's, or the other way round.")
    ] = False,
) -> None:
    """Make the database anew from a backup, on a new timeline; what was there is kept under another name. Stop the service first.

    Example: mdm restore /backups/monday.mdm
    """
    begun = time.monotonic()
    with _apart(into), _servers(), tempfile.TemporaryDirectory(prefix="mdm-restore-") as folder:
        manifest = _unpacked(file, Path(folder))
        target = _name_of(settings().require_database_url())
        if into is None:
            with db.read_only(db.Role.OWNER) as session:
                ownership.require_mode(session)  # What is put in its place is ours; so is what is put aside.
            _refuse_users(target)
        draft = into or f"{target}_restored_{clock.now():%Y%m%d%H%M%S}"
        _restore(Path(folder) / DUMP, draft, jobs, change_mode)
        kept = None if into else _swap(draft, target)
    said = f"{counted(manifest['records'], 'record')} as of {manifest['taken_at'][:19]} UTC stand in {into or target}"
    console.print(f"{said}, on a new timeline, after {time.monotonic() - begun:.1f} s", highlight=False, soft_wrap=True)
    if kept:
        console.print(f"what was there before is kept as {kept}", highlight=False)


@contextmanager
def _apart(into: str | None) -> Iterator[None]:
    """A restore into the service's own database needs the service of this folder to be stopped; a drill does not."""
    if into is not None:
        yield
        return
    with sole(settings().data_dir, "up"):
        yield


@contextmanager
def _servers() -> Iterator[None]:
    """Use the servers there are, for the length of the block; start embedded ones when there are none."""
    before = settings()
    if before.database_url is not None:
        yield
        return
    with running_services(before.data_dir) as urls:
        configure(before.model_copy(update={"database_url": urls.database_url, "redis_url": urls.redis_url}))
        try:
            yield
        finally:
            db.dispose()
            configure(before)


def _unpacked(file: Path, folder: Path) -> dict[str, Any]:
    """Unpack a backup and check that it is whole. Raises: Invalid."""
    try:
        with tarfile.open(file) as archive:
            for name in (MANIFEST, DUMP):
                archive.extract(name, folder, filter="data")
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        is_whole = manifest["form"] == FORM and manifest["sha256"] == _hash(folder / DUMP)
    except (tarfile.TarError, KeyError, ValueError) as broken:
        raise Invalid(f"{file} is no backup", code="bad_backup") from broken
    if not is_whole:
        raise Invalid(f"{file} is damaged: it does not hold what was written", code="bad_backup")
    return manifest


def _restore(dump: Path, name: str, jobs: int, change_mode: bool) -> None:
    """Make a database of the dump, at this program's schema and on a new timeline; gone again when that fails."""
    _maintain("CREATE DATABASE {}", name)
    try:
        with _connected_to(name):
            with db.transaction(db.Role.OWNER) as session:
                backups.make_roles(session)
                url = settings().require_database_url()
                path = postgres_programs.program("pg_restore", backups.server_version(session), url)
            how = ["--no-owner", "--exit-on-error", f"--jobs={jobs}", str(dump)]
            postgres_programs.run(path, settings().require_database_url(), how)
            if change_mode:
                _take_over()
            migrations.migrate()
            _begin_timeline()
    except BaseException:
        _maintain("DROP DATABASE {} WITH (FORCE)", name)
        raise


def _take_over() -> None:
    with db.transaction(db.Role.OWNER) as session:
        ownership.take(session, over=True)


def _begin_timeline() -> None:
    with db.transaction() as session:
        if not ownership.holds_secret(session):
            raise Conflict(
                "The backup was made under another secret key, with which nothing could be matched or unsealed:"
                f" put the right key into {settings().secret_path()} or MDM_SECRET_KEY",
                code="wrong_secret_key",
            )
        made = backups.begin_timeline(session, "restored from a backup")
        audit.record(session, WHO.actor, "database.restored", "timeline", str(made), detail={"mode": settings().mode})


def _swap(draft: str, target: str) -> str:
    """Put the database in the place of the service's; the name under which that one is kept."""
    kept = f"{target}_before_{clock.now():%Y%m%d%H%M%S}"
    _refuse_users(target)
    _maintain("ALTER DATABASE {} RENAME TO {}", target, kept)
    _maintain("ALTER DATABASE {} RENAME TO {}", draft, target)
    # Before anything is sealed on, for up to here the log is that of before. In the service's own database alone: in a drill's it
    # would excuse whoever cut off the real log.
    with db.transaction() as session:
        audit_sealing.checkpoint(session, begins=True)
        audit_files.keep_outside(session, audit_files.checkpoint_file())
    return kept


def _refuse_users(target: str) -> None:
    db.dispose()
    with _connected_to(MAINTENANCE), db.read_only(db.Role.OWNER) as session:
        users = backups.users_of(session, target)
    if users:
        said = f"{counted(users, 'connection')} to {target}: stop the service and whoever else uses it"
        raise Conflict(said, code="in_use")


@contextmanager
def _connected_to(name: str) -> Iterator[None]:
    """Use another database of the same server for the length of the block."""
    before = settings()
    url = urlsplit(before.require_database_url())._replace(path=f"/{name}")
    db.dispose()
    configure(before.model_copy(update={"database_url": urlunsplit(url)}))
    try:
        yield
    finally:
        db.dispose()
        configure(before)


def _maintain(statement: LiteralString, *names: str) -> None:
    url = settings().require_database_url()
    with psycopg.connect(url, dbname=MAINTENANCE, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _name_of(url: str) -> str:
    return str(conninfo_to_dict(url).get("dbname") or MAINTENANCE)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
