"""How often pages ask the database: each statement is a way there and back, and on a busy machine waits its turn."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from kernel import db
from mdm import quality_breaches
from stewardship import kept_reports

from ...resolution import Master, golden_of
from .conftest import Browser, signed_in
from .test_tasks import task_path

ASKED: list[str] = []


class Counting(psycopg.Cursor[Any]):
    """The driver's own cursor, which notes what it was asked."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        ASKED.append(" ".join(str(query).split()))
        return super().execute(query, params, **more)


@pytest.fixture
def asked(database: str) -> Iterator[list[str]]:
    """The statements of every connection that is opened from now on."""
    db.dispose()
    db.watch(Counting, None)
    yield ASKED
    db.watch(None, None)
    db.dispose()


def of_page(browser: Browser, path: str, asked: list[str]) -> list[str]:
    """What a page asks once the process knows policy and model."""
    browser.open(path)
    asked.clear()
    browser.open(path)
    return list(asked)


def test_the_page_of_a_task_reads_once_what_both_of_its_answers_hang_on(asked: list[str], ana: Browser) -> None:
    said = of_page(ana, task_path(), asked)
    closures = [one for one in said if "FROM crosswalk c JOIN source_record r USING (record_id) WHERE" in one]
    assert len(closures) == 1, closures
    assert sum("FROM version_set" in one for one in said) == 1
    assert len(said) <= 40, said  # 75 when each answer, and why, was read by itself.


@pytest.mark.parametrize(("path", "most"), [("/console", 26), ("/console/tasks", 8), ("/console/customers", 2)])
def test_other_pages_ask_no_more_than_they_did(asked: list[str], ana: Browser, path: str, most: int) -> None:
    said = of_page(ana, path, asked)
    assert 0 < len(said) <= most, said


WHOLE_TABLES = re.compile(r"(?:FROM|JOIN) (?:source_record|standard_record|crosswalk|golden)\b")


@pytest.mark.parametrize("page", ["sources", "sources/pos", "policies/2", "models", "report"])
def test_no_page_of_figures_reads_the_records(asked: list[str], mdm: Master, page: str) -> None:
    """What it shows was measured beside the sweeper: of a million records a page would take seconds."""
    quality_breaches.run(db.transaction)
    kept_reports.keep_due(db.transaction)
    with signed_in("olga", scopes=["admin"]) as client:
        said = of_page(Browser(client), f"/console/operations/{page}", asked)
    assert said
    assert [one for one in said if WHOLE_TABLES.search(one)] == []


def test_the_page_of_a_customer_reads_no_task_but_theirs(asked: list[str], ana: Browser) -> None:
    said = of_page(ana, f"/console/customers/{golden_of('pos', '1')}", asked)
    assert any("open_tasks_of" in one for one in said)
    assert [one for one in said if "golden_ids @>" in one] == [], "under row security no index of arrays is used"
