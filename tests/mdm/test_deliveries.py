"""When a file's row says it changed: ISO, Unix time, or a date in the order that its source declares."""

import pytest

from mdm import policy
from mdm.files import FileRow
from mdm.imports import deliveries
from mdm.incoming import Incoming
from mdm.mapping_values import Problem

BEGINS = "sources:\n  till: {channel_kind: pos, brand: main, key: id, updated_at: at"


@pytest.mark.parametrize(
    ("order", "text", "expected"),
    [
        ("", "2026-03-04", "2026-03-04T00:00:00"),
        ("", "1772582400", "2026-03-04T00:00:00+00:00"),
        ("DMY", "4.3.2026", "2026-03-04T00:00:00"),
        ("DMY", "04.03.2026 17:05", "2026-03-04T17:05:00"),
        ("DMY", "04/03/2026 17:05:09", "2026-03-04T17:05:09"),
        ("MDY", "03/04/2026", "2026-03-04T00:00:00"),
        ("DMY", "2026-03-04", "2026-03-04T00:00:00"),
        ("DMY", "31.02.2026", None),
        ("", "04.03.2026", None),
        ("DMY", "yesterday", None),
    ],
)
def test_the_time_of_change_as_a_source_writes_it(order: str, text: str, expected: str | None) -> None:
    source = policy.parse(BEGINS + (f", date_order: {order}" if order else "") + "}\n").source("till")
    read = deliveries(source)(FileRow(2, {"id": "1", "at": text}, b""))
    if expected is None:
        assert read == Problem("bad_source_updated_at", "updated_at")
    else:
        assert isinstance(read, Incoming)
        assert read.source_updated_at is not None
        assert read.source_updated_at.isoformat() == expected
