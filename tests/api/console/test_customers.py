"""Customers in the console: found without their values in an address, read with reasons, parted, merged, corrected."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kernel import clock
from workers.sweeper import sweep

from ...resolution import MARIA, Master, golden_of, partition, query
from .conftest import Browser, signed_in
from .test_tasks import words_of

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}


@pytest.fixture
def path(mdm: Master) -> str:
    """Maria, of two records of the till."""
    mdm.put("pos", "2", {**MARIA, "given_name": "Mari"})
    mdm.drain()
    return f"/console/customers/{golden_of('pos', '1')}"


def look_and_do(ana: Browser, mdm: Master, path: str, **fields: str) -> str:
    """Look at what an act would do, and do it; the words of the page that was looked at."""
    looked = ana.send(path, **fields)
    assert looked.status_code == 200, words_of(looked.text)
    told = words_of(looked.text)
    assert "Do it" in told, told
    done = ana.send(path)
    assert done.status_code == 200, words_of(done.text)
    mdm.drain()
    return told


def test_a_customer_is_found_by_part_of_a_name_and_the_name_is_in_no_address(ana: Browser) -> None:
    ana.open("/console/customers")
    answer = ana.send("/console/customers", name="garc mar")
    assert "1 customer Customer" in words_of(answer.text)
    assert "garc" not in str(answer.url)


def test_a_search_by_nothing_says_what_to_do(ana: Browser) -> None:
    ana.open("/console/customers")
    assert ana.send("/console/customers").status_code == 422
    assert "Say at least one thing" in words_of(ana.page)


def test_every_value_says_where_it_comes_from_and_what_else_was_said(ana: Browser, path: str) -> None:
    page = words_of(ana.open(path))
    for told in ("Maria Garcia Lopez", "Mari Garcia Lopez", "no record says anything else", "joined: ", "A steward is asked"):
        assert told in page, told


def test_a_customer_is_split_by_choosing_records_and_looked_at_first(ana: Browser, mdm: Master, path: str) -> None:
    ana.open(path)
    told = look_and_do(ana, mdm, f"{path}/split", record="pos:2", reason="Her sister.")
    assert "a new golden id" in told
    assert frozenset({("pos", "2")}) in partition()
    assert query("SELECT author, reason FROM decision WHERE record_a IS NULL") == [("steward:user:ana", "Her sister.")]


def test_two_customers_are_merged_by_hand(ana: Browser, mdm: Master, path: str) -> None:
    mdm.put("pos", "3", OTTO)
    mdm.drain()
    other = str(golden_of("pos", "3"))
    ana.open(path)
    look_and_do(ana, mdm, f"{path}/merge", other=other, reason="He changed his name.")
    assert frozenset({("pos", "1"), ("pos", "2"), ("pos", "3")}) in partition()
    assert "was merged into this one" in words_of(ana.open(f"/console/customers/{other}"))


def test_a_value_is_set_by_hand_with_a_reason(ana: Browser, mdm: Master, path: str) -> None:
    ana.open(path)
    look_and_do(ana, mdm, f"{path}/override", attribute="language", value="es", reason="She said so.")
    page = words_of(ana.open(path))
    assert "set by hand" in page
    assert "She said so." in page


def test_a_value_set_by_hand_is_told_with_its_value_and_let_go_where_it_stands(ana: Browser, mdm: Master, path: str) -> None:
    ana.open(path)
    look_and_do(ana, mdm, f"{path}/override", attribute="birth_date", value="1984-03-21", reason="She said so.")
    assert "in force Born set to 1984-03-21 by" in words_of(ana.open(path))
    look_and_do(ana, mdm, f"{path}/withdraw", reason="She misspoke.")
    page = ana.open(path)
    assert "withdrawn Born set to 1984-03-21 by" in words_of(page)
    assert f"{path}/withdraw" not in page  # Nothing is let go twice.
    assert mdm.verify().differences == ()


@pytest.mark.parametrize(
    ("act", "fields", "told"),
    [
        pytest.param("split", {"reason": "x"}, "Choose the records that go", id="no record"),
        pytest.param("split", {"record": "pos:1"}, "Give a reason", id="no reason"),
        pytest.param("merge", {"other": "nonsense", "reason": "x"}, "no golden id", id="no id"),
        pytest.param(
            "override", {"attribute": "birth_date", "value": "soon", "reason": "x"}, "none of its attribute", id="value"
        ),
        pytest.param("override", {"attribute": "shoe", "value": "44", "reason": "x"}, "no such attribute", id="attribute"),
    ],
)
def test_what_cannot_be_done_says_why_beside_the_customer(
    ana: Browser, path: str, act: str, fields: dict[str, str], told: str
) -> None:
    ana.open(path)
    answer = ana.send(f"{path}/{act}", **fields)
    assert answer.status_code == 422
    assert told in words_of(answer.text)
    assert "Maria Garcia Lopez" in words_of(answer.text)


def test_what_was_looked_at_and_has_changed_is_not_done(ana: Browser, mdm: Master, path: str) -> None:
    ana.open(path)
    ana.send(f"{path}/split", record="pos:2", reason="Her sister.")
    mdm.put("pos", "2", {**MARIA, "language": "es"})
    mdm.drain()
    assert ana.send(f"{path}/split").status_code == 412


def test_a_time_that_is_none_elsewhere_is_no_time(mdm: Master, path: str) -> None:
    with signed_in("kenji", timezone="Asia/Tokyo") as client:
        page = words_of(Browser(client).open(f"{path}?as_of=0001-01-01T00:00", 422))
    assert "That is no time" in page


def test_a_customer_is_shown_as_of_another_time(ana: Browser, mdm: Master, path: str) -> None:
    ((then,),) = query("SELECT max(computed_at) FROM golden_version")
    mdm.put("pos", "1", {**MARIA, "language": "fr"})
    mdm.drain()
    assert "fr" in words_of(ana.open(path)).split()
    page = words_of(ana.open(f"{path}?as_of={then.astimezone(ZoneInfo('Europe/Madrid')):%Y-%m-%dT%H:%M:%S.%f}"))
    assert "fr" not in page.split()
    assert "As it was told at" in page
    assert "still to come" in words_of(ana.open(f"{path}?as_of=2999-01-01T00:00", 422))


def test_a_customer_of_another_brand_is_not_there(path: str) -> None:
    with signed_in("eve", brands=["other"]) as client:
        assert "no such golden record" in words_of(Browser(client).open(path, 404))


def test_an_expired_value_is_asked_about_and_let_go(ana: Browser, mdm: Master, path: str, time: Any) -> None:
    ana.open(path)
    soon = (clock.now() + timedelta(minutes=10)).isoformat()
    look_and_do(ana, mdm, f"{path}/override", attribute="language", value="es", reason="Until she is back.", expires_at=soon)
    time(timedelta(minutes=10, seconds=1))
    sweep()
    mdm.drain()
    ((task_id,),) = query("SELECT task_id FROM task WHERE state = 'open' AND kind = 'override_expired'")
    page = words_of(ana.open(f"/console/tasks/{task_id}"))
    assert "Language was set to es by" in page
    assert "Until she is back." in page
    assert "Same customer" not in page
    look_and_do(ana, mdm, f"{path}/withdraw", reason="She is back.")
    assert query("SELECT state, closed_because FROM task WHERE task_id = %s", task_id) == [("closed", "no_longer_in_doubt")]
    assert "Expired value" in words_of(ana.open(f"/console/tasks/{task_id}"))
    assert mdm.verify().differences == ()


def test_a_customer_shows_what_may_be_done_and_why(ana: Browser, mdm: Master) -> None:
    mdm.put("pos", "9", {**OTTO, "consents": [
        {"purpose": "marketing_email", "state": "granted", "at": "2026-03-01T00:00:00Z"},
        {"purpose": "marketing_sms", "state": "withdrawn", "at": "2026-03-02T00:00:00Z", "contact_point": "+34 600 111 222"},
    ]})  # fmt: skip
    mdm.drain()
    path = f"/console/customers/{golden_of('pos', '9')}"
    page = words_of(ana.open(path))
    assert "otto.becker@telefonica.net allowed given" in page
    assert query("SELECT count(*) FROM audit WHERE action = 'golden.read_consents' AND actor = 'user:ana'") == [(1,)]
    with signed_in("eve", scopes=["golden:read", "decisions:write"]) as client:
        assert "Consents" not in words_of(Browser(client).open(path))


def test_of_whom_nothing_was_recorded_it_says_that_unknown_is_not_yes(ana: Browser, path: str) -> None:
    assert "Unknown is not yes" in words_of(ana.open(path))
