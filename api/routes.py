"""Our two kinds of route: `Route` limits the body; `HotRoute` also skips the framework's dependency solving.

A hot endpoint is an ordinary FastAPI endpoint (same signature, same OpenAPI) of a small kind: the caller, path, query and
header values, at most one JSON body, an answer that is already bytes. Solving just that takes a third of the time.
"""

import asyncio
import codecs
import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs

from fastapi import params
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, APIRouter
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api import deps, faults, idempotency, masked
from api.limits import BODY_BYTES, parse_json, read_body
from api.schemas.problems import PROBLEMS
from kernel.actor import Principal
from kernel.errors import MdmError

# A database that accepts and never answers (frozen, or behind a dead network) must not hold a till: 503, and try again.
DEADLINE_SECONDS = 15.0


class AnyText(Convertor[str]):
    """The rest of a path whatever is in it: the framework's own kinds stop at a line's end, and a key may hold one."""

    regex = r"(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any_text", AnyText())


class KnownRoute(APIRoute):
    """A route that knows the names of its query parameters, so that others can be refused once the caller is known."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        flat = get_flat_params(self.dependant)
        # A model that takes several is flattened to its fields, which say no more that they stand in the query.
        elsewhere = (params.Path, params.Header, params.Cookie)
        self.query_names = frozenset(field.alias for field in flat if not isinstance(field.field_info, elsewhere))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the framework's handler: an answer to somebody who may not see personal values is masked."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            response = await handle(request)
            return await masked.answer(self.unique_id, response) if masked.is_for_masked(request.scope) else response

        return answer


class StrictRequest(Request):
    """A request whose JSON is read as strictly as that of a hot route: a lone surrogate would only fail where it is written."""

    async def json(self) -> Any:
        """Parse the body. Raises: JSONDecodeError, which the framework answers as a body that is not valid."""
        try:
            return parse_json((await self.body()).removeprefix(codecs.BOM_UTF8))
        except MdmError as refused:
            raise json.JSONDecodeError(refused.title, "", 0) from None


class Route(KnownRoute):
    """A route whose body may hold at most BODY_BYTES; one that streams says `unlimited` and counts by itself."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler: JSON is read strictly."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly

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


class StreamRoute(KnownRoute):
    """A route that reads its body itself, piece by piece."""


Values = dict[str, Any]
Errors = list[dict[str, Any]]


class HotRoute(KnownRoute):
    """A route that authenticates, reads its few values and calls the endpoint, with nothing in between."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._requires, self._caller = _requirement(self.dependant)
        self._path = [_Value(field, "path") for field in self.dependant.path_params]
        self._headers = [_Value(field, "header") for field in self.dependant.header_params]
        self._query = [_Value(field, "query") for field in self.dependant.query_params]
        self._body = _Value(self.body_field, "body") if self.body_field else None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises: MdmError and RequestValidationError, which the app answers as problems."""
        if scope["method"] not in (self.methods or ()):
            return await super().handle(scope, receive, send)
        async with asyncio.timeout(DEADLINE_SECONDS):
            response = await self._answer(scope, receive)
            if masked.is_for_masked(scope):
                response = await masked.answer(self.unique_id, response)
        await response(scope, receive, send)
        return None

    async def _answer(self, scope: Scope, receive: Receive) -> Any:
        caller = await deps.authorize(scope, self._requires)
        faults.refuse_unknown_parameters(scope)
        values: Values = {}
        errors: Errors = []
        if self._caller:
            values[self._caller] = caller
        if self._body is not None:
            await self._read_body(caller, scope, receive, values, errors)
        self._read_parameters(scope, values, errors)
        if errors:
            raise RequestValidationError(errors)
        return await self.endpoint(**values)

    def _read_parameters(self, scope: Scope, values: Values, errors: Errors) -> None:
        for value in self._path:
            value.read(scope["path_params"].get(value.alias), values, errors)
        if self._headers:
            headers = dict(scope["headers"])
            for value in self._headers:
                sent = headers.get(value.alias.encode())
                value.read(None if sent is None else sent.decode("latin-1"), values, errors)
        if self._query:
            query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            for value in self._query:
                value.read(query.get(value.alias, [None])[-1], values, errors)

    async def _read_body(self, caller: Principal, scope: Scope, receive: Receive, values: Values, errors: Errors) -> None:
        raw = await read_body(receive, scope["headers"])
        require_json(scope)
        await idempotency.check_read(caller, scope, raw)
        if self._body is not None:
            self._body.read(parse_json(raw), values, errors)


class _Value:
    """One value of a hot endpoint: where it comes from, how it is checked, what it is when it was not sent."""

    def __init__(self, field: ModelField, place: str) -> None:
        self.field, self.place, self.alias, self.name = field, place, field.alias, field.name
        self.is_required = bool(field.field_info.is_required())
        self.default = None if self.is_required else field.get_default()

    def read(self, sent: Any, values: Values, errors: Errors) -> None:
        """Check what was sent (None: nothing, except in a body) and put the value or what is wrong with it where it belongs."""
        if sent is None and self.place != "body":
            values[self.name] = self.default
            if self.is_required:
                errors.append({"type": "missing", "loc": (self.place, self.alias)})
            return
        location = (self.place,) if self.place == "body" else (self.place, self.alias)
        values[self.name], found = self.field.validate(sent, loc=location)
        errors.extend(found)


def require_json(scope: Scope) -> None:
    """Refuse a body that does not call itself JSON (which also keeps forms of foreign web pages out). Raises: HTTPException."""
    sent = next((value for name, value in scope["headers"] if name == b"content-type"), b"").split(b";")[0].strip().lower()
    if sent != b"application/json" and not (sent.startswith(b"application/") and sent.endswith(b"+json")):
        raise HTTPException(415)


def _requirement(dependant: Dependant) -> tuple[deps.Requires, str | None]:
    """Find the declared scope; refuse at start-up what a hot route cannot solve."""
    wanted = [(sub.call, sub.name) for sub in dependant.dependencies]
    if len(wanted) != 1 or not isinstance(wanted[0][0], deps.Requires):
        raise TypeError(f"A hot endpoint depends on one scope and nothing else: {dependant.path}")
    if dependant.cookie_params or dependant.request_param_name or dependant.response_param_name or len(dependant.body_params) > 1:
        raise TypeError(f"A hot endpoint takes path, query, header values and one body only: {dependant.path}")
    return wanted[0][0], wanted[0][1]


def operation_id(route: APIRoute) -> str:
    """Name an operation by its resource and act, so that generated clients keep their names when paths move."""
    return f"{route.tags[0]}_{route.name}"


def resource(name: str, route_class: type[APIRoute]) -> APIRouter:
    """Make the router of one resource; its routes document our problems."""
    return APIRouter(tags=[name], route_class=route_class, responses=PROBLEMS, generate_unique_id_function=operation_id)
