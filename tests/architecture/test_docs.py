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


def test_commands_to_copy_say_all_that_they_need() -> None:
    """Whoever copies one at three in the morning is not told that an option is missing."""
    wrong = [f"{page.relative_to(ROOT)}: {words}" for page in PAGES for words in _blocks(page) if _lacking(words)]
    assert wrong == []


def test_a_command_that_lacks_what_it_needs_is_found_in_the_docs() -> None:
    assert _lacking("mdm alerts seen ALERT") == ["--reason"]
    assert _lacking("mdm alerts seen ALERT --reason WHY") == []


def _shown(page: Path) -> list[str]:
    """The commands of a page's blocks, and those that it names in its sentences."""
    return [*_blocks(page), *(_bare(line) for line in re.findall(r"`(mdm [^`\n]+)`", page.read_text(encoding="utf-8")))]


def _blocks(page: Path) -> list[str]:
    blocks = "\n".join(re.findall(r"```.*?```", page.read_text(encoding="utf-8"), re.DOTALL))
    return [_bare(line) for line in re.findall(r"^\s*(?:\$ )?(?:\.venv/bin/)?(mdm [^\n]*)", blocks, re.MULTILINE)]


def _bare(line: str) -> str:
    return line.partition(" #")[0].strip()


def _lacking(words: str) -> list[str]:
    """The options that the command cannot do without, and that stand neither here nor are asked after by --help."""
    command: Any = _program()
    for word in words.split()[1:]:
        command = command.commands.get(word, command) if isinstance(command, TyperGroup) else command
    needed = [one for one in command.params if one.required and one.param_type_name == "option"]
    said = set(words.replace("=", " ").split())
    return [] if "--help" in said else [one.opts[0] for one in needed if not said & set(one.opts)]


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
