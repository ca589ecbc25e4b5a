"""Our two kinds of route: `Route` limits the body; `HotRoute` also skips the framework's dependency solving.

A hot endpoint is an ordinary FastAPI endpoint (same signature, same OpenAPI) of a small kind: the caller, path, query and
header values, at most one JSON body, an answer that is already bytes. Solving just that takes a third of the time.
"""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qs

from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic_core import PydanticUndefined
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from api import deps, idempotency
from api.limits import BODY_BYTES, parse_json, read_body
from kernel.actor import Principal


class Route(APIRoute):
    """A route whose body may hold at most BODY_BYTES; one that streams says `unlimited` and counts by itself."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with its body counted while the framework reads it."""
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > BODY_BYTES:
                raise HTTPException(413)
            return message

        await super().handle(scope, counted, send)


class StreamRoute(APIRoute):
    """A route that reads its body itself, piece by piece."""


Solver = Callable[[Any], tuple[Any, list[dict[str, Any]]]]


class HotRoute(APIRoute):
    """A route that authenticates, reads its few values and calls the endpoint, with nothing in between."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._requires, self._caller = _requirement(self.dependant)
        self._headers = [(field.alias.encode(), field) for field in self.dependant.header_params]
        self._body = self.body_field

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises: MdmError and RequestValidationError, which the app answers as problems."""
        if scope["method"] not in (self.methods or ()):
            return await super().handle(scope, receive, send)
        caller = await deps.authorize(scope, self._requires)
        values: dict[str, Any] = {}
        errors: list[dict[str, Any]] = []
        if self._caller:
            values[self._caller] = caller
        if self._body is not None:
            await self._read_body(caller, scope, receive, values, errors)
        self._read_parameters(scope, values, errors)
        if errors:
            raise RequestValidationError(errors)
        response = await self.endpoint(**values)
        await response(scope, receive, send)
        return None

    def _read_parameters(self, scope: Scope, values: dict[str, Any], errors: list[Any]) -> None:
        for field in self.dependant.path_params:
            _solve(field, "path", scope["path_params"].get(field.alias, PydanticUndefined), values, errors)
        for name, field in self._headers:
            sent = next((value.decode("latin-1") for key, value in scope["headers"] if key == name), PydanticUndefined)
            _solve(field, "header", sent, values, errors)
        if self.dependant.query_params:
            query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            for field in self.dependant.query_params:
                _solve(field, "query", query.get(field.alias, [PydanticUndefined])[-1], values, errors)

    async def _read_body(
        self, caller: Principal, scope: Scope, receive: Receive, values: dict[str, Any], errors: list[Any]
    ) -> None:
        field = cast(ModelField, self._body)
        raw = await read_body(receive, scope["headers"])
        require_json(scope)
        await idempotency.check_read(caller, scope, raw)
        _solve(field, "body", parse_json(raw), values, errors)


def require_json(scope: Scope) -> None:
    """Refuse a body that does not call itself JSON (which also keeps forms of foreign web pages out). Raises: HTTPException."""
    sent = next((value for name, value in scope["headers"] if name == b"content-type"), b"").split(b";")[0].strip().lower()
    if sent != b"application/json" and not (sent.startswith(b"application/") and sent.endswith(b"+json")):
        raise HTTPException(415)


def _solve(field: ModelField, place: str, sent: Any, values: dict[str, Any], errors: list[Any]) -> None:
    if sent is PydanticUndefined:
        if field.field_info.is_required():
            errors.append({"type": "missing", "loc": (place, field.alias)})
        else:
            values[field.name] = field.get_default()
        return
    location = (place,) if place == "body" else (place, field.alias)
    value, found = field.validate(sent, loc=location)
    values[field.name] = value
    errors.extend(found)


def _requirement(dependant: Dependant) -> tuple[deps.Requires, str | None]:
    """Find the declared scope; refuse at start-up what a hot route cannot solve."""
    wanted = [(sub.call, sub.name) for sub in dependant.dependencies]
    if len(wanted) != 1 or not isinstance(wanted[0][0], deps.Requires):
        raise TypeError(f"A hot endpoint depends on one scope and nothing else: {dependant.path}")
    if dependant.cookie_params or dependant.request_param_name or dependant.response_param_name or len(dependant.body_params) > 1:
        raise TypeError(f"A hot endpoint takes path, query, header values and one body only: {dependant.path}")
    return wanted[0][0], wanted[0][1]
