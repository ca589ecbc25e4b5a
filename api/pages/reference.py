"""Reads our OpenAPI document into what the reference page shows: resources, their operations, and the problems; pure."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from api.pages import commands
from api.pages.examples import example
from api.pages.fields import Components, Field, resolve, rows, rules, type_text
from api.refusals import SENTENCES, STATUSES

METHODS = ("get", "put", "post", "patch", "delete")
PROBLEM_STATUSES = {"4XX", "5XX"}
GENERIC_DESCRIPTION = "Successful Response"
CLAUSE_END = re.compile(r"[.:;](?:\s|$)|,\s")


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries or an answer holds."""

    media_type: str
    type_text: str
    description: str
    fields: tuple[Field, ...]
    example: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that an operation answers with; `body` is none where nothing is sent."""

    status: str
    description: str
    body: Body | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. Without scope it is open. `to_replace`: what of the command is to be the reader's own."""

    anchor: str
    method: str
    path: str
    heading: str
    description: str
    scope: str | None
    parameters: tuple[tuple[str, Field], ...]
    body: Body | None
    answers: tuple[Answer, ...]
    command: str
    to_replace: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """The operations of one tag."""

    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """All that the page shows. `refusals`: code, status, sentence."""

    title: str
    version: str
    description: str
    resources: tuple[Resource, ...]
    problem: tuple[Field, ...]
    refusals: tuple[tuple[str, int, str], ...]

    def scopes(self) -> dict[str, list[Operation]]:
        """The operations that each scope opens, by the scope's name."""
        found = defaultdict(list)
        for resource in self.resources:
            for operation in resource.operations:
                if operation.scope:
                    found[operation.scope].append(operation)
        return dict(sorted(found.items()))


def read(document: dict[str, Any]) -> Reference:
    """Read the whole document; resources and operations stand in its order."""
    components = document["components"]["schemas"]
    by_tag: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                by_tag.setdefault(item[method]["tags"][0], []).append(_operation(path, method, item[method], components))
    return Reference(
        document["info"]["title"],
        document["info"]["version"],
        document["info"]["description"],
        tuple(Resource(name, tuple(operations)) for name, operations in by_tag.items()),
        tuple(rows(components["Problem"], components)),
        tuple((code, STATUSES.get(code, 422), sentence) for code, sentence in SENTENCES.items()),
    )


def _operation(path: str, method: str, told: dict[str, Any], components: Components) -> Operation:
    anchor = told["operationId"].replace("_", "-")
    scopes = [scope for needs in told.get("security", ()) for scope in needs["api_key"]]
    content = _first(told.get("requestBody", {}))
    body = _body(content, told["requestBody"].get("description", ""), components) if content else None
    description = told.get("description", told["summary"])
    return Operation(
        anchor,
        method.upper(),
        path,
        heading(description),
        description.removeprefix(f"{heading(description)}.").strip(),
        scopes[0] if scopes else None,
        tuple(_parameters(told, components)),
        body,
        tuple(_answers(told, components)),
        _command(path, method.upper(), told, body, components),
        tuple(one["name"] for one in told.get("parameters", ()) if one["in"] == "path"),
    )


def heading(description: str) -> str:
    """The first clause of a description: long enough to say what an operation does, short enough for an index."""
    return CLAUSE_END.split(description, maxsplit=1)[0].strip()


def _parameters(told: dict[str, Any], components: Components) -> Iterator[tuple[str, Field]]:
    for one in told.get("parameters", ()):
        schema, description = one["schema"], one.get("description", "")
        kind = type_text(schema, components).removesuffix(" or null")  # An address and a header know no null.
        field = Field(one["name"], kind, one.get("required", False), rules(schema, components), description)
        yield one["in"], field


def _first(holder: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The media type and content that tell most: FastAPI adds an empty schema to a route that declares its own media type."""
    told = [(name, content) for name, content in holder.get("content", {}).items() if content.get("schema")]
    return told[0] if told else None


def _body(content: tuple[str, dict[str, Any]], description: str, components: Components) -> Body:
    media_type, told = content
    schema, _ = resolve(told["schema"], components)
    given = told["example"] if "example" in told else example(schema, components)
    text = given.strip() if isinstance(given, str) else json.dumps(given, indent=2, ensure_ascii=False)
    return Body(
        media_type,
        type_text(told["schema"], components),
        description or schema.get("description", ""),
        tuple(rows(schema, components)),
        text,
    )


def _answers(told: dict[str, Any], components: Components) -> Iterator[Answer]:
    for status, answer in sorted(told["responses"].items()):
        if status in PROBLEM_STATUSES:
            continue
        content = _first(answer)
        body = _body(content, "", components) if content else None
        description = answer["description"]
        if description == GENERIC_DESCRIPTION:
            description = body.description if body else "Done."
        yield Answer(status, description, body)


def _command(path: str, method: str, told: dict[str, Any], body: Body | None, components: Components) -> str:
    values: dict[str, dict[str, str]] = {"path": {}, "query": {}}
    for one in told.get("parameters", ()):
        if one.get("required") and one["in"] in values:
            own = told.get("x-example", {}).get(one["name"])  # Where following the shared example would spoil it for the others.
            values[one["in"]][one["name"]] = str(own or example(one["schema"], components))
    return commands.curl(
        method,
        commands.url(path, values["path"], values["query"]),
        needs_key=bool(told.get("security")),
        body=_one_line(body) if body else None,
        media_type=body.media_type if body else commands.JSON,
    )


def _one_line(body: Body) -> str:
    if body.media_type != commands.JSON:
        return body.example
    return json.dumps(json.loads(body.example), ensure_ascii=False)
