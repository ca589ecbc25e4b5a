"""Consents from files: what cannot be read is a problem of its line, or of the file, and never its value."""

from pathlib import Path

import pytest

from consent.purposes import shipped
from kernel.errors import Invalid
from mdm import consent_files

MAPPING = "email: email\nstate: state\npurpose: marketing_email\noccurred_at: at\n"


def said(tmp_path: Path, content: bytes) -> list[object]:
    mapping, file = tmp_path / "mapping.yaml", tmp_path / "consents.csv"
    mapping.write_text(MAPPING)
    file.write_bytes(b"email,state,at\n" + content)
    return [row.said for row in consent_files.acts(file, consent_files.load_mapping(mapping), shipped())]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x" * 10_000])
def test_a_time_beyond_the_calendar_is_unreadable(tmp_path: Path, at: str) -> None:
    assert said(tmp_path, f"ana@example.org,given,{at}\n".encode()) == [consent_files.UNREADABLE]


@pytest.mark.parametrize("row", [b"a\xff@example.org,given,2026-01-01\n", b"z" * 200_000 + b",given,2026-01-01\n"])
def test_a_file_that_cannot_be_read_is_refused_without_its_words(tmp_path: Path, row: bytes) -> None:
    with pytest.raises(Invalid, match=r"cannot be read after line \d") as refused:
        said(tmp_path, row)
    assert refused.value.__suppress_context__
