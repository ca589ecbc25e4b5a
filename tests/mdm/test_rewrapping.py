"""Payloads come under another key of the service without being touched; what none of its keys opens is said, and left alone."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from kernel import db
from kernel.errors import Invalid, Unavailable
from kernel.settings import Settings, configure, settings
from mdm import record_reading, rewrapping

from .. import resolution as master
from ..resolution import MARIA, WHO, query

NEW, NEWER = "1a" * 32, "2b" * 32
WRAPPED = "SELECT record_id, wrapped_key FROM record_data_key ORDER BY record_id"


@pytest.fixture
def before(database: str) -> Iterator[Settings]:
    """Two records, sealed under the secret's own key."""
    given = settings()
    made = master.start()
    made.put("shop", "1", MARIA)
    made.put("pos", "2", MARIA)
    yield given
    configure(given)


def keys(before: Settings, folder: Path, *lines: str) -> None:
    """Be a process that was started with these keys."""
    file = folder / f"{len(list(folder.iterdir()))}.keys"
    file.write_text("\n".join(lines), encoding="ascii")
    configure(before.model_copy(update={"payload_keys_file": file}))


def payload(key: str) -> bytes:
    with db.transaction() as session:
        return orjson.dumps(record_reading.read(session, WHO, "shop", key)["payload"])


def test_what_comes_is_wrapped_by_the_first_key_and_every_key_opens(before: Settings, tmp_path: Path) -> None:
    old = payload("1")
    keys(before, tmp_path, NEW)
    assert payload("1") == old
    assert rewrapping.count(db.read_only).by_key == [0, 2]
    assert rewrapping.rewrap(db.transaction).left == 2
    assert rewrapping.count(db.read_only).by_key == [2, 0]
    configure(before)
    with pytest.raises(Unavailable, match="not the one"):
        payload("1")
    keys(before, tmp_path, NEWER, NEW)
    assert payload("1") == old


def test_a_key_that_wraps_nothing_any_more_may_go(before: Settings, tmp_path: Path) -> None:
    old, sealed = payload("1"), query("SELECT sealed_payload FROM record_version ORDER BY record_id")
    keys(before, tmp_path, NEW)
    rewrapping.rewrap(db.transaction)
    keys(before, tmp_path, NEWER, NEW)
    rewrapping.rewrap(db.transaction)
    keys(before, tmp_path, NEWER)
    assert payload("1") == old
    assert query("SELECT sealed_payload FROM record_version ORDER BY record_id") == sealed, "payloads are not touched"
    wrapped = query(WRAPPED)
    assert rewrapping.rewrap(db.transaction).left == 0
    assert query(WRAPPED) == wrapped


def test_what_no_key_opens_is_counted_and_left_alone(before: Settings, tmp_path: Path) -> None:
    keys(before, tmp_path, NEW)
    rewrapping.rewrap(db.transaction)
    wrapped = query(WRAPPED)
    keys(before, tmp_path, NEWER)
    done = rewrapping.rewrap(db.transaction)
    assert (done.unreadable, done.left, query(WRAPPED)) == (2, 0, wrapped)


def test_a_key_that_was_replaced_meanwhile_is_not_put_back(before: Settings, tmp_path: Path) -> None:
    """An erasure takes the key; the record that comes again has another, and the one that was read would open nothing of it."""
    keys(before, tmp_path, NEW)
    ((record_id, wrapped), *_) = query(WRAPPED)
    with db.transaction() as session:
        rewrapping._store(session, "record_data_key", [(record_id, b"as it was read", b"wrapped anew")])
    assert query(WRAPPED)[0] == (record_id, wrapped)


def test_every_table_of_wrapped_keys_is_walked(database: str) -> None:
    held = query(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'wrapped_key' AND table_schema = 'public'"
    )
    assert {name for (name,) in held} == set(rewrapping.TABLES)


@pytest.mark.parametrize("lines", [[], ["not a key"], ["1a" * 16]])
def test_a_file_of_keys_that_is_none_is_refused(before: Settings, tmp_path: Path, lines: list[str]) -> None:
    keys(before, tmp_path, *lines)
    with pytest.raises(Invalid):
        rewrapping.count(db.read_only)
