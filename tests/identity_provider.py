"""A small identity provider on a port of this machine: discovery, sign-in, codes with PKCE, signed tokens, sign-out.

It keeps to OpenID Connect by itself; a test spoils what it answers by `claims`, `header`, `key`, `answer` and `keeps_codes`.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
CLIENT, SECRET = "console", "s3cret &+ of the console"


class IdentityProvider:
    """Somebody is signed in to it already: whoever is led to it is led back with a code at once."""

    def __init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                provider.answer_get(self, parts.path, {name: one[0] for name, one in parse_qs(parts.query).items()})

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["content-length"])).decode()
                provider.answer_post(self, {name: one[0] for name, one in parse_qs(text).items()})

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}/realms/shop"
        self.signing: Any = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        self.reset()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self) -> None:
        """Be a provider that keeps to the rules again."""
        self.codes: dict[str, dict[str, str]] = {}
        self.published: list[Any] = [self.signing]
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.key: Any = None
        self.token: str | None = None
        self.answer: tuple[int, bytes] | None = None
        self.keeps_codes = self.is_away = False
        self.document: dict[str, Any] = {}
        self.secret: str | None = SECRET

    def answer_get(self, to: BaseHTTPRequestHandler, path: str, query: dict[str, str]) -> None:
        """Serve the document, the keys, and people."""
        if self.is_away:
            send(to, 503, b"")
        elif path.endswith("/.well-known/openid-configuration"):
            send(to, 200, json.dumps(self.described() | self.document).encode())
        elif path.endswith("/keys"):
            send(to, 200, json.dumps(KeySet(self.published).as_dict(private=False)).encode())
        elif path.endswith("/authorize"):
            code = secrets.token_urlsafe(16)
            self.codes[code] = query
            there = urlencode({"code": code, "state": query["state"], "iss": self.issuer})
            send(to, 302, b"", location=f"{query['redirect_uri']}?{there}")

    def described(self) -> dict[str, Any]:
        """What it says of itself."""
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        places = {name: f"{self.issuer}/{path}" for name, path in {**names, "end_session_endpoint": "logout"}.items()}
        return {"issuer": self.issuer, "authorization_response_iss_parameter_supported": True, **places}

    def answer_post(self, to: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        """Redeem a code: once, for the client that asked, with the verifier of its challenge."""
        if self.answer is not None:
            send(to, *self.answer)
            return
        asked = self.codes.get(form.get("code", "")) if self.keeps_codes else self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if not self.knows(to.headers.get("authorization"), form):
            send(to, 401, b'{"error":"invalid_client"}')
        elif asked is None or (asked["code_challenge"], asked["redirect_uri"]) != (challenge.decode(), form["redirect_uri"]):
            send(to, 400, b'{"error":"invalid_grant"}')
        else:
            send(to, 200, json.dumps({"token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}).encode())

    def knows(self, header: str | None, form: dict[str, str]) -> bool:
        """Whether the client is who it says."""
        if self.secret is None:
            return header is None and form.get("client_id") == CLIENT
        pair = base64.b64decode((header or "").removeprefix("Basic ")).decode().split(":")
        return [unquote(one) for one in pair] == [CLIENT, self.secret]

    def id_token(self, nonce: str) -> str:
        """Sign who it is; a claim of None is left out."""
        if self.token is not None:
            return self.token
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "sub": "4711", "iat": now, "exp": now + 60, "nonce": nonce}
        person = {"roles": ["shop-steward"], "name": "Ana Torres", "zoneinfo": "Europe/Madrid"}
        said = {name: value for name, value in {**usual, **person, **self.claims}.items() if value is not None}
        by = self.key or self.signing
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": by.kid, **self.header}, said, by)

    def logout_token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Sign that somebody has signed out; a claim of None is left out."""
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "sub": "4711", "iat": now, "exp": now + 120, "jti": secrets.token_hex(8)}
        said = {name: value for name, value in {**usual, "events": {LOGOUT: {}}, **claims}.items() if value is not None}
        by = self.key or self.signing
        return jwt.encode({"alg": "RS256", "typ": "logout+jwt", "kid": by.kid, **(header or {})}, said, by)


def send(to: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """Answer."""
    to.send_response(status)
    for name, value in {"content-length": str(len(body)), **headers}.items():
        to.send_header(name, value)
    to.end_headers()
    to.wfile.write(body)
