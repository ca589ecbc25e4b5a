"""A reconciliation over REST: planned or applied by a worker's process, one at a time, its report the job's result."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.app import create_app
from kernel import db, jobs
from mdm import policy, reconciliations, versions

from ... import resolution as master
from ...mdm.test_plans import BY_TIME, OTTO
from ...resolution import MARIA, POLICY, Master, at, golden_of, query
from ..conftest import Api
from .test_imports import job_of
from .test_jobs import key, problem


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start()
    made.put("shop", "1", MARIA | {"language": "es"}, source_updated_at=at(3))
    made.put("crm", "x", MARIA | {"language": "ca"}, source_updated_at=at(2))
    return made


@pytest.fixture
def api(mdm: Master) -> Iterator[Api]:
    with Api(create_app()) as client:
        yield client


def begin(api: Api, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return api.post("/v1/reconciliations", json=body, headers=headers or key("jobs:write", "jobs:read"))


def work(mdm: Master) -> None:
    """Do what is to be done, in this process."""
    with db.transaction() as session:
        held = jobs.claim_chunk(session, "test", [reconciliations.KIND])
    assert held is not None
    reconciliations.work(mdm.resolver, held)


def test_a_dry_run_says_what_applying_does(api: Api, mdm: Master) -> None:
    planned = begin(api, dry_run=True)
    assert planned.status_code == 202
    work(mdm)
    plan = job_of(planned)
    assert (plan.state, plan.done_units) == ("finished", 2)
    assert plan.result is not None
    assert (plan.result["causes"], plan.result["sources"]) == ({"created": 1}, {"shop": 1, "crm": 1})
    assert [(one["golden_id"], one["records"]) for one in plan.result["told"]] == [(None, 2)]
    assert query("SELECT count(*) FROM golden") == [(0,)]
    applied = begin(api)
    work(mdm)
    report = job_of(applied).result
    assert report is not None
    assert (report["goldens"], report["events"], report["brands"]) == (1, {"golden.created": 1}, {"acme": 1, "bolt": 1})
    told = query("SELECT load_id = %s, type FROM outbox WHERE type LIKE 'golden.%%' OR type = 'load.finished' ORDER BY outbox_id",
                 job_of(applied).job_id)  # fmt: skip
    assert told == [(True, "golden.created"), (None, "load.finished")]


def test_a_scope_is_reconciled_alone(api: Api, mdm: Master) -> None:
    mdm.put("pos", "9", OTTO)
    answer = begin(api, sources=["crm"])
    work(mdm)
    assert (job_of(answer).done_units, golden_of("crm", "x") is None, golden_of("pos", "9")) == (2, False, None)
    assert golden_of("shop", "1") == golden_of("crm", "x")


def test_the_second_is_refused_with_the_id_of_the_first_and_a_repetition_joins(api: Api) -> None:
    headers = key("jobs:write") | {"idempotency-key": "nightly"}
    first = begin(api, headers)
    refused = begin(api, dry_run=True)
    assert (*problem(refused), refused.json()["job_id"]) == (409, "reconciliation_under_way", first.json()["job_id"])
    again = begin(api, headers)
    assert (again.status_code, again.json()["job_id"]) == (202, first.json()["job_id"])
    assert api.post(f"/v1/jobs/{first.json()['job_id']}:cancel", headers=headers).json()["state"] == "cancelled"
    assert begin(api).status_code == 202


@pytest.mark.parametrize("body", [{"sources": ["nobody"]}, {"brands": ["nobody"]}, {"sources": "shop"}, {"part": "all"}], ids=str)
def test_what_cannot_be_reconciled_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert begin(api, **body).status_code == 422
    assert query("SELECT count(*) FROM job") == [(0,)]


def test_a_key_of_one_brand_reconciles_nothing_and_sees_no_report(api: Api) -> None:
    acme = key("jobs:write", "jobs:read", brands=("acme",))
    assert problem(begin(api, acme, sources=["shop"])) == (403, "whole_scope_needed")
    job_id = begin(api).json()["job_id"]
    assert problem(api.get(f"/v1/jobs/{job_id}", headers=acme)) == (404, "unknown_job")
    assert problem(begin(api, key("jobs:read"))) == (403, "missing_scope")


def test_a_plan_holds_no_key_of_a_record(api: Api, mdm: Master) -> None:
    """What is kept as a job's result is reached by no erasure."""
    mdm.put("shop", "anna@example.org", MARIA)
    answer = begin(api, dry_run=True)
    work(mdm)
    assert "anna" not in str(job_of(answer).result)


def test_a_new_policy_is_adopted_by_it(api: Api, mdm: Master) -> None:
    mdm.drain()
    with db.transaction() as session:
        versions.adopt(session, policy.store(session, policy.parse(POLICY + BY_TIME), "test"))
    answer = begin(api)
    work(mdm)
    assert job_of(answer).result["events"] == {"golden.updated": 1}  # type: ignore[index]  # It is finished.
