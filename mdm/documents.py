"""YAML documents that people write (policy, mapping): read strictly, and refuse with file, line and field.

Only true/false are booleans and only null is null, so that `NO` stays Norway, `007` stays text and `1900-01-01` is not a date.
Owns no rule of any document; never touches storage.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from kernel.errors import Invalid

MOST_TOLD = 25
Document = TypeVar("Document", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document: where, in the writer's own terms, and what."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        field = f" {self.field}:" if self.field else ""
        return f"{self.file}:{self.line}:{field} {self.message}"


class DocumentError(Invalid):
    """A document that cannot be used. `faults` are all that were found; the text tells the first, and how many more there are."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        told = [str(fault) for fault in self.faults[:MOST_TOLD]]
        more = len(self.faults) - len(told)
        detail = "\n".join([*told, *([f"and {more:,} more faults"] if more else [])])
        super().__init__("The document cannot be used", code="document_invalid", detail=detail)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's few scalars, and a repeated key is an error instead of a silent override."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - the shape PyYAML asks for

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in (
    ("null", r"(?:~|null|)", ["~", "n", ""]),
    ("bool", r"(?:true|false)", ["t", "f"]),
    ("int", r"(?:0|[-+]?[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^{_pattern}$"), _first)


Spot = tuple[str | int, ...]  # A value of a document or row: the keys and indexes that lead to it.
Finding = tuple[Spot, str]
Check = Callable[[Document], Iterable[Finding]]


def read_text(path: str | Path) -> str:
    """Read a document's text. Raises: DocumentError when the file is missing or not UTF-8."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DocumentError([Fault(str(path), 0, "", error.strerror or "cannot be read")]) from error
    except UnicodeDecodeError as error:
        raise DocumentError([Fault(str(path), 0, "", "is not UTF-8 text")]) from error


def parse_document(kind: type[Document], text: str, name: str, check: Check[Document] | None = None) -> Document:
    """Parse YAML text as `kind`; `name` stands for the file in messages. Raises: DocumentError with every fault.

    `check` says what is wrong with the document as a whole: places in it, with messages.
    """
    try:
        node, data = _read(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise DocumentError([_yaml_fault(error, name)]) from error
    if node is None or not isinstance(data, dict):
        raise DocumentError([Fault(name, 1, "", "is empty" if data is None else "must be a mapping of keys to values")])
    try:
        document = kind.model_validate(data)
        findings = list(check(document)) if check else []
    except ValidationError as error:
        items = error.errors(include_url=False, include_input=False)
        findings = [(item["loc"], _message(item["type"], item["msg"])) for item in items]
    if findings:
        places = _Places(node)
        faults = [Fault(name, *places.locate(loc), message) for loc, message in findings]
        raise DocumentError(sorted(faults, key=lambda fault: fault.line))
    return document


def _read(text: str) -> tuple[yaml.Node | None, Any]:
    """The nodes of a text, which know their lines, and its data; most of the time goes into the nodes."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return node, loader.construct_document(node) if node is not None else None
    finally:
        loader.dispose()


def _yaml_fault(error: Exception, name: str) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return Fault(name, mark.line + 1 if mark else 1, "", str(getattr(error, "problem", None) or "is nested too deep"))


def _message(kind: str, message: str) -> str:
    known = {"extra_forbidden": "is not known here; look for a misspelling", "missing": "is missing"}
    return known.get(kind, message.removeprefix("Value error, "))


class _Places:
    """Where in a document each location of pydantic's stands. Each node's keys are read once: it may have thousands of faults."""

    def __init__(self, root: yaml.Node) -> None:
        self._root = root
        self._children: dict[yaml.Node, dict[str | int, tuple[int, yaml.Node]]] = {}

    def locate(self, loc: Sequence[str | int]) -> tuple[int, str]:
        """Follow a location as far as the document goes: the line of the deepest node, and the dotted field."""
        node, line = self._root, self._root.start_mark.line + 1
        for part in loc:
            found = self._of(node).get(part if isinstance(node, yaml.SequenceNode) else str(part))
            if found is not None:
                line, node = found
        return line, ".".join(map(str, loc))

    def _of(self, node: yaml.Node) -> dict[str | int, tuple[int, yaml.Node]]:
        if node not in self._children:
            self._children[node] = _children(node)
        return self._children[node]


def _children(node: yaml.Node) -> dict[str | int, tuple[int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        named = ((key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode))
        return {key.value: (key.start_mark.line + 1, value) for key, value in named}
    elements = node.value if isinstance(node, yaml.SequenceNode) else ()
    return {index: (element.start_mark.line + 1, element) for index, element in enumerate(elements)}
