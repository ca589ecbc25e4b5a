"""`mdm policy` and `mdm source`: what changes is said, what would be lost is refused, sources fit on a terminal."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import approval_commands, policy_commands
from kernel import approvals
from kernel.db import read_only, transaction
from kernel.errors import Conflict
from matching.calibration import Kind, WeighedPair, count_weights
from matching.model import default_model
from mdm import adoptions, policy, sql, versions
from mdm.documents import DocumentError

from .. import resolution as master
from ..resolution import MARIA, POLICY, query

TWO = """
sources:
  shop: {channel_kind: ecommerce, brand: main, owner: web, fresh_within: 7d}
  pos: {channel_kind: pos, brand: main, stage: review}
"""


@pytest.fixture
def app(database: object) -> typer.Typer:
    made = typer.Typer()
    policy_commands.register(made)
    return made


def run(app: typer.Typer, *arguments: object, width: int = 200) -> Result:
    policy_commands.console.width = width  # A console keeps the width that it was made with.
    return CliRunner().invoke(app, [str(one) for one in arguments])


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_apply_lets_a_policy_rule_and_names_each_source_with_its_stage(app: typer.Typer, tmp_path: Path) -> None:
    said = run(app, "policy", "apply", written(tmp_path, TWO)).output
    assert "shop  live    ecommerce" in said
    assert "pos   review  pos" in said
    with read_only() as session:
        assert set(policy.current(session).sources) == {"shop", "pos"}
        assert sql.rows(session, "SELECT count(*) FROM version_set WHERE is_current")[0][0] == 1


def test_apply_says_what_changes(app: typer.Typer, tmp_path: Path) -> None:
    run(app, "policy", "apply", written(tmp_path, TWO))
    said = run(
        app, "policy", "apply", written(tmp_path, TWO.replace("pos:", "till:").replace("owner: web", "stage: shadow"))
    ).output
    assert [line for line in said.splitlines() if line[0] in "+-~"] == [
        "~ source shop  (owner, stage live → shadow)", "+ source till  (review)", "- source pos",
    ]  # fmt: skip
    assert "says what the policy in force says" in run(app, "policy", "apply", tmp_path / "p.yaml").output


def test_apply_refuses_to_lose_a_source_that_has_records(app: typer.Typer, tmp_path: Path) -> None:
    made = master.start()
    made.put("shop", "1", MARIA)
    made.drain()
    file = written(tmp_path, "sources:\n  crm: {channel_kind: crm, brand: main}\n")
    refused = run(app, "policy", "apply", file)
    assert isinstance(refused.exception, Conflict)
    assert "the source shop would go: its 1 record leaves" in refused.exception.detail
    with read_only() as session:
        assert "shop" in policy.current(session).sources
    assert "1 record is to be resolved under it by the workers" in run(app, "policy", "apply", file, "--yes").output


def test_apply_says_what_is_left_and_waits_for_it_when_asked(app: typer.Typer, tmp_path: Path) -> None:
    made = master.start()
    made.put("shop", "1", MARIA)
    made.drain()
    file = written(tmp_path, POLICY.replace("trust: 0.9", "trust: 0.8"))

    def work() -> None:
        while not query("SELECT 1 FROM job WHERE kind = 'adoption'"):
            time.sleep(0.05)
        made.drain()
        with transaction() as session:
            adoptions.watch(session)

    worker = threading.Thread(target=work)
    worker.start()
    said = run(app, "policy", "apply", file, "--wait").output
    worker.join()
    ((job_id, state),) = query("SELECT job_id, state FROM job")
    assert state == "finished"
    assert f"jobs show {job_id}" in said
    assert "to be resolved" not in run(app, "policy", "apply", file).output


def test_show_gives_the_document_of_any_version(app: typer.Typer, tmp_path: Path) -> None:
    with transaction() as session:
        first = policy.store(session, policy.parse(TWO), "test")
    run(app, "policy", "apply", written(tmp_path, TWO.replace("owner: web", "owner: other")))
    assert "owner: other" in run(app, "policy", "show").output
    assert "owner: web" in run(app, "policy", "show", "--version", first.version).output


def test_the_list_of_sources_fits_on_a_narrow_terminal(app: typer.Typer, tmp_path: Path) -> None:
    long = "marketplace_of_the_acquired_brand"
    run(app, "policy", "apply", written(tmp_path, TWO.replace("shop:", f"{long}:")))
    narrow = run(app, "source", "list", width=80).output
    assert long in narrow
    assert "owner" not in narrow
    assert max(map(len, narrow.splitlines())) <= 80
    wide = run(app, "source", "list").output
    assert all(word in wide for word in ("owner", "web", "main", "never"))
    assert "stale" not in wide


def test_check_needs_no_database(tmp_path: Path) -> None:
    made = typer.Typer()
    policy_commands.register(made)
    assert "2 sources, no fault" in run(made, "policy", "check", written(tmp_path, TWO)).output
    assert run(made, "policy", "check", written(tmp_path, TWO.replace("brand: main", "brand: 'a,b'"))).exit_code == 1


ASKING = "matching: {false_merge_rate: 1.0e-5, reviews_per_day: 20, records_per_day: 100}\n"


def test_check_tells_the_lines_that_are_asked_for(app: typer.Typer, tmp_path: Path) -> None:
    """Under a model that knows how its candidates weigh: 50 that merge, 9 questions of 200 records, 4.5 of 100 a day."""
    pairs = [WeighedPair(n, 300 + n, Kind.MERGEABLE, 25.0) for n in range(50)]
    pairs += [WeighedPair(n, 300 + n, Kind.MERGEABLE, 12.0) for n in range(100, 109)]
    counted = count_weights(200, pairs).as_json()
    knowing = replace(default_model(), report={"records": 200, "weights": counted}, fingerprint="")
    with transaction() as session:
        policy.store(session, policy.parse(TWO), "test")
        versions.adopt(session, model=knowing)
    said = run(app, "policy", "check", written(tmp_path, TWO + ASKING)).output
    assert "guard +0.0, merge +17.0 bits" in said
    assert "50 pairs merged without a human" in said
    assert "9 questions for a human (9 pairs) at most; 4.5 expected a day, 20 are settled: the backlog is gone in 1 days" in said
    fewer = run(app, "policy", "check", written(tmp_path, TWO + ASKING.replace("20,", "1,"))).output
    assert "the budget of reviews moved the guard line to +12.5: 9 pairs more left apart unasked" in fewer


@pytest.mark.parametrize("wrong", ["false_merge_rate: 0", "false_merge_rate: 0.5", "reviews_per_day: -1", "records_per_day: 0"])
def test_what_no_line_could_mean_is_a_fault_of_the_document(app: typer.Typer, tmp_path: Path, wrong: str) -> None:
    found = run(app, "policy", "check", written(tmp_path, TWO + f"matching: {{{wrong}}}\n")).exception
    assert isinstance(found, DocumentError)
    assert wrong.partition(":")[0] in str(found)


def test_apply_says_that_what_is_asked_of_matching_changes(app: typer.Typer, tmp_path: Path) -> None:
    run(app, "policy", "apply", written(tmp_path, TWO))
    assert "~ matching" in run(app, "policy", "apply", written(tmp_path, TWO + ASKING)).output


def test_a_policy_by_which_much_is_resolved_again_takes_two_persons(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(app, "policy", "apply", written(tmp_path, TWO + "four_eyes: {policy_records: 1}\n"))
    put_two()
    loose = written(tmp_path, TWO)

    unsaid = run(app, "policy", "apply", loose)
    assert isinstance(unsaid.exception, Conflict)
    assert unsaid.exception.code == "policy_loses"
    refused = run(app, "policy", "apply", loose, "--yes")
    assert isinstance(refused.exception, Conflict)
    assert refused.exception.code == "second_person_needed"
    with read_only() as session:
        (proposal,) = approvals.listed(session)
        assert (proposal.kind, proposal.about["records"], policy.current(session).version) == ("policy", 2, 1)

    monkeypatch.setattr("getpass.getuser", lambda: "somebody-else")
    approval_commands.register(app)
    assert run(app, "approvals", "approve", proposal.approval_id, "--reason", "Looked at.").exit_code == 0
    monkeypatch.undo()
    assert run(app, "policy", "apply", loose, "--yes").exit_code == 0
    with read_only() as session:
        assert policy.current(session).version == 2


def test_the_policy_that_rules_already_takes_nobody(app: typer.Typer, tmp_path: Path) -> None:
    text = TWO + "four_eyes: {policy_records: 0}\n"
    run(app, "policy", "apply", written(tmp_path, text))
    put_two()
    assert run(app, "policy", "apply", written(tmp_path, "# Said better.\n" + text)).exit_code == 0


def put_two() -> None:
    with read_only() as session:
        ruling = policy.current(session)
    for key in ("1", "2"):
        master.Master(ruling).put("pos", key, MARIA)
