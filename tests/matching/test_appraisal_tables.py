"""One list names every code of a note: what standardization writes stands in it, and what stands in it the guide explains."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from matching.appraisal_tables import FAULTS, NOTE_CODES
from matching.standardize import Context, standardize

from .standardize.strategies import contexts, inputs

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "matching" / "standardize").glob("*.py"))
TABLES = sorted((ROOT / "tests" / "matching" / "standardize").glob("*.yaml"))
# Notes of the mapping and of the key index, which say so themselves.
OF_OTHERS = {"nothing_mapped", "value_not_in_map", "unread_item", "too_many_to_file"}


def texts(node: ast.AST) -> set[str]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def written(tree: ast.AST) -> Iterator[str]:
    """What a module notes, or adds to the codes that it gives back."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_codes = isinstance(node.func.value, ast.Name) and node.func.value.id == "codes"
            if node.func.attr == "note" or (is_codes and node.func.attr in {"append", "extend"}):
                yield from texts(node.args[-1])
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == "codes":
            yield from texts(node.value)


def test_what_the_standardizers_write_is_listed() -> None:
    found = {code for path in MODULES for code in written(ast.parse(path.read_text(encoding="utf-8")))}
    assert len(found) >= 25
    assert found <= NOTE_CODES


def test_what_is_listed_is_written_somewhere() -> None:
    said = {text for path in MODULES for text in texts(ast.parse(path.read_text(encoding="utf-8")))}
    assert said >= NOTE_CODES - OF_OTHERS


# What is noted of the consents that a record brings: by mdm.record_consents, not by standardization.
OF_CONSENTS = {f"consent_{what}" for what in ("purpose_unknown", "state_unknown", "time_unreadable", "point_unreadable")}


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_what_the_tables_expect_is_listed(path: Path) -> None:
    def codes(row: object) -> Iterator[str]:
        for name, value in row.items() if isinstance(row, dict) else ():
            if name in {"codes", "notes", "flags"} and isinstance(value, list):
                yield from (str(code).rpartition(":")[2].strip() for code in value)
            yield from codes(value)

    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {code for row in rows for code in codes(row)} <= NOTE_CODES


@given(inputs, contexts)
def test_whatever_is_sent_its_notes_have_listed_codes(data: dict[str, Any], context: Context) -> None:
    assert {note.code for note in standardize(data, context).notes} <= NOTE_CODES


def test_the_guide_explains_each_code_and_no_other() -> None:
    guide = (ROOT / "docs" / "guides" / "data-engineer.md").read_text(encoding="utf-8")
    table = guide.partition("### What the notes of a dry run mean")[2].partition("Payment card numbers are masked")[0]
    explained = [
        code for line in table.splitlines() if line.startswith("| `") for code in re.findall(r"`(\w+)`", line.split("|")[1])
    ]
    assert sorted(explained) == sorted(NOTE_CODES | OF_CONSENTS)


def test_a_fault_is_a_code() -> None:
    assert FAULTS <= NOTE_CODES
