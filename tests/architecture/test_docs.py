"""The documents are true where a machine can tell: generated pages are fresh, links lead somewhere, commands exist."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from cli.main import build

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


def test_every_decision_stands_in_their_list_once_and_in_their_order() -> None:
    listed = re.findall(r"\((\d{4}-[^)]+)\)", (ROOT / "docs/adr/README.md").read_text(encoding="utf-8"))
    assert listed == sorted(path.name for path in (ROOT / "docs/adr").glob("0*.md"))


def test_commands_in_the_docs_exist() -> None:
    """Every `mdm …` that a page shows is a command of the program, with the options that it has."""
    wrong = [f"{page.relative_to(ROOT)}: {words}" for page in PAGES for words in _shown(page) if not _is_known(words)]
    assert wrong == []


def _shown(page: Path) -> list[str]:
    """The commands of a page's blocks, and those that it names in its sentences."""
    text = page.read_text(encoding="utf-8")
    lines = re.findall(
        r"^\s*(?:\$ )?(?:\.venv/bin/)?(mdm [^\n]*)", "\n".join(re.findall(r"```.*?```", text, re.DOTALL)), re.MULTILINE
    )
    return [line.partition(" #")[0].strip() for line in (*lines, *re.findall(r"`(mdm [^`\n]+)`", text))]


@cache
def _program() -> Any:
    return get_command(build(["--help"]))


def _is_known(words: str) -> bool:
    """Follow the words from group to command, then look for each option that comes."""
    command: Any = _program()
    for word in words.split()[1:]:
        if word.startswith("--"):
            if word.partition("=")[0].rstrip(",.;") not in {option for one in command.params for option in one.opts} | {"--help"}:
                return False
        elif isinstance(command, TyperGroup) and re.fullmatch(r"[a-z-]+", word):
            if word not in command.commands:
                return False
            command = command.commands[word]
    return True


def test_a_command_that_is_none_is_found_in_the_docs() -> None:
    assert _is_known("mdm policy apply policy.yaml --wait")
    assert not _is_known("mdm policy log")
    assert not _is_known("mdm policy apply --never")


def test_every_alert_has_its_section_in_the_runbook() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    sections = set(re.findall(r"^### (\w+)$", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert alerts - sections == set()
    assert sections - alerts == set()  # What no alert tells has a heading of several words.
