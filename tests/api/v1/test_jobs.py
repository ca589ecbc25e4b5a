"""Jobs over REST: seen, followed, cancelled, tried again; within the caller's scope."""

import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from api.app import create_app
from kernel import actor, db, jobs

from ... import resolution as master
from ...resolution import query
from ..conftest import Api


@pytest.fixture
def api(database: str) -> Iterator[Api]:
    master.start()
    with Api(create_app()) as client:
        yield client


def key(*scopes: str, brands: tuple[str, ...] | None = None, regions: tuple[str, ...] | None = None) -> dict[str, str]:
    with db.transaction() as session:
        return {"authorization": f"Bearer {actor.create_key(session, 'test', scopes, brands, regions)[1]}"}


def job(source: str = "shop", **more: Any) -> uuid.UUID:
    with db.transaction() as session:
        return jobs.create_job(session, "import", {"source": source, "file": "a.csv"}, "test", **more)


def give_up(job_id: uuid.UUID) -> None:
    for _ in range(jobs.MAX_ATTEMPTS):
        with db.transaction() as session:
            claim = jobs.claim_chunk(session, "test", ["import"], job_id=job_id)
            assert claim is not None
            jobs.fail_chunk(session, claim, "broken", units=1)


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_a_job_is_told_as_it_stands(api: Api) -> None:
    job_id = job(total_units=3)
    with db.transaction() as session:
        jobs.checkpoint(session, job_id, {"rows": 2}, done_units=1, failed_units=1)
    read = key("jobs:read")
    said = api.get(f"/v1/jobs/{job_id}", headers=read).json()
    assert (said["state"], said["total_units"], said["done_units"], said["failed_units"]) == ("running", 3, 1, 1)
    assert said["checkpoint"] == {"rows": 2}
    assert [one["job_id"] for one in api.get("/v1/jobs", headers=read).json()["items"]] == [str(job_id)]
    assert api.get("/v1/jobs", params={"kind": "export"}, headers=read).json()["items"] == []
    assert problem(api.get("/v1/jobs?kind=a%00b", headers=read)) == (422, "invalid_request")
    assert problem(api.get(f"/v1/jobs/{uuid.uuid4()}", headers=read)) == (404, "unknown_job")


def test_a_key_of_one_brand_sees_jobs_about_its_sources(api: Api) -> None:
    mine, other = job("shop"), job("crm")
    acme = key("jobs:read", "jobs:write", brands=("acme",))
    assert [one["job_id"] for one in api.get("/v1/jobs", headers=acme).json()["items"]] == [str(mine)]
    assert [one["job_id"] for one in api.get("/v1/jobs?limit=1", headers=acme).json()["items"]] == [str(mine)], "behind others'"
    assert problem(api.get(f"/v1/jobs/{other}", headers=acme)) == (404, "unknown_job")
    assert problem(api.post(f"/v1/jobs/{other}:cancel", headers=acme)) == (404, "unknown_job")


def test_a_key_of_some_regions_sees_jobs_about_sources_and_ends_none_of_everybody(api: Api) -> None:
    with db.transaction() as session:
        of_all = jobs.create_job(session, "reconciliation", {"sources": [], "brands": []}, "test")
    mine, some = job("shop"), key("jobs:read", "jobs:write", regions=("de",))
    assert [one["job_id"] for one in api.get("/v1/jobs", headers=some).json()["items"]] == [str(mine)]
    assert problem(api.post(f"/v1/jobs/{of_all}:cancel", headers=some)) == (404, "unknown_job")


def test_a_job_is_cancelled_once(api: Api) -> None:
    job_id, write = job(), key("jobs:write")
    assert api.post(f"/v1/jobs/{job_id}:cancel", headers=write).json()["state"] == "cancelled"
    assert problem(api.post(f"/v1/jobs/{job_id}:cancel", headers=write)) == (409, "job_over")
    assert problem(api.post(f"/v1/jobs/{job_id}:cancel", headers=key("jobs:read"))) == (403, "missing_scope")
    assert query("SELECT type FROM outbox") == [("job.cancelled",)]


def test_a_job_is_paused_and_resumed(api: Api) -> None:
    job_id, write = job(chunks=[{}]), key("jobs:write", "jobs:read")
    assert api.post(f"/v1/jobs/{job_id}:pause", headers=write).json()["state"] == "paused"
    assert api.get(f"/v1/jobs/{job_id}", headers=write).json()["state"] == "paused"
    assert api.post(f"/v1/jobs/{job_id}:resume", headers=write).json()["state"] == "queued"
    assert problem(api.post(f"/v1/jobs/{job_id}:resume", headers=write)) == (409, "not_paused")
    assert problem(api.post(f"/v1/jobs/{job()}:pause", headers=write)) == (409, "nothing_to_pause")
    assert problem(api.post(f"/v1/jobs/{uuid.uuid4()}:pause", headers=write)) == (404, "unknown_job")
    assert query("SELECT action FROM audit WHERE action LIKE 'job.%%' ORDER BY at") == [("job.paused",), ("job.resumed",)]


def test_what_was_given_up_is_tried_again_and_the_job_ends_once_more(api: Api) -> None:
    job_id, write = job(total_units=1, chunks=[{"rows": 1}]), key("jobs:write", "jobs:read")
    give_up(job_id)
    said = api.get(f"/v1/jobs/{job_id}", headers=write).json()
    assert (said["state"], said["quarantined_chunks"], said["failed_units"]) == ("finished", 1, 1)
    assert api.post(f"/v1/jobs/{job_id}:retry", headers=write).json() == {"chunks": 1}
    with db.transaction() as session:
        claim = jobs.claim_chunk(session, "test", ["import"], job_id=job_id)
        assert claim is not None
        jobs.finish_chunk(session, claim, done_units=1)
    said = api.get(f"/v1/jobs/{job_id}", headers=write).json()
    assert (said["state"], said["quarantined_chunks"], said["done_units"], said["failed_units"]) == ("finished", 0, 1, 0)
    assert problem(api.post(f"/v1/jobs/{job_id}:retry", headers=write)) == (409, "nothing_to_retry")


def test_what_was_given_up_of_a_cancelled_job_stays_so(api: Api) -> None:
    job_id, write = job(chunks=[{}, {}]), key("jobs:write")
    give_up(job_id)
    api.post(f"/v1/jobs/{job_id}:cancel", headers=write)
    assert problem(api.post(f"/v1/jobs/{job_id}:retry", headers=write)) == (409, "nothing_to_retry")
    assert query("SELECT state FROM job_chunk ORDER BY ordinal") == [("quarantined",), ("queued",)]


def test_a_job_that_failed_while_it_was_paused_runs_when_it_is_tried_again(api: Api) -> None:
    job_id, write = job(chunks=[{}]), key("jobs:write", "jobs:read")
    api.post(f"/v1/jobs/{job_id}:pause", headers=write)
    query("UPDATE job_chunk SET state = 'quarantined'")
    with db.transaction() as session:
        jobs.finish_job(session, job_id, error="worker_lost", result={"rows": 1})
    assert api.post(f"/v1/jobs/{job_id}:retry", headers=write).json() == {"chunks": 1}
    said = api.get(f"/v1/jobs/{job_id}", headers=write).json()
    assert (said["state"], said["error"], said["result"]) == ("running", None, None)


def test_progress_is_followed_until_the_job_is_over(api: Api) -> None:
    job_id = job()
    with db.transaction() as session:
        jobs.finish_job(session, job_id, result={"rows": 7})
    with api.stream("GET", f"/v1/jobs/{job_id}/progress", headers=key("jobs:read")) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = list(answer.iter_lines())
    assert lines[0] == "event: progress"
    assert orjson.loads(lines[1].removeprefix("data: "))["result"] == {"rows": 7}
    assert problem(api.get(f"/v1/jobs/{uuid.uuid4()}/progress", headers=key("jobs:read"))) == (404, "unknown_job")
