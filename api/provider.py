"""Where the identity provider is: as configured, else as its own document says. Asks it, and never follows it elsewhere."""

import re
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import orjson

from kernel import log
from kernel.errors import Unavailable
from kernel.settings import Settings, is_safe_way

LOG = log.get_logger("api")
ASK_SECONDS, LARGEST_BYTES = 5.0, 262_144
DOCUMENT = "/.well-known/openid-configuration"
CODE = re.compile("[a-z_]{1,60}")
FAILURES = (OSError, ValueError, HTTPException)


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """What counts comes from the address that is configured, wherever that would lead."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Places:
    """The provider's addresses. `names_itself`: it says in each answer who it is (RFC 9207); `logout` may be missing."""

    authorize: str
    token: str
    logout: str | None
    jwks: str | None
    names_itself: bool = False


def read(where: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> bytes:
    """Read a file or an address, or send it a form. Raises: OSError (HTTPError with the answer), ValueError, HTTPException."""
    if urlsplit(where).scheme not in {"http", "https"}:
        text = Path(where).read_bytes()
    else:
        body = None if form is None else urllib.parse.urlencode(form).encode()
        opener = urllib.request.build_opener(_Unmoved)
        opener.addheaders = [("accept", "application/json"), *(headers or {}).items()]
        with opener.open(where, body, timeout=ASK_SECONDS) as answer:
            text = answer.read(LARGEST_BYTES + 1)
    if len(text) > LARGEST_BYTES:
        raise ValueError("too large")
    return bytes(text)


class _Held:
    """The issuer's document as this process last read it, and when."""

    document: dict[str, Any] | None = None
    issuer, until = "", 0.0


def _document(chosen: Settings) -> dict[str, Any]:
    """Give what the issuer says of itself. Raises: as `read`; ValueError for one that speaks of another issuer."""
    issuer = chosen.oidc_issuer or ""
    if _Held.document is None or _Held.issuer != issuer or _Held.until < time.monotonic():
        said = orjson.loads(read(issuer.rstrip("/") + DOCUMENT))
        if not isinstance(said, dict) or said.get("issuer") != issuer:
            raise ValueError("another issuer")
        _Held.document, _Held.issuer, _Held.until = said, issuer, time.monotonic() + chosen.oidc_refresh_seconds
    return _Held.document


def keys_place(chosen: Settings) -> str:
    """Say where the provider's keys are. Raises: as `read`."""
    return chosen.oidc_jwks or _address(_document(chosen), "jwks_uri")


def places(chosen: Settings) -> Places:
    """Give the provider's addresses. Raises: Unavailable when they are to be asked for and it does not answer."""
    if chosen.oidc_authorize_url and chosen.oidc_token_url:
        return Places(chosen.oidc_authorize_url, chosen.oidc_token_url, chosen.oidc_logout_url, chosen.oidc_jwks)
    try:
        said = _document(chosen)
        logout = chosen.oidc_logout_url or (_address(said, "end_session_endpoint") if "end_session_endpoint" in said else None)
        names_itself = said.get("authorization_response_iss_parameter_supported") is True
        authorize, token = (_address(said, name) for name in ("authorization_endpoint", "token_endpoint"))
        return Places(authorize, token, logout, chosen.oidc_jwks or said.get("jwks_uri"), names_itself)
    except FAILURES as failure:
        raise away(failure) from None


def _address(said: dict[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or urlsplit(found).scheme not in {"http", "https"} or not is_safe_way(found):
        raise ValueError(f"no usable {name}")
    return found


def refusal(answer: HTTPError) -> str:
    """Name the code by which a token endpoint refuses; empty for none. Source: RFC 6749, 5.2. Reads the answer: once."""
    try:
        said = orjson.loads(answer.read(LARGEST_BYTES)).get("error")
    except (*FAILURES, AttributeError):
        return ""
    # Told in the log by whoever set this up wrongly: invalid_client, unauthorized_client.
    code = said if isinstance(said, str) and CODE.fullmatch(said) else ""
    LOG.warning("provider_refused", status=answer.code, code=code)
    return code


def away(failure: Exception) -> Unavailable:
    """Say, and log by its class, that the provider did not answer as one does."""
    status = failure.code if isinstance(failure, HTTPError) else None
    LOG.warning("provider_did_not_answer", kind=type(failure).__name__, status=status)
    return Unavailable(
        "The identity provider does not answer",
        code="provider_away",
        detail="Signing in by it works again when it does. Who is signed in stays so, and accounts with a password work.",
    )
