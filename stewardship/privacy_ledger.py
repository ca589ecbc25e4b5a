"""The erasure ledger: a file outside of the database, so that a database restored from before an erasure knows what it lacks.

One line of JSON an erasure, each sealed with the line before it; ids and keyed hashes, never a value. Appended and on disk before
anything is removed. Whoever restores a database keeps this file as it is.
"""

import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from kernel.errors import Unavailable
from kernel.settings import settings

FILE = "erasures.ndjson"
FIRST = ""  # The seal before the first line.
SEAL_BYTES = 16
Last = tuple[int, uuid.UUID]  # The number and id of an entry.


@dataclass(frozen=True, slots=True)
class Entry:
    """One erasure: whose records and golden ids, and what they are recognised by if they are sent again."""

    entry_no: int
    entry_id: uuid.UUID
    at: datetime
    request_id: uuid.UUID | None
    records: tuple[uuid.UUID, ...]
    golden_ids: tuple[uuid.UUID, ...]
    suppressed: tuple[Mapping[str, Any], ...]

    def body(self) -> dict[str, Any]:
        """As JSON, without its seal."""
        return {
            "entry_no": self.entry_no,
            "entry_id": str(self.entry_id),
            "at": self.at.isoformat(),
            "request_id": None if self.request_id is None else str(self.request_id),
            "records": [str(one) for one in self.records],
            "golden_ids": [str(one) for one in self.golden_ids],
            "suppressed": [dict(one) for one in self.suppressed],
        }


def of_body(body: Mapping[str, Any]) -> Entry:
    """The inverse of `Entry.body`."""
    request_id = body["request_id"]
    return Entry(
        body["entry_no"],
        uuid.UUID(body["entry_id"]),
        datetime.fromisoformat(body["at"]),
        None if request_id is None else uuid.UUID(request_id),
        tuple(map(uuid.UUID, body["records"])),
        tuple(map(uuid.UUID, body["golden_ids"])),
        tuple(body["suppressed"]),
    )


def path() -> Path:
    """Where the file is."""
    return settings().erasure_ledger or settings().data_dir / FILE


def entries() -> list[Entry]:
    """Read all entries. Raises: Unavailable when a line was altered, lost or cut off."""
    return [entry for entry, _ in _read(path())]


def last() -> Last | None:
    """The number and id of the last entry; None when there is none. Reads the file only when it has changed."""
    try:
        stands = path().stat()
    except FileNotFoundError:
        return None
    return _last(path(), stands.st_mtime_ns, stands.st_size)


@lru_cache(maxsize=4)
def _last(file: Path, _changed_at: int, _size: int) -> Last | None:
    """Whether the lines before it are whole is asked by whoever acts on them. One that is cut off was never acted upon."""
    lines = file.read_bytes().rpartition(b"\n")[0].splitlines()
    if not lines:
        return None
    try:
        entry = of_body(orjson.loads(lines[-1]))
    except (ValueError, KeyError, TypeError) as error:
        raise _broken(len(lines)) from error
    return entry.entry_no, entry.entry_id


def append(entry: Entry) -> None:
    """Append an entry and have it on disk. Idempotent. Raises: Unavailable when its place is another's."""
    with _locked() as file:
        # A line that a crash has cut off was never acted upon: what it told of is appended again.
        known = list(_read(path(), forgiving=True))
        if any(one.entry_id == entry.entry_id for one, _ in known):
            return
        if entry.entry_no != len(known) + 1:
            detail = "The database and the erasure ledger disagree on how many erasures there were: see `mdm privacy replay`."
            raise Unavailable("The erasure ledger is ahead", code="erasure_ledger_ahead", detail=detail)
        before = known[-1][1] if known else FIRST
        file.truncate(_whole(path()))
        file.seek(0, os.SEEK_END)
        file.write(_line(entry, before))
        file.flush()
        os.fsync(file.fileno())
    _store_folder()


@contextmanager
def _locked() -> Iterator[BinaryIO]:
    path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path(), os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _store_folder() -> None:
    folder = os.open(path().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _whole(file: Path) -> int:
    """How many bytes of the file are whole lines."""
    return file.read_bytes().rfind(b"\n") + 1


def _line(entry: Entry, before: str) -> bytes:
    body = entry.body()
    return orjson.dumps({**body, "seal": _seal(body, before)}, option=orjson.OPT_APPEND_NEWLINE)


def _seal(body: Mapping[str, Any], before: str) -> str:
    text = before.encode() + orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, key=settings().secret_for("erasure-ledger"), digest_size=SEAL_BYTES).hexdigest()


def _read(file: Path, forgiving: bool = False) -> Iterator[tuple[Entry, str]]:
    """Give each entry with its seal. `forgiving`: a last line that is cut off is passed over."""
    before = FIRST
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    if lines[-1] and not forgiving:
        raise _broken(len(lines))
    for number, line in enumerate(lines[:-1], 1):
        try:
            said = orjson.loads(line)
            seal = said.pop("seal")
            entry = of_body(said)
        except (ValueError, KeyError, TypeError) as error:
            raise _broken(number) from error
        if seal != _seal(said, before) or entry.entry_no != number:
            raise _broken(number)
        yield entry, seal
        before = seal


def _broken(number: int) -> Unavailable:
    detail = "Put the file back from its own copy; what it says decides whom this service must not know any more."
    return Unavailable(f"Line {number} of the erasure ledger was altered", code="erasure_ledger_broken", detail=detail)
