"""Image and compose file: what they copy, run and set exists; nothing runs as root or writes where it need not."""

import re
import shlex
from typing import Any

import pytest
import yaml

from cli.main import MODULES
from kernel.settings import Settings

from ..architecture.source_tree import PACKAGES, ROOT

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "customer-master"}
UNCHECKED = {"prepare"}  # It ends by itself.
STANDING = {"relay", "sequencer", "dispatcher", "sealer", "sweeper", "metrics", "public"}


def known_names() -> set[str]:
    """Every name of the environment that the service reads."""
    names = {f"MDM_{name.upper()}" for name in Settings.model_fields}
    aliases = [field.validation_alias for field in Settings.model_fields.values() if field.validation_alias]
    return names | {str(choice) for alias in aliases for choice in getattr(alias, "choices", ())}


def instructions(kind: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return re.findall(rf"^{kind} (.*)$", joined, re.MULTILINE)


def command_of(service: dict[str, Any]) -> list[str]:
    return [*service.get("entrypoint", ["mdm"]), *service.get("command", [])]


def test_all_that_the_image_copies_exists_and_nothing_is_left_out() -> None:
    copied = {path for line in instructions("COPY") if not line.startswith("--from") for path in line.split()[:-1]}
    assert sorted(path for path in copied if not (ROOT / path).exists()) == []
    assert {*PACKAGES, "alembic"} - copied <= {"bench", "soak", "tests"}


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret() -> None:
    last = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER [1-9]\d+$", last, re.MULTILINE)
    assert DOCKERFILE.count("\nFROM ") == 2
    assert not re.search(r"(?i)(password|secret_key|token)\s*=", DOCKERFILE)


def test_nothing_is_fetched_that_the_lock_does_not_name() -> None:
    """Whatever pip installs has its hash in the lock; our own package is built by what is there, not by what is fetched."""
    installs = re.findall(r"pip install ([^&\n]*)", re.sub(r"\\\n\s*", " ", DOCKERFILE))
    ours = [one for one in installs if "--editable ." in one]
    assert len(installs) > len(ours) == 1
    assert all("--require-hashes" in one for one in installs if one not in ours)
    assert "--no-deps --no-build-isolation" in ours[0]


@pytest.mark.parametrize("name", OURS)
def test_every_command_exists(name: str) -> None:
    command = command_of(OURS[name])
    if command[0] == "mdm":
        assert command[1] in {one for names in MODULES.values() for one in names}
    elif command[0] == "python":
        assert command[1] == "-m"
        assert (ROOT / (command[2].replace(".", "/") + ".py")).exists()
    else:
        assert command[:5] == ["celery", "--quiet", "-A", "workers.app", "worker"]
    assert ("healthcheck" in OURS[name]) == (name not in UNCHECKED)
    for check in [OURS[name]["healthcheck"]["test"]] if "healthcheck" in OURS[name] else []:
        assert check[:4] == ["CMD", "python", "-m", "cli.health"]
        assert check[4] == name


def test_every_name_of_the_environment_is_read() -> None:
    set_here = {name for one in OURS.values() for name in one["environment"]}
    set_there = {name for line in instructions("ENV") for name in re.findall(r"(\w+)=", line)}
    mine = {name for name in set_here | set_there if name.startswith("MDM_") or name.endswith("_URL")}
    assert mine - known_names() == set()
    assert {"DATABASE_URL", "REDIS_URL", "MDM_SECRET_KEY_FILE"} <= set_here


@pytest.mark.parametrize("name", OURS)
def test_nothing_of_ours_may_do_more_than_it_must(name: str) -> None:
    one = OURS[name]
    assert (one["read_only"], one["cap_drop"], one["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert "MDM_SECRET_KEY" not in one["environment"]
    assert all(port.startswith("127.0.0.1:") for port in one.get("ports", []))


def test_all_processes_of_the_supervisor_run_in_containers_as_well() -> None:
    text = (ROOT / "cli" / "supervisor.py").read_text(encoding="utf-8")
    started = set(re.findall(r'children\.start\("(\w+)"', text))
    assert started == {*STANDING, "worker", "urgent"}
    assert started | {"api", "prepare"} == set(OURS)


def test_what_must_be_there_first_is_waited_for() -> None:
    for name, one in OURS.items():
        for needed, how in one["depends_on"].items():
            is_checked = "healthcheck" in COMPOSE["services"][needed]
            assert how["condition"] == ("service_healthy" if is_checked else "service_completed_successfully"), name


def test_the_servers_are_those_that_are_supported_and_keep_their_data() -> None:
    servers = {name: COMPOSE["services"][name] for name in ("postgres", "valkey")}
    assert servers["postgres"]["image"].startswith("postgres:18-")
    assert servers["valkey"]["image"].startswith("valkey/valkey:9-")
    assert "noeviction" in shlex.join(servers["valkey"]["command"])
    mounted = {volume.partition(":")[0] for one in COMPOSE["services"].values() for volume in one.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"])


def test_the_image_installs_what_the_lock_of_the_tests_says() -> None:
    def pinned(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==[^\s;]+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))

    runtime = pinned("runtime.txt")
    assert runtime
    assert (runtime | pinned("build.txt")) - pinned("dev.txt") == set()
    assert not any(one.startswith(("pytest", "mypy", "hypothesis", "ruff")) for one in runtime)
