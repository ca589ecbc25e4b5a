"""Signing in, and what nobody gets without."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.console.frame import COOKIE, SignedIn, own_path
from api.console.provided import BACK, SIGNED_OUT, START
from kernel import db
from mdm import policy as policies
from stewardship import accounts

from ...resolution import Master
from ..test_app import api_routes
from .conftest import CSRF, PASSWORD, Browser


@pytest.fixture
def stranger(policy: policies.Policy) -> Iterator[TestClient]:
    with TestClient(create_app(), follow_redirects=False) as client:
        yield client


def test_every_console_page_leads_a_stranger_to_the_sign_in_and_changes_nothing(stranger: TestClient) -> None:
    routes = [route for route in api_routes(create_app()) if route.path.startswith("/console")]
    closed = [route for route in routes if any(isinstance(one.call, SignedIn) for one in route.dependant.dependencies)]
    assert {route.path for route in routes} - {route.path for route in closed} == {"/console/sign-in", START, BACK, SIGNED_OUT}
    for route in closed:
        for method in route.methods or ():
            answer = stranger.request(method, re.sub(r"{\w+_id}", "00000000-0000-7000-8000-000000000000", route.path))
            assert answer.status_code == 303, route.path
            assert answer.headers["location"].startswith("/console/sign-in?to=")


def test_a_wrong_password_and_a_name_of_nobody_are_told_alike(stranger: TestClient) -> None:
    with db.transaction() as session:
        accounts.add(session, "test", "ana", password=PASSWORD)
    told = [stranger.post("/console/sign-in", data={"name": name, "password": "wrong password"}) for name in ("ana", "nobody")]
    assert [answer.status_code for answer in told] == [401, 401]
    assert told[0].text.replace("ana", "nobody") == told[1].text
    assert "set-cookie" not in told[0].headers


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: TestClient) -> None:
    with db.transaction() as session:
        accounts.add(session, "test", "ana", password=PASSWORD)
    answer = stranger.post("/console/sign-in", data={"name": "ana", "password": PASSWORD, "to": "//elsewhere.example/console"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/console"))
    assert stranger.get("/console").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param("/console/tasks", "/console/tasks", id="ours"),
        pytest.param("https://elsewhere.example/console", "/console", id="elsewhere"),
        pytest.param("//elsewhere.example/console", "/console", id="without scheme"),
        pytest.param("/console/..\\elsewhere", "/console", id="backslash"),
        pytest.param("/consolefake", "/console", id="another path"),
        pytest.param("javascript:alert(1)", "/console", id="script"),
        pytest.param("//[nowhere", "/console", id="no address"),
    ],
)
def test_nobody_is_led_elsewhere(sent: str, expected: str) -> None:
    assert own_path(sent) == expected


def test_a_form_of_another_site_or_session_is_refused(ana: Browser, mdm: Master) -> None:
    ana.open("/console/tasks")
    assert ana.client.post("/console/tasks/next", data={"csrf": "0" * 64}).status_code == 401
    assert ana.client.post("/console/tasks/next", data={"csrf": "é" * 64}).status_code == 401
    assert ana.client.post("/console/tasks/next", data={}).status_code == 401
    foreign = ana.client.post("/console/tasks/next", data=ana.hidden(), headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 401


def test_nobody_is_signed_in_by_another_site(stranger: TestClient) -> None:
    """Else what a steward does would be done in the name of whoever made that site."""
    with db.transaction() as session:
        accounts.add(session, "test", "mallory", password=PASSWORD)
    said = {"name": "mallory", "password": PASSWORD}
    answer = stranger.post("/console/sign-in", data=said, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


MANY_FIELDS = b"&".join(b"f%d=x" % number for number in range(10_000))
UTF_7 = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n+2AA-\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        pytest.param(b"name=a%00&password=x", "application/x-www-form-urlencoded", 422, id="nul"),
        pytest.param(UTF_7, "multipart/form-data; boundary=b; charset=utf-7", 422, id="half a character"),
        pytest.param(b'{"name": "ana"}', "application/json", 401, id="json"),
        pytest.param(MANY_FIELDS, "application/x-www-form-urlencoded", 400, id="fields"),
        pytest.param(b"name=" + b"x" * 5_000_000, "application/x-www-form-urlencoded", 413, id="huge"),
    ],
)
def test_a_form_that_no_page_made_is_refused_by_a_page(stranger: TestClient, body: bytes, kind: str, status: int) -> None:
    answer = stranger.post("/console/sign-in", content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(ana: Browser) -> None:
    token = ana.client.cookies[COOKIE]
    ana.open("/console")
    ana.send("/console/sign-out")
    ana.client.cookies.set(COOKIE, token, path="/console")
    assert "Sign in" in ana.open("/console")


def test_behind_a_proxy_that_serves_us_below_a_path_the_cookie_is_sent_there(policy: policies.Policy) -> None:
    with db.transaction() as session:
        accounts.add(session, "test", "ana", password=PASSWORD)
    with TestClient(create_app(), root_path="/mdm", follow_redirects=False) as client:
        answer = client.post("/mdm/console/sign-in", data={"name": "ana", "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, "/mdm/console")
        assert "path=/mdm/console;" in answer.headers["set-cookie"].lower()


def test_passwords_are_held_against_their_hashes_one_at_a_time(stranger: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd at the door must not take every thread and connection."""
    at_once, most = 0, 0

    def slow(*_: object) -> bool:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.02)
        at_once -= 1
        return False

    monkeypatch.setattr(accounts, "is_right", slow)
    with ThreadPoolExecutor(4) as crowd:
        answers = crowd.map(
            lambda _: stranger.post("/console/sign-in", data={"name": "ana", "password": "x"}).status_code, range(8)
        )
        assert set(answers) == {401}
    assert most == 1


def test_who_may_not_decide_is_told_so(policy: policies.Policy) -> None:
    with db.transaction() as session:
        accounts.add(session, "test", "reader", password=PASSWORD, scopes=["lookup"])
    with TestClient(create_app()) as client:
        answer = client.post("/console/sign-in", data={"name": "reader", "password": PASSWORD})
        assert answer.status_code == 403
        assert "not for you" in answer.text
        token = CSRF.search(answer.text)
        assert token is not None
        assert client.post("/console/sign-out", data={"csrf": token[1]}).url.path == "/console/sign-in"
