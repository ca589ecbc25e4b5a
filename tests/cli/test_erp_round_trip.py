"""An ERP's partners in by file, a merge out by events, golden ids back into the file: taken in again it is the same."""

import csv
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli import import_commands
from kernel import db
from mdm import policy, published
from workers import sequencer

from ..resolution import Master, golden_of, query

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
HEADER = "id,write_date,is_company,name,email,phone,street,city,zip,country_code,parent_id,vat,x_golden_id\n"
COMPANY = "7,2026-02-11 17:20:00,True,Lee Pty Ltd,,,1 High St,Sydney,2000,AU,,AU51824753556,\n"
ANN = "41,2026-02-11 17:20:00,False,Annabel Leeson,annabel@leeson.org,+61 2 9374 4000,12 High St,Sydney,2000,AU,7,,\n"
OTHER = "52,2026-02-11 17:20:00,False,Annabel Leeson,,,,,,AU,,,\n"


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def mdm(database: str) -> Master:
    with db.transaction() as session:
        return Master(policy.store(session, policy.load(EXAMPLES / "erp_csv.yaml"), "test"))


def take(mdm: Master, file: Path) -> dict[str, int]:
    """Import the file with the command, resolve; what became of its rows."""
    app = typer.Typer()
    import_commands.register(app)
    result = CliRunner().invoke(app, ["import", str(file), "--source", "erp"])
    assert result.exit_code == 0, result.output
    mdm.drain()
    found: dict[str, int] = query("SELECT result -> 'outcomes' FROM job ORDER BY created_at DESC LIMIT 1")[0][0]
    return found


def told() -> list[dict[str, Any]]:
    sequencer.number_all()
    with db.read_only() as session:
        return published.page(session, None, [], 1_000)["events"]


def test_partners_in_merge_out_golden_ids_back_and_the_same_again(mdm: Master, tmp_path: Path) -> None:
    file, follower, back = tmp_path / "partners.csv", example("subscriber").Subscriber(), example("write_back").write_back
    file.write_text(HEADER + COMPANY + ANN + OTHER, encoding="utf-8")
    assert take(mdm, file) == {"created": 3}
    assert len({golden_of("erp", key) for key in ("7", "41", "52")}) == 3
    assert query("SELECT source_key FROM source_record WHERE parent_key = '7'") == [("41",)]

    same_person = ANN.replace("41,", "52,", 1).replace("17:20", "18:00")
    file.write_text(HEADER + COMPANY + ANN + same_person, encoding="utf-8")
    assert take(mdm, file) == {"same": 2, "changed": 1}
    events = told()
    assert "golden.merged" in {one["type"] for one in events}
    for event in events:
        follower.apply(event)
    golden_ids = {key: golden_id for (_, key), golden_id in follower.crosswalk().items()}
    assert golden_ids == {key: str(golden_of("erp", key)) for key in ("7", "41", "52")}
    assert golden_ids["41"] == golden_ids["52"] != golden_ids["7"]

    assert (back(file, golden_ids), back(file, golden_ids)) == (3, 0)
    with file.open(encoding="utf-8", newline="") as written:
        assert {row["id"]: row["x_golden_id"] for row in csv.DictReader(written)} == golden_ids
    before = len(told())
    assert take(mdm, file) == {"same": 3}
    assert {one["type"] for one in told()[before:]} <= {"load.finished", "job.finished"}


def test_the_erps_own_clock_moves_with_the_write_and_it_is_the_same_still(mdm: Master, tmp_path: Path) -> None:
    file, back = tmp_path / "partners.csv", example("write_back").write_back
    file.write_text(HEADER + COMPANY + ANN, encoding="utf-8")
    assert take(mdm, file) == {"created": 2}
    golden_ids = {key: str(golden_of("erp", key)) for key in ("7", "41")}
    assert back(file, golden_ids) == 2
    file.write_text(file.read_text(encoding="utf-8").replace("2026-02-11", "2026-02-12"), encoding="utf-8")
    assert take(mdm, file) == {"same": 2}
    assert {key: str(golden_of("erp", key)) for key in ("7", "41")} == golden_ids
    assert "record.received" not in {one["type"] for one in told()[-3:]}


def test_a_column_that_is_not_there_yet_is_added(tmp_path: Path) -> None:
    file = tmp_path / "partners.csv"
    file.write_text('id,name\n41,"Lee, Ann"\n52,Bo\n', encoding="utf-8")
    assert example("write_back").write_back(file, {"41": "g1"}) == 1
    assert file.read_text(encoding="utf-8") == 'id,name,x_golden_id\n41,"Lee, Ann",g1\n52,Bo,\n'
