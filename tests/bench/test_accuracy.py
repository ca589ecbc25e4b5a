"""Any labelled file is compared beside Splink, read as its columns are called."""

from pathlib import Path

import pytest

from bench import accuracy
from bench.accuracy_sets import labelled_file
from kernel.errors import Invalid

ROWS = "person,first_name,last_name,dob\n7,Ann,Lee,12/31/1980\n7,Anne,Lee,12/31/1980\n8,Omar,Silva,05/17/1977\n"


def test_a_file_is_read_as_its_draft_says_and_its_labels_are_no_attribute(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(ROWS)
    found = labelled_file(tmp_path / "people.csv", "person")
    assert [one.truth for one in found.records] == ["=7", "=7", "=8"]
    born = found.records[0].record.birth_date
    assert born is not None
    assert born.text == "1980-12-31"
    assert found.name == "people"


def test_a_file_that_tells_nobody_apart_is_refused(tmp_path: Path) -> None:
    (tmp_path / "things.csv").write_text("person,colour\n1,red\n")
    with pytest.raises(Invalid, match="mapping"):
        labelled_file(tmp_path / "things.csv", "person")


def test_a_file_needs_to_say_where_its_labels_are(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["accuracy", "--file", "people.csv"])
    with pytest.raises(SystemExit):
        accuracy.main()
    assert "--file and --truth go together" in capsys.readouterr().err
