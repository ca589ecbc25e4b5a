"""Whatever is started against a database of the other mode ends at once and says why; the database stays as it was."""

import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from cli import doctor
from cli.findings import State
from cli.server_process import free_port
from kernel import db
from kernel.settings import settings

from ..modes import modes
from ..resolution import query
from ..workers.processes import PATIENCE_SECONDS, WORKER

MDM = [sys.executable, "-m", "cli.main"]
STARTED = {
    "up": [*MDM, "up"],
    "migrate": [*MDM, "migrate"],
    "a command": [*MDM, "tasks", "list"],
    "backup": [*MDM, "backup", "backup.mdm"],
    "api": [sys.executable, "-m", "cli.serve"],
    "public": [sys.executable, "-m", "cli.serve_public"],
    "worker": WORKER,
    "relay": [sys.executable, "-m", "workers.relay"],
    "metrics": [sys.executable, "-m", "workers.metrics"],
}


@pytest.mark.usefixtures("database", "redis_url")
@pytest.mark.parametrize("command", STARTED.values(), ids=STARTED)
def test_what_is_started_on_a_database_of_the_other_mode_ends_and_says_why(command: list[str], tmp_path: Path) -> None:
    with modes("live", "test"):
        before = query_as_it_stands()
        chosen = settings().model_copy(update={"data_dir": tmp_path, "port": free_port(), "public_port": free_port()})
        ended = subprocess.run(
            command, env=chosen.child_environment(), cwd=tmp_path, capture_output=True, text=True,
            timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        assert ended.returncode == 1
        assert "The database is of a live service, and this process is of a test one" in ended.stderr
        assert "MDM_MODE=live" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert query_as_it_stands() == before
    assert list(tmp_path.glob("*.mdm")) == []


def query_as_it_stands() -> list[tuple[object, ...]]:
    """As the owner, whom nothing refuses."""
    return query("SELECT (SELECT count(*) FROM api_key), (SELECT count(*) FROM audit), mode FROM timeline", role=db.Role.OWNER)


@pytest.mark.usefixtures("database", "redis_url")
def test_a_service_that_began_while_the_database_was_away_serves_nothing_of_the_other_mode() -> None:
    with modes("test", "live"), TestClient(create_app()) as api:
        told = api.get("/ready")
        assert (told.status_code, [one["code"] for one in told.json()["missing"]]) == (503, ["mode"])
        refused = api.get("/v1/jobs", headers={"authorization": "Bearer mdm_live_a_b_c"})
        assert refused.status_code in {401, 503}
        assert api.get("/live").status_code == 200


@pytest.mark.usefixtures("database", "redis_url")
def test_the_doctor_says_which_mode_it_is_and_looks_no_further_at_the_other() -> None:
    with modes("live", "live"):
        found = {one.what: one for one in doctor.examine(settings())}
        assert (found["mode"].state, found["mode"].seen) == (State.GOOD, "a live service")
        assert "queue" in found
    with modes("test", "live"):
        found = {one.what: one for one in doctor.examine(settings())}
        assert (found["mode"].state, "MDM_MODE=test" in found["mode"].mend) == (State.BAD, True)
        assert "queue" not in found
