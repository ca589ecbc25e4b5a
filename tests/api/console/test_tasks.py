"""Tasks in the console without JavaScript: taken, looked at, answered, refused with what was typed kept, and undone."""

import html
import re
from typing import Any

import pytest

from kernel import db
from mdm import policy as policies
from mdm import rules, versions
from webhooks import endpoints
from webhooks.endpoints import Wish

from ...resolution import MARIA, WHO, Master, partition, query
from ..conftest import WITH_DOUBT
from .conftest import Browser, signed_in


def task_id(state: str = "open") -> str:
    return str(query("SELECT task_id FROM task WHERE state = %s ORDER BY opened_at DESC", state)[0][0])


def task_path(state: str = "open") -> str:
    return f"/console/tasks/{task_id(state)}"


def words_of(page: str) -> str:
    """What a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_home_says_how_many_questions_wait(ana: Browser) -> None:
    assert "1 question waits" in words_of(ana.open("/console"))


def test_a_task_opens_with_its_question_and_shows_both_sides_and_what_a_match_would_make(ana: Browser) -> None:
    page = words_of(ana.open(task_path()))
    for told in ("Are these 2 golden records one customer?", "If they are one", "Maria Garcia Lopez", "one says nothing", "bits"):
        assert told in page, told


def test_what_a_merge_would_make_says_where_each_value_comes_from_and_who_hears_of_it(ana: Browser) -> None:
    page = ana.open(task_path())
    merged = {
        words_of(row.group(1)): words_of(row.group(2))
        for row in re.finditer(
            r'<th scope="row" role="rowheader">(.*?)</th>\s*<td role="cell" class="merged"[^>]*>(.*?)</td>', page, re.S
        )
    }
    assert merged["Language"].startswith("es from bought")
    assert re.search("from (pos|bought) Set E-mail by hand", merged["E-mail"])
    assert "No webhook hears of it; the feed tells it." in words_of(page)
    with db.transaction() as session:
        for wish in (Wish("https://one.example.com/a"), Wish("https://two.example.com/b", types=("task.opened",))):
            endpoints.create(session, WHO, wish)
    assert "1 webhook of these brands hears of customers, the feed tells it." in words_of(ana.open(task_path()))


def test_what_a_customer_typed_is_no_markup(ana: Browser) -> None:
    assert "<script>alert" not in ana.open(task_path())


def test_an_answer_is_given_and_the_next_task_follows_or_home(ana: Browser, mdm: Master) -> None:
    path = task_path()
    ana.open(path)
    answer = ana.send(f"{path}/settle", verdict="match", reason_match="Same person, confirmed", words="Both cards.")
    assert answer.url.path == "/console"
    mdm.drain()
    assert len(partition()) == 1
    closed = words_of(ana.open(path))
    assert "settled, match by user:ana" in closed
    assert query("SELECT author, reason FROM decision WHERE record_a IS NULL") == [
        ("steward:user:ana", "Same person, confirmed Both cards.")
    ]


def test_an_answer_is_undone_from_the_page_of_the_closed_task(ana: Browser, mdm: Master) -> None:
    before, path = partition(), task_path()
    ana.open(path)
    ana.send(f"{path}/settle", verdict="match", reason_match="Same person, confirmed")
    mdm.drain()
    ana.open(path)
    assert ana.send(f"{path}/undo").status_code == 200
    assert "Take this back?" in words_of(ana.page)
    mdm.drain()
    assert len(partition()) == 1
    assert ana.send(f"{path}/undo", words="It was her twin.").url.path == path
    mdm.drain()
    assert partition() == before
    assert query("SELECT count(*) FROM audit WHERE action = 'decision.take_back'") == [(1,)]


def test_what_was_answered_lately_stands_on_the_first_page_and_is_taken_back_there(ana: Browser, mdm: Master) -> None:
    before, path = partition(), task_path()
    ana.open(path)
    ana.send(f"{path}/settle", verdict="match", reason_match="Same person, confirmed")
    mdm.drain()
    home = words_of(ana.open("/console"))
    assert "Your last answers" in home
    assert "same customer" in home
    ana.send(f"{path}/undo")
    ana.send(f"{path}/undo")
    mdm.drain()
    assert partition() == before
    assert "Your last answers" not in words_of(ana.open("/console"))


def test_an_answer_is_not_taken_back_when_what_comes_of_it_has_changed_since_the_look(ana: Browser, mdm: Master) -> None:
    path = task_path()
    ana.open(path)
    ana.send(f"{path}/settle", verdict="match", reason_match="Same person, confirmed")
    mdm.drain()
    ana.open(path)
    ana.send(f"{path}/undo")
    mdm.put("bought", "b", {**MARIA, "given_name": "Marta"})
    mdm.drain()
    assert ana.send(f"{path}/undo").status_code == 412
    assert len(partition()) == 1


def test_right_after_an_answer_one_press_takes_it_back(ana: Browser, mdm: Master) -> None:
    before, path = partition(), task_path()
    ana.open(path)
    ana.send(f"{path}/settle", verdict="match", reason_match="Same person, confirmed")
    assert 'name="at_once"' in ana.page
    ana.send(f"{path}/undo")
    mdm.drain()
    assert partition() == before


def test_of_two_stewards_on_one_task_the_second_hears_and_keeps_what_was_typed(ana: Browser, ben: Browser, mdm: Master) -> None:
    path = task_path()
    for one in (ana, ben):
        one.open(path)
    ana.send(f"{path}/settle", verdict="match", reason_match="Same person, confirmed")
    refused = ben.send(f"{path}/settle", verdict="no_match", reason_no_match="Namesakes", words="She said she has a twin.")
    assert refused.status_code == 409
    assert "The task is answered" in words_of(refused.text)
    mdm.drain()
    assert len(partition()) == 1


def test_a_refused_answer_keeps_the_words(ana: Browser, ben: Browser) -> None:
    path = task_path()
    ben.open(path)
    ana.open(path)
    ana.send(f"{path}/comment", words="Her daughter has the card.")
    refused = ben.send(f"{path}/settle", verdict="match", reason_match="Same person, confirmed", words="Both cards <shown>.")
    assert refused.status_code == 412
    assert "Both cards &lt;shown&gt;." in refused.text
    assert "Her daughter has the card." in refused.text


def test_a_double_click_answers_once(ana: Browser, mdm: Master) -> None:
    path = task_path()
    ana.open(path)
    fields: dict[str, Any] = {"verdict": "match", "reason_match": "Same person, confirmed", **ana.hidden()}
    codes = [ana.client.post(f"{path}/settle", data=fields).status_code for _ in range(2)]
    assert codes == [200, 409]
    assert query("SELECT count(*) FROM decision WHERE record_a IS NULL") == [(1,)]


def test_who_is_whom_is_said_by_letters(ana: Browser, mdm: Master) -> None:
    mdm.put("bought", "d", MARIA)
    mdm.drain()
    path = task_path()
    ana.open(path)
    grouped = {"group:pos:1": "A", "group:bought:b": "A", "group:bought:d": "B"}
    ana.send(f"{path}/settle", verdict="groups", words="The third is her sister.", **grouped)
    assert "Give this answer?" in words_of(ana.page)
    assert query("SELECT count(*) FROM decision WHERE record_a IS NULL") == [(0,)]
    assert ana.send(f"{path}/settle").url.path != f"{path}/settle"
    mdm.drain()
    assert partition() == {frozenset({("pos", "1"), ("bought", "b")}), frozenset({("bought", "d")})}


def test_who_is_whom_is_not_said_of_what_has_changed_since(ana: Browser, mdm: Master) -> None:
    path = task_path()
    ana.open(path)
    ana.send(f"{path}/settle", verdict="groups", words="Sisters.", **{"group:pos:1": "A", "group:bought:b": "B"})
    mdm.put("bought", "b", {**MARIA, "given_name": "Marta"})
    assert ana.send(f"{path}/settle").status_code == 412
    assert query("SELECT count(*) FROM decision WHERE record_a IS NULL") == [(0,)]


BARRED = """merge_blockers:
  disputed: {title: A dispute, facts: {dispute: {is: [open]}}, sources: [bought], when: either, may_be_overridden: true}
"""


def test_a_merge_that_policy_bars_is_made_by_who_ticks_it_and_looks_again(ana: Browser, mdm: Master) -> None:
    with db.transaction() as session:
        mdm.policy = policies.store(
            session, policies.parse(WITH_DOUBT.replace("extras:", "extras:\n  dispute: {kind: category}") + BARRED), "test"
        )
        versions.adopt(session, mdm.policy)
    rules.forget()
    mdm.put("bought", "b", {**MARIA, "extras": {"dispute": "open"}})
    mdm.drain()
    path = task_path()
    ana.open(path)
    assert ana.send(f"{path}/settle", verdict="match", words="One.").status_code == 409
    ana.open(path)
    ana.send(f"{path}/settle", verdict="match", reason_match="Same person, confirmed", across="disputed")
    assert "and you know of it" in words_of(ana.page)
    assert query("SELECT count(*) FROM decision WHERE record_a IS NULL") == [(0,)]
    ana.send(f"{path}/settle")
    assert query("SELECT across_blockers FROM decision WHERE record_a IS NULL") == [(["disputed"],)]


def test_who_skips_a_task_is_given_another(ana: Browser, mdm: Master) -> None:
    mdm.put("bought", "d", MARIA)
    mdm.drain()
    ana.open("/console")
    paths = [ana.send("/console/tasks/next").url.path for _ in range(2)]
    assert paths[0] != paths[1]


@pytest.mark.parametrize("field", ["words", "group:pos\0:1"])
def test_a_character_that_cannot_be_kept_is_refused_and_nothing_is_done(ana: Browser, field: str) -> None:
    path = task_path()
    ana.open(path)
    assert ana.send(f"{path}/settle", verdict="match", **{field: "a\0b"}).status_code == 422
    assert "cannot be kept" in words_of(ana.page)
    assert query("SELECT count(*) FROM task_note") == [(0,)]


def test_a_task_is_put_off_and_handed_on(ana: Browser, ben: Browser) -> None:
    path = task_path()
    ana.open(path)
    ana.send(f"{path}/defer", until="2999-01-01", words="She calls back.")
    assert "cannot be put off until then" in words_of(ana.page)
    page = ana.open(path)
    assert '<option value="user:ben">' in page
    assert '<option value="user:ana">' not in page
    ana.send(f"{path}/assign", to="user:ben")
    assert "No task is like that" in words_of(ana.open("/console/tasks"))
    assert "Possible match" in words_of(ben.open("/console/tasks"))
    ben.open(path)
    ben.send(f"{path}/defer", words="She calls back.")
    assert "Possible match" in words_of(ben.open("/console/tasks?show=deferred"))


def test_a_steward_of_another_brand_sees_nothing(mdm: Master) -> None:
    with signed_in("eve", brands=["other"]) as client:
        eve = Browser(client)
        assert "Nothing waits for you" in words_of(eve.open("/console"))
        assert "no such task" in words_of(eve.open(task_path(), 404))


@pytest.mark.parametrize("path", ["/console/tasks/nonsense", "/console/tasks/00000000-0000-7000-8000-000000000000"])
def test_what_is_not_there_is_a_page_that_leads_on(ana: Browser, path: str) -> None:
    assert "To the console" in words_of(ana.open(path, 404))


def test_reading_a_task_is_audited(ana: Browser) -> None:
    ana.open(task_path())
    assert ("user:ana", "golden.read") in query("SELECT DISTINCT actor, action FROM audit")
