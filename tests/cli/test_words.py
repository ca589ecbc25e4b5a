"""Words of the command line: how the program names itself in commands to copy."""

import shutil
import sys
from pathlib import Path

import pytest

from cli.words import own_command


def test_the_program_is_called_by_its_path_where_it_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make demo` never activates the environment: a hint that says `mdm` alone would not run."""
    home = tmp_path / "my shop"
    home.mkdir()
    (home / "mdm").write_text("#!/bin/sh\n", encoding="utf-8")
    monkeypatch.setattr(sys, "executable", str(home / "python"))
    monkeypatch.setenv("PATH", "")
    assert own_command() == f"'{home}/mdm'"


def test_the_program_is_called_by_its_name_where_it_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "mdm"
    command.write_text("#!/bin/sh\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("mdm") == str(command)
    assert own_command() == "mdm"
