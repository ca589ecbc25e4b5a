"""Exports and checkpoints that nobody here wrote: refused or passed over, never a traceback."""

from pathlib import Path

import orjson
import pytest

from kernel.errors import Invalid
from stewardship import audit_files, audit_reading


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "sealed", "seal": {"x": 1}, "row": None},
        {"kind": "sealed", "seal": {"seq": "a", "audit_id": 1, "hash": ""}, "row": None},
        {"kind": "unsealed", "row": {}},
        {"kind": "checkpoint", "body": 5, "signature": ""},
    ],
)
def test_an_export_that_nobody_here_wrote_is_none(tmp_path: Path, line: dict[str, object]) -> None:
    path = tmp_path / "audit.ndjson"
    path.write_bytes(b"\n".join(map(orjson.dumps, ({"kind": "audit"}, line, {"kind": "end", "lines": 1}))) + b"\n")
    with pytest.raises(Invalid, match="no export"):
        audit_reading.verify(audit_files.read_export(path), [])


def test_a_checkpoint_that_nobody_wrote_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_bytes(b'{"body": 5, "signature": "AA=="}\n')
    assert audit_files.read_checkpoints(tmp_path / "checkpoints") == []
