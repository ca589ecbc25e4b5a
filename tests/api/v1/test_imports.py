"""A file sent whole: stored within the limit or refused, its job opened once, and read by a worker's limited process."""

import gzip
import resource
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api import idempotency
from api.app import create_app
from kernel import db, jobs
from kernel.settings import configure, settings
from mdm import export_files, uploads
from workers.jobs import run_chunk

from ... import resolution as master
from ...resolution import query
from ..conftest import Api
from .test_jobs import key, problem

CSV = b"id,given_name,surname\n1,Ada,Byron\n2,Otto,Becker\n,Nobody,Atall\n"
TO_SHOP = {"source": "shop", "format": "csv"}


@pytest.fixture
def api(database: str) -> Iterator[Api]:
    master.start()
    for left in uploads.folder().iterdir():
        left.unlink()
    with Api(create_app()) as client:
        yield client


@pytest.fixture
def small(api: Api) -> Iterator[int]:
    """A limit of 1,000 bytes."""
    before = settings()
    configure(before.model_copy(update={"import_max_bytes": 1_000}))
    yield 1_000
    configure(before)


def stored() -> list[Path]:
    return sorted(uploads.folder().iterdir())


def send(api: Api, body: Any, headers: dict[str, str] | None = None, **params: str) -> Any:
    return api.post("/v1/imports", params={**TO_SHOP, **params}, content=body, headers=headers or key("records:write"))


def read_all() -> None:
    """Do every chunk there is, as workers do."""
    while found := query("SELECT chunk_id::text FROM job_chunk JOIN job USING (job_id) WHERE job_chunk.state = 'queued'"
                         " AND job.state IN ('queued', 'running') ORDER BY ordinal LIMIT 1"):  # fmt: skip
        run_chunk(found[0][0])


def job_of(answer: Any) -> jobs.Job:
    with db.read_only() as session:
        return jobs.status(session, uuid.UUID(answer.json()["job_id"]))


def test_a_file_is_read_by_a_worker_and_its_job_tells_rejects_by_reason(api: Api) -> None:
    answer = send(api, CSV)
    assert answer.status_code == 202
    (file,) = stored()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    read_all()
    told = api.get(f"/v1/jobs/{answer.json()['job_id']}", headers=key("jobs:read", brands=("acme",))).json()
    assert (told["state"], told["done_units"], told["failed_units"]) == ("finished", 2, 1)
    assert told["result"]["reasons"] == {"key_missing": 1}
    assert query("SELECT source_key FROM source_record ORDER BY 1") == [("1",), ("2",)]
    assert stored() == []
    assert "upload" not in told["params"]


def test_a_long_file_is_read_in_parts_and_a_part_begins_where_the_one_before_ended(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = b"".join(b'{"given_name": "N%d", "id": "%d"}\n' % (n, n) for n in range(2_500))
    answer = send(api, lines, format="ndjson")
    monkeypatch.setattr(uploads, "PART_ROWS", 1_000)
    parts = 0
    while (claim := claimed()) is not None:
        uploads.read(db.transaction, claim)
        parts += 1
    assert (job_of(answer).state, job_of(answer).done_units, parts) == ("finished", 2_500, 3)
    assert query("SELECT count(*) FROM source_record") == [(2_500,)]
    length = len(lines[: lines.index(b'"1000"') - len(b'{"given_name": "N1000", "id": ')])
    begins = [row[0] for row in query("SELECT params -> 'after' FROM job_chunk ORDER BY ordinal")]
    assert begins[:2] == [None, {"rows": 1_000, "line_no": 1_000, "at": length}], "what was read is not read again"


def claimed() -> jobs.Claim | None:
    with db.transaction() as session:
        return jobs.claim_chunk(session, "test", ["import"])


def test_who_has_lost_the_lease_stores_nothing(api: Api) -> None:
    answer = send(api, CSV)
    held = claimed()
    assert held is not None
    query("UPDATE job_chunk SET lease_owner = 'another'")
    with pytest.raises(uploads.Conflict, match="lost"):
        uploads.read(db.transaction, held)
    assert (query("SELECT count(*) FROM source_record"), len(stored())) == ([(0,)], 1)
    with db.transaction() as session:
        jobs.cancel(session, job_of(answer).job_id)
    with pytest.raises(uploads.Conflict):
        uploads.read(db.transaction, held)
    assert stored() == []


def test_a_bomb_fails_its_job_and_nothing_else(api: Api, tmp_path: Path) -> None:
    """50 kB that decode to 20 GB: a row is a megabyte, twenty thousand times the same."""
    rows = 20_000
    same = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"id": [str(n) for n in range(rows)], "given_name": same}), tmp_path / "bomb.parquet")
    answer = send(api, (tmp_path / "bomb.parquet").read_bytes(), format="parquet")
    fine = send(api, CSV)
    read_all()
    assert (job_of(answer).state, job_of(answer).error) == ("failed", "out_of_memory")
    assert job_of(fine).state == "finished"
    assert stored() == []


def test_a_bomb_of_many_small_rows_fails_as_well(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LEAST_DECODED_BYTES", 100_000)
    monkeypatch.setattr(uploads, "MOST_DECODED", 10)
    pq.write_table(pa.table({"id": ["same"] * 100_000}), tmp_path / "many.parquet")
    answer = send(api, (tmp_path / "many.parquet").read_bytes(), format="parquet")
    held = claimed()
    assert held is not None
    uploads.read(db.transaction, held)
    assert (job_of(answer).state, job_of(answer).error) == ("failed", "decodes_too_large")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"PAR1" + b"\x00" * 50 + b"PAR1", "parquet", "broken_file"),
        (b"\n", "csv", "empty_file"),
    ],
    ids=["parquet of zeros", "a line's end"],
)
def test_a_file_that_cannot_be_read_fails_its_job_with_a_code(api: Api, body: bytes, kind: str, code: str) -> None:
    answer = send(api, body, format=kind)
    read_all()
    assert (job_of(answer).state, job_of(answer).error) == ("failed", code)
    assert stored() == []


def test_no_more_than_the_limit_is_written(api: Api, small: int) -> None:
    assert problem(send(api, b"x" * (small + 1))) == (413, "too_large")
    written = []

    def streamed() -> Iterator[bytes]:
        for _ in range(10):
            written.append([path.stat().st_size for path in stored()])
            yield b"x" * 400

    assert problem(send(api, streamed())) == (413, "too_large")
    assert stored() == []
    assert all(size <= small for sizes in written for size in sizes)
    assert send(api, b"x" * small).status_code == 202


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (gzip.compress(CSV, mtime=0), "csv", (415, "compressed_file")),
        (b"PK\x03\x04rest", "ndjson", (415, "compressed_file")),
        (b"PAR1rest", "csv", (422, "wrong_format")),
        (CSV, "parquet", (422, "wrong_format")),
        (b"", "csv", (422, "empty_body")),
    ],
    ids=["gzip", "zip", "parquet as csv", "csv as parquet", "nothing"],
)
def test_what_is_no_file_of_the_format_is_refused_unread(api: Api, body: bytes, kind: str, expected: tuple[int, str]) -> None:
    assert problem(send(api, body, format=kind)) == expected
    assert (stored(), query("SELECT count(*) FROM job")) == ([], [(0,)])


def test_packed_by_the_transport_is_refused(api: Api) -> None:
    assert problem(send(api, CSV, {**key("records:write"), "content-encoding": "gzip"})) == (415, "compressed_file")


def test_a_repeated_request_opens_one_job(api: Api) -> None:
    headers = {**key("records:write"), "idempotency-key": "monday"}
    first, again, other = send(api, CSV, headers), send(api, CSV, headers), send(api, CSV + b"9,New,One\n", headers)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert problem(other) == (422, "idempotency_key_reused")
    assert (len(stored()), query("SELECT count(*) FROM job")) == (1, [(1,)])
    query("UPDATE idempotency SET status_code = NULL, created_at = now()")
    assert problem(send(api, CSV, headers)) == (409, "idempotency_in_flight")


def test_a_key_imports_into_its_brands_only(api: Api) -> None:
    acme = key("records:write", brands=("acme",))
    assert problem(send(api, CSV, acme, source="crm")) == (403, "outside_scope")
    assert problem(send(api, CSV, acme, source="nowhere")) == (404, "unknown_source")
    assert problem(send(api, CSV, key("records:read"))) == (403, "missing_scope")
    assert stored() == []


@pytest.fixture
def full_disk(api: Api) -> Iterator[None]:
    """No file of this process may grow past a page: writing fails as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_leaves_neither_half_a_file_nor_a_job(api: Api, full_disk: None) -> None:
    assert problem(send(api, CSV + b"3,Ida,Klein\n" * 10_000)) == (503, "storage_full")
    assert (stored(), query("SELECT count(*) FROM job")) == ([], [(0,)])


def test_an_upload_leaves_the_last_of_the_disk_to_the_database(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "LEFT_FREE_BYTES", 2**62)
    assert problem(send(api, CSV)) == (503, "storage_full")
    assert (stored(), query("SELECT count(*) FROM job")) == ([], [(0,)])


def test_a_file_whose_job_may_have_been_opened_is_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks between the commit and its answer: whoever asks again under the key is given a job that is read."""
    headers, real = key("records:write") | {"idempotency-key": "nightly"}, idempotency.once

    def cut_off(*asked: Any) -> Any:
        real(*asked)
        raise psycopg.OperationalError("cut off")

    monkeypatch.setattr(idempotency, "once", cut_off)
    assert send(api, CSV, headers).status_code == 503
    monkeypatch.setattr(idempotency, "once", real)
    again = send(api, CSV, headers)
    read_all()
    assert (again.status_code, job_of(again).state, job_of(again).done_units) == (202, "finished", 2)
    assert stored() == []


def test_files_that_nobody_reads_any_more_are_let_go_of(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = job_of(send(api, CSV)).job_id
    assert forgotten() == 0
    monkeypatch.setattr(uploads, "KEPT_SECONDS", -60.0)
    with db.transaction() as session:
        jobs.pause(session, job_id)
    assert (forgotten(), len(stored())) == (0, 1), "its job waits for longer than files are kept"
    with db.transaction() as session:
        jobs.cancel(session, job_id)
    assert (forgotten(), stored()) == (1, [])


def forgotten() -> int:
    with db.transaction() as session:
        return uploads.forget_old(session)
