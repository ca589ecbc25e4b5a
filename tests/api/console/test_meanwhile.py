"""What happens to a steward's page while it is open: the lease runs out, the task vanishes, somebody answers elsewhere."""

import pytest
from starlette.testclient import TestClient

from ...resolution import Master, golden_of, partition, query
from .conftest import Browser
from .test_tasks import task_path, words_of

TYPED = "Both cards shown, <b>at the till</b>."
SHOWN = "Both cards shown, &lt;b&gt;at the till&lt;/b&gt;."
ANSWER = {"verdict": "match", "reason_match": "Same person, confirmed", "words": TYPED}


@pytest.fixture
def path(ana: Browser) -> str:
    """A task that ana has taken and looks at."""
    found = task_path()
    ana.open(found)
    ana.send(f"{found}/claim")
    ana.open(found)
    return found


def let_the_lease_run_out() -> None:
    query("UPDATE task_desk SET held_until = now() - interval '1 second' WHERE held_until IS NOT NULL")


def decisions() -> int:
    return int(query("SELECT count(*) FROM decision WHERE record_a IS NULL")[0][0])


def test_whose_lease_ran_out_while_typing_answers_all_the_same(ana: Browser, path: str) -> None:
    let_the_lease_run_out()
    assert ana.send(f"{path}/settle", **ANSWER).url.path == "/console"
    assert decisions() == 1


def test_whose_lease_ran_out_and_went_to_another_keeps_the_words_and_hears_who_has_it(
    ana: Browser, ben: Browser, path: str
) -> None:
    let_the_lease_run_out()
    ben.open(path)
    ben.send(f"{path}/claim")
    refused = ana.send(f"{path}/settle", **ANSWER)
    assert refused.status_code in {409, 412}
    assert SHOWN in refused.text
    assert "user:ben" in words_of(refused.text)
    assert decisions() == 0


def test_a_task_that_vanished_while_typing_says_why_and_keeps_the_words(ana: Browser, mdm: Master, path: str) -> None:
    mdm.delete("bought", "b")
    mdm.drain()
    refused = ana.send(f"{path}/settle", **ANSWER)
    assert refused.status_code == 409
    assert "The task is closed" in words_of(refused.text)
    assert "record gone" in words_of(refused.text)
    assert SHOWN in refused.text
    assert decisions() == 0


def test_a_value_typed_while_its_customer_vanished_is_kept_where_no_form_is_left(ana: Browser, mdm: Master, path: str) -> None:
    gone = str(golden_of("bought", "b"))
    mdm.delete("bought", "b")
    mdm.drain()
    typed = {"attribute": "birth_date", "golden_id": gone, "value": "<1984-03-21>", "reason": "She spelt it out."}
    refused = ana.send(f"{path}/override", **typed)
    assert refused.status_code == 409
    assert "What you typed:" in refused.text
    assert "&lt;1984-03-21&gt;" in refused.text
    assert "She spelt it out." in refused.text


def test_a_task_that_was_answered_over_the_api_meanwhile_is_not_answered_again(
    ana: Browser, api: TestClient, mdm: Master, path: str
) -> None:
    task_id, body = path.rpartition("/")[2], {"verdict": "no_match", "reason": "Namesakes."}
    query("UPDATE task_desk SET holder = NULL, held_since = NULL, held_until = NULL")
    etag = api.get(f"/v1/tasks/{task_id}").json()["etag"]
    token = api.post(f"/v1/tasks/{task_id}:settle?dry_run=true", json=body).json()["preview_token"]
    settled = api.post(f"/v1/tasks/{task_id}:settle", json=body | {"preview_token": token}, headers={"If-Match": f'"{etag}"'})
    assert settled.status_code == 200, settled.text
    refused = ana.send(f"{path}/settle", **ANSWER)
    assert refused.status_code == 409
    assert SHOWN in refused.text
    mdm.drain()
    assert ana.send(f"{path}/settle", **ANSWER).status_code == 409
    assert (decisions(), len(partition())) == (1, 2)
    ana.open(path)
    ana.send(f"{path}/settle", **ANSWER)
    assert decisions() == 1


def test_who_goes_back_after_an_answer_sees_it_answered_and_no_form(ana: Browser, mdm: Master, path: str) -> None:
    ana.send(f"{path}/settle", **ANSWER)
    for _ in range(2):
        page = ana.open(path)
        assert "Answered by user:ana" in words_of(page) or "settled, match by user:ana" in words_of(page)
        assert 'name="verdict"' not in page
        mdm.drain()
    assert ana.client.get(path).headers["cache-control"] == "no-store"


def test_an_undo_that_is_pressed_twice_ends_one_decision(ana: Browser, mdm: Master, path: str) -> None:
    ana.send(f"{path}/settle", **ANSWER)
    fields = ana.hidden()
    codes = [ana.client.post(f"{path}/undo", data=fields).status_code for _ in range(2)]
    assert codes[0] == 200
    assert codes[1] in {404, 409}
    assert query("SELECT count(*) FROM audit WHERE action = 'decision.take_back'") == [(1,)]


def test_who_hands_on_or_puts_off_what_another_took_is_told(ana: Browser, ben: Browser, path: str) -> None:
    ben.open(path)
    for act, fields in (("assign", {"to": "user:ben"}), ("defer", {"words": "Later."}), ("release", {})):
        assert ben.send(f"{path}/{act}", **fields).status_code == 409
    assert query("SELECT holder FROM task_desk") == [("user:ana",)]
