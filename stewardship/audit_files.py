"""The audit log in files: checkpoints kept outside the database, and exports that anybody can verify who has the public key.

An export is NDJSON: a header, every checkpoint, every seal with its row, every row without a seal, and how many lines that were.
"""

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlmodel import Session

from kernel.errors import Invalid
from kernel.settings import settings
from stewardship import audit_reading, audit_sealing
from stewardship.audit_chain import FORM, Row, Seal, Signed
from stewardship.audit_reading import Log

Made = TypeVar("Made")
BROKEN = (KeyError, TypeError, ValueError, AttributeError)


def checkpoint_file() -> Path:
    """Where checkpoints are kept outside the database."""
    return settings().audit_checkpoints or settings().data_dir / "audit" / "checkpoints.ndjson"


def keep_outside(session: Session, path: Path) -> int:
    """Append those checkpoints to the file that it does not hold; how many. On disk when it returns. Raises: OSError."""
    held = set(read_checkpoints(path))
    missing = [one for one in audit_reading.checkpoints(session) if one not in held]
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            if _is_cut_off(path):
                file.write(b"\n")
            file.writelines(_line(_shown(one)) for one in missing)
            file.flush()
            os.fsync(file.fileno())
    return len(missing)


def _is_cut_off(path: Path) -> bool:
    return path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")


def read_checkpoints(path: Path) -> list[Signed]:
    """Read the checkpoints of such a file; none when there is none. A line that was cut off while it was written is left out."""
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return [one for one in map(_checkpoint_of, lines) if one is not None]


def _checkpoint_of(line: bytes) -> Signed | None:
    try:
        return _signed(orjson.loads(line))
    except BROKEN:
        return None


def exported(session: Session) -> Iterator[bytes]:
    """The lines of an export. Give a session whose statements see one moment."""
    log, lines = audit_reading.stored(session), 0
    yield _line({"kind": "audit", "form": FORM, "public_key": base64.b64encode(audit_sealing.public_key()).decode()})
    for said in _said(log):
        lines += 1
        yield _line(said)
    yield _line({"kind": "end", "lines": lines})


def _said(log: Log) -> Iterator[dict[str, Any]]:
    yield from ({"kind": "checkpoint", **_shown(one)} for one in log.checkpoints)
    yield from ({"kind": "sealed", "seal": asdict(seal), "row": asdict(row) if row else None} for seal, row in log.links)
    yield from ({"kind": "unsealed", "row": asdict(row)} for row in log.unsealed)


def read_export(path: Path) -> Log:
    """Read an export, line by line as it is walked. Raises: Invalid when it is none, or was cut off."""
    try:
        _require_whole(path)
    except BROKEN as broken:
        raise _no_export(path) from broken
    links = _made(path, "sealed", lambda said: (_seal(said["seal"]), _row(said["row"]) if said["row"] else None))
    return Log(list(_made(path, "checkpoint", _signed)), links, _made(path, "unsealed", lambda said: _row(said["row"])))


def _no_export(path: Path) -> Invalid:
    return Invalid(f"{path} is no export of the audit log, or was cut off", code="bad_export")


def _made(path: Path, kind: str, make: Callable[[dict[str, Any]], Made]) -> Iterator[Made]:
    """Read the lines of a kind, as they are walked. Raises: Invalid at one that was written by nobody here."""
    try:
        yield from map(make, _lines(path, kind))
    except BROKEN as broken:
        raise _no_export(path) from broken


def _seal(said: dict[str, Any]) -> Seal:
    return Seal(int(said["seq"]), int(said["audit_id"]), str(said["hash"]))


def _row(said: dict[str, Any]) -> Row:
    return Row(**{**said, "audit_id": int(said["audit_id"]), "at": str(said["at"])})


def _require_whole(path: Path) -> None:
    lines, last = 0, b"{}"
    with path.open("rb") as file:
        for line in file:
            lines, last = lines + 1, line
    if orjson.loads(last) != {"kind": "end", "lines": lines - 2}:
        raise ValueError


def _lines(path: Path, kind: str) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            said = orjson.loads(line)
            if said["kind"] == kind:
                yield said


def _line(said: dict[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def _shown(signed: Signed) -> dict[str, str]:
    return {"body": signed.body.decode(), "signature": base64.b64encode(signed.signature).decode()}


def _signed(said: dict[str, Any]) -> Signed:
    return Signed(said["body"].encode(), base64.b64decode(said["signature"]))
