"""The console in a real browser, beyond a task: customers merged, an import followed, a policy planned, events delivered again;
and two people at one task."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from kernel import db, jobs
from mdm import imports, policy, reconciliations, rejects
from mdm.rejects import Reject
from stewardship import accounts
from webhooks import deliveries, endpoints
from workers.sequencer import number_all

from ..resolution import MARIA, WHO, Master, golden_of, query
from .conftest import Service, Visit
from .test_console import PASSWORD, answered, complaints

NAMES = ("olga", "omar")


@pytest.fixture(scope="module")
def mdm(service: Service) -> Master:
    """Two who may do everything, and customers of whom some are in doubt: nothing of an acquired brand is merged unasked."""
    with db.transaction() as session:
        for name in NAMES:
            accounts.add(session, "test", name, scopes=(*accounts.STEWARD_SCOPES, "admin"), password=PASSWORD)
        ruling = policy.in_force(session)
    assert ruling is not None
    made = Master(ruling)
    for number, (given, surname) in enumerate((("Pilar", "Ocaña"), ("Rocio", "Bermudez"), ("Teresa", "Olivares"))):
        born, email = f"195{number}-0{number + 2}-03", f"o{number}@telefonica.net"
        person = {"given_name": given, "surname": surname, "birth_date": born, "emails": [email]}
        made.put("crm", f"o{number}", person)
        made.put("acquired", f"o{number}", person)
    made.drain()
    return made


@pytest.fixture
def pages(visit: Visit, mdm: Master) -> Iterator[list[Page]]:
    """The pages of the two, signed in, each in a browser of its own."""
    both = [visit("/console") for _ in NAMES]
    for seen, name in zip(both, NAMES, strict=True):
        seen.page.get_by_label("Name").fill(name)
        seen.page.get_by_label("Password").fill(PASSWORD)
        seen.page.get_by_role("button", name="Sign in").click()
        expect(seen.page.get_by_role("link", name="Tasks")).to_be_visible()
    yield [seen.page for seen in both]
    # That a request was refused is what some of these ask for.
    assert [one for seen in both for one in seen.complaints if "409" not in one and "412" not in one] == []


@pytest.fixture
def olga(pages: list[Page]) -> Page:
    return pages[0]


def asked(key: str) -> str:
    """The path of the open task about a customer."""
    both = [golden_of("crm", key), golden_of("acquired", key)]
    (row,) = query("SELECT task_id FROM task WHERE state = 'open' AND kind = 'pair' AND golden_ids @> %s", both)
    return f"/console/tasks/{row[0]}"


def test_two_at_one_task_answer_it_once_and_the_second_is_told(pages: list[Page], visit: Visit, mdm: Master) -> None:
    first, second = pages
    path, before = asked("o0"), answered()
    for page in pages:
        page.goto(f"{visit.url}{path}")
    first.get_by_role("button", name="Same customer").click()
    expect(first.get_by_text("Your answer is given.")).to_be_visible()
    second.get_by_role("button", name="Different customers").click()
    expect(second.get_by_role("alert")).to_contain_text("The task")
    assert answered() == before + 1
    mdm.drain()
    second.goto(f"{visit.url}{path}")
    expect(second.get_by_role("button", name="Different customers")).to_have_count(0)


def test_a_double_click_answers_once_and_the_way_back_shows_what_is_settled(olga: Page, visit: Visit, mdm: Master) -> None:
    path, before = asked("o1"), answered()
    olga.goto(f"{visit.url}{path}")
    olga.get_by_role("button", name="Same customer").dblclick()
    expect(olga.get_by_text("Your answer is given.")).to_be_visible()
    assert answered() == before + 1
    mdm.drain()
    olga.go_back()
    expect(olga.get_by_role("button", name="Same customer")).to_have_count(0)
    assert answered() == before + 1


def test_two_customers_are_merged_once_they_were_looked_at(olga: Page, visit: Visit, axe: str, mdm: Master) -> None:
    one, other = golden_of("crm", "o2"), golden_of("acquired", "o2")
    assert one != other
    olga.goto(f"{visit.url}/console/customers/{one}")
    form = olga.locator("form[action$='/merge']")
    form.get_by_label("Merge with golden id").fill(str(other))
    form.get_by_label("Why").fill("She says so herself.")
    form.get_by_role("button", name="Look").click()
    expect(olga.get_by_role("heading", level=1)).to_contain_text("Merge")
    assert complaints(olga, axe) == []
    assert golden_of("crm", "o2") != golden_of("acquired", "o2")
    olga.get_by_role("button", name="Do it").click()
    expect(olga.get_by_role("heading", level=1)).to_contain_text("Teresa Olivares")
    mdm.drain()
    assert golden_of("crm", "o2") == golden_of("acquired", "o2")


def test_an_import_is_followed_while_it_runs_and_shows_what_it_left_out(olga: Page, visit: Visit, mdm: Master) -> None:
    with db.transaction() as session:
        job_id = jobs.create_job(
            session, imports.KIND, {"source": "crm", "file": "tills.csv"}, "test", total_units=40, chunks=[{}]
        )
    olga.goto(f"{visit.url}/console/operations/jobs/{job_id}")
    expect(olga.get_by_text("Followed while it runs.")).to_be_visible()
    with db.transaction() as session:
        jobs.checkpoint(session, job_id, {"records": 30, "of": 40}, done_units=30)
    expect(olga.locator("[data-of=done_units]")).to_have_text("30")
    expect(olga.locator("progress")).to_have_js_property("value", 30)
    with db.transaction() as session:
        rejects.keep(session, [Reject("wrong_column_count", "3 of 4", "crm", 12, b"secret,row")], job_id)
        jobs.finish_job(session, job_id, result={"rows": 40})
    expect(olga.get_by_role("heading", name="Rows that could not be used")).to_be_visible()
    expect(olga.get_by_text("the line has 3 columns, the header 4")).to_be_visible()
    assert "secret" not in olga.content()


def test_a_policy_is_written_planned_by_a_worker_and_told_before_it_rules(
    olga: Page, visit: Visit, axe: str, mdm: Master
) -> None:
    before = query("SELECT policy_version FROM version_set WHERE is_current")
    olga.goto(f"{visit.url}/console/operations/policies")
    olga.locator("textarea").fill(mdm.policy.text.replace("trust: 0.6, owner: store", "trust: 0.9, owner: store"))
    olga.get_by_role("button", name="Store").click()
    expect(olga.get_by_role("heading", name="What changes when it rules")).to_be_visible()
    version = olga.url
    olga.get_by_role("button", name="Plan it").click()
    expect(olga.get_by_text("Followed while it runs.")).to_be_visible()
    with db.transaction() as session:
        held = jobs.claim_chunk(session, "test", [reconciliations.KIND])
    assert held is not None
    reconciliations.work(mdm.resolver, held)
    expect(olga.get_by_role("heading", name="What came of it")).to_be_visible()
    olga.goto(version)
    expect(olga.get_by_text("golden records")).to_contain_text("0 would answer otherwise")
    assert complaints(olga, axe) == []
    assert query("SELECT policy_version FROM version_set WHERE is_current") == before


def test_events_are_delivered_once_more(olga: Page, visit: Visit, mdm: Master) -> None:
    with db.transaction() as session:
        made, _ = endpoints.create(session, WHO, endpoints.Wish("https://hooks.example.com/again"))
    mdm.put("crm", "hook", {**MARIA, "surname": "Ordoñez"})
    mdm.drain()
    number_all()
    more = True
    while more:
        with db.transaction() as session:
            more = deliveries.fan_out(session)
    tried = '[{"at": "2026-01-15T12:00:00+00:00", "status": 500}]'
    query(
        "UPDATE webhook_delivery SET state = 'dead', attempts = 1, ended_at = now(), tried = %s::jsonb WHERE endpoint_id = %s",
        tried,
        made.endpoint_id,
    )
    ((seq, most),) = query("SELECT min(seq), max(seq) FROM webhook_delivery WHERE endpoint_id = %s", made.endpoint_id)
    olga.goto(f"{visit.url}/console/operations/webhooks/{made.endpoint_id}")
    expect(olga.get_by_text("2026-01-15 12:00").first).to_be_visible()
    olga.get_by_label("From event").fill(str(seq))
    olga.get_by_label("to", exact=True).fill(str(most))
    olga.get_by_label("only those given up").check()
    olga.get_by_role("button", name="Deliver once more").click()
    expect(olga.locator(".job-due").first).to_be_visible()
    assert query("SELECT DISTINCT state FROM webhook_delivery WHERE endpoint_id = %s", made.endpoint_id) == [("due",)]
