"""Signing in by an identity provider that runs here: let in when all is right, and else refused by a page that says why."""

import base64
import http.client
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from api import provider as places
from api import tokens
from api.app import create_app
from api.console.frame import COOKIE
from api.console.provided import BACK, BEGUN, START
from kernel import clock, db
from kernel.errors import Conflict
from kernel.settings import Settings, configure, settings
from mdm import policy as policies
from stewardship import accounts, assignees

from ...identity_provider import CLIENT, SECRET, IdentityProvider
from ...resolution import query
from ..test_tokens import until
from .conftest import CSRF, PASSWORD

HOME = "http://localhost:8080"
ROLES = {"shop-steward": "senior_steward", "shop-auditor": "auditor", "shop-clerk": "lookup"}


@pytest.fixture(scope="module")
def running() -> Iterator[IdentityProvider]:
    made = IdentityProvider()
    yield made
    made.server.shutdown()


@pytest.fixture
def provider(running: IdentityProvider) -> IdentityProvider:
    running.reset()
    return running


def chosen(provider: IdentityProvider, **more: Any) -> Settings:
    known = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "oidc_roles": ROLES}
    return Settings(**{**settings().model_dump(), **known, "console_url": HOME, "oidc_label": "Example & Sons", **more})


@pytest.fixture
def browser(provider: IdentityProvider, policy: policies.Policy) -> Iterator[TestClient]:
    before = settings()
    configure(chosen(provider))
    with browsing() as client:
        until(lambda: tokens.Followed.keys is not None and tokens.Followed.keys.known is not None)
        yield client
    configure(before)


def browsing() -> TestClient:
    return TestClient(create_app(), HOME, follow_redirects=False)


def led(client: TestClient, to: str = "/console/tasks") -> str:
    """Begin, and go where that leads: to the provider, and back with its answer. The address that it leads back to."""
    answer = client.get(START, params={"to": to})
    assert answer.status_code == 303, answer.text
    there = urlsplit(answer.headers["location"])
    line = http.client.HTTPConnection(there.hostname or "", there.port or 0)
    line.request("GET", f"{there.path}?{there.query}")
    back = line.getresponse().getheader("location") or ""
    line.close()
    assert back.startswith(f"{HOME}{BACK}?"), back
    return back.removeprefix(HOME)


def is_in(client: TestClient) -> bool:
    return client.get("/console/customers").status_code == 200


def refused(answer: Any, status: int, words: str) -> bool:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.text
    assert words in answer.text, answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "")
    return True


def test_somebody_of_the_organisation_signs_in_and_acts_under_the_name_of_their_tokens(
    browser: TestClient, provider: IdentityProvider
) -> None:
    answer = browser.get(led(browser))
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/tasks")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(COOKIE)).lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/console;"))
    assert "Ana Torres" in browser.get("/console/tasks").text
    found = query("SELECT name, role, timezone, issuer, brands FROM user_account")
    assert found == [("oidc:4711", "senior_steward", "Europe/Madrid", provider.issuer, None)]
    with db.read_only() as session:
        assert assignees.find(session, "oidc:4711").actor == "oidc:4711"
        assert accounts.every(session)[0].principal.actor == "oidc:4711"
    assert ("oidc:4711", "user.signed_in") in query("SELECT actor, action FROM audit")


def test_whom_the_provider_vouched_for_is_sent_there_again_after_a_while(
    browser: TestClient, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was dismissed there in the meantime is not let in again. A password is no word of the provider's."""
    configure(chosen(provider, oidc_session_minutes=30))
    browser.get(led(browser))
    with db.transaction() as session:
        accounts.add(session, "test", "ben", password=PASSWORD)
    with browsing() as local:
        local.post("/console/sign-in", data={"name": "ben", "password": PASSWORD})
        for minutes, is_vouched_for in ((29, True), (31, False)):
            at = datetime.now(UTC) + timedelta(minutes=minutes)
            monkeypatch.setattr(clock, "now", lambda at=at: at)
            assert (is_in(browser), is_in(local)) == (is_vouched_for, True)
    assert browser.get("/console/tasks").headers["location"].startswith("/console/sign-in")


def test_what_is_asked_of_the_provider_is_bound_to_this_browser(browser: TestClient) -> None:
    answers = [browser.get(START, params={"to": "https://elsewhere.example/"}) for _ in range(2)]
    asked = [{name: one[0] for name, one in parse_qs(urlsplit(one.headers["location"]).query).items()} for one in answers]
    assert asked[0]["response_type"] == "code"
    assert (asked[0]["redirect_uri"], asked[0]["client_id"]) == (f"{HOME}{BACK}", CLIENT)
    assert asked[0]["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len({one[name] for one in asked}) == 2, name
        assert len(asked[0][name]) == 43
    held = answers[1].headers["set-cookie"]
    assert all(word in held.lower() for word in ("httponly", "samesite=lax", "path=/console/sign-in", "max-age=600"))
    assert not any(asked[1][name] in held for name in ("state", "nonce"))


def test_the_host_that_a_request_names_leads_nobody_elsewhere(browser: TestClient) -> None:
    answer = browser.get(START, headers={"host": "evil.example", "x-forwarded-host": "evil.example"})
    assert "evil" not in answer.headers["location"]


def test_an_answer_that_another_browser_asked_for_signs_nobody_in(browser: TestClient) -> None:
    """Else a steward would work under the account of whoever sent them the link."""
    back = led(browser)
    with browsing() as victim:
        assert refused(victim.get(back), 401, "No sign-in is going on here")
        led(victim)
        assert refused(victim.get(back), 401, "This answer is not for you")
    assert refused(browser.get(back.replace("state=", "state=x")), 401, "This answer is not for you")
    assert refused(browser.get(f"{BACK}?code=x&state=%C3%A9%FF"), 401, "This answer is not for you")


def test_a_cookie_that_nobody_here_made_is_of_no_use(browser: TestClient) -> None:
    there = base64.urlsafe_b64encode(b"https://elsewhere.example").decode()
    for held in (f"abc.99999999999.{there}", "..", "abc", "é"):
        with browsing() as client:
            client.cookies.set(BEGUN, held.encode("latin-1").decode("ascii", "ignore"), path="/console/sign-in")
            assert refused(client.get(BACK, params={"code": "x", "state": "abc"}), 401, "</h1>")


def test_a_sign_in_is_used_once_whatever_the_provider_lets_pass(browser: TestClient, provider: IdentityProvider) -> None:
    back, held = led(browser), browser.cookies[BEGUN]
    assert browser.get(back).status_code == 303
    again = {"cookie": f"{BEGUN}={held}"}
    with browsing() as thief:
        assert refused(thief.get(back, headers=again), 401, "does not take its code back")
        provider.keeps_codes = True
        back, held = led(browser), browser.cookies[BEGUN]
        assert browser.get(back).status_code == 303
        assert refused(thief.get(back, headers={"cookie": f"{BEGUN}={held}"}), 401, "was used already")
    assert ("oidc:4711", "sign_in_used") in query("SELECT actor, detail->>'code' FROM audit WHERE action = 'user.sign_in_failed'")


def test_a_code_of_another_sign_in_is_refused_by_the_provider_for_its_verifier(browser: TestClient) -> None:
    with browsing() as attacker:
        stolen = parse_qs(urlsplit(led(attacker)).query)["code"][0]
        mine = parse_qs(urlsplit(led(browser)).query)
        answer = browser.get(BACK, params={"code": stolen, "state": mine["state"][0], "iss": mine["iss"][0]})
    assert refused(answer, 401, "does not take its code back")


def test_one_who_came_too_late_begins_again(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    back = led(browser)
    later = datetime.now(UTC) + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert refused(browser.get(back), 401, "took too long")


def forged(algorithm: str, **claims: Any) -> str:
    parts = ({"alg": algorithm, "typ": "JWT", "kid": "first"}, claims)
    return b".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in parts).decode() + "."


def spoiled(provider: IdentityProvider) -> list[tuple[str, dict[str, Any]]]:
    """What is wrong, by the words that the page says it in."""
    now, first = int(time.time()), {"iss": provider.issuer, "aud": CLIENT, "sub": "1", "roles": ["shop-steward"]}
    return [
        ("another sign-in", {"claims": {"nonce": "of another"}}),
        ("another sign-in", {"claims": {"nonce": None}}),
        ("another sign-in", {"claims": {"nonce": 7}}),
        ("signed by one of", {"token": forged("none", **first, exp=now + 60)}),
        ("signed by one of", {"token": forged("HS256", **first, exp=now + 60)}),
        ("for another service", {"claims": {"aud": "another"}}),
        ("for others besides", {"claims": {"aud": [CLIENT, "another"]}}),
        ("for others besides", {"claims": {"azp": "another"}}),
        ("for another service", {"claims": {"iss": provider.issuer + "/"}}),
        ("time is over", {"claims": {"exp": now - 61}}),
        ("says iss, aud, sub and exp", {"claims": {"sub": None}}),
        ("not by a published key", {"key": RSAKey.generate_key(2048, {"kid": "first"})}),
        ("No key of this name", {"key": RSAKey.generate_key(2048, {"kid": "unheard-of"})}),
        ("typ is JWT", {"header": {"typ": "logout+jwt"}}),
    ]


def test_each_token_that_is_not_for_this_sign_in_signs_nobody_in(browser: TestClient, provider: IdentityProvider) -> None:
    for words, wrong in spoiled(provider):
        provider.reset()
        for name, value in wrong.items():
            setattr(provider, name, value)
        assert refused(browser.get(led(browser)), 401, words), wrong
        assert not is_in(browser)
    assert query("SELECT count(*) FROM user_session") == [(0,)]


def test_a_stranger_to_the_mapping_a_service_and_the_disabled_are_told_so(
    browser: TestClient, provider: IdentityProvider
) -> None:
    provider.claims = {"roles": ["cleaner"], "sub": "dora@example.org"}
    assert refused(browser.get(led(browser)), 403, "brings no role")
    provider.claims = {"mdm_kind": "agent"}
    assert refused(browser.get(led(browser)), 403, "for persons")
    provider.claims = {}
    assert browser.get(led(browser)).status_code == 303
    assert is_in(browser)
    with db.transaction() as session:
        accounts.disable(session, "test", "oidc:4711")
    assert not is_in(browser)
    assert refused(browser.get(led(browser)), 403, "disabled here")
    failed = query("SELECT detail->>'code', actor FROM audit WHERE action = 'user.sign_in_failed' ORDER BY audit_id")
    assert [code for code, _ in failed] == ["no_role", "not_a_person", "account_disabled"]
    assert "dora" not in str(failed)
    with db.transaction() as session:
        accounts.enable(session, "test", "oidc:4711")
    assert browser.get(led(browser)).status_code == 303


def test_role_and_brands_are_those_of_the_last_sign_in(browser: TestClient, provider: IdentityProvider) -> None:
    configure(settings().model_copy(update={"oidc_brands_claim": "brands"}))
    provider.claims = {"brands": ["acme"], "roles": ["shop-steward", "shop-clerk"]}
    browser.get(led(browser))
    with db.read_only() as session:
        first = accounts.every(session)[0].principal
    assert (first.scope.brands, first.may("decisions:write"), first.may("consents:check")) == (("acme",), True, True)
    provider.claims = {"roles": ["shop-auditor"]}
    browser.get(led(browser))
    with db.read_only() as session:
        then = accounts.every(session)[0].principal
    assert (then.scope.brands, then.may("decisions:write"), then.sees_clear) == ((), False, False)
    assert [row[0] for row in query("SELECT action FROM audit WHERE object_id = 'oidc:4711' ORDER BY audit_id")] == [
        "user.added",
        "user.changed",
    ]


def test_a_provider_that_is_away_fails_by_a_page_and_leaves_everybody_else_alone(
    browser: TestClient, provider: IdentityProvider
) -> None:
    back = led(browser)
    provider.answer = (500, b"")
    assert refused(browser.get(back), 503, "does not answer")
    for answer in ((200, b"[]"), (200, b'{"access_token":"x"}'), (200, b"x" * 300_000), (401, b"not json"), (302, b"")):
        provider.answer = answer
        assert refused(browser.get(led(browser)), 503, "does not answer"), answer
    provider.answer, provider.is_away, places._Held.document = None, True, None
    assert refused(browser.get(START), 503, "does not answer")
    with db.transaction() as session:
        accounts.add(session, "test", "ben", password=PASSWORD)
    assert browser.post("/console/sign-in", data={"name": "ben", "password": PASSWORD}).status_code == 303
    assert is_in(browser)


def test_a_new_key_of_the_provider_is_read_when_its_first_token_comes(browser: TestClient, provider: IdentityProvider) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "second"})
    provider.published = [provider.key]
    assert browser.get(led(browser)).status_code == 303
    assert is_in(browser)


def test_who_says_no_to_the_provider_reads_so_and_nothing_that_was_sent(browser: TestClient, provider: IdentityProvider) -> None:
    sent = {name: one[0] for name, one in parse_qs(urlsplit(led(browser)).query).items()}
    del sent["code"]
    answer = browser.get(BACK, params={**sent, "error": "access_denied", "error_description": "call +1 900 4711"})
    assert refused(answer, 401, "It says: access_denied.")
    assert "900" not in answer.text
    assert "<script" not in browser.get(BACK, params={**sent, "error": "<script>"}).text.replace("<script type", "")
    for other in ("https://other.example", None):
        named = {**sent, "code": "x", "iss": other} if other else {"code": "x", "state": sent["state"]}
        assert refused(browser.get(BACK, params=named), 401, "of another provider")


def test_signing_out_ends_the_session_and_offers_to_end_the_providers(browser: TestClient, provider: IdentityProvider) -> None:
    browser.get(led(browser))
    token = browser.cookies[COOKIE]
    form = CSRF.search(browser.get("/console/customers").text)
    assert form is not None
    assert browser.post("/console/sign-out", data={"csrf": "0" * 64}).status_code == 401
    answer = browser.post("/console/sign-out", data={"csrf": form[1]})
    assert (answer.status_code, "Signed out" in answer.text, "Max-Age=0" in answer.headers["set-cookie"]) == (200, True, True)
    assert f"{provider.issuer}/logout?client_id={CLIENT}" in answer.text
    browser.cookies.set(COOKIE, token, path="/console")
    assert not is_in(browser)


def test_whoever_a_provider_speaks_of_has_no_password_and_no_role_of_ours(browser: TestClient) -> None:
    browser.get(led(browser))
    for act in (
        lambda s: accounts.set_password(s, "test", "oidc:4711"),
        lambda s: accounts.give_role(s, "test", "oidc:4711", "admin"),
    ):
        with db.transaction() as session, pytest.raises(Conflict, match="identity provider"):
            act(session)
    answer = browser.post("/console/sign-in", data={"name": "oidc:4711", "password": "x" * 12})
    assert answer.status_code == 401


def test_another_issuer_ends_the_sessions_of_the_first(browser: TestClient) -> None:
    browser.get(led(browser))
    assert is_in(browser)
    configure(settings().model_copy(update={"oidc_issuer": "https://another.example"}))
    assert not is_in(browser)


def test_the_sign_in_offers_the_provider_only_where_there_is_one(browser: TestClient) -> None:
    assert "Sign in with Example &amp; Sons" in browser.get("/console/sign-in?to=/console/tasks").text
    configure(settings().model_copy(update={"oidc_client_id": None}))
    assert "Sign in with" not in browser.get("/console/sign-in").text
    assert [browser.get(path).status_code for path in (START, BACK)] == [404, 404]


def test_a_public_client_and_configured_addresses_do_as_well(browser: TestClient, provider: IdentityProvider) -> None:
    named = {f"oidc_{name}_url": f"{provider.issuer}/{path}" for name, path in (("authorize", "authorize"), ("token", "token"))}
    provider.secret, provider.document = None, {"issuer": "https://nobody.asks.example"}
    configure(chosen(provider, oidc_client_secret=None, oidc_jwks=f"{provider.issuer}/keys", **named))
    assert browser.get(led(browser)).status_code == 303
    assert is_in(browser)
