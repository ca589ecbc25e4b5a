"""The console in a real browser: by keyboard, by mouse, without JavaScript, at both widths, read by axe."""

import json
import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kernel import db, jobs
from mdm import policy as policies
from mdm import quality_breaches, versions
from stewardship import accounts, kept_measures, kept_reports, privacy_requests
from webhooks import endpoints

from ..resolution import MARIA, WHO, Master, golden_of, query
from .conftest import Service, Visit

PASSWORD = "correct horse battery"
SURNAMES = (
    "Abad", "Bravo", "Calvo", "Duran", "Esteban", "Fuentes", "Gallego", "Herrero", "Ibarra", "Jurado", "Lozano",
    "Medina", "Navarro", "Ortega", "Pascual", "Quesada", "Romero", "Serrano", "Torres", "Urrutia", "Vargas", "Yuste",
    "Zamora", "Aguilar", "Benitez", "Castro", "Delgado", "Espinosa", "Ferrer", "Guerrero", "Hidalgo", "Iglesias",
    "Jimenez", "Leon", "Marquez", "Nieto", "Olmos", "Prieto",
)  # fmt: skip
OPERATED = (
    "jobs",
    "imports",
    "sources",
    "sources/crm",
    "alerts",
    "models",
    "policies",
    "policies/1",
    "events",
    "webhooks",
    "privacy",
    "audit",
    "report",
)
OPERATIONS = tuple(f"/console/operations/{name}" for name in OPERATED)
PAGES = ("/console", "/console/tasks", "/console/tasks?chosen=all", "/console/customers", *OPERATIONS)


@pytest.fixture(scope="module")
def mdm(service: Service) -> Master:
    """Customers in doubt by the dozen: nothing of an acquired brand is merged unasked."""
    with db.transaction() as session:
        scopes = (*accounts.STEWARD_SCOPES, "admin")
        accounts.add(
            session, "test", "ana", scopes=scopes, password=PASSWORD, display_name="Ana Torres", timezone="Europe/Madrid"
        )
        endpoints.create(session, WHO, endpoints.Wish("https://hooks.example.com/customers"))
        ruling = policies.in_force(session)
        assert ruling is not None
        every = policies.parse(re.sub(r"share: [0-9.]+", "share: 1", ruling.text))
        ruling = policies.store(session, every, "test")
        versions.adopt(session, ruling)
    made = Master(ruling)
    for number in range(12):
        person = {**MARIA, "surname": f"Garcia {'ABCDEFGHIJKL'[number] * 3}", "emails": [f"maria{number}@telefonica.net"]}
        made.put("crm", f"m{number}", person)
        made.put("acquired", f"m{number}", {**person, "given_name": "Marya", "language": "es"})
    for number, surname in enumerate(SURNAMES):  # With those above, fifty questions.
        born, email = f"19{40 + number}-0{1 + number % 9}-17", f"{surname.lower()}@telefonica.net"
        person = {"given_name": "Ines", "surname": surname, "birth_date": born, "emails": [email]}
        for source in ("crm", "acquired"):
            made.put(source, surname, person)
    made.drain()
    assert query("SELECT count(*) >= 50 FROM task WHERE state = 'open'") == [(True,)]
    quality_breaches.run(db.transaction)
    kept_measures.keep(db.transaction)
    kept_reports.keep_due(db.transaction)
    return made


@pytest.fixture
def ana(visit: Visit, mdm: Master) -> Iterator[Page]:
    """The page of a steward who has just signed in."""
    seen = visit("/console")
    sign_in(seen.page)
    yield seen.page
    assert seen.complaints == []


def sign_in(page: Page) -> None:
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("wait")


def answered() -> int:
    return int(query("SELECT count(*) FROM decision WHERE record_a IS NULL AND superseded_at IS NULL")[0][0])


def test_a_steward_settles_by_keyboard_and_undoes(ana: Page, mdm: Master) -> None:
    before = answered()
    ana.keyboard.press("s")
    expect(ana.get_by_role("heading", level=1)).to_contain_text("one customer?")
    ana.keyboard.press("m")
    expect(ana.get_by_text("Your answer is given.")).to_be_visible()
    assert answered() == before + 1
    ana.keyboard.press("u")
    expect(ana.get_by_role("heading", level=1)).to_contain_text("one customer?")
    assert answered() == before
    mdm.drain()


def test_keys_rest_while_somebody_types_and_can_be_switched_off(ana: Page) -> None:
    before = answered()
    ana.keyboard.press("s")
    words = ana.get_by_label("In your words")
    words.press_sequentially("man")
    expect(words).to_have_value("man")
    ana.get_by_role("heading", level=1).click()
    ana.keyboard.press("?")
    ana.get_by_label("Keys are on").uncheck()
    ana.get_by_role("button", name="Close").click()
    ana.keyboard.press("n")
    expect(ana.get_by_role("heading", level=1)).to_contain_text("one customer?")
    assert answered() == before


def test_a_key_that_is_held_answers_one_task_and_none_behind_the_help(ana: Page, mdm: Master) -> None:
    before = answered()
    ana.keyboard.press("s")
    expect(ana.get_by_role("heading", level=1)).to_contain_text("one customer?")
    ana.keyboard.press("?")
    ana.keyboard.press("m")
    ana.wait_for_load_state("networkidle")
    expect(ana.get_by_role("dialog")).to_be_visible()
    assert answered() == before
    ana.keyboard.press("Escape")
    ana.keyboard.down("m")
    expect(ana.get_by_text("Your answer is given.")).to_be_visible()
    following = ana.url
    ana.keyboard.down("m")  # Without letting go: the browser calls it a repeat.
    ana.wait_for_load_state("networkidle")
    ana.keyboard.up("m")
    assert (ana.url, answered()) == (following, before + 1)
    mdm.drain()


def test_a_steward_settles_by_mouse_with_words(ana: Page, mdm: Master) -> None:
    ana.get_by_role("button", name="Take the most urgent").click()
    ana.get_by_label("In your words").fill("A twin.")
    ana.get_by_role("button", name="Different customers").click()
    expect(ana.get_by_text("Your answer is given.")).to_be_visible()
    assert ("Different people of one household A twin.",) in query("SELECT reason FROM decision WHERE record_a IS NULL")
    mdm.drain()


def test_everything_is_read_and_settled_without_javascript(chromium: Browser, service: Service, mdm: Master) -> None:
    context: BrowserContext = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service.url}/console")
    sign_in(page)
    page.get_by_role("button", name="Take the most urgent").click()
    page.get_by_role("button", name="Same customer").click()
    expect(page.get_by_text("Your answer is given.")).to_be_visible()
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("one customer?")
    context.close()
    mdm.drain()


def test_a_customer_is_found_split_and_looked_at_first(ana: Page, mdm: Master) -> None:
    mdm.put("crm", "twice", {**MARIA, "surname": "Solano", "emails": ["solano@telefonica.net"]})
    mdm.put("webshop", "twice", {**MARIA, "surname": "Solano", "emails": ["solano@telefonica.net"]})
    mdm.drain()
    assert golden_of("crm", "twice") == golden_of("webshop", "twice")
    ana.get_by_role("link", name="Customers").click()
    ana.get_by_label("Name").fill("solano")
    ana.get_by_role("button", name="Find").click()
    ana.get_by_role("link", name="Maria Solano").click()
    ana.get_by_label("webshop twice goes").check()
    ana.get_by_label("Why").nth(1).fill("Her sister.")
    ana.get_by_role("button", name="Split off").click()
    expect(ana.get_by_role("heading", level=1)).to_have_text("Split this customer?")
    ana.get_by_role("button", name="Do it").click()
    expect(ana.get_by_role("heading", level=1)).to_have_text("Maria Solano")
    mdm.drain()
    assert golden_of("crm", "twice") != golden_of("webshop", "twice")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_its_window_and_is_accessible(visit: Visit, mdm: Master, axe: str, width: int, scheme: str) -> None:
    seen = visit("/console/sign-in", width, scheme)
    page = seen.page
    found = {"/console/sign-in": complaints(page, axe)}
    sign_in(page)
    task = query("SELECT task_id FROM task WHERE state = 'open' LIMIT 1")[0][0]
    customer = query("SELECT golden_id FROM golden WHERE status = 'live' LIMIT 1")[0][0]
    check = query("SELECT task_id FROM task WHERE state = 'open' AND kind = 'audit' LIMIT 1")[0][0]
    model = query("SELECT fingerprint FROM model_version LIMIT 1")[0][0]
    webhook = query("SELECT endpoint_id FROM webhook_endpoint LIMIT 1")[0][0]
    for path in (
        *PAGES,
        f"/console/operations/webhooks/{webhook}",
        f"/console/operations/jobs/{job_id()}",
        f"/console/operations/models/{model}",
        f"/console/operations/privacy/{privacy_request(customer)}",
        f"/console/tasks/{task}",
        f"/console/tasks/{check}",
        f"/console/customers/{customer}",
        "/console/tasks/nonsense",
    ):
        page.goto(f"{visit.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found[path] = complaints(page, axe)
    page.goto(f"{visit.url}/console/operations/privacy/{privacy_request(customer)}")
    page.get_by_role("button", name="Look at what would go").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Erase this person?")
    found["what would go"] = complaints(page, axe)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert {path: told for path, told in found.items() if told} == {}


def test_one_answer_is_given_to_many_and_undone_as_one(ana: Page, mdm: Master, axe: str) -> None:
    before = answered()
    ana.goto(f"{ana.url.partition('/console')[0]}/console/tasks?kind=pair")
    ana.locator(".list th a").first.focus()
    for key in "xjx":  # Tick this one, go on, tick that one.
        ana.keyboard.press(key)
    ana.get_by_role("button", name="Same customer: look").click()
    expect(ana.get_by_role("heading", level=1)).to_have_text("Give this answer to 2 tasks?")
    assert complaints(ana, axe) == []
    assert answered() == before
    ana.get_by_role("button", name="Give all 2").click()
    expect(ana.get_by_text("The answers are given.")).to_be_visible()
    assert answered() == before + 2
    ana.keyboard.press("u")
    expect(ana.get_by_text("The answers are given.")).to_have_count(0)
    assert answered() == before
    mdm.drain()


def job_id() -> str:
    """A job that runs and has done half of what it is to do."""
    with db.transaction() as session:
        return str(jobs.create_job(session, "test", {"source": "crm"}, "test", total_units=2, chunks=[{}]))


def privacy_request(golden_id: UUID) -> UUID:
    """A request for an erasure that is open."""
    there = query("SELECT request_id FROM privacy_request WHERE golden_id = %s AND state = 'open'", golden_id)
    if there:
        found: UUID = there[0][0]
        return found
    with db.transaction() as session:
        return privacy_requests.open_request(session, WHO, privacy_requests.Wish("erasure", golden_id))


def test_an_erasure_is_asked_for_answered_and_confirmed_without_javascript(
    chromium: Browser, service: Service, mdm: Master, axe: str
) -> None:
    leaving = {"given_name": "Rosa", "surname": "Quintana", "birth_date": "1961-05-04", "emails": ["quintana@telefonica.net"]}
    mdm.put("crm", "leaves", leaving)
    mdm.drain()
    golden_id = golden_of("crm", "leaves")
    context: BrowserContext = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service.url}/console")
    sign_in(page)
    page.goto(f"{service.url}/console/operations/privacy")
    page.get_by_label("Kind").select_option("erasure")
    page.get_by_label("Golden id").fill(str(golden_id))
    page.get_by_label("Your case number").fill("CASE-7")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Erasure")
    page.get_by_label("Theirs", exact=True).first.check()
    page.get_by_role("button", name="Keep the answers").click()
    page.get_by_label("How it was checked").select_option("in_store")
    page.get_by_label("What came of it").select_option("passed")
    page.get_by_role("button", name="Note it").first.click()
    page.get_by_role("button", name="Look at what would go").click()
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    expect(page.get_by_text(str(golden_id))).to_be_visible()
    page.get_by_role("button", name="Erase it").click()
    expect(page.get_by_text("confirmed", exact=True)).to_be_visible()
    assert query("SELECT state FROM privacy_request WHERE reference = 'CASE-7'") == [("confirmed",)]
    context.close()


def complaints(page: Page, axe: str) -> list[str]:
    """What axe finds wrong with a page by WCAG 2.2 AA; run past the page's own policy, which lets no script of others in."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": axe})
    asked = f"axe.run(document, {{runOnly: {json.dumps(tags)}}}).then((one) => JSON.stringify(one.violations))"
    answer = session.send("Runtime.evaluate", {"expression": asked, "awaitPromise": True, "returnByValue": True})
    session.detach()
    found = json.loads(answer["result"]["value"])
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def test_axe_sees_what_is_wrong(ana: Page, axe: str) -> None:
    ana.evaluate("document.body.append(document.createElement('input'))")
    assert any(one.startswith("label") for one in complaints(ana, axe))
