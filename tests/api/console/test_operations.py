"""Operations in the console: sources and quality, jobs, webhooks with every attempt; and who may do what."""

from collections.abc import Iterator
from typing import Any

import pytest

from kernel import actor, db, jobs
from mdm import quality_breaches
from webhooks import endpoints

from ...resolution import WHO, Master, query
from .conftest import Browser, signed_in
from .test_tasks import words_of

EVERYTHING = sorted(actor.SCOPES - {"admin"})
URL = "https://hooks.example.com/customers"


@pytest.fixture
def olga(mdm: Master) -> Iterator[Browser]:
    """Who may do everything."""
    with signed_in("olga", scopes=EVERYTHING) as client:
        yield Browser(client)


@pytest.fixture
def job(mdm: Master) -> str:
    with db.transaction() as session:
        made = jobs.create_job(
            session, "import", {"source": "pos", "file": "tills.csv"}, "test", total_units=20, chunks=[{"n": 1}, {"n": 2}]
        )
    return f"/console/operations/jobs/{made}"


@pytest.fixture
def endpoint(mdm: Master) -> str:
    with db.transaction() as session:
        made, _ = endpoints.create(session, WHO, endpoints.Wish(URL))
    return f"/console/operations/webhooks/{made.endpoint_id}"


def test_sources_say_how_many_records_they_have_and_one_its_quality(olga: Browser) -> None:
    assert "acquired brand · main review not known not known" in words_of(olga.open("/console/operations/sources"))
    assert "Nothing of it was measured yet" in words_of(olga.open("/console/operations/sources/pos"))
    assert "no such source" in words_of(olga.open("/console/operations/sources/nowhere", 404))
    quality_breaches.run(db.transaction)
    assert "acquired brand · main review 1" in words_of(olga.open("/console/operations/sources"))
    assert "other live 0 none" in words_of(olga.page)
    query("UPDATE quality_day SET body = jsonb_set(body, '{times,last_received_at}', '\"2020-01-01T00:00:00+00:00\"')")
    assert "live 1 2020-01-01" in words_of(olga.open("/console/operations/sources")), "it is told as measured"


def test_a_job_is_shown_paused_resumed_and_cancelled(olga: Browser, job: str) -> None:
    assert "tills.csv" in words_of(olga.open("/console/operations/jobs"))
    assert "queued" in words_of(olga.open(job))
    for act, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        assert state in words_of(olga.send(f"{job}/{act}").text), act
    assert olga.send(f"{job}/cancel").status_code == 409
    assert ("user:olga", "job.cancelled") in query("SELECT actor, action FROM audit")


def test_the_progress_of_a_job_that_is_over_is_told_and_ends(olga: Browser, job: str) -> None:
    olga.open(job)
    olga.send(f"{job}/cancel")
    told = olga.client.get(f"{job}/progress")
    assert told.headers["content-type"].startswith("text/event-stream")
    assert '"state":"cancelled"' in told.text


def test_who_may_only_look_at_jobs_changes_none(mdm: Master, job: str) -> None:
    with signed_in("ana") as client:
        ana = Browser(client)
        assert "Cancel" not in words_of(ana.open(job))
        assert ana.send(f"{job}/cancel").status_code == 403
        assert ana.open("/console/operations/webhooks", 403)
    assert query("SELECT state FROM job WHERE kind = 'import'") == [("queued",)]


def test_a_webhook_shows_its_deliveries_is_tested_disabled_and_enabled(olga: Browser, endpoint: str) -> None:
    assert URL in words_of(olga.open("/console/operations/webhooks"))
    assert "Nothing was delivered yet" in words_of(olga.open(endpoint))
    assert olga.send(f"{endpoint}/test").status_code == 200
    assert query("SELECT count(*) FROM outbox WHERE type = 'endpoint.test'") == [(1,)]
    assert "by hand" in words_of(olga.send(f"{endpoint}/disable").text)
    assert "enabled" in words_of(olga.send(f"{endpoint}/enable").text)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"first_seq": "1", "last_seq": "9"}, 404, id="of which nothing is kept"),
        pytest.param({"first_seq": "nonsense", "last_seq": "9"}, 422, id="no number"),
        pytest.param({}, 422, id="nothing"),
    ],
)
def test_a_range_that_cannot_be_delivered_says_so(olga: Browser, endpoint: str, fields: dict[str, Any], status: int) -> None:
    olga.open(endpoint)
    assert olga.send(f"{endpoint}/redeliver", **fields).status_code == status


def test_what_an_endpoint_answered_is_no_markup(olga: Browser, endpoint: str) -> None:
    query("UPDATE webhook_endpoint SET description = '<script>alert(1)</script>'")
    assert "<script>alert" not in olga.open(endpoint)
