"""Privacy requests in the console: opened, answered, held, looked at and confirmed by forms alone; and who may do what."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from kernel import clock
from kernel.settings import configure, settings
from stewardship import accounts

from ...resolution import Master, golden_of, query
from .conftest import Browser, signed_in
from .test_tasks import words_of

PRIVACY = "/console/operations/privacy"
OFFICER = (*accounts.STEWARD_SCOPES, "privacy:read", "privacy:write")


@pytest.fixture
def olga(mdm: Master) -> Iterator[Browser]:
    """A privacy officer."""
    with signed_in("olga", scopes=OFFICER) as client:
        yield Browser(client)


def opened(olga: Browser, kind: str) -> str:
    """Open a request about Maria by its form; its path."""
    olga.open(PRIVACY)
    answer = olga.send(PRIVACY, kind=kind, golden_id=str(golden_of("pos", "1")), reference="CASE-1")
    assert answer.status_code == 200, words_of(answer.text)
    request_id = query("SELECT request_id FROM privacy_request")[0][0]
    return f"{PRIVACY}/{request_id}"


def test_an_erasure_is_answered_looked_at_and_confirmed(olga: Browser) -> None:
    path = opened(olga, "erasure")
    assert "identity not checked" in words_of(olga.send(f"{path}/look").text)
    olga.open(path)
    for act, fields in (("identity", {"method": "in_store", "outcome": "passed"}), ("members", _answers("yes"))):
        assert olga.send(f"{path}/{act}", **fields).status_code == 200, act
    seen = olga.send(f"{path}/look")
    assert "This cannot be undone." in words_of(seen.text)
    assert str(golden_of("pos", "1")) in words_of(seen.text)
    assert "confirmed" in words_of(olga.send(f"{path}/confirm").text)
    assert query("SELECT state, identity FROM privacy_request") == [("confirmed", "passed")]


def _answers(said: str) -> dict[str, str]:
    return {f"member:{row[0]}": said for row in query("SELECT record_id FROM privacy_member")}


def test_of_an_erasure_that_takes_two_the_page_says_who_waits_for_the_second(olga: Browser) -> None:
    configure(settings().model_copy(update={"erasure_approvals": 2}))
    try:
        path = opened(olga, "erasure")
        olga.send(f"{path}/identity", method="in_store", outcome="passed")
        olga.open(path)
        olga.send(f"{path}/members", **_answers("yes"))
        olga.send(f"{path}/look")
        page = words_of(olga.send(f"{path}/confirm").text)
        assert "You have confirmed it" in page
        assert "waits for a second person, confirmed by user:olga" in words_of(olga.open(PRIVACY))
        assert "Waits for a second person Erasure" in words_of(olga.open("/console")).replace(
            "What Asked by Asked Waits until ", ""
        )
        with signed_in("rolf", scopes=OFFICER) as client:
            rolf = Browser(client)
            assert "user:olga has confirmed it" in words_of(rolf.open(path))
            rolf.send(f"{path}/look")
            rolf.send(f"{path}/confirm")
        assert query("SELECT state FROM privacy_request") == [("confirmed",)]
        assert "waits for a second person" not in words_of(olga.open(PRIVACY))
    finally:
        configure(settings().model_copy(update={"erasure_approvals": 1}))


def test_what_was_seen_before_something_changed_confirms_nothing(olga: Browser, mdm: Master) -> None:
    path = opened(olga, "erasure")
    olga.send(f"{path}/identity", method="in_store", outcome="passed")
    olga.open(path)
    olga.send(f"{path}/look")
    mdm.put("pos", "1", {"given_name": "Maria", "surname": "Garcia Lopez", "emails": ["maria.garcia@telefonica.net"]})
    mdm.drain()
    assert olga.send(f"{path}/confirm").status_code == 412
    assert query("SELECT state FROM privacy_request") == [("open",)]


def test_a_hold_bars_and_is_shown_and_the_clock_runs(olga: Browser) -> None:
    path = opened(olga, "erasure")
    olga.send(f"{path}/identity", method="in_store", outcome="passed")
    olga.open(path)
    assert "Held: legal claim" in words_of(olga.send(f"{path}/hold", because="legal_claim").text)
    assert "legal hold" in words_of(olga.send(f"{path}/look").text)
    olga.open(path)
    olga.send(f"{path}/hold", because="")
    assert "Held" not in words_of(olga.open(path))
    assert "extended" in words_of(olga.send(f"{path}/extend").text)
    assert olga.send(f"{path}/extend").status_code == 409
    query("UPDATE privacy_request SET due_at = %s", clock.now() - timedelta(days=1))
    assert "Overdue" in words_of(olga.open(path))
    assert "overdue since" in words_of(olga.open(PRIVACY))


def test_a_restriction_begins_and_is_lifted(olga: Browser) -> None:
    path = opened(olga, "restriction")
    olga.send(f"{path}/identity", method="in_store", outcome="passed")
    olga.open(path)
    olga.send(f"{path}/complete")
    assert query("SELECT count(*) FROM restriction") == [(1,)]
    olga.open(path)
    olga.send(f"{path}/lift")
    assert query("SELECT count(*) FROM restriction") == [(0,)]


def test_data_of_the_person_are_handed_out_and_not_kept_by_the_browser(olga: Browser) -> None:
    path = opened(olga, "access")
    assert olga.send(f"{path}/export").status_code == 409
    olga.open(path)
    olga.send(f"{path}/identity", method="in_store", outcome="passed")
    olga.open(path)
    made = olga.send(f"{path}/export")
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert "attachment" in made.headers["content-disposition"]
    assert "Garcia" in made.text


def test_who_may_only_read_acts_on_nothing_and_others_see_nothing(olga: Browser, mdm: Master) -> None:
    path = opened(olga, "erasure")
    with signed_in("rita", scopes=(*accounts.STEWARD_SCOPES, "privacy:read")) as client:
        rita = Browser(client)
        assert "Look at what would go" not in words_of(rita.open(path))
        assert rita.send(f"{path}/extend").status_code == 403
        assert "Open a request" not in words_of(rita.open(PRIVACY))
    with signed_in("sam") as client:
        sam = Browser(client)
        assert sam.client.get(path).status_code == 403
        assert "Privacy" not in words_of(sam.open("/console/operations/jobs"))
    olga.page = ""
    assert olga.send(f"{path}/extend").status_code in {401, 403}


def test_what_is_no_golden_id_or_act_is_told(olga: Browser, mdm: Master) -> None:
    olga.open(PRIVACY)
    assert "no golden id" in words_of(olga.send(PRIVACY, kind="erasure", golden_id="x").text)
    path = opened(olga, "erasure")
    assert olga.send(f"{path}/burn").status_code == 404
