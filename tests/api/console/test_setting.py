"""A value set by hand from a task: looked at, set with a reason, kept when refused, taken back; on whom is asked about alone."""

import re
from typing import Any

import pytest
from starlette.datastructures import FormData

from api.console import by_hand
from kernel import db
from mdm import policy as policies
from mdm import rules, versions
from mdm.override_values import Unreadable, check

from ...resolution import Master, golden_of, query
from ..conftest import WITH_DOUBT
from .conftest import Browser, signed_in
from .test_tasks import task_path, words_of


def fields_of(name: str, **more: str) -> dict[str, Any]:
    return {"attribute": name, "golden_id": str(golden_of("pos", "1")), "reason": "She spelt it out.", **more}


def overrides() -> list[Any]:
    return query("SELECT reason, superseded_at IS NULL FROM decision WHERE reason_code = 'override'")


def test_a_value_is_clicked_looked_at_and_set_and_the_merge_would_have_it(ana: Browser, mdm: Master) -> None:
    path = task_path()
    assert "Set Born by hand" in words_of(ana.open(path))
    looked = ana.send(f"{path}/override", **fields_of("birth_date", value="1984-03-21"))
    assert looked.status_code == 200
    assert "Set birth date by hand?" in words_of(looked.text)
    assert overrides() == []
    done = ana.send(f"{path}/override")
    assert done.url.path == path
    assert overrides() == [("She spelt it out.", True)]
    mdm.drain()
    page = ana.open(path)
    assert re.search(r'class="merged"[^>]*>.{0,200}1984-03-21', page, re.DOTALL)
    assert query("SELECT body #>> '{values,birth_date,value}' FROM golden WHERE golden_id = %s", golden_of("pos", "1")) == [
        ("1984-03-21",)
    ]


def test_right_after_it_was_set_one_press_takes_it_back(ana: Browser, mdm: Master) -> None:
    path = task_path()
    ana.open(path)
    ana.send(f"{path}/override", **fields_of("birth_date", value="1984-03-21"))
    ana.send(f"{path}/override")
    assert "The value is set by hand" in words_of(ana.page)
    (override_id,) = query("SELECT decision_id FROM decision WHERE reason_code = 'override'")[0]
    back = ana.send(f"/console/decisions/{override_id}/undo", back=path, at_once="1")
    assert back.url.path == path
    assert overrides() == [("She spelt it out.", False)]


def test_a_name_is_set_by_its_parts(ana: Browser, mdm: Master) -> None:
    path = task_path()
    ana.open(path)
    ana.send(f"{path}/override", **fields_of("name", **{"part:given": "María José", "part:surname": "García", "part:middle": ""}))
    ana.send(f"{path}/override")
    mdm.drain()
    assert query("SELECT body #> '{values,name,value}' FROM golden WHERE golden_id = %s", golden_of("pos", "1")) == [
        ({"given": "María José", "surname": "García"},)
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"value": "soon <b>", "reason": "Hm <i>."}, "none of its attribute", id="value"),
        pytest.param({"value": "soon <b>", "reason": " "}, "Give a reason", id="no reason"),
        pytest.param({"value": "soon <b>", "reason": "x", "expires_at": "later"}, "That is no time", id="time"),
        pytest.param({"value": "soon <b>", "reason": "x", "expires_at": "9999-12-31"}, "hardly ever expire", id="for ever"),
        pytest.param({"value": "soon <b>", "golden_id": "nonsense"}, "does not ask about", id="of nobody"),
    ],
)
def test_what_is_refused_says_why_and_keeps_what_was_typed(ana: Browser, fields: dict[str, str], told: str) -> None:
    path = task_path()
    ana.open(path)
    refused = ana.send(f"{path}/override", **fields_of("birth_date") | fields)
    assert refused.status_code == 422
    assert told in words_of(refused.text)
    (form,) = re.findall(r'<details class="by-hand" open>.*?</details>', refused.text, re.DOTALL)
    assert 'value="soon &lt;b&gt;"' in form
    assert overrides() == []


def test_what_was_looked_at_and_has_changed_is_not_set_and_stays_typed(ana: Browser, mdm: Master) -> None:
    path = task_path()
    ana.open(path)
    ana.send(f"{path}/override", **fields_of("birth_date", value="1984-03-21"))
    mdm.put("pos", "1", {"given_name": "Maria", "surname": "Garcia", "birth_date": "1984-03-12"})
    mdm.drain()
    refused = ana.send(f"{path}/override")
    assert refused.status_code == 412
    assert 'value="1984-03-21"' in refused.text
    assert overrides() == []


def test_a_task_that_is_answered_offers_no_value_to_set(ana: Browser) -> None:
    path = task_path()
    ana.open(path)
    ana.send(f"{path}/settle", verdict="no_match", reason_no_match="Namesakes")
    assert "by-hand" not in ana.open(path)


def test_nobody_sets_what_a_task_of_another_brand_asks_about(mdm: Master) -> None:
    with signed_in("eve", brands=["other"]) as client:
        eve = Browser(client)
        eve.open("/console")
        assert eve.send(f"{task_path()}/override", **fields_of("birth_date", value="1984-03-21")).status_code == 404
    assert overrides() == []


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("name", {"given": "Ana", "middle": "Rosa", "surname": "Gil"}),
        ("address", {"lines": ["Calle Mayor 5", "2B"], "postal_code": "28013", "city": "Madrid", "country": "ES", "street": "M"}),
        ("birth_date", "1984-03-12"),
        ("emails", [{"value": "ana@telefonica.net", "primary": True}, {"value": "b@telefonica.net", "primary": False}]),
        ("gender", "female"),
    ],
)
def test_what_stands_in_the_fields_at_first_can_be_sent_as_it_is(database: str, mdm: Master, name: str, held: Any) -> None:
    with db.read_only() as session:
        context = policies.current(session).steward_context()
    sent = FormData([("attribute", name), *((one.name, one.text) for one in by_hand.fields(name, held))])
    try:
        check(name, by_hand.value(sent), context)
    except Unreadable as error:
        pytest.fail(f"{error} {error.codes}")


def test_what_was_typed_stands_again_in_its_field() -> None:
    of = by_hand.fields("address", {"lines": ["Calle Mayor 5"], "city": "Madrid"})
    sent = FormData([("part:lines", "One"), ("part:lines", "Two"), ("part:city", "Paris")])
    assert [one.text for one in by_hand.typed(sent, of)] == ["One", "Two", "", "Paris", "", ""]


def test_of_a_value_that_takes_two_the_second_steward_hears_of_whom_and_sets_the_same(
    ana: Browser, ben: Browser, mdm: Master
) -> None:
    with db.transaction() as session:
        mdm.policy = policies.store(session, policies.parse(WITH_DOUBT + "four_eyes: {values: [birth_date]}\n"), "test")
        versions.adopt(session, mdm.policy)
    rules.forget()
    mdm.drain()
    path = task_path()
    for one in (ana, ana):
        one.open(path)
        one.send(f"{path}/override", **fields_of("birth_date", value="1984-03-21"))
        assert one.send(f"{path}/override").status_code == 409
        assert "This takes a second person" in words_of(one.page)
    assert overrides() == []
    home = ben.open("/console")
    assert "Set birth date by hand: Maria Garcia Lopez" in words_of(home)
    assert "1984-03-21" not in home
    assert f"console/customers/{golden_of('pos', '1')}" in home
    ben.open(path)
    ben.send(f"{path}/override", **fields_of("birth_date", value="1984-03-21"))
    assert ben.send(f"{path}/override").status_code == 200
    assert overrides() == [("She spelt it out.", True)]
