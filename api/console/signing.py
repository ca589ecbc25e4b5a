"""Signing in and out. What is wrong about a sign-in is never said, and a session's token stands in its cookie alone."""

from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Query, Request
from starlette.responses import Response

from api.console import provided
from api.console.frame import (
    COOKIE,
    PRIVATE,
    ROOT,
    SIGN_IN,
    SIGNED,
    Anybody,
    Page,
    Sent,
    cookie_path,
    own_path,
    page,
    read_form,
    to,
)
from api.routes import resource
from kernel import db
from kernel.settings import settings
from stewardship import accounts

router = resource("signing", Page)
# Each password takes a quarter of a second and 32 MB: a crowd of strangers waits here, not in the threads and connections of all.
ONE_AT_A_TIME = CapacityLimiter(1)
REFUSED = "Name or password are wrong, or the account is locked for a while."


@router.get(SIGN_IN, include_in_schema=False)
def form(request: Request, back: Annotated[str, Query(alias="to", max_length=500)] = ROOT) -> Response:
    """Show the form."""
    return page(request, "sign_in.html", back=own_path(back), refused=None, name="", provider=_provider())


@router.post(SIGN_IN, include_in_schema=False)
async def sign_in(request: Request) -> Response:
    """Begin a session."""
    sent = await read_form(request, 10)
    name, password, back = (str(sent.get(key, "")) for key in ("name", "password", "to"))
    token = await to_thread.run_sync(_begin, name, password, limiter=ONE_AT_A_TIME)
    if token is None:
        return page(request, "sign_in.html", 401, back=own_path(back), refused=REFUSED, name=name[:63], provider=_provider())
    answer = to(request, own_path(back))
    is_secure = request.scope["scheme"] == "https"
    answer.set_cookie(COOKIE, token, path=cookie_path(request), secure=is_secure, httponly=True, samesite="lax")
    return answer


def _begin(name: str, password: str) -> str | None:
    with db.transaction() as session:
        return accounts.begin(session, name) if accounts.is_right(session, name, password) else None


@router.post(f"{ROOT}/sign-out", include_in_schema=False)
def sign_out(request: Request, signed: Anybody, _sent: Sent) -> Response:
    """End the session."""
    with db.transaction() as session:
        accounts.end(session, signed.token_hash)
    answer = _left(request) if signed.user.issuer is not None else to(request, SIGN_IN)
    answer.delete_cookie(COOKIE, path=cookie_path(request))
    answer.headers.update(PRIVATE)
    return answer


def _provider() -> str | None:
    return settings().oidc_label if provided.is_offered() else None


def _left(request: Request) -> Response:
    """Say that the provider may let in unasked whoever sits down here next, and where to end that."""
    del request.scope[SIGNED]
    return page(request, "signed_out.html", logout=provided.logout_address(), label=settings().oidc_label)
