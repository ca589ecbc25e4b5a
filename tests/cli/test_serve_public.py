"""The pages for customers as a process of their own: off unless a port is set, and with no route of the API."""

import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from cli.server_process import free_port
from kernel.settings import Settings, settings

from ..workers.processes import wait_until

SECONDS = 30.0


def status(url: str) -> int:
    """The status that an address answers, 0 for none."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


@pytest.mark.usefixtures("database")
def test_it_serves_its_pages_alone_and_ends_when_told() -> None:
    port = free_port()
    environment = settings().model_copy(update={"public_port": port}).child_environment()
    asked = [sys.executable, "-m", "cli.health", "public"]
    process = subprocess.Popen([sys.executable, "-m", "cli.serve_public"], env=environment)
    try:
        wait_until(lambda: status(f"http://127.0.0.1:{port}/live") == 200)
        assert subprocess.run(asked, env=environment, timeout=SECONDS, check=False).returncode == 0
        for path in ("v1/golden/x", "v1/lookup", "console", "docs", "openapi.json", "unsubscribe/none"):
            assert status(f"http://127.0.0.1:{port}/{path}") == 404
    finally:
        process.terminate()
    assert process.wait(SECONDS) in {0, -15}
    assert subprocess.run(asked, env=environment, timeout=SECONDS, check=False).returncode == 1


def test_it_is_off_until_a_port_is_set() -> None:
    assert Settings.model_fields["public_port"].default is None
    environment = settings().child_environment()
    environment.pop("MDM_PUBLIC_PORT", None)
    command = [sys.executable, "-m", "cli.serve_public"]
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=SECONDS, check=False)
    assert ended.returncode != 0
    assert b"MDM_PUBLIC_PORT" in ended.stderr
