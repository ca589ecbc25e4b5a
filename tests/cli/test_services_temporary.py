"""Servers for a test run only: gone with it, also when it was killed."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli import services
from kernel.settings import Settings, configure, settings


@pytest.fixture(autouse=True)
def _nothing_configured() -> Iterator[None]:
    before = settings()
    configure(Settings(database_url=None, redis_url=None))
    yield
    configure(before)


ABANDON = """
import os, signal
from kernel.settings import Settings, configure
from cli.services import temporary_services
configure(Settings(database_url=None, redis_url=None))
with temporary_services() as urls:
    print(urls.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_temporary_servers_of_a_killed_run_are_ended_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="mdm-test-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        _abandon_and_look()


def _abandon_and_look() -> None:
    killed = subprocess.run([sys.executable, "-c", ABANDON], capture_output=True, text=True, check=False)
    folder = Path(killed.stdout.strip())
    left = [one for one in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(one.info["cmdline"] or ())]
    assert killed.returncode == -signal.SIGKILL
    assert left
    with services.temporary_services():
        assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in left)
        assert not folder.exists()
