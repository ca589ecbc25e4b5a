"""Reads the whole key index for the bulk engine: keys as numbers, records as positions. Only reads."""

import sys
import uuid
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc
from sqlmodel import Session

from matching.blocking import KEY_BYTES
from matching.bulk_pairs import KEYS_SCHEMA
from mdm import sql

_READ = """SELECT s.record_id, k.rules, k.keys FROM (SELECT record_id FROM {living}) AS s LEFT JOIN (
    SELECT record_id, string_agg(int2send(rule), '' ORDER BY rule, blocking_key) AS rules,
      string_agg(int8send(blocking_key), '' ORDER BY rule, blocking_key) AS keys
    FROM {filed} GROUP BY record_id) AS k USING (record_id)
  ORDER BY s.record_id"""


@dataclass(frozen=True, slots=True)
class KeyIndex:
    """Living records in the order of their ids, and the keys of each: KEYS_SCHEMA, whose record is a position among them."""

    record_ids: Sequence[uuid.UUID]
    keys: pa.Table


def read(session: Session) -> KeyIndex:
    """Read every key of every living record: one row a record, its keys packed, so that no key becomes an object of Python."""
    return _packed_index(sql.rows(session, _READ.format(filed="blocking_key", living="standard_record")))


def read_of(session: Session, record_ids: Sequence[uuid.UUID]) -> KeyIndex:
    """Read the keys of some records, all of them living."""
    chosen = "unnest(%(ids)s::uuid[]) AS chosen (record_id)"
    found = sql.rows(
        session, _READ.format(filed=f"{chosen} JOIN blocking_key USING (record_id)", living=chosen), {"ids": list(record_ids)}
    )
    return _packed_index(found)


def _packed_index(found: Sequence[sql.Row]) -> KeyIndex:
    rules, keys = (_unpacked(kind, (row[place] for row in found)) for kind, place in (("h", 1), ("q", 2)))
    ends = accumulate((len(row[2] or b"") // KEY_BYTES for row in found), initial=0)
    filed = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(keys, pa.int64()))
    columns = [pa.array(rules, pa.int16()), filed.values, pc.cast(pc.list_parent_indices(filed), pa.int32())]
    return KeyIndex([row[0] for row in found], pa.Table.from_arrays(columns, schema=KEYS_SCHEMA))


def sources(session: Session) -> list[str]:
    """Name the source of every living record, in the order of `read`."""
    return [row[0] for row in sql.rows(session, "SELECT source FROM standard_record ORDER BY record_id")]


def _unpacked(kind: str, packed: Iterable[bytes | None]) -> "array[int]":
    """Read numbers as the network sends them, the highest byte first."""
    numbers = array(kind, b"".join(one or b"" for one in packed))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
