"""Rows that helpers make ready are stored as those that this process makes ready, in the order of the file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel import db
from mdm import files, imports
from mdm.import_crew import WORTH_HELPERS, preparation
from mdm.imports import Tally

from .. import resolution as master
from ..resolution import MARIA, WHO, Master, query

CHUNK = 7


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start(master.POLICY.replace("{channel_kind: pos, brand: acme", "{channel_kind: pos, key: id, brand: acme"))


def lines() -> Iterator[str]:
    """Thirty records, some of them twice, with one row that is none and one that cannot be used."""
    for number in range(40):
        record = MARIA | {"given_name": f"Maria {number // 2}", "emails": [f"maria{number}@telefonica.net"]}
        yield json.dumps({"id": f"k{number % 30}"} | record)
    yield "{"
    yield json.dumps({"id": "k99", "given_name": {"no": "text"}})


def load(mdm: Master, folder: Path, processes: int) -> Tally:
    path = folder / f"{processes}.ndjson"
    path.write_text("\n".join(lines()), encoding="utf-8")
    rows = files.open_rows(path)
    with db.transaction() as session:
        job = imports.begin(session, mdm.policy, rows, "pos", WHO)
    with preparation(mdm.policy, processes, WORTH_HELPERS) as ready:
        for chunk in ready.chunks("pos", imports.chunks(rows.rows(), 0, CHUNK)):
            with db.transaction() as session:
                job.tally = imports.take_chunk(session, mdm.policy, job, chunk, WHO)
    with db.transaction() as session:
        imports.finish(session, job)
    return job.tally


def stored() -> list[tuple[object, ...]]:
    return query(
        """SELECT s.source_key, s.version_no, s.form_hash, s.body, s.form, s.appraisal, r.payload_hash,
             (SELECT array_agg((b.rule, b.blocking_key)::text ORDER BY b.blocking_key) FROM blocking_key b
              WHERE b.record_id = s.record_id)
           FROM standard_record s JOIN source_record r USING (record_id) ORDER BY 1"""
    )


def test_helpers_make_rows_ready_as_one_process_does(mdm: Master, tmp_path: Path) -> None:
    told = load(mdm, tmp_path, 2)
    found = stored()
    assert (told.rows, told.outcomes["created"], told.outcomes["changed"], told.outcomes["rejected"]) == (42, 30, 10, 2)
    assert len(found) == 30
    assert [row[1] for row in found if row[0] in {"k0", "k10"}] == [2, 1]
    master.empty_records()
    assert load(mdm, tmp_path, 1).as_json() == told.as_json()
    assert stored() == found
