"""Errors as RFC 9457 problems: a stable type, a trace id, pointers to what is wrong, and never a value of a record.

What a request calls something by that is not there (a source, a type of event, an id) is repeated to whoever sent it, and logged
nowhere.

Every answer outside 2xx and 3xx is made here. `Guard` is the outermost layer of ours: nothing passes it to the server's own
log, because the text of a foreign exception (a database's "Key (…)=(…)") may hold personal values.
"""

import random
import re
import time
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import orjson
import psycopg
import psycopg_pool
import sqlalchemy.exc
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import faults
from kernel import log
from kernel.errors import MdmError, Unavailable
from mdm import instruments, traces

TYPE_PREFIX = "urn:customer-master:problem:"
MEDIA_TYPE = "application/problem+json"
SLOW_SECONDS = 2.0
LOG = log.get_logger("api")
TRACE_PARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

DETAILS = {
    404: "There is no such route.",
    405: "The route does not know this method; see the Allow header.",
    413: "The body holds more bytes than this route takes.",
    415: "The body must be application/json (application/x-ndjson where lines are taken).",
}


def trace_id(scope: Scope) -> str:
    """Give the request's trace id: the caller's own when it sent a valid `traceparent`, else a new one; the same every time."""
    known = scope.get("mdm.trace_id")
    if known is None:
        sent = log.trace_parent() or trace_parent(scope)
        known = sent.split("-")[1] if sent else f"{random.getrandbits(128):032x}"
        scope["mdm.trace_id"] = known
    return cast(str, known)


def trace_parent(scope: Scope) -> str | None:
    """Give the caller's `traceparent` when it sent a valid one."""
    sent = dict(scope["headers"]).get(b"traceparent", b"")
    return sent.decode() if TRACE_PARENT.fullmatch(sent) else None


def body_of(error: MdmError) -> dict[str, Any]:
    """The members of the problem that belong to the error itself; also the problem of one line in a batch."""
    return {
        "type": TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        **error.extra,
    }


def answer(scope: Scope, error: MdmError, headers: Mapping[str, str] | None = None) -> Response:
    """Turn an error into its problem."""
    body = {**body_of(error), "trace_id": trace_id(scope)}
    extra = {"retry-after": "1"} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        extra["retry-after"] = str(error.extra.get("retry_after_seconds", 1))
    if error.status == HTTPStatus.UNAUTHORIZED:
        extra["www-authenticate"] = "Bearer"
    return Response(orjson.dumps(body), error.status, {**extra, **(headers or {})}, MEDIA_TYPE)


def from_http(error: HTTPException) -> MdmError:
    """Turn the framework's own refusals (no such route, wrong method, unreadable body) into ours."""
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    return MdmError(phrase, code=code, status=error.status_code, detail=DETAILS.get(error.status_code, phrase))


def from_unknown(error: BaseException) -> MdmError:
    """Turn what we did not foresee into 503 when a service we need is away, else into 500; its text stays inside."""
    if isinstance(error, MdmError):
        return error
    refusing = psycopg.errors.ReadOnlySqlTransaction  # A replica, or a database set so while it is looked after.
    away = (psycopg.OperationalError, psycopg.InterfaceError, refusing, psycopg_pool.PoolTimeout, TimeoutError, ConnectionError)
    if isinstance(error, away) or (isinstance(error, sqlalchemy.exc.DBAPIError) and isinstance(error.orig, away)):
        return Unavailable("Not available now", detail="A service that this needs does not answer. Try again.")
    return MdmError("Something went wrong here", detail="The trace id finds it in our log.")


async def _on_mdm_error(request: Request, error: Exception) -> Response:
    return answer(request.scope, cast(MdmError, error))


async def _on_invalid(request: Request, error: Exception) -> Response:
    findings = cast(RequestValidationError, error).errors()
    return answer(request.scope, faults.invalid(findings, faults.body_model(request.scope)))


async def _on_http_error(request: Request, error: Exception) -> Response:
    refusal = cast(HTTPException, error)
    return answer(request.scope, from_http(refusal), refusal.headers)


def register(app: FastAPI) -> None:
    """Make every error of this app a problem."""
    app.add_exception_handler(MdmError, _on_mdm_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_middleware(Guard)


class Guard:
    """Answer what nobody foresaw, add the trace id to every answer, and log failures by route template only."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; an exception after the answer began cuts the connection instead of ending it as if complete."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if not traces.is_on():
            return await self._serve(scope, receive, send)
        with traces.span("request", "server", of=trace_parent(scope)):
            return await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), 0
        trace = trace_id(scope).encode()

        async def traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"trace-id", trace)]
            await send(message)

        try:
            await self.app(scope, receive, traced)
        except ClientDisconnect:  # Nobody is left to be told, and nothing of ours went wrong.
            return None
        except Exception as error:  # noqa: BLE001 - the last guard: the server would log the exception's text.
            failure = from_unknown(error)
            log_failure(scope, error, failure)
            if status:
                raise ConnectionAbortedError from None
            await answer(scope, failure)(scope, receive, traced)
        seconds = time.perf_counter() - started
        instruments.request(scope["method"], route_template(scope), status, seconds)
        _trace_request(scope, status)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or seconds > SLOW_SECONDS:
            _log_request(scope, status, seconds)
        return None


def route_template(scope: Scope) -> str:
    """Name the route as declared; the path as sent may hold a source key."""
    return getattr(scope.get("route"), "path", "unknown")


def log_failure(scope: Scope, error: BaseException, failure: MdmError) -> None:
    """Log what nobody foresaw: where it happened and its class, never its text."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    where = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
    LOG.error(
        "request_failed",
        code=failure.code,
        route=route_template(scope),
        trace_id=trace_id(scope),
        kind=type(error).__name__,
        where=where,
    )


def _trace_request(scope: Scope, status: int) -> None:
    method = scope["method"] if scope["method"] in instruments.METHODS else "other"
    said = {"http.request.method": method, "http.route": route_template(scope), "http.response.status_code": status}
    traces.note(said, f"{method} {route_template(scope)}", status >= HTTPStatus.INTERNAL_SERVER_ERROR)


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    LOG.warning(
        "request",
        method=scope["method"],
        route=route_template(scope),
        status=status,
        seconds=round(seconds, 3),
        trace_id=trace_id(scope),
    )
