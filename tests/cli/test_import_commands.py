"""`mdm import`: every row is accounted for, a killed import goes on, a dry run stores nothing."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import import_commands, policy_commands
from kernel.db import read_only, transaction
from kernel.settings import configure, settings
from mdm import policy, sql, versions

ROOT = Path(__file__).resolve().parents[2]
POLICY = """
sources:
  shop:
    channel_kind: ecommerce
    brand: main
    key: id
    version: rev
    updated_at: changed
    deleted: gone
    empty: [NULL]
    fields:
      given_name: first
      surname: last
      emails: email
      consents: [{purpose: email_marketing, state: newsletter}]
"""
HEADER = "id,first,last,email,rev,changed,gone,newsletter\n"


@pytest.fixture
def app(database: object) -> typer.Typer:
    with transaction() as session:
        policy.store(session, policy.parse(POLICY), "test")
    made = typer.Typer()
    import_commands.register(made)
    policy_commands.register(made)
    return made


def run(app: typer.Typer, *arguments: str) -> Result:
    for module in (policy_commands, import_commands):
        module.console.width = 200  # A console keeps the width that it was made with.
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def count(statement: str) -> Any:
    with read_only() as session:
        return sql.rows(session, statement)[0][0]


def customers(path: Path, number: int) -> Path:
    lines = (f"{n},Ann{n},Lee{n % 97},a{n}@lee.org,1,2026-01-01T00:00:00Z,,yes\n" for n in range(number))
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return path


def test_every_row_is_stored_the_same_or_rejected_with_its_line(app: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    rows = [
        "1,Ann,Lee,ann@lee.org,1,2026-01-01,,perhaps",
        '2,"Bo"b,Lee,b@lee.org,1,,,', ",Cy,Lee,c@lee.org,1,,,", "4,Di,Lee,d@lee.org,x,,,",
        "5,Ed,Lee,e@lee.org,1,yesterday,,", "1,Ann,Lee,ann@lee.org,1,2026-01-01,,perhaps", "7,short", "8,,,,2,,true,",
        "9," + "x" * 1_001 + ",,,,,,", "NULL,Fay,Lee,f@lee.org,1,,,",
    ]  # fmt: skip
    file.write_text(HEADER + "\n".join(rows), encoding="utf-8")
    result = run(app, "import", str(file), "--source", "shop")
    assert result.exit_code == 2, result.output
    with (tmp_path / "c.csv.rejects.csv").open(encoding="utf-8", newline="") as written:
        found = [(line["line"], line["code"]) for line in csv.DictReader(written)]
    assert found == [
        ("3", "broken_quoting"), ("4", "key_missing"), ("5", "bad_source_version"), ("6", "bad_source_updated_at"),
        ("8", "wrong_column_count"), ("10", "value_too_long"), ("11", "key_missing"),
    ]  # fmt: skip
    assert count("SELECT count(*) FROM source_record") == 2
    assert count("SELECT result -> 'outcomes' FROM job") == {"created": 1, "same": 1, "deleted": 1, "rejected": 7}
    assert count("SELECT result -> 'notes' FROM job")["consent_state_unknown: consents"] == 2
    assert count("SELECT count(*) FROM reject WHERE sealed_payload IS NOT NULL") == 7
    assert result.output.index("created") < result.output.index("same") < result.output.index("rejected  ")
    assert "ann@lee.org" not in result.output


def test_a_file_imported_again_is_the_same(app: typer.Typer, tmp_path: Path) -> None:
    file = customers(tmp_path / "c.csv", 50)
    assert run(app, "import", str(file), "-s", "shop").exit_code == 0
    assert run(app, "import", str(file), "-s", "shop").exit_code == 0
    assert count("SELECT count(*) FROM record_version") == 50
    assert count("SELECT count(*) FROM job WHERE state = 'finished'") == 2


def test_ndjson_is_kept_as_received(app: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "c.ndjson"
    file.write_text('{"id": 1, "first": "Ann",   "email": "ann@lee.org"}\n{"id": 2, "first": ["a", "b"]}\n', encoding="utf-8")
    assert run(app, "import", str(file), "-s", "shop").exit_code == 2
    assert count("SELECT count(*) FROM source_record") == 1
    assert count("SELECT code FROM reject") == "wrong_type"


def test_a_killed_import_goes_on_and_neither_loses_nor_doubles(app: typer.Typer, tmp_path: Path) -> None:
    file = customers(tmp_path / "c.csv", 3_000)
    with file.open("a", encoding="utf-8") as opened:
        opened.write("broken\n")
    program = (
        "import typer; from cli import import_commands as c; a = typer.Typer(); a.callback()(lambda: None); c.register(a); a()"
    )
    command = [sys.executable, "-c", program, "import", str(file), "-s", "shop"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while count("SELECT coalesce(sum(done_units), 0) FROM job") < 1_000:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    stored = count("SELECT count(*) FROM source_record")
    assert 1_000 <= stored < 3_000
    assert count("SELECT done_units FROM job") == stored
    result = run(app, "import", str(file), "-s", "shop")
    assert result.exit_code == 2, result.output
    assert f"interrupted after {stored:,} rows" in result.output
    assert count("SELECT count(*) FROM job") == 1
    assert count("SELECT array[done_units, failed_units] FROM job") == [3_000, 1]
    assert count("SELECT result -> 'outcomes' FROM job") == {"created": 3_000, "rejected": 1}
    assert count("SELECT count(*) FROM record_version") == count("SELECT count(DISTINCT record_id) FROM record_version") == 3_000


def test_of_two_imports_of_one_file_at_once_one_finishes_and_the_other_steps_back(app: typer.Typer, tmp_path: Path) -> None:
    file = customers(tmp_path / "c.csv", 3_000)
    command = [sys.executable, "-c", "from cli.main import main; main()", "import", str(file), "-s", "shop"]
    both = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, env=settings().child_environment()) for _ in range(2)]
    said = [process.communicate(timeout=120)[1].decode() for process in both]
    assert sorted(process.returncode for process in both) in ([0, 1], [0, 0])
    assert all("Another process" in words for words, process in zip(said, both, strict=True) if process.returncode)
    assert count("SELECT array_agg(DISTINCT state) FROM job") == ["finished"]
    assert count("SELECT count(*) FROM source_record") == count("SELECT count(*) FROM record_version") == 3_000


def test_a_dry_run_shows_and_stores_nothing(app: typer.Typer, tmp_path: Path) -> None:
    file = customers(tmp_path / "c.csv", 30)
    with file.open("a", encoding="utf-8") as opened:
        opened.write("3,Ann3,Lee,a3@lee.org,1,,,\nbroken\n")
    result = run(app, "import", str(file), "-s", "shop", "--dry-run")
    assert result.exit_code == 2, result.output
    assert "The first 20 rows" in result.output
    assert "name: Ann19 Lee" in result.output
    assert "name: Ann20" not in result.output
    assert "1 row has a key that stood in the file before" in result.output
    assert "line 33: wrong_column_count" in result.output
    assert not (tmp_path / "c.csv.rejects.csv").exists()
    assert "wrong_column_count" in result.output
    for table in ("source_record", "reject", "job", "pending_record", "outbox"):
        assert count(f"SELECT count(*) FROM {table}") == 0


def test_a_dry_run_on_a_fresh_database_stores_no_policy(database: object, tmp_path: Path) -> None:
    made = typer.Typer()
    import_commands.register(made)
    policy_commands.register(made)
    file = tmp_path / "c.csv"
    file.write_text("key,given_name\n1,Ann\n", encoding="utf-8")
    result = run(made, "import", str(file), "-s", "crm", "--dry-run")
    assert result.exit_code in {0, 2}, result.output
    assert "Nothing was stored." in result.output
    assert count("SELECT count(*) FROM policy_version") == count("SELECT count(*) FROM policy_wording") == 0
    assert run(made, "import", str(file), "-s", "crm").exit_code == result.exit_code
    assert count("SELECT count(*) FROM policy_version") == 1


def test_a_parquet_file_that_breaks_off_fails_and_keeps_what_was_read(app: typer.Typer, tmp_path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - this test only
    import pyarrow.parquet as pq  # noqa: PLC0415 - this test only

    file = tmp_path / "c.parquet"
    names = [f"Ann{n}" for n in range(6_000)]
    pq.write_table(pa.table({"id": list(range(6_000)), "first": names}), file, row_group_size=1_000, compression="gzip")
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3_000] = bytes(3_000)
    file.write_bytes(content)
    result = run(app, "import", str(file), "-s", "shop")
    assert result.exit_code == 1
    assert result.exception is not None
    assert count("SELECT error FROM job WHERE state = 'failed'") == "broken_file"
    assert count("SELECT done_units FROM job") == count("SELECT count(*) FROM source_record") > 0


@pytest.mark.parametrize(("content", "code"), [(b"", "empty_file"), (b"id,id\n", "bad_header")])
def test_an_unusable_file_fails_at_once(app: typer.Typer, tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "c.csv").write_bytes(content)
    result = run(app, "import", str(tmp_path / "c.csv"), "-s", "shop")
    assert result.exit_code == 1
    assert getattr(result.exception, "code", None) == code
    assert count("SELECT count(*) FROM job") == 0


def test_an_unknown_source_fails(app: typer.Typer, tmp_path: Path) -> None:
    result = run(app, "import", str(customers(tmp_path / "c.csv", 1)), "-s", "nowhere")
    assert (result.exit_code, getattr(result.exception, "code", None)) == (1, "unknown_source")
    assert "it names: " in str(result.exception)
    assert "shop" in str(result.exception).partition("it names: ")[2].split(", ")


def test_the_found_encoding_is_said(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_bytes(HEADER.encode() + "1,Jürgen,Lee,j@lee.org,1,,,\n".encode("cp1252"))
    result = run(app, "import", str(tmp_path / "c.csv"), "-s", "shop")
    assert result.exit_code == 0, result.output
    assert "CP1252" in result.output
    assert count("SELECT body -> 'name' ->> 'given' FROM standard_record") == "Jürgen"


def test_semicolons_are_found_out_said_and_drafted(app: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    file.write_text(HEADER.replace(",", ";") + "1;Ann;Lee, Esq.;ann@lee.org;1;;;\n", encoding="utf-8")
    result = run(app, "import", str(file), "-s", "shop")
    assert result.exit_code == 0, result.output
    assert "with a semicolon between columns" in result.output
    assert "delimiter: ;" in run(app, "map", str(file), "-s", "shop").output


def test_a_source_in_our_own_terms_takes_a_csv(app: typer.Typer, tmp_path: Path) -> None:
    with transaction() as session:
        policy.store(session, policy.parse("sources:\n  crm: {channel_kind: crm, brand: main}\n"), "test")
    (tmp_path / "c.csv").write_text("id,given_name,emails,email\n1,Ann,ann@lee.org,x\n", encoding="utf-8")
    result = run(app, "import", str(tmp_path / "c.csv"), "-s", "crm")
    assert result.exit_code == 0, result.output
    assert "unmapped_field: email (looks like emails" in result.output
    assert "1 record waits for the workers" in result.output
    assert count("SELECT body -> 'emails' -> 0 ->> 'value' FROM standard_record") == "ann@lee.org"


def test_a_wrong_type_names_its_field(app: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "c.ndjson"
    file.write_text('{"id": 1, "first": ["a", "b"]}\n', encoding="utf-8")
    assert "wrong_type: given_name: the field holds a list or an object" in run(app, "import", str(file), "-s", "shop").output


def test_a_header_alone_says_that_there_are_no_rows(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(HEADER, encoding="utf-8")
    assert "The file has no rows." in run(app, "import", str(tmp_path / "c.csv"), "-s", "shop").output
    assert "The file has no rows." in run(app, "import", str(tmp_path / "c.csv"), "-s", "shop", "--dry-run").output


def test_an_interrupted_import_says_how_far_it_came(app: typer.Typer, tmp_path: Path) -> None:
    file = customers(tmp_path / "c.csv", 20_000)
    # A run in the background of a shell ignores SIGINT, and so would the program that inherits that.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heard}; from cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "import", str(file), "-s", "shop"], cwd=ROOT, stderr=subprocess.PIPE, text=True,
        env=settings().child_environment(),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while count("SELECT coalesce(sum(done_units), 0) FROM job") < 1_000:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert re.search(r"Interrupted after 1?\d,000 of 20,000 rows; the same command goes on", said)


def test_a_file_of_another_encoding_is_mapped_when_it_is_said(tmp_path: Path, app: typer.Typer) -> None:
    (tmp_path / "a.csv").write_bytes("顧客番号,氏名,電話番号\n1,山田太郎,0312345678\n".encode("shift_jis"))
    found = run(app, "map", str(tmp_path / "a.csv"), "-s", "shop", "--encoding", "shift_jis")
    assert "encoding: shift_jis" in found.output
    assert "name: 氏名" in found.output
    assert run(app, "map", str(tmp_path / "a.csv"), "-s", "shop", "--encoding", "kana").exit_code


def test_a_draft_is_a_policy_that_maps_the_file(app: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "kunden.csv"
    file.write_text(
        "Kundennr,Vorname,Nachname,E-Mail,Telefon,Straße,PLZ,Ort,Geburtsdatum,Lieblingsfarbe\n"
        "1,Jürgen,Groß,j@gross.de,+49 30 123456,Weg 1,10115,Berlin,31.12.1980,blau\n",
        encoding="utf-8",
    )
    result = run(app, "map", str(file), "--source", "filiale", "--output", str(tmp_path / "p.yaml"))
    assert result.exit_code == 0, result.output
    assert "not mapped: Lieblingsfarbe" in result.output
    assert run(app, "policy", "check", str(tmp_path / "p.yaml")).exit_code == 0
    source = policy.load(tmp_path / "p.yaml").source("filiale")
    assert (source.key.path, source.date_order) == ("Kundennr", "DMY")
    assert source.fields is not None
    assert source.fields.surname is not None
    assert source.fields.surname.path == "Nachname"
    assert [address.postal_code.path for address in source.fields.addresses if address.postal_code] == ["PLZ"]


def test_many_rows_are_resolved_in_bulk_and_few_by_the_workers(app: typer.Typer, tmp_path: Path) -> None:
    given = settings()
    configure(given.model_copy(update={"bulk_from_records": 3}))
    try:
        with transaction() as session:
            versions.adopt(session)
        few, many = tmp_path / "few.csv", tmp_path / "many.csv"
        few.write_text(HEADER + "1,Ana,Ruiz,ana@ruiz.es,1,,,\n", encoding="utf-8")
        said = run(app, "import", str(few), "--source", "shop").stdout
        assert "1 record waits for the workers" in said
        assert count("SELECT count(*) FROM golden") == 0
        rows = [f"{n},Eva{n},Quiroga{n},eva{n}@quiroga.es,1,,,\n" for n in range(2, 5)]
        many.write_text(HEADER + "".join(rows), encoding="utf-8")
        said = run(app, "import", str(many), "--source", "shop", "--memory-limit", "1GB").stdout
        assert "4 records: resolved in bulk, DuckDB within 1GB" in said
        assert "wait for the workers" not in said
        assert (count("SELECT count(*) FROM golden"), count("SELECT count(*) FROM pending_record")) == (4, 0)
    finally:
        configure(given)
