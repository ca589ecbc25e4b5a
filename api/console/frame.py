"""What every console page goes through: who is signed in, forms that only their own pages can send, errors as pages.

A page that nobody is signed in for leads to the sign-in, and from there back. No personal value stands in an address.
"""

import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Depends, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import limiting
from api.console.values import label, lines
from api.pages import render
from api.problems import from_http
from api.routes import Route
from consent.purposes import shipped
from kernel import clock, db
from kernel.actor import Principal
from kernel.errors import Forbidden, Invalid, MdmError, Unauthorized
from stewardship import accounts, privacy_gate
from stewardship.accounts import Signed
from stewardship.settle import Looked

COOKIE = "mdm_session"
ROOT = "/console"
SIGN_IN = f"{ROOT}/sign-in"
SIGNED = "mdm.signed"
NEEDED = "sign_in_needed"
LONGEST_FIELD = 4_000
MOST_FIELDS = 2_000  # Who is whom has a field for every record that is asked about, at most 1,000 of a decision.
UNUSABLE = re.compile("[\0\ud800-\udfff]")
# Seen by nobody but the browser it was made for, and not kept by it.
PRIVATE = {**render.SAFE, "cache-control": "no-store"}


class SignedIn(SecurityBase):
    """The dependency that finds whose session it is and asks for one scope, or for none.

    `is_limited`: the page is held to the limits of the purpose that a role is for. All others are closed to such people.
    """

    scheme_name = "session"

    def __init__(self, scope_name: str | None, is_limited: bool = False) -> None:
        self.scope_name, self.is_limited = scope_name, is_limited
        self.model = APIKey(**{"in": APIKeyIn.cookie}, name=COOKIE)

    async def __call__(self, request: Request) -> Signed:
        """Give the session. Raises: Unauthorized, Forbidden."""
        found = await run_in_threadpool(_signed, request.cookies.get(COOKIE, ""))
        if found is None:
            raise Unauthorized("Sign in", code=NEEDED)
        caller = await limiting.for_role(found.user.principal)
        found = replace(found, user=replace(found.user, purpose=caller.purpose))
        request.scope[SIGNED] = found
        if caller.purpose is not None and not self.is_limited:
            detail = f"Your role works for {shipped().purposes[caller.purpose].title.lower()}, and this page is not held to that."
            raise Forbidden("This page is not for you", code="key_is_for_a_purpose", detail=detail)
        if self.scope_name is not None and not found.user.principal.may(self.scope_name):
            detail = f"Your account lacks {self.scope_name}: ask whoever operates this service."
            raise Forbidden("This page is not for you", code="missing_scope", detail=detail)
        if (self.scope_name or "").startswith("decisions:") and not found.user.principal.sees_clear:
            # Two values that differ may look the same under their masks.
            detail = "Whoever decides must see what is decided on, and your account sees masked values."
            raise Forbidden("This page is not for you", code="clear_values_needed", detail=detail)
        return found


def _signed(token: str) -> Signed | None:
    if not token:
        return None
    with db.transaction() as session:
        privacy_gate.require(session)
        return accounts.signed(session, token)


Anybody = Annotated[Signed, Security(SignedIn(None, is_limited=True))]  # Leads elsewhere, or ends the session.
Steward = Annotated[Signed, Security(SignedIn("decisions:settle"))]
BulkSteward = Annotated[Signed, Security(SignedIn("decisions:write"))]
LimitedReader = Annotated[Signed, Security(SignedIn("golden:read", is_limited=True))]
Operator = Annotated[Signed, Security(SignedIn("jobs:read"))]
JobKeeper = Annotated[Signed, Security(SignedIn("jobs:write"))]
Listener = Annotated[Signed, Security(SignedIn("events:read"))]
Revealer = Annotated[Signed, Security(SignedIn("values:reveal"))]
Auditor = Annotated[Signed, Security(SignedIn("audit:read"))]
Administrator = Annotated[Signed, Security(SignedIn("admin"))]
Subscriber = Annotated[Signed, Security(SignedIn("webhooks:write"))]


def own_page(caller: Principal) -> str:
    """The page to begin with of somebody who is no steward. Raises: Forbidden for an account that has none."""
    for scope_name, path in (("golden:read", "customers"), ("jobs:read", "operations/jobs"), ("audit:read", "operations/audit")):
        if caller.may(scope_name) and (caller.purpose is None or path == "customers"):
            return f"{ROOT}/{path}"
    detail = "Your account has no page of the console: ask whoever operates this service."
    raise Forbidden("The console is not for you", code="missing_scope", detail=detail)


def require_whole_scope(caller: Principal, what: str) -> None:
    """Raises: Forbidden for whoever sees some brands or regions only, of what speaks of all."""
    if caller.scope.brands is not None or caller.scope.regions is not None:
        raise Forbidden(f"{what} speaks of every brand, and your account does not see all of them", code="outside_scope")


async def read_form(request: Request, most_fields: int) -> FormData:
    """Read a form. Raises: Unauthorized for one of another site; Invalid for characters that can be neither stored nor shown."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Unauthorized("The form came from another site", code="foreign_form")
    form = await request.form(max_files=0, max_fields=most_fields, max_part_size=65_536)
    if any(UNUSABLE.search(name) or UNUSABLE.search(str(text)) for name, text in form.multi_items()):
        raise Invalid("The form holds a character that cannot be kept", code="bad_character")
    return form


async def _sent(request: Request) -> FormData:
    """Read a form of the signed-in user. Raises: Unauthorized for one that another site, or another session, made."""
    form = await read_form(request, MOST_FIELDS)
    request.scope[SIGNED].require_csrf(field(form, "csrf"))
    return form


# Stands after the signed-in user among an endpoint's parameters, which is the order in which they are solved.
Sent = Annotated[FormData, Depends(_sent)]


def field(form: FormData, name: str) -> str:
    """One field of a form, trimmed; empty when it was not sent."""
    return str(form.get(name, "")).strip()[:LONGEST_FIELD]


class Page(Route):
    """A route whose errors are pages, and which leads whoever is not signed in to the sign-in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the framework's handler."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except MdmError as error:
                return to_sign_in(request) if error.code == NEEDED else failure(request, error)
            except RequestValidationError:
                return failure(request, MdmError("There is no such page", code="no_such_page", status=404))
            except HTTPException as error:
                return failure(request, from_http(error))

        return answer


def to_sign_in(request: Request) -> Response:
    """Lead to the sign-in, and back to a page that was asked for."""
    wanted = request.url.path if request.method == "GET" else ROOT
    return RedirectResponse(f"{_base(request)}{SIGN_IN}?to={quote(wanted)}", 303, PRIVATE)


def to(request: Request, path: str) -> Response:
    """Lead to another page after a form was dealt with."""
    return RedirectResponse(f"{_base(request)}{path}", 303, PRIVATE)


def _base(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def cookie_path(request: Request) -> str:
    """Where the browser sends the session's cookie: the console, as it is seen in front of a proxy."""
    return f"{_base(request)}{ROOT}"


def own_path(text: str) -> str:
    """A path of the console, whatever was sent: nobody is led elsewhere by a link to the sign-in."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ROOT
    is_ours = not parts.scheme and not parts.netloc and (parts.path == ROOT or parts.path.startswith(f"{ROOT}/"))
    return parts.path if is_ours and "\\" not in text else ROOT


render.environment().filters["called"] = label
render.environment().filters["told"] = lambda value, name: lines(name, value)


def page(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Answer a page of the signed-in user."""
    signed = request.scope.get(SIGNED)
    zone = ZoneInfo(signed.user.timezone if signed else "UTC")
    up = "../" * (request.url.path.removeprefix(_base(request)).count("/") - 1)
    text = render.page(template, up, signed=signed, zone=zone, now=clock.now(), path=request.url.path, **context)
    return Response(text, status, PRIVATE, "text/html")


def confirmation(request: Request, title: str, looked: Looked, sent: FormData, back: str, words: str | None = None) -> Response:
    """Show what a form would do. Its own form sends the same once more, with the token of the look, or leads `back`.

    `words`: the reason that it offers, where the form did not ask for one.
    """
    kept = [(name, str(value)) for name, value in sent.multi_items() if name not in {"csrf", "token"}]
    return page(request, "confirm.html", title=title, looked=looked, kept=kept, back=back.lstrip("/"), words=words)


def failure(request: Request, error: MdmError) -> Response:
    """Answer an error as a page that says what to do."""
    return page(request, "failure.html", error.status, error=error)
