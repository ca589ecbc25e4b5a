"""Signing in to the console by the organisation's identity provider: authorization code with PKCE, state and nonce.

What a sign-in must remember stands in a cookie of the browser that began it, and says nothing without the service's secret:
state, nonce and verifier are derived from it. Nobody is signed in by an answer that another browser asked for.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from typing import Annotated, Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit

import orjson
from anyio import CapacityLimiter, to_thread
from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from api import provider, tokens
from api.console.frame import COOKIE, PRIVATE, ROOT, SIGN_IN, Page, cookie_path, own_path, to
from api.routes import resource
from kernel import clock, db, log
from kernel.actor import PERSON
from kernel.errors import Forbidden, MdmError, NotFound, Unauthorized
from kernel.settings import Settings, settings
from stewardship import provided_accounts

router = resource("provided", Page)
LOG = log.get_logger("api")
START, BACK, SIGNED_OUT = f"{SIGN_IN}/provider", f"{SIGN_IN}/back", f"{SIGN_IN}/signed-out"
BEGUN = "mdm_sign_in"
SECONDS = 600  # For a password and a second factor.
# A provider that hangs holds these threads, and not those that serve everybody else.
FEW_AT_A_TIME = CapacityLimiter(4)
CODE = re.compile(r"[\x21-\x7e]{1,4000}")
AGAIN = "Begin again from the sign-in page."


@router.get(START, include_in_schema=False)
async def start(request: Request, back: Annotated[str, Query(alias="to", max_length=500)] = ROOT) -> Response:
    """Lead to the provider, which asks who it is."""
    chosen = _chosen()
    there = await to_thread.run_sync(provider.places, chosen, limiter=FEW_AT_A_TIME)
    held = f"{secrets.token_urlsafe(24)}.{int(clock.now().timestamp()) + SECONDS}.{_coded(own_path(back).encode())}"
    asked = {"response_type": "code", "client_id": chosen.oidc_client_id, "redirect_uri": return_address(chosen)}
    checked = {"scope": chosen.oidc_scope, "state": _derived("state", held), "nonce": _derived("nonce", held)}
    challenge = _coded(hashlib.sha256(_derived("verifier", held).encode()).digest())
    query = urlencode({**asked, **checked, "code_challenge": challenge, "code_challenge_method": "S256"}, quote_via=quote)
    joint = "&" if urlsplit(there.authorize).query else "?"
    answer = RedirectResponse(f"{there.authorize}{joint}{query}", 303, PRIVATE)
    answer.set_cookie(BEGUN, held, SECONDS, **_place(request, chosen))
    return answer


@router.get(BACK, include_in_schema=False)
async def come_back(request: Request) -> Response:
    """Take the provider's answer, and begin a session."""
    chosen, held, sent = _chosen(), request.cookies.get(BEGUN, ""), dict(request.query_params)
    path = _path_of(held, sent.get("state", ""))
    token = await to_thread.run_sync(_signed_in, chosen, held, sent, limiter=FEW_AT_A_TIME)
    answer = to(request, own_path(path))
    at = {**_place(request, chosen), "path": cookie_path(request)}
    answer.set_cookie(COOKIE, token, **at)
    answer.delete_cookie(BEGUN, path=_place(request, chosen)["path"])
    return answer


@router.post(SIGNED_OUT, include_in_schema=False)
async def signed_out(request: Request) -> Response:
    """Take the word of the provider itself, signed, that somebody has signed out there: no browser and no cookie is asked."""
    _chosen()
    sent = await request.form(max_files=0, max_fields=10, max_part_size=2 * tokens.LONGEST)
    try:
        await to_thread.run_sync(_end, str(sent.get("logout_token", "")))
    except Unauthorized as refused:
        LOG.warning("sign_out_refused", code=refused.code)
        # Source: OpenID Connect Back-Channel Logout 1.0, 2.8.
        said = {"error": "invalid_request", "error_description": refused.detail}
        return Response(orjson.dumps(said), 400, PRIVATE, "application/json")
    return Response(status_code=200, headers=PRIVATE)


def _end(token: str) -> None:
    actor, until = tokens.said_of_sign_out(token)
    with db.transaction() as session:
        provided_accounts.sign_out(session, actor, until)


def is_offered() -> bool:
    """Whether people may sign in by a provider."""
    return settings().oidc_issuer is not None and settings().oidc_client_id is not None


def logout_address() -> str | None:
    """Where somebody signs out of the provider as well; None where it says no such place, or does not answer."""
    chosen = settings()
    try:
        there = provider.places(chosen).logout if is_offered() else None
    except MdmError:
        return None
    if there is None:
        return None
    home = f"{(chosen.console_url or '').rstrip('/')}{SIGN_IN}"
    asked = urlencode({"client_id": chosen.oidc_client_id, "post_logout_redirect_uri": home}, quote_via=quote)
    return f"{there}{'&' if urlsplit(there).query else '?'}{asked}"


def return_address(chosen: Settings) -> str:
    """Where the provider sends people back to: as configured there and here, whatever a request says its host is."""
    return f"{(chosen.console_url or '').rstrip('/')}{BACK}"


def _chosen() -> Settings:
    if not is_offered():
        raise NotFound("There is no such page", code="no_such_page")
    return settings()


def _place(request: Request, chosen: Settings) -> dict[str, Any]:
    is_secure = request.scope["scheme"] == "https" or (chosen.console_url or "").startswith("https://")
    return {"path": f"{cookie_path(request)}/sign-in", "secure": is_secure, "httponly": True, "samesite": "lax"}


def _derived(purpose: str, held: str) -> str:
    key = settings().secret_for(f"console sign-in: {purpose}")
    return _coded(hmac.digest(key, held.encode("utf-8", "surrogatepass"), "sha256"))


def _coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _path_of(held: str, state: str) -> str:
    """Give the page that the sign-in leads to. Raises: Unauthorized for one that this browser did not begin, or too long ago."""
    if not held:
        detail = f"This browser has begun none, or more than {SECONDS // 60} minutes ago, or keeps no cookies. {AGAIN}"
        raise Unauthorized("No sign-in is going on here", code="no_sign_in", detail=detail)
    if not hmac.compare_digest(_derived("state", held).encode(), state.encode("utf-8", "surrogatepass")):
        detail = f"It answers another sign-in than the last that this browser began. {AGAIN}"
        raise Unauthorized("This answer is not for you", code="wrong_state", detail=detail)
    _, until, path = held.split(".")  # As we wrote it: nobody else can have made the state.
    if int(until) < clock.now().timestamp():
        raise Unauthorized("The sign-in took too long", code="sign_in_expired", detail=AGAIN)
    try:
        return base64.urlsafe_b64decode(path + "=" * (-len(path) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ROOT


def _signed_in(chosen: Settings, held: str, sent: dict[str, str]) -> str:
    there = provider.places(chosen)
    if sent.get("iss", chosen.oidc_issuer) != chosen.oidc_issuer or (there.names_itself and "iss" not in sent):
        raise Unauthorized("This answer is of another provider", code="wrong_issuer", detail=AGAIN)
    if not CODE.fullmatch(sent.get("code", "")):
        said = sent.get("error", "")
        reason = f" It says: {said}." if re.fullmatch(r"[a-z_]{1,60}", said) else ""
        raise Unauthorized("The provider did not sign you in", code="sign_in_refused", detail=f"{AGAIN}{reason}")
    claims = tokens.said_of_person(_redeemed(chosen, there.token, sent["code"], held), _derived("nonce", held))
    try:
        return _begun(chosen, claims, sent["state"])
    except MdmError as error:
        LOG.warning("sign_in_refused", code=error.code)
        with db.transaction() as session:
            provided_accounts.refused(session, tokens.actor_of(claims), error.code)
        raise


def _begun(chosen: Settings, claims: dict[str, Any], state: str) -> str:
    caller = tokens.caller_of(claims, chosen)
    if caller.kind != PERSON:
        detail = "Services and agents call the API; the console is for persons."
        raise Forbidden("The console is not for you", code="not_a_person", detail=detail)
    shown, zone = (str(claims.get(name) or "") for name in ("name", "zoneinfo"))
    with db.transaction() as session:
        return provided_accounts.begin(session, caller, chosen.oidc_issuer or "", state, shown, zone)


def _redeemed(chosen: Settings, where: str, code: str, held: str) -> str:
    """Give the id token for a code. Raises: Unauthorized when the provider refuses it; Unavailable."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": return_address(chosen)}
    known, secret = chosen.oidc_client_id or "", chosen.client_secret()
    headers = {}
    if secret is None:
        form["client_id"] = known
    else:  # Source: RFC 6749, 2.3.1: both are form-encoded first.
        pair = f"{quote(known, safe='')}:{quote(secret, safe='')}".encode()
        headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    try:
        said = orjson.loads(provider.read(where, {**form, "code_verifier": _derived("verifier", held)}, headers))
        if not isinstance(said, dict) or not isinstance(said.get("id_token"), str):
            raise ValueError("no id token")
    except HTTPError as error:
        if provider.refusal(error) != "invalid_grant":
            raise provider.away(error) from None
        LOG.warning("sign_in_refused", code="code_refused")
        detail = f"It was used before, or is too old. {AGAIN}"
        raise Unauthorized("The provider does not take its code back", code="code_refused", detail=detail) from None
    except provider.FAILURES as failure:
        raise provider.away(failure) from None
    return str(said["id_token"])
