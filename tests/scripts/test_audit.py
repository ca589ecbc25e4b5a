"""The audit fails on what nobody has explained, and on what could not be looked at; what is explained exists."""

import importlib.util
from types import ModuleType

import pytest

from ..architecture.source_tree import ROOT


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_script", ROOT / "scripts" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def finding(code: str, file: str) -> dict[str, object]:
    return {"filename": file, "line_number": 1, "test_id": code, "issue_text": "x"}


def test_only_what_a_row_explains_in_that_file_stands(audit: ModuleType) -> None:
    known = {"B1": {"a.py"}, "B2": None}
    found = [finding("B1", "a.py"), finding("B1", "b.py"), finding("B2", "c.py"), finding("B3", "a.py")]
    assert audit.unexplained(found, known) == ["b.py:1 B1 x", "a.py:1 B3 x"]


def test_a_package_that_could_not_be_looked_up_is_no_good_news(audit: ModuleType) -> None:
    good, weak = {"name": "a", "vulns": []}, {"name": "b", "vulns": [{"id": "PYSEC-1"}]}
    assert audit.amiss([good, weak, {"name": "c", "skip_reason": "not found"}]) == ["b: PYSEC-1", "c: not found"]


def test_files_with_explained_findings_exist(audit: ModuleType) -> None:
    known = audit.explained()
    assert len(known) >= 8
    assert sorted(file for files in known.values() for file in files or () if not (ROOT / file).exists()) == []
