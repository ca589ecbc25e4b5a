"""The blocking keys of a record as rows of PostgreSQL's binary COPY: packed where they are made, owned where they are stored.

Pure. Whoever stores a load has one process for what many make: half a million keys would be as many tuples to pickle and pack.
"""

import struct
import uuid
from collections.abc import Iterable, Iterator

COLUMNS = "blocking_key, record_id, rule"
COPY_HEADER, COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
# Three fields, each its length and value.
_ROW = struct.Struct(">hiqi16sih")
_NOBODY = bytes(16)
# An id with the length before it. It stands nowhere else: in whatever else begins like it, a length is where it has zeros.
_OF_NOBODY = b"\0\0\0\x10" + _NOBODY


def packed(keys: Iterable[tuple[int, int]]) -> bytes:
    """Pack (rule, key) as rows of nobody; a key that stands twice is its first rule's."""
    rules: dict[int, int] = {}
    for rule, key in keys:
        rules.setdefault(key, rule)
    return b"".join([_ROW.pack(3, 8, key, 16, _NOBODY, 2, rule) for key, rule in rules.items()])


def owned(rows: bytes, record_id: uuid.UUID) -> bytes:
    """Make rows of nobody those of a record."""
    return rows.replace(_OF_NOBODY, _OF_NOBODY[:4] + record_id.bytes)


def unpacked(rows: bytes) -> Iterator[tuple[int, uuid.UUID, int]]:
    """Yield (key, record id, rule) of rows."""
    for _, _, key, _, record_id, _, rule in _ROW.iter_unpack(rows):
        yield key, uuid.UUID(bytes=record_id), rule
