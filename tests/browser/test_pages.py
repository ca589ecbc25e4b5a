"""The start page and the reference as readers meet them: in a browser, at two widths, in two colour schemes, by keyboard."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import Seen, Service, Visit

PAGES = {"start": "/", "reference": "/docs"}
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
# In an order in which each finds what the ones before it stored. Reading one golden record needs an id of the reader's own.
COMMANDS = (
    "sources-list-all", "records-put", "records-batch", "records-get", "lookup-find", "match-find", "crosswalk-find",
    "golden-batch-get", "records-delete", "records-put", "records-rekey", "health-live", "health-ready",
)  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_from_us_alone_without_complaint_and_fits(
    visit: Visit, service: Service, screenshots: Path, name: str, width: int, scheme: str
) -> None:
    seen = visit(PAGES[name], width, scheme)
    seen.page.screenshot(path=screenshots / f"{name}-{width}-{scheme}.png", full_page=True)
    assert seen.complaints == []
    assert seen.hosts() == {service.url.removeprefix("http://")}
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert dark(seen) == (scheme == "dark")


def dark(seen: Seen) -> bool:
    colour = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) < 3 * 128


def test_the_browser_refuses_what_the_policy_forbids(visit: Visit) -> None:
    """The watch of the other tests would see a violation: here is one."""
    seen = visit("/docs")
    seen.page.evaluate("document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))")
    seen.page.wait_for_timeout(200)
    assert seen.page.evaluate("window.ran") is None
    assert any("policy: script-src" in complaint for complaint in seen.complaints)


def test_every_link_of_the_index_leads_to_its_operation(visit: Visit) -> None:
    page = visit("/docs").page
    links = page.locator("#index-list li a")
    assert links.count() >= 13
    for number in range(links.count()):
        target = links.nth(number).get_attribute("href")
        links.nth(number).click()
        page.wait_for_function("(id) => location.hash === id", arg=target)
        page.wait_for_function(
            "(id) => Math.abs(document.querySelector(id).getBoundingClientRect().top) < innerHeight", arg=target
        )


@pytest.mark.parametrize("path", PAGES.values())
def test_no_link_of_a_page_is_dead(visit: Visit, service: Service, path: str) -> None:
    page = visit(path).page
    addresses = {link.evaluate("one => one.href") for link in page.locator("a").all()}
    for address in addresses:
        place, _, anchor = address.partition("#")
        answer = page.request.get(place)
        assert answer.status == 200, address
        assert not anchor or f'id="{anchor}"' in answer.text(), address


def test_an_operation_is_found_by_keyboard(visit: Visit) -> None:
    page = visit("/docs").page
    shown = page.locator("#index-list li:visible")
    everything = shown.count()
    page.keyboard.press("/")
    page.keyboard.type("post golden 1,000")
    assert [text.split("\n")[-1] for text in shown.all_inner_texts()] == [
        "Read up to 1,000 golden records",
        "Say what became of up to 1,000 golden ids",
        "Find the golden ids of up to 1,000 source records",
    ]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#crosswalk-find"
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    assert shown.count() == everything
    page.keyboard.type("no such words")
    assert (shown.count(), page.locator("#nothing").is_visible()) == (0, True)


def test_the_first_tab_skips_to_the_content(visit: Visit) -> None:
    page = visit("/docs").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def copied(page: Any, place: str) -> str:
    button = page.locator(f"{place} [data-copy]").first
    button.focus()
    page.keyboard.press("Enter")
    page.locator(f"{place} [data-copy]:text('Copied')").wait_for()
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def run(command: str, service: Service) -> tuple[int, str]:
    """Run a command in a shell as a reader would; gives the status and what was answered."""
    told = command.replace("curl -sS", "curl -sS -w '\\n%{http_code}'", 1)
    done = subprocess.run(
        ["sh", "-c", told], check=False, env={**os.environ, "MDM_KEY": service.key}, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    answer, _, status = done.stdout.rpartition("\n")
    return int(status), answer


def test_every_command_runs_as_it_stands(visit: Visit, service: Service) -> None:
    page = visit("/docs").page
    for anchor in COMMANDS:
        status, answer = run(copied(page, f"#{anchor}"), service)
        assert 200 <= status < 300, (anchor, answer)


def test_reading_one_golden_record_is_told_to_need_the_readers_own_id(visit: Visit, service: Service) -> None:
    page = visit("/docs").page
    status, answer = run(copied(page, "#golden-get"), service)
    assert (status, json.loads(answer)["type"]) == (404, "urn:customer-master:problem:unknown_golden")
    assert "your own golden_id" in page.locator("#golden-get .hint").inner_text()


def test_the_first_steps_of_the_start_page_run(visit: Visit, service: Service) -> None:
    page = visit("/").page
    for number in (2, 3):
        status, answer = run(copied(page, f".steps li:nth-child({number})"), service)
        assert 200 <= status < 300, answer
    assert json.loads(answer)["result"] in {"pending", "none"}  # No worker runs here.


def test_everything_can_be_printed(visit: Visit, screenshots: Path) -> None:
    page = visit("/docs").page
    page.pdf(path=screenshots / "reference.pdf")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator("#index").is_visible()
