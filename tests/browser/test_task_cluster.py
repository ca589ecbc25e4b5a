"""How the records of a task hang together, in a browser: picture and table, read by axe at both widths; a word taken back."""

import itertools

import pytest
from playwright.sync_api import Page, expect

from kernel import clock, db
from mdm import policy as policies
from mdm import steward_decisions, versions
from mdm.decisions import StewardDecision
from mdm.steward_decisions import Said
from stewardship import accounts

from ..resolution import MARIA, Master, query
from .conftest import Service, Visit
from .test_console import PASSWORD, complaints

KEYS = tuple(f"c{number}" for number in range(12))


@pytest.fixture(scope="module")
def contested(service: Service) -> str:
    """The path of a task about twelve records that stewards joined by eleven words, and parted by one more."""
    with db.transaction() as session:
        accounts.add(session, "test", "cleo", password=PASSWORD)
        ruling = policies.in_force(session)
    assert ruling is not None
    made = Master(ruling)
    for number, key in enumerate(KEYS):
        born = f"19{50 + 4 * number}-{1 + number:02}-11"
        made.put(
            "crm", key, {**MARIA, "surname": f"Solé {key}", "birth_date": born, "emails": [f"{key}@telefonica.net"], "phones": []}
        )
    made.drain()
    ids = dict(query("SELECT source_key, record_id FROM crosswalk WHERE source = 'crm'"))
    said = [("match", one, other) for one, other in itertools.pairwise(KEYS)]
    for verdict, one, other in (*said, ("no_match", KEYS[0], KEYS[-1])):
        decision = StewardDecision(clock.uuid7(), verdict, frozenset({ids[one]}), frozenset({ids[other]}))
        with db.transaction() as session:
            words = Said("steward:user:ben", "steward", f"{one} and {other}")
            steward_decisions.make(session, versions.current(session), decision, words)
    made.drain()
    found = query("SELECT task_id FROM task WHERE state = 'open' AND kind = 'contested' AND record_ids @> %s", [ids[KEYS[0]]])
    return f"/console/tasks/{found[0][0]}"


def sign_in(page: Page) -> None:
    page.get_by_label("Name").fill("cleo")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Tasks")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_word_that_contradicts_is_found_in_the_picture_and_its_table_and_looked_at(
    visit: Visit, contested: str, axe: str, width: int, scheme: str
) -> None:
    seen = visit("/console/sign-in", width, scheme)
    page = seen.page
    sign_in(page)
    page.goto(f"{visit.url}{contested}")
    expect(page.get_by_role("img", name="records and")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints(page, axe) == []
    row = page.locator(".links tr", has_text=f"{KEYS[0]} and {KEYS[-1]}")
    expect(row).to_contain_text("two customers")
    row.get_by_role("button", name="Take it back: look").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Take this back?")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints(page, axe) == []
    page.get_by_role("link", name="Leave it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("contradict each other")
    assert seen.complaints == []
