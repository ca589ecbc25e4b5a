"""The provider says, signed and without a browser, that somebody has signed out there: their sessions here end at once."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from api import tokens
from api.console.provided import SIGNED_OUT
from kernel import db
from kernel.settings import configure, settings
from mdm import policy as policies
from stewardship import accounts

from ...identity_provider import CLIENT, LOGOUT, IdentityProvider
from ...resolution import query
from ..test_tokens import until
from .conftest import PASSWORD
from .test_provided import browsing, chosen, forged, is_in, led


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    made = IdentityProvider()
    yield made
    made.server.shutdown()


@pytest.fixture
def browser(provider: IdentityProvider, policy: policies.Policy) -> Iterator[TestClient]:
    before = settings()
    provider.reset()
    configure(chosen(provider))
    with browsing() as client:
        until(keys_are_read)
        client.get(led(client))
        assert is_in(client)
        yield client
    configure(before)


def keys_are_read() -> bool:
    """Each client is an application that begins, and asks for the keys anew where there is a provider."""
    return tokens.Followed.keys is None or tokens.Followed.keys.known is not None


def told(token: str, **more: Any) -> Any:
    """What the provider is answered: it has no cookie of anybody."""
    with browsing() as line:
        until(keys_are_read)
        return line.post(SIGNED_OUT, data={"logout_token": token}, **more)


def test_who_signs_out_there_is_signed_out_here_on_every_device(browser: TestClient, provider: IdentityProvider) -> None:
    with browsing() as phone, browsing() as other, browsing() as local:
        phone.get(led(phone))
        provider.claims = {"sub": "4712"}
        other.get(led(other))
        with db.transaction() as session:
            accounts.add(session, "test", "ben", password=PASSWORD)
        local.post("/console/sign-in", data={"name": "ben", "password": PASSWORD})
        answer = told(provider.logout_token())
        assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (200, b"", "no-store")
        assert [is_in(one) for one in (browser, phone, other, local)] == [False, False, True, True]
    rows = query("SELECT actor, detail FROM audit WHERE action = 'user.signed_out'")
    assert rows == [("oidc:4711", {"by": "provider", "sessions": 2})]


def test_a_word_that_comes_again_ends_no_session_begun_since(browser: TestClient, provider: IdentityProvider) -> None:
    """Whoever heard it once could have somebody signed out for as long as it counts."""
    long_ago = int(time.time()) - 300
    token = provider.logout_token(iat=long_ago, exp=long_ago + 900)
    assert told(token).status_code == 200
    assert is_in(browser)
    assert told(provider.logout_token(sub="nobody-here")).status_code == 200
    assert is_in(browser)


def unlike(provider: IdentityProvider) -> list[tuple[str, str]]:
    """Tokens that sign nobody out, by the words that they are refused in."""
    now, one = int(time.time()), provider.logout_token
    said = {"iss": provider.issuer, "aud": CLIENT, "sub": "4711", "iat": now, "exp": now + 60, "jti": "x", "events": {LOGOUT: {}}}
    return [
        ("none of a sign-out", one(nonce="x")),
        ("none of a sign-out", one(events=None)),
        ("none of a sign-out", one(events={"http://schemas.openid.net/event/other": {}})),
        ("none of a sign-out", one(events={LOGOUT: "yes"})),
        ("none of a sign-out", one(events=[LOGOUT])),
        ("none of a sign-out", provider.id_token("n")),
        ("says iss, aud", one(jti=None)),
        ("says iss, aud", one(iat=None)),
        ("says iss, aud", one(sub=None, sid="08a5019c")),
        ("says iss, aud", one(exp=None)),
        ("for another service", one(aud="another")),
        ("for another service", one(iss=provider.issuer + "/")),
        ("for another service", one(iat=now + 600)),
        ("time is over", one(exp=now - 61)),
        ("typ is JWT or logout+jwt", one(header={"typ": "at+jwt"})),
        ("signed by one of", forged("none", **said)),
        ("signed by one of", forged("HS256", **said)),
        ("no signed token", ""),
        ("no signed token", "a.b"),
        ("no signed token", "x" * 20_000),
    ]


def test_each_token_that_is_no_word_of_the_provider_of_a_sign_out_ends_nothing(
    browser: TestClient, provider: IdentityProvider
) -> None:
    for words, token in unlike(provider):
        answer = told(token)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), words
        assert words in answer.json()["error_description"], answer.text
    for kid in ("first", "unheard-of"):
        provider.key = RSAKey.generate_key(2048, {"kid": kid})
        assert told(provider.logout_token()).status_code == 400
    assert is_in(browser)


def test_a_word_of_a_sign_out_opens_neither_the_api_nor_the_console(browser: TestClient, provider: IdentityProvider) -> None:
    configure(settings().model_copy(update={"oidc_audience": CLIENT}))
    for header in ({}, {"typ": "JWT"}):
        bearer = {"authorization": f"Bearer {provider.logout_token(header)}"}
        assert browser.get("/v1/jobs", headers=bearer).status_code in {401, 403}
    provider.token = provider.logout_token({"typ": "JWT"}, roles=["shop-steward"])
    with browsing() as client:
        assert client.get(led(client)).status_code == 401


def test_where_nobody_signs_in_by_a_provider_nothing_hears_of_sign_outs(policy: policies.Policy) -> None:
    assert told("x.y.z").status_code == 404
