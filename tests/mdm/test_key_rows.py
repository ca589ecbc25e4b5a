"""Keys packed as rows of nobody come back as they were, under whatever record owns them."""

import struct
import uuid

from hypothesis import given
from hypothesis import strategies as st

from mdm import key_rows

# Also what begins like the place of an id: lengths, zeros, and what is beside them.
PIECES = st.lists(st.sampled_from([b"\0\0\0\x10", b"\0\0\0\x02", b"\0\x03\0\0", bytes(4), b"\xff" * 4]), min_size=4, max_size=4)
KEYS = st.integers(-(2**63), 2**63 - 1) | PIECES.map(lambda pieces: struct.unpack(">q", b"".join(pieces[:2]))[0])
IDS = st.uuids() | PIECES.map(lambda pieces: uuid.UUID(bytes=b"".join(pieces)))


@given(st.lists(st.tuples(st.integers(1, 316), KEYS), unique_by=lambda one: one[1]), IDS)
def test_packed_keys_are_those_of_their_owner(keys: list[tuple[int, int]], record_id: uuid.UUID) -> None:
    rows = key_rows.owned(key_rows.packed(keys), record_id)
    assert list(key_rows.unpacked(rows)) == [(key, record_id, rule) for rule, key in keys]


def test_a_key_under_two_rules_is_the_first_ones() -> None:
    assert [(key, rule) for key, _, rule in key_rows.unpacked(key_rows.packed([(4, 7), (1, 8), (2, 7)]))] == [(7, 4), (8, 1)]
