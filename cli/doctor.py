"""Looks at one installation: versions, ports, disk, migrations, queue, clock, secret; and says how to mend what it finds.

Only looks: it starts nothing, changes nothing, and goes on when something is away.
"""

import importlib.metadata
import platform
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from typing import Any

import redis

from cli import migrations, own_address
from cli.failures import unreachable
from cli.findings import Finding, State
from cli.forecast_report import outgrown
from cli.privacy_findings import privacy
from cli.services import check_folder, is_running
from cli.unusual_findings import access, drift
from cli.words import counted
from kernel import clock, db
from kernel.errors import MdmError
from kernel.settings import Settings
from mdm import candidates, database_server, ownership, pending, program, quality_breaches, records, renewal, versions
from webhooks import endpoints

OLDEST_POSTGRES = 150_000
OLDEST_BROKER = 7
LARGEST_SKEW_SECONDS = 2.0
SMALLEST_FREE_BYTES = 1_000_000_000
STALE_QUEUE_SECONDS = 300.0


PYTHON, PACKAGES, DISK, SECRET_KEY, PORT = "python", "packages", "disk", "secret key", "port"
DATABASE, MODE, BROKER, MIGRATIONS = "database", "mode", "broker", "migrations"
SECRET, MODEL = "secret of the data", "model"
CLOCK, CONNECTIONS, QUEUE, QUARANTINE, REACH = "clock", "connections", "queue", "quarantine", "reach"
RENEWAL, QUALITY, WEBHOOKS, PRIVACY, ACCESS, DRIFT = "renewal", "quality", "webhooks", "privacy", "access", "drift"


def examine(chosen: Settings) -> Iterator[Finding]:
    """Look at everything, the ground first. A look that fails is a finding like any other."""
    for name, look in GROUND.items():
        yield _looked(name, look, chosen)
    database = _looked(DATABASE, _database, chosen)
    yield database
    yield _looked(BROKER, _broker, chosen)
    if chosen.database_url is None:
        if chosen.redis_url is None and not _answers(chosen):
            yield Finding(State.ODD, "service", "nothing runs here", "mdm up")
        return
    kind = _looked(MODE, _mode, chosen)
    if database.state is not State.BAD:
        yield kind
    if State.BAD in {database.state, kind.state}:
        yield Finding(State.ODD, "not looked at", f"{', '.join(INSIDE)}: they are in the database")
        return
    for name, look in INSIDE.items():
        yield _looked(name, look, chosen)


def _looked(name: str, look: Callable[[Settings], Finding], chosen: Settings) -> Finding:
    try:
        return look(chosen)
    except MdmError as error:
        return Finding(State.BAD, name, error.detail)
    except db.UNAVAILABLE as error:
        return Finding(State.BAD, name, *unreachable(error))
    except OSError as error:
        return Finding(State.BAD, name, f"{error.filename or 'it'}: {error.strerror}", "let this user read and write it")
    except Exception as error:  # noqa: BLE001 - the doctor reports what it cannot foresee; the text may hold values.
        return Finding(State.BAD, name, f"could not be looked at ({type(error).__name__})")


def _python(_: Settings) -> Finding:
    seen = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    good = sys.version_info >= (3, 11)
    return Finding(
        State.GOOD if good else State.BAD, PYTHON, seen, "" if good else "Python 3.11 or newer is needed: make install"
    )


def _packages(_: Settings) -> Finding:
    names = ("customer-master", "splink", "duckdb", "fastapi", "celery", "sqlalchemy", "psycopg")
    seen = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return Finding(State.GOOD, PACKAGES, seen)


def _disk(chosen: Settings) -> Finding:
    check_folder(chosen.data_dir)
    folder = next(path for path in (chosen.data_dir, *chosen.data_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    seen = f"{free / 1e9:.1f} GB free for {chosen.data_dir}"
    if free < SMALLEST_FREE_BYTES:
        return Finding(State.BAD, DISK, seen, "make room, or move the data: MDM_DATA_DIR")
    return Finding(State.GOOD, DISK, seen)


def _secret_file(chosen: Settings) -> Finding:
    path = chosen.secret_path()
    if chosen.secret_key is not None:
        return Finding(State.GOOD, SECRET_KEY, "given by MDM_SECRET_KEY")
    if not path.exists():
        return Finding(
            State.ODD, SECRET_KEY, f"not made yet: {path}", "the first 'mdm up' makes it; then keep a copy in a safe place"
        )
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding(State.BAD, SECRET_KEY, f"{path} can be read by others ({mode:o})", f"chmod 600 {path}")
    return Finding(State.GOOD, SECRET_KEY, f"{path}; without a copy of it a backup of the database is worth nothing")


def _port(chosen: Settings) -> Finding:
    where = f"{chosen.host}:{chosen.port}"
    if chosen.port == 0:
        return Finding(State.GOOD, PORT, "any free one")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.host, chosen.port))
        except OSError:
            return _who_listens(chosen, where)
    return Finding(State.GOOD, PORT, f"{where} is free (the service does not run)")


def _who_listens(chosen: Settings, where: str) -> Finding:
    is_up = is_running(chosen.data_dir, "up")
    if _answers(chosen):
        return (
            Finding(State.GOOD, PORT, f"the service answers at {where}") if _is_ours(chosen, is_up) else _another(chosen, where)
        )
    if is_up:
        return Finding(
            State.ODD, PORT, f"the service holds {where} but does not answer yet", "if this lasts, see what 'mdm up' says"
        )
    return Finding(State.BAD, PORT, f"{where} is used by another program", "choose another with MDM_PORT, or 0 for any")


def _answers(chosen: Settings) -> bool:
    if chosen.port == 0:
        return False
    try:
        own_address.ask(chosen, f"{own_address.base(chosen, chosen.port)}/live", 2)
    except OSError:
        return False
    return True


def _is_ours(chosen: Settings, is_up: bool) -> bool:
    """With a configured database the service may well run elsewhere; an embedded one belongs to its folder."""
    return is_up or chosen.database_url is not None


def _another(chosen: Settings, where: str) -> Finding:
    seen = f"a service answers at {where}, but not the one of {chosen.data_dir}"
    demo = chosen.data_dir / "demo"
    if is_running(demo, "up"):
        return Finding(State.ODD, PORT, f"{seen}: it is the demo", f"to look at the demo: MDM_DATA_DIR={demo} mdm doctor")
    return Finding(State.ODD, PORT, seen, "set MDM_DATA_DIR to its folder, or MDM_PORT to another port for yours")


def _database(chosen: Settings) -> Finding:
    if chosen.database_url is None:
        return Finding(State.ODD, DATABASE, "none configured, and none is running here", "mdm up, or set DATABASE_URL")
    with db.read_only(db.Role.OWNER) as session:
        found = database_server.server(session)
    if found.version_number < OLDEST_POSTGRES:
        return Finding(State.BAD, DATABASE, f"PostgreSQL {found.version}", "PostgreSQL 15 or newer is needed")
    return Finding(State.GOOD, DATABASE, f"PostgreSQL {found.version}")


def _mode(chosen: Settings) -> Finding:
    with db.read_only(db.Role.OWNER) as session:
        held = ownership.mode(session)
    if held in {None, chosen.mode}:
        return Finding(State.GOOD, MODE, f"a {chosen.mode} service" + ("" if held else ", which the next mdm migrate notes"))
    seen = f"a database of a {held} service, and MDM_MODE={chosen.mode}"
    return Finding(State.BAD, MODE, seen, f"correct DATABASE_URL, or set MDM_MODE={held}")


def _broker(chosen: Settings) -> Finding:
    if chosen.redis_url is None:
        return Finding(State.ODD, BROKER, "none configured, and none is running here", "mdm up, or set REDIS_URL")
    with redis.Redis.from_url(chosen.redis_url, socket_connect_timeout=3) as client:
        try:
            about: Any = client.info()
        except redis.RedisError as error:
            return Finding(State.BAD, BROKER, f"does not answer ({type(error).__name__})", "start it, or correct REDIS_URL")
    version = str(about.get("valkey_version") or about["redis_version"])
    seen = f"{'Valkey' if 'valkey_version' in about else 'Redis'} {version}"
    if int(version.partition(".")[0]) < OLDEST_BROKER:
        return Finding(State.BAD, BROKER, seen, "Redis or Valkey 7 or newer is needed")
    if about.get("maxmemory_policy", "noeviction") != "noeviction":
        return Finding(State.ODD, BROKER, f"{seen} evicts ({about['maxmemory_policy']})", "set maxmemory-policy to noeviction")
    return Finding(State.GOOD, BROKER, seen)


def _migrations(_: Settings) -> Finding:
    current, newest = migrations.current_revision(), migrations.newest_revision()
    if current == newest:
        return Finding(State.GOOD, MIGRATIONS, f"schema at {current}")
    return Finding(State.BAD, MIGRATIONS, f"schema at {current or 'nothing'}, this program wants {newest}", "mdm migrate")


def _secret(_: Settings) -> Finding:
    with db.read_only() as session:
        same = ownership.holds_secret(session)
    if same:
        return Finding(State.GOOD, SECRET, "the configured one")
    mend = "put back the secret key with which the data was stored; until then change nothing"
    return Finding(State.BAD, SECRET, "another than the configured one", mend)


def _model(_: Settings) -> Finding:
    with db.read_only() as session:
        found, stored = versions.stored(session), records.living(session)
    if found is None:
        return Finding(State.GOOD, MODEL, "the shipped one, at first use")
    seen = f"{found.model.name} ({found.model.fingerprint})"
    told = outgrown(found.model, stored)
    return Finding(State.ODD, MODEL, f"{seen}: {told}", "mdm train --use") if told else Finding(State.GOOD, MODEL, seen)


def _clock(_: Settings) -> Finding:
    before = clock.now()
    with db.read_only() as session:
        theirs, after = database_server.server(session).now, clock.now()
    skew = (
        0.0 if before <= theirs <= after else min(abs((theirs - before).total_seconds()), abs((theirs - after).total_seconds()))
    )
    seen = f"{skew:.1f} s apart from the database's"
    if skew > LARGEST_SKEW_SECONDS:
        return Finding(State.BAD, CLOCK, seen, "let both machines follow a time server (timedatectl set-ntp true)")
    return Finding(State.GOOD, CLOCK, seen)


def _connections(_: Settings) -> Finding:
    with db.read_only(db.Role.OWNER) as session:
        found = database_server.server(session)
    seen = f"{found.connections} of {found.most_connections} in use"
    if found.connections > 0.9 * found.most_connections:
        return Finding(State.ODD, CONNECTIONS, seen, "raise max_connections, or lower MDM_DB_POOL_SIZE")
    return Finding(State.GOOD, CONNECTIONS, seen)


def _queue(_: Settings) -> Finding:
    with db.read_only() as session:
        owed = pending.backlog(session)
    seen = (
        f"{counted(owed.open, 'record')} pending, the oldest for {owed.oldest_seconds:.0f} s" if owed.open else "nothing pending"
    )
    if owed.open and owed.oldest_seconds > STALE_QUEUE_SECONDS:
        return Finding(
            State.ODD, QUEUE, seen, "are the workers, the relay and the sweeper running? mdm up; else see the worker's log"
        )
    if owed.held:
        on_hold = f"{seen}; {counted(owed.held, 'record waits', 'records wait')} for automatic merging to go on"
        return Finding(State.ODD, QUEUE, on_hold, "mdm merging says why it is on hold; mdm merging resume HOLD")
    return Finding(State.GOOD, QUEUE, seen)


def _renewal(_: Settings) -> Finding:
    with db.read_only() as session:
        found = versions.stored(session)
        stale = renewal.stale(session, found.policy, renewal.NO_LIMIT) if found else 0
        refused = renewal.refused(session, found.policy, renewal.NO_LIMIT) if found else 0
        owed = pending.backlog(session).open
    if refused and not stale:
        seen = f"{counted(refused, 'record')} refused by the policy in force; searches may miss them"
        return Finding(
            State.ODD, RENEWAL, seen, "mdm quality SOURCE --refused says which and why: mend the mapping, or the source"
        )
    if not found or not stale:
        return Finding(State.GOOD, RENEWAL, "every record stands as this program and the policy in force read it")
    by = "standardizer {}, blocking {}".format(*program.versions())
    seen = f"{counted(stale, 'record')} not yet renewed by {by} and policy {found.policy.version}"
    if owed:
        return Finding(State.ODD, RENEWAL, f"{seen}; searches may miss them", "the workers renew what is pending: let them run")
    return Finding(
        State.ODD, RENEWAL, f"{seen}, and none is pending", "mdm reconcile renews them; mdm quarantine lists what fails"
    )


def _quality(_: Settings) -> Finding:
    with db.read_only() as session:
        below = quality_breaches.still_open(session)
    if not below:
        return Finding(State.GOOD, QUALITY, "no source is below what its policy asks")
    named = ", ".join(dict.fromkeys(one.source for one in below))
    return Finding(
        State.ODD, QUALITY, f"{counted(len(below), 'figure')} below what the policy asks: {named}", "mdm quality SOURCE"
    )


def _webhooks(_: Settings) -> Finding:
    with db.read_only() as session:
        late = [one for one in endpoints.every(session) if one.overdue_since]
    if not late:
        return Finding(State.GOOD, WEBHOOKS, "no endpoint is overdue")
    seen = f"{counted(len(late), 'endpoint')} overdue with merges, erasures or consent: {late[0].endpoint_id}"
    return Finding(State.ODD, WEBHOOKS, seen, f"mdm webhooks show {late[0].endpoint_id} says what waits; ask its owner")


def _reach(_: Settings) -> Finding:
    with db.read_only() as session:
        found = candidates.out_of_reach(session)
    parts = (
        (found.keyless, "without any usable value"),
        (found.unreachable, "whose every value too many share: found by nobody but their exact copies"),
        (found.capped, "in components cut for their size"),
        (found.partly_filed, "with more values of one kind than a record is found by"),
    )
    said = "; ".join(f"{number:,} {what}" for number, what in parts if number)
    if not said:
        return Finding(State.GOOD, REACH, "every record has candidates looked for")
    return Finding(State.ODD, REACH, f"records {said}", "declare values that are nobody's under shared_values; see the sources")


def _quarantine(_: Settings) -> Finding:
    with db.read_only() as session:
        quarantined = pending.backlog(session).quarantined
    if quarantined:
        mend = "mdm quarantine says which and why: mend the cause, then mdm quarantine --retry"
        return Finding(State.ODD, QUARANTINE, f"{counted(quarantined, 'record')} failed again and again", mend)
    return Finding(State.GOOD, QUARANTINE, "empty")


GROUND = {PYTHON: _python, PACKAGES: _packages, DISK: _disk, SECRET_KEY: _secret_file, PORT: _port}
INSIDE = {
    MIGRATIONS: _migrations,
    SECRET: _secret,
    MODEL: _model,
    CLOCK: _clock,
    CONNECTIONS: _connections,
    QUEUE: _queue,
    RENEWAL: _renewal,
    QUALITY: _quality,
    QUARANTINE: _quarantine,
    WEBHOOKS: _webhooks,
    PRIVACY: lambda _: privacy(PRIVACY),
    ACCESS: lambda _: access(ACCESS),
    DRIFT: lambda _: drift(DRIFT),
    REACH: _reach,
}
