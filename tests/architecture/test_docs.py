"""The documents are true where a machine can tell: generated pages are fresh, links lead somewhere, commands exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .source_tree import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


def test_the_canonical_model_page_is_fresh() -> None:
    checked = subprocess.run(
        [sys.executable, "scripts/canonical_model.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_commands_in_the_docs_exist() -> None:
    """Every `mdm <command>` that a page shows is a command of the program."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    shown = {hit for text in texts for hit in re.findall(r"^\s*(?:\.venv/bin/)?mdm ([a-z]+)", text, re.MULTILINE)}
    helped = subprocess.run([sys.executable, "-m", "cli.main", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = helped.stdout
    assert sorted(command for command in shown if not re.search(rf"\b{command}\b", listed)) == []
