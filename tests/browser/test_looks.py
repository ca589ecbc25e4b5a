"""Second looks in a real browser: answered by mouse, at both widths, in both schemes, read by axe."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from kernel import db
from mdm import policy as policies
from stewardship import accounts

from ..api.prepared_tasks import of_a_second_look
from ..emptying import empty_tables
from ..resolution import RECORD_TABLES, query
from .conftest import Service, Visit
from .test_console import PASSWORD, complaints

NAMES = ("dora", "emil")


@pytest.fixture
def look_id(service: Service, servers: dict[str, str]) -> str:
    empty_tables(servers["database_url"], (*RECORD_TABLES, "user_account"))
    with db.transaction() as session:
        for name in NAMES:
            accounts.add(session, "test", name, password=PASSWORD, scopes=accounts.STEWARD_SCOPES)
        ruling = policies.in_force(session)
    assert ruling is not None
    return str(of_a_second_look("second_looks_get", ruling)["path_parameters"]["decision_id"])


def signed_in(visit: Visit, name: str, width: int, scheme: str) -> Any:
    page = visit("/console/sign-in", width, scheme).page
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_two_who_differ_are_settled_by_a_third(
    visit: Visit,
    look_id: str,
    axe: str,
    width: int,
    scheme: str,
    screenshots: Path,
) -> None:
    dora, emil = (signed_in(visit, name, width, scheme) for name in NAMES)

    def looked(page: Any, name: str) -> None:
        page.screenshot(path=screenshots / f"{name}-{width}-{scheme}.png", full_page=True)
        assert complaints(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    looked(dora, "home")
    dora.get_by_role("link", name="1 answer").click()
    looked(dora, "looks")
    dora.get_by_role("link", name="Possible match").click()
    looked(dora, "look")
    dora.get_by_role("button", name="Same customer").click()
    expect(dora.get_by_text("Your answer is kept.")).to_be_visible()
    looked(dora, "kept")
    emil.goto(f"{visit.url}/console/second-looks")
    looked(emil, "differing")
    emil.get_by_role("link", name="Possible match").click()
    looked(emil, "differs")
    emil.get_by_role("button", name="Keep the first answer").click()
    expect(emil.get_by_text("Nothing waits for a second look of yours.")).to_be_visible()
    assert query("SELECT kept_by FROM second_look") == [("user:emil",)]
