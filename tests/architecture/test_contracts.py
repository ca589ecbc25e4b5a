"""The import contracts of pyproject.toml hold: layers, libraries, purity, private tables, no cycles."""

import subprocess
import sys

from .source_tree import ROOT


def test_import_contracts_hold() -> None:
    checked = subprocess.run(
        [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_no_contract_ignores_an_import() -> None:
    assert "ignore_imports" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8").replace("allow_indirect_imports", "")
