"""Consents side by side on a task: what would end is told first, a long table is folded, and whoever may read none sees none."""

from typing import Any

import pytest

from consent.entries import Channel, Origin, State
from consent.purposes import shipped
from kernel import db
from mdm import consent_comparison, consents, contact_points
from mdm.consent_acts import Act

from ...resolution import MARIA, WHO, Master, at, query
from .conftest import Browser, signed_in
from .test_tasks import task_path, words_of

POINT = contact_points.read("email", "maria.garcia@telefonica.net")
SAID: dict[str, Any] = {"purpose": "marketing", "channel": Channel.EMAIL, "brand": "main", "origin": Origin.SUBJECT}
GIVEN = {**SAID, "contact": POINT, "state": State.GIVEN, "occurred_at": at(1), "evidence": {"form": "1"}}


def act(**said: Any) -> None:
    with db.transaction() as session:
        (outcome,) = consents.record(session, shipped(), [Act(**said)], WHO)
    assert outcome.problem is None


def section(page: str) -> str:
    """The words of the section alone."""
    return words_of(page.partition('aria-labelledby="consents"')[2].partition("</section>")[0])


@pytest.fixture
def disputed(mdm: Master) -> None:
    """Maria at the till said yes; Maria of the bought brand said no as a person."""
    act(**GIVEN, record=("pos", "1"))
    act(**SAID, state=State.WITHDRAWN, record=("bought", "b"), occurred_at=at(2))


def test_what_a_merge_would_end_is_told_with_both_reasons(ana: Browser, disputed: None) -> None:
    told = section(ana.open(task_path()))
    for said in ("1 permission ends if they are one; a merge adds none.", "allowed given", "denied withdrawn", "permission ends"):
        assert said in told, (said, told)
    assert "maria.garcia@telefonica.net" in told
    assert ("user:ana", 2) in query(
        "SELECT actor, count(DISTINCT object_id) FROM audit WHERE action = 'golden.read_consents' GROUP BY 1"
    )


def test_where_nothing_was_recorded_it_says_that_unknown_is_not_yes(ana: Browser) -> None:
    assert "Unknown is not yes" in section(ana.open(task_path()))


def test_a_long_table_is_folded_and_says_how_long_it_is(ana: Browser, mdm: Master) -> None:
    act(**GIVEN, record=("pos", "1"))
    assert '<details class="later" open><summary>1 line' in ana.open(task_path())
    for purpose in ("newsletter", "offers", "reminders", "surveys", "loyalty"):
        act(**GIVEN | {"purpose": purpose}, record=("pos", "1"))
        act(**GIVEN | {"purpose": purpose, "brand": "other"}, record=("pos", "1"))
    assert '<details class="later"><summary>11 lines' in ana.open(task_path())


def test_of_a_task_that_was_answered_nothing_is_compared(ana: Browser, disputed: None, mdm: Master) -> None:
    path = task_path()
    ana.open(path)
    ana.send(f"{path}/settle", verdict="match", reason_match="Same person, confirmed")
    mdm.drain()
    assert 'aria-labelledby="consents"' not in ana.open(path), "nothing is asked any more"


def test_whoever_may_read_no_consents_sees_none(mdm: Master, disputed: None) -> None:
    with signed_in("kim", scopes=["decisions:settle", "golden:read", "jobs:read", "values:clear"]) as client:
        assert "Consents side by side" not in words_of(Browser(client).open(task_path()))


def test_what_a_source_calls_a_customer_is_no_markup_here_either(ana: Browser, mdm: Master) -> None:
    act(**GIVEN, record=("pos", "1"))
    mdm.put("bought", "b", {**MARIA, "given_name": "<img src=x>"})
    mdm.drain()
    assert "<img src=x>" not in ana.open(task_path())


def test_where_too_much_was_recorded_the_page_says_where_to_look(ana: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    act(**GIVEN, record=("pos", "1"))
    monkeypatch.setattr(consent_comparison, "MOST_HELD", 0)
    assert "Too much was recorded" in section(ana.open(task_path()))
