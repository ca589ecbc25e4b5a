"""Tokens of a provider that runs here: taken when they are whole, by a published key, for us, now; each other refused by name."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from starlette.testclient import TestClient

from api import tokens
from api.app import create_app
from kernel import actor, clock
from kernel.settings import ROLE_NAMES, Settings, configure, settings

ISSUER, AUDIENCE = "https://id.example.com/realms/shop", "customer-master"
MAPPED = {"shop-till": "lookup", "shop-steward": "steward", "shop-auditor": "auditor"}


class Provider:
    """An identity provider on a port of this machine: signs what it is asked to, and publishes its keys."""

    def __init__(self) -> None:
        self.signing: Any = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        self.published: list[Any] = [self.signing]
        self.answers = self.requests = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.requests += 1
                body = json.dumps(KeySet(provider.published).as_dict(private=False)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"

    def token(self, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Sign a token; a claim of None is left out."""
        now = int(time.time())
        usual = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "4711",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "roles": ["shop-steward"],
        }
        said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        by = key or self.signing
        algorithm = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}[by.key_type]
        kid = {"kid": by.kid} if by.kid else {}
        return jwt.encode({"alg": algorithm, "typ": "JWT", **kid, **(header or {})}, said, by, algorithms=[algorithm])


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.server.shutdown()


def chosen(where: str, **more: Any) -> Settings:
    known = {
        "oidc_issuer": ISSUER,
        "oidc_audience": AUDIENCE,
        "oidc_jwks": where,
        "oidc_roles": MAPPED,
        "oidc_refresh_seconds": 1,
    }
    return settings().model_copy(update={**known, **more})


@pytest.fixture
def client(provider: Provider, policy: Any) -> Iterator[TestClient]:
    before = settings()
    configure(chosen(provider.url))
    with TestClient(create_app()) as made:
        until(lambda: tokens.Followed.keys is not None and tokens.Followed.keys.known is not None)
        yield made
    configure(before)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def get(client: TestClient, token: str, path: str = "/v1/sources") -> Any:
    return client.get(path, headers={"authorization": f"Bearer {token}"})


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_a_whole_token_speaks_for_a_person_of_the_mapped_role(client: TestClient, provider: Provider) -> None:
    token = provider.token()
    assert get(client, token).status_code == 200
    found = tokens.authenticate(token)
    assert (found.actor, found.role, found.kind, found.sees_clear) == ("oidc:4711", "steward", "person", True)
    assert refused(get(client, token, "/v1/exports/00000000-0000-7000-8000-000000000000")) == (403, "missing_scope")


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt"])
@pytest.mark.parametrize(
    "key", [ECKey.generate_key("P-256", {"kid": "ec"}), OKPKey.generate_key("Ed25519", {"kid": "ed"})], ids=["EC", "OKP"]
)
def test_other_kinds_of_key_and_type_are_taken(client: TestClient, provider: Provider, key: Any, typ: str | None) -> None:
    provider.published = [provider.signing, key]
    assert tokens.Followed.keys is not None
    tokens.Followed.keys.read()
    assert get(client, provider.token(key, {"typ": typ} if typ else {})).status_code == 200


def forged(algorithm: str, secret: bytes | None = None) -> str:
    """A token as no library would make it: without a signature, or with a symmetric one by a secret."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "1", "exp": int(time.time()) + 300, "roles": ["shop-steward"]}
    parts = ({"alg": algorithm, "typ": "JWT", "kid": "first"}, claims)
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in parts)
    signature = hmac.digest(secret, signed, "sha256") if secret else b""
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def test_each_token_that_cannot_be_used_is_refused_by_name(client: TestClient, provider: Provider) -> None:
    now = int(time.time())
    stranger = RSAKey.generate_key(2048, {"kid": "first"})
    # The public key as the secret of a symmetric signature, as a library would take it that goes by the token's own word.
    confused = forged("HS256", provider.signing.as_pem(private=False))
    good = provider.token()
    head, body, signature = good.split(".")
    other = provider.token(roles=["shop-auditor"]).split(".")[1]
    cases = {
        "bad_token_algorithm": [forged("none"), forged("None"), confused],
        "bad_token_signature": [provider.token(stranger), f"{head}.{other}.{signature}", f"{head}.{body}.{signature[:-4]}AAAA"],
        "bad_token_type": [provider.token(header={"typ": one}) for one in ("logout+jwt", "dpop+jwt", "JWE")],
        "unknown_token_key": [
            provider.token(RSAKey.generate_key(2048, {"kid": "another"})),
            provider.token(RSAKey.generate_key(2048)),
        ],
        "token_expired": [provider.token(exp=now - 61), provider.token(exp=0)],
        "token_not_yet_valid": [provider.token(nbf=now + 70), provider.token(iat=now + 70)],
        "wrong_issuer": [provider.token(iss="https://id.example.com"), provider.token(iss=ISSUER + "/")],
        "wrong_audience": [provider.token(aud="another"), provider.token(aud=["a", "b"])],
        "token_lacks_a_claim": [provider.token(**{claim: None}) for claim in ("iss", "aud", "sub", "exp")],
        "bad_token_claim": [provider.token(mdm_kind="emperor"), provider.token(exp="tomorrow")],
        "bad_token": ["a.b.c", "..", f"{'a' * 20_000}.b.c", "é.b.c"],
    }
    for code, broken in cases.items():
        for token in broken:
            answer = client.get("/v1/sources", headers={b"authorization": b"Bearer " + token.encode("latin-1")})
            assert refused(answer) == (401, code), token[:100]
            assert answer.headers["www-authenticate"] == "Bearer"


def test_the_clocks_may_differ_a_little(client: TestClient, provider: Provider) -> None:
    now = int(time.time())
    assert get(client, provider.token(exp=now - 50)).status_code == 200
    assert get(client, provider.token(nbf=now + 50)).status_code == 200


def test_a_token_that_was_verified_a_moment_ago_is_taken_no_longer_than_it_lasts(client: TestClient, provider: Provider) -> None:
    token = provider.token(exp=int(time.time()) - 50)
    assert get(client, token).status_code == 200
    try:
        later = clock.now() + timedelta(seconds=20)
        clock.set_source(lambda: later)
        assert refused(get(client, token)) == (401, "token_expired")
    finally:
        clock.set_source(None)


def test_a_key_the_token_brings_along_is_not_looked_at(client: TestClient, provider: Provider) -> None:
    mine = RSAKey.generate_key(2048, {"kid": "first"})
    for header in ({"jwk": mine.as_dict(private=False)}, {"jku": "http://127.0.0.1:1/keys"}):
        assert refused(get(client, provider.token(mine, header)))[1] in {"bad_token", "bad_token_signature"}


def test_a_new_key_is_found_and_a_withdrawn_one_counts_no_more(client: TestClient, provider: Provider) -> None:
    """Also for a token that was verified a moment ago."""
    first = provider.signing
    earlier = provider.token()
    assert get(client, earlier).status_code == 200
    provider.signing = RSAKey.generate_key(2048, {"kid": "second"})
    provider.published = [provider.signing]
    later = provider.token()
    try:
        until(lambda: get(client, later).status_code == 200)
        assert refused(get(client, earlier)) == (401, "unknown_token_key")
    finally:
        provider.signing, provider.published = first, [first]


def test_known_keys_go_on_while_the_provider_is_away(client: TestClient, provider: Provider) -> None:
    assert tokens.Followed.keys is not None
    tokens.Followed.keys.where = "http://127.0.0.1:1/gone"
    tokens.Followed.keys.read()
    assert get(client, provider.token()).status_code == 200


def test_without_keys_no_token_is_taken_and_keys_of_ours_are(provider: Provider, policy: Any, key: Any) -> None:
    before = settings()
    configure(chosen("/nowhere/keys.json"))
    try:
        with TestClient(create_app()) as client:
            assert refused(get(client, provider.token())) == (503, "no_token_keys")
            assert client.get("/v1/sources", headers=key()).status_code == 200
    finally:
        configure(before)


def test_keys_may_stand_in_a_file(provider: Provider, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(KeySet([provider.signing]).as_dict(private=False)))
    assert [one.kid for one in tokens.read_set(str(file))] == [provider.signing.kid]
    file.write_text("[" * 300_000)
    with pytest.raises(ValueError, match="too large"):
        tokens.read_set(str(file))


def test_without_a_provider_a_token_is_no_key_of_ours(policy: Any, provider: Provider) -> None:
    with TestClient(create_app()) as client:
        assert refused(get(client, provider.token())) == (401, "bad_key")


def test_claims_limit_and_name_the_caller(client: TestClient, provider: Provider) -> None:
    configure(settings().model_copy(update={"oidc_brands_claim": "brands", "oidc_regions_claim": "regions"}))
    found = tokens.authenticate(provider.token(brands=["main"], regions="north south", roles="shop-auditor other"))
    assert (found.scope.brands, found.scope.regions, found.sees_clear) == (("main",), ("north", "south"), False)
    assert tokens.authenticate(provider.token(sub="2")).scope.brands == (), "a token that says nothing sees nothing"
    personal = tokens.authenticate(provider.token(sub="ana@example.org"))
    assert "ana" not in personal.actor
    agent = tokens.authenticate(provider.token(sub="robot", mdm_kind="agent"))
    assert (agent.kind, agent.may("decisions:settle"), agent.may("decisions:propose")) == ("agent", False, True)
    assert refused(get(client, provider.token(roles=["cleaner"]))) == (403, "no_role")
    assert refused(get(client, provider.token(brands=["*"]))) == (401, "bad_token_claim")


@pytest.mark.parametrize(
    "wrong",
    [{"oidc_audience": None}, {"oidc_roles": {}}, {"oidc_roles": {"a": "emperor"}}, {"oidc_jwks": "http://id.example.com/jwks"}],
)
def test_settings_that_would_let_too_many_in_are_refused(wrong: dict[str, Any]) -> None:
    whole = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_jwks": "https://id.example.com/jwks", "oidc_roles": MAPPED}
    Settings(**whole)
    with pytest.raises(ValueError, match="OIDC"):
        Settings(**{**whole, **wrong})


def test_the_roles_of_the_settings_are_those_that_there_are() -> None:
    assert frozenset(actor.ROLES) == ROLE_NAMES
