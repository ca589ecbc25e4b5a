"""The pages for customers in a real browser, without scripts: by keyboard, at both widths, in both schemes, read by axe."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.server_process import free_port
from consent import links
from consent.entries import Channel
from consent.links import LinkKind
from consent.purposes import shipped
from kernel import clock, db
from kernel.settings import settings
from mdm import consent_links, contact_points
from mdm import policy as policies

from ..resolution import MARIA, WHO, Master, query
from ..workers.processes import wait_until
from .conftest import ROOT, Service, Visit
from .test_console import complaints

KINDS = tuple(LinkKind)


@pytest.fixture(scope="module")
def public(service: Service) -> Iterator[str]:
    """The pages for customers in their own process beside the service, with a customer."""
    with db.transaction() as session:
        ruling = policies.in_force(session)
    assert ruling is not None
    Master(ruling).put("crm", "customer-of-links", MARIA)
    port = free_port()
    environment = settings().model_copy(update={"public_port": port}).child_environment()
    process = subprocess.Popen([sys.executable, "-m", "cli.serve_public"], cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: is_up(address))
        yield address
    finally:
        process.terminate()
        process.wait(30)


def is_up(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/live", timeout=5).close()
    except OSError:
        return False
    return True


def path_of(kind: LinkKind) -> str:
    """A link of a kind to the customer."""
    point = contact_points.read("email", MARIA["emails"][0])
    assert point is not None
    wish = consent_links.Wish(kind, point, record=("crm", "customer-of-links"), purpose="newsletter", channel=Channel.EMAIL)
    if kind is LinkKind.PREFERENCES:
        wish = consent_links.Wish(kind, point, record=("crm", "customer-of-links"))
    with db.transaction() as session:
        return f"/{kind}/{links.write(consent_links.issue(session, shipped(), wish, WHO, clock.now()))}"


def entries(state: str) -> int:
    found: int = query("SELECT count(*) FROM consent_entry WHERE state = %s", state)[0][0]
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_and_is_accessible(chromium: Browser, public: str, axe: str, width: int, scheme: Any) -> None:
    visit = Visit(chromium, public)
    for kind in KINDS:
        seen = visit(path_of(kind), width, scheme)
        pages = [complaints(seen.page, axe)]
        seen.page.locator("button").first.click()
        expect(seen.page.locator("[role=status]")).to_be_visible()
        pages.append(complaints(seen.page, axe))
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        assert (pages, seen.complaints) == ([[], []], [])
        assert seen.hosts() == {public.removeprefix("http://")}
    for context in visit.contexts:
        context.close()


@pytest.fixture
def still(chromium: Browser, public: str) -> Iterator[Page]:
    """A page of a browser that runs no scripts."""
    context = chromium.new_context(java_script_enabled=False, base_url=public)
    yield context.new_page()
    context.close()


def test_preferences_are_saved_by_keyboard_and_without_scripts(still: Page) -> None:
    before = entries("given"), entries("withdrawn")
    still.goto(path_of(LinkKind.PREFERENCES))
    box = still.get_by_label("Market research and reviews")
    expect(box).not_to_be_checked()
    box.focus()
    still.keyboard.press("Space")
    still.keyboard.press("Tab")
    still.get_by_role("button", name="Save").focus()
    still.keyboard.press("Enter")
    expect(still.get_by_role("status")).to_contain_text("Saved")
    expect(still.get_by_label("Market research and reviews")).to_be_checked()
    assert (entries("given"), entries("withdrawn")) == (before[0] + 1, before[1])
    still.reload()  # The page after it was asked for by a GET: nothing is sent again.
    still.get_by_role("button", name="Send me none of this").click()
    expect(still.get_by_label("Market research and reviews")).not_to_be_checked()
    assert (entries("given"), entries("withdrawn")) == (before[0] + 1, before[1] + 1)


def test_a_look_unsubscribes_nobody_and_the_button_does(still: Page) -> None:
    path, before = path_of(LinkKind.UNSUBSCRIBE), entries("withdrawn")
    still.goto(path)
    still.reload()
    assert entries("withdrawn") == before
    still.keyboard.press("Tab")
    still.keyboard.press("Enter")
    expect(still.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    assert entries("withdrawn") == before + 1


def test_a_wrong_link_is_told_in_a_page(still: Page) -> None:
    for path in ("/confirm/none", "/unsubscribe/none", "/v1/golden/none"):
        answer = still.goto(path)
        assert answer is not None
        assert answer.status == 404
        expect(still.get_by_role("heading", level=1)).to_have_text("This link is not valid")
