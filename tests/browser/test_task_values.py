"""What a task's page shows side by side, in a browser: values set by hand, consents, and columns stacked in a narrow window."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from consent.entries import Channel, Origin, State
from consent.purposes import shipped
from kernel import db
from mdm import consents, contact_points, quality_breaches
from mdm import policy as policies
from mdm.consent_acts import Act
from stewardship import accounts, kept_measures

from ..resolution import MARIA, WHO, Master, at, golden_of, query
from .conftest import Service, Visit
from .test_console import PASSWORD, complaints

HOME = {"line1": "Carrer de Balmes 7", "city": "Barcelona", "postal_code": "08007", "country": "ES"}
PERSON = {**MARIA, "surname": "Vidal Roca", "emails": ["vidal@telefonica.net"], "phones": ["+34655872399"], "addresses": [HOME]}
GIVEN = {
    "purpose": "marketing", "channel": Channel.EMAIL, "brand": "alder", "origin": Origin.SUBJECT, "state": State.GIVEN,
    "contact": contact_points.read("email", "vidal@telefonica.net"), "occurred_at": at(1), "evidence": {"form": "1"},
}  # fmt: skip


@pytest.fixture(scope="module")
def mdm(service: Service) -> Master:
    """One who is in doubt, said yes at one source and no at the other; and all of it measured."""
    with db.transaction() as session:
        accounts.add(session, "test", "vera", password=PASSWORD)
        ruling = policies.in_force(session)
    assert ruling is not None
    made = Master(ruling)
    made.put("crm", "v1", PERSON)
    made.put("acquired", "v1", {**PERSON, "given_name": "Marya", "language": "es"})
    made.drain()
    refused = {name: said for name, said in GIVEN.items() if name not in {"contact", "evidence"}}
    acts = (
        Act(**GIVEN, record=("crm", "v1")),
        Act(**refused | {"state": State.WITHDRAWN, "occurred_at": at(2)}, record=("acquired", "v1")),
    )
    with db.transaction() as session:
        assert [one.problem for one in consents.record(session, shipped(), acts, WHO)] == [None, None]
    quality_breaches.run(db.transaction)
    kept_measures.keep(db.transaction)
    return made


@pytest.fixture
def path(mdm: Master) -> str:
    # Other pages of this service ask about other Marias.
    two = [golden_of("crm", "v1"), golden_of("acquired", "v1")]
    ((task_id,),) = query("SELECT task_id FROM task WHERE golden_ids @> %s AND golden_ids <@ %s AND state = 'open'", two, two)
    return f"/console/tasks/{task_id}"


def sign_in(page: Page) -> None:
    page.get_by_label("Name").fill("vera")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Tasks")).to_be_visible()


@pytest.fixture
def bare(chromium: Browser, service: Service) -> Iterator[Page]:
    """A browser without JavaScript."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service.url}/console")
    sign_in(page)
    yield page
    context.close()


def test_a_value_is_set_by_hand_and_taken_back_without_javascript(bare: Page, service: Service, path: str, mdm: Master) -> None:
    bare.goto(f"{service.url}{path}")
    bare.get_by_text("Set Born by hand").locator("..").click()
    form = bare.locator(".by-hand[open] form")
    form.get_by_label("Born").fill("soon")
    form.get_by_label("Why").fill("She spelt it out.")
    form.get_by_role("button", name="Set by hand: look").click()
    expect(bare.get_by_role("alert")).to_contain_text("none of its attribute")
    expect(form.get_by_label("Why")).to_have_value("She spelt it out.")
    expect(form.get_by_label("Born")).to_have_value("soon")
    form.get_by_label("Born").fill("1984-03-21")
    form.get_by_role("button", name="Set by hand: look").click()
    expect(bare.get_by_role("heading", level=1)).to_have_text("Set birth date by hand?")
    bare.get_by_role("button", name="Do it").click()
    expect(bare.get_by_text("The value is set by hand")).to_be_visible()
    expect(bare.locator(".with-links .merged", has_text="1984-03-21")).to_be_visible()
    bare.get_by_role("button", name="Undo", exact=True).click()
    expect(bare.locator(".with-links .merged", has_text="1984-03-12")).to_be_visible()
    mdm.drain()


def test_keys_rest_while_a_value_is_typed(visit: Visit, path: str) -> None:
    page = visit("/console/sign-in").page
    sign_in(page)
    page.goto(f"{visit.url}{path}")
    page.get_by_text("Set Language by hand").locator("..").press("Enter")
    field = page.locator(".by-hand[open]").get_by_label("Language")
    field.fill("")
    page.keyboard.type("man")
    expect(field).to_have_value("man")
    expect(page.get_by_role("heading", level=1)).to_contain_text("one customer?")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_side_by_side_is_a_table_to_all_at_every_width_and_nothing_scrolls_sideways(
    visit: Visit, path: str, axe: str, width: int, scheme: str
) -> None:
    seen = visit("/console/sign-in", width, scheme)
    page = seen.page
    sign_in(page)
    page.goto(f"{visit.url}{path}")
    page.get_by_text("Set Name by hand").locator("..").click()
    assert complaints(page, axe) == []
    table = page.get_by_role("table").first
    row = table.get_by_role("row", name="Name")
    expect(row.get_by_role("rowheader", name="Name")).to_be_visible()
    assert row.get_by_role("cell").count() == 4
    assert table.get_by_role("columnheader").count() == 5
    expect(row.locator("mark").first).to_be_visible()
    consents = page.get_by_role("region", name="Consents side by side")
    expect(consents).to_contain_text("1 permission ends if they are one; a merge adds none.")
    assert consents.get_by_role("columnheader").count() == 5
    for scroller in page.locator(".scroll:has(> .stacks)").all():
        wide, seen_of_it = scroller.evaluate("(one) => [one.scrollWidth, one.clientWidth]")
        assert wide <= seen_of_it
    stacked = row.get_by_role("cell").nth(1).evaluate("(one) => getComputedStyle(one, '::before').content")
    assert ("Maria" in stacked) == (width == 390)
    assert seen.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_first_page_tells_how_the_master_fares(visit: Visit, mdm: Master, axe: str, width: int, scheme: str) -> None:
    seen = visit("/console/sign-in", width, scheme)
    sign_in(seen.page)
    fares = seen.page.get_by_role("region", name="How the customer master fares")
    for name in (
        "Duplicates removed",
        "Recognised across channels",
        "Latency by source",
        "Quality by source",
        "Drift of the model",
    ):
        expect(fares.get_by_role("heading", name=name)).to_be_visible()
    expect(fares.locator("svg.interval").first).to_be_visible()
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints(seen.page, axe) == []
    assert seen.complaints == []
