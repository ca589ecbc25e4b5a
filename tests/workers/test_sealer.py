"""The sealer as a process: what is written is sealed within five seconds, also when it was killed in the midst of it."""

import sys
import threading
import time
from pathlib import Path

import pytest

from kernel import audit, db
from kernel.settings import configure, settings
from stewardship import audit_files, audit_reading, audit_sealing
from workers import sealer

from ..resolution import query
from .processes import Start, kill, wait_until

SEALER = [sys.executable, "-m", "workers.sealer"]
LONGEST_SECONDS = 5.0


def write(count: int = 1) -> None:
    with db.transaction() as session:
        for number in range(count):
            audit.record(session, "key:1", "golden.read", "golden", f"g{number}")


def unsealed() -> int:
    (count,) = query("SELECT count(*) FROM audit a WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.audit_id = a.audit_id)")[0]
    return int(count)


def test_a_killed_sealer_seals_nothing_twice_and_another_goes_on_within_seconds(database: str, start: Start) -> None:
    first, _ = start(SEALER), start(SEALER)
    write()
    wait_until(lambda: unsealed() == 0)
    kill(first)
    write(50)
    written = time.monotonic()
    wait_until(lambda: unsealed() == 0)
    assert time.monotonic() - written < LONGEST_SECONDS
    with db.read_only() as session:
        found = audit_reading.verify(audit_reading.stored(session), [audit_sealing.public_key()])
    assert (found.findings, found.sealed) == ([], 51)


def test_what_is_signed_is_kept_outside(database: str, tmp_path: Path) -> None:
    before = configure(settings().model_copy(update={"audit_checkpoints": tmp_path / "kept" / "checkpoints.ndjson"}))
    try:
        write()
        assert sealer.seal_all() == 1
        assert [one.claimed_seq() for one in audit_files.read_checkpoints(before.audit_checkpoints or Path())] == [1]
    finally:
        configure(before.model_copy(update={"audit_checkpoints": None}))


def test_a_place_outside_that_cannot_be_written_stops_nothing(database: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    before = configure(settings().model_copy(update={"audit_checkpoints": tmp_path / "file" / "checkpoints.ndjson"}))
    try:
        write()
        assert sealer.seal_all() == 1
        assert query("SELECT count(*) FROM audit_checkpoint") == [(1,)]
    finally:
        configure(before.model_copy(update={"audit_checkpoints": None}))


@pytest.mark.usefixtures("database")
def test_it_ends_when_told() -> None:
    stopping = threading.Event()
    thread = threading.Thread(target=sealer.run, args=[stopping])
    thread.start()
    stopping.set()
    thread.join(10)
    assert not thread.is_alive()
