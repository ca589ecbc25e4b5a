"""`mdm demo` and `mdm simulate` as their user runs them: real servers, real API, real workers, in a folder of their own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.demo_commands import _demo_settings
from cli.demo_place import MARK, own_folder
from cli.main import build
from cli.supervisor import forget
from kernel import db
from kernel.errors import MdmError
from kernel.settings import configure, settings
from mdm import policy, sql
from stewardship import access_alerts

UP = "Ctrl-C stops everything"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo data")


def environment_of(folder: Path) -> dict[str, str]:
    """Nothing of this machine's own settings; any port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MDM_", "DATABASE_", "REDIS_"))}
    return kept | {"MDM_DATA_DIR": str(folder), "MDM_PORT": "0", "COLUMNS": "140", "MDM_WORKERS": "1"}


@pytest.fixture(scope="module")
def shown(demo_data: Path) -> str:
    """What a small demo prints, once for all tests of this file; the path has a space, the port is any."""
    environment = environment_of(demo_data)
    command = [sys.executable, "-m", "cli.main", "demo", "--no-febrl", "--customers", "60"]
    log = demo_data / "said.txt"
    with log.open("wb") as out:
        running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 240
        while UP not in log.read_text(encoding="utf-8"):
            assert running.poll() is None, log.read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
        return log.read_text(encoding="utf-8")
    finally:
        running.kill()
        forget(demo_data / "demo")


def test_the_demo_tells_what_became_of_the_records(shown: str) -> None:
    sent = int(re.search(r"(\d+) from 11 channels", shown).group(1))
    golden, customers = map(int, re.search(r"(\d+) for (\d+) true customers", shown).groups())
    assert f"{sent} created" in shown
    assert customers == 60
    assert customers <= golden < sent


def test_the_demo_measures_itself_against_the_truth(shown: str) -> None:
    precision, recall = map(float, re.search(r"pairs of records\D+([\d.]+)\D+([\d.]+)", shown).groups())
    assert precision > 0.9
    assert recall > 0.2


def test_the_demo_hands_over_a_working_lookup(shown: str) -> None:
    assert re.search(r"export MDM_KEY=mdm_live_", shown)
    assert re.search(r'curl -s http://127\.0\.0\.1:\d+/v1/lookup -H "Authorization: Bearer \$MDM_KEY"', shown)
    assert re.search(r"mdm'? verify", shown)
    assert "Once the" in shown
    answer = json.loads(re.search(r"It answers:\n(\{.*?\n\})", shown, re.DOTALL).group(1))
    assert answer["result"] == "found"
    assert answer["view"]["display_name"]


def test_the_demo_tells_a_story_of_two_golden_ids(shown: str) -> None:
    story = " ".join(shown.split())
    elder, younger = re.search(r"- (…[0-9a-f]{6}) .*? and (…[0-9a-f]{6}) .*? are asked about", story).groups()
    assert re.search(r"Why it is asked: [+-]\d+\.\d bits", story)
    assert f"The retired id {younger} goes on answering: merged, and leads to {elder}." in story
    assert f"{elder} and {younger} both live again, with the same records and values." in story


def test_the_demo_leaves_nothing_running(shown: str, demo_data: Path) -> None:
    assert "stopping" in shown
    assert not (demo_data / "demo" / "services.json").exists()


def test_one_customers_life_is_told_from_nothing_to_erasure(tmp_path: Path) -> None:
    """Every sentence is an answer of the service: the story breaks off with an error where one is not as promised."""
    command = [sys.executable, "-m", "cli.main", "demo", "--story"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment_of(tmp_path), capture_output=True, text=True, timeout=240, check=False
        )
    finally:
        forget(tmp_path / "demo")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told = " ".join(done.stdout.split())
    for sentence in (
        "Without a key it answers 401; with the till's key a record is not let in either: 403.",
        "the same golden id, without anybody's help.",
        "The subscriber hears `golden.merged`",
        "At the till her e-mail finds her: Nadia Flynn",
        "May a campaign write to her? allowed: given",
        "The next check says denied: withdrawn",
        "Her golden id answers 410 for ever",
        "422, `erased_person`: she stays erased.",
    ):
        assert sentence in told


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "precious").write_text("data", encoding="utf-8")
    with pytest.raises(MdmError, match="not a demo's folder"):
        own_folder(tmp_path, keep=False)
    assert (tmp_path / "demo" / "precious").read_text(encoding="utf-8") == "data"


def test_a_demo_begins_empty(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, keep=False)
    assert (folder / MARK).exists()
    assert own_folder(tmp_path, keep=False) == folder
    forget(folder)


def test_a_demo_begins_without_what_the_last_one_erased_and_exported(tmp_path: Path) -> None:
    """The story ends with an erasure, whose ledger is kept outside of the database."""
    folder = own_folder(tmp_path, keep=False)
    kept = [folder / "erasures.ndjson", folder / "audit" / "checkpoints.ndjson", folder / "exports" / "1.csv"]
    for one in kept:
        one.parent.mkdir(exist_ok=True)
        one.write_text("of the last one", encoding="utf-8")
    own_folder(tmp_path, keep=True)
    assert all(one.exists() for one in kept)
    own_folder(tmp_path, keep=False)
    assert not any(one.exists() for one in kept)
    assert (folder / MARK).exists()
    forget(folder)


def test_a_demo_writes_into_no_ledger_of_somebody_elses(tmp_path: Path) -> None:
    before = settings()
    theirs = {"erasure_ledger": tmp_path / "erasures.ndjson", "audit_checkpoints": tmp_path / "checkpoints.ndjson"}
    configure(before.model_copy(update=theirs))
    chosen = _demo_settings(tmp_path / "demo")
    configure(before)
    assert (chosen.erasure_ledger, chosen.audit_checkpoints) == (None, None)


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
def test_simulate_writes_the_retailer_with_its_policy(tmp_path: Path, form: str) -> None:
    arguments = ["simulate", "--customers", "120", "--seed", "3", "--out", str(tmp_path), "--format", form]
    done = CliRunner().invoke(build(arguments), arguments)
    assert done.exit_code == 0, done.output
    rules = policy.load(tmp_path / "policy.yaml")
    assert {path.stem for path in tmp_path.glob(f"*.{form}")} - {"labelled"} == {*rules.sources, "truth", "pairs"}
    assert sum(1 for _ in (tmp_path / "labelled.ndjson").open(encoding="utf-8")) > 120


@pytest.mark.parametrize("wrong", [["--profile", "spotless"], ["--format", "xlsx"]])
def test_simulate_refuses_what_it_does_not_know(tmp_path: Path, wrong: list[str]) -> None:
    arguments = ["simulate", "--out", str(tmp_path), *wrong]
    done = CliRunner().invoke(build(arguments), arguments)
    assert done.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_simulate_refuses_a_used_folder_and_names_the_remedy(tmp_path: Path) -> None:
    arguments = ["simulate", "--customers", "20", "--out", str(tmp_path)]
    assert CliRunner().invoke(build(arguments), arguments).exit_code == 0
    before = (tmp_path / "truth.ndjson").read_bytes()
    for other in ("ndjson", "csv"):
        again = CliRunner().invoke(build(arguments), [*arguments, "--seed", "9", "--format", other])
        assert isinstance(again.exception, MdmError)
        assert "another folder with --out, or add --force" in str(again.exception)
    assert (tmp_path / "truth.ndjson").read_bytes() == before
    assert not list(tmp_path.glob("*.csv"))


def test_simulate_with_force_replaces_the_earlier_retailer_only(tmp_path: Path) -> None:
    arguments = ["simulate", "--customers", "20", "--out", str(tmp_path)]
    assert CliRunner().invoke(build(arguments), arguments).exit_code == 0
    (tmp_path / "own.csv").write_text("mine", encoding="utf-8")
    done = CliRunner().invoke(build(arguments), [*arguments, "--format", "csv", "--force"])
    assert done.exit_code == 0, done.output
    assert [path.name for path in tmp_path.glob("*.ndjson")] == ["labelled.ndjson"]
    assert (tmp_path / "own.csv").read_text(encoding="utf-8") == "mine"


def test_simulate_with_force_spares_what_it_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "pos.ndjson").write_text("a till's own export", encoding="utf-8")
    arguments = ["simulate", "--customers", "20", "--out", str(tmp_path), "--force"]
    done = CliRunner().invoke(build(arguments), arguments)
    assert isinstance(done.exception, MdmError)
    assert "move those files away" in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["pos.ndjson"]


def test_what_the_demo_itself_reads_and_merges_is_nothing_unusual(database: str, tmp_path: Path) -> None:
    """It asks for every record once, and each is counted."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with db.transaction() as session:
        for what in ("reads", "all_merges"):
            sql.run(session, "INSERT INTO access_hour VALUES (%s, 'key:demo', %s, 4800)", [what, hour])
    before = settings()
    told = []
    for chosen in (_demo_settings(tmp_path, 4_800), _demo_settings(tmp_path)):
        configure(chosen.model_copy(update={"database_url": before.database_url, "redis_url": before.redis_url}))
        with db.transaction() as session:
            told.append(access_alerts.run(session))
    configure(before)
    assert told == [0, 2]
