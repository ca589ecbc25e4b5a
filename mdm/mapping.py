"""Read a source's row with its mapping: dotted paths, constants, joins and value maps become our canonical input.

Pure: the same mapping and row give the same answer. Problems carry a stable code and a field, never the value.
"""

from collections.abc import Callable
from collections.abc import Mapping as Row
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mdm import mapping_schema as schema
from mdm.documents import parse_document, read_text
from mdm.mapping_schema import Mapping
from mdm.mapping_values import Problem, Problems, Reader, lookup, reader, roots, text_of

TRUE = frozenset({"true", "t", "yes", "y", "1", "on", "verified", "confirmed"})
DATES = frozenset({"birth_date", "valid_from", "valid_to", "as_of", "enrolled_on", "at"})
ADDRESS_PARTS = frozenset({"line1", "line2", "line3", "house_number", "unit", "street", "city", "region", "postal_code"})
LISTS: dict[str, type[schema.Item]] = {
    "emails": schema.ContactItem,
    "phones": schema.ContactItem,
    "addresses": schema.AddressItem,
    "identifiers": schema.IdentifierItem,
    "loyalty_accounts": schema.LoyaltyItem,
    "consents": schema.ConsentItem,
}
# An item without any of these holds nothing but constants: it says nothing about this customer.
ESSENTIAL = {
    "emails": frozenset({"value"}),
    "phones": frozenset({"value"}),
    "addresses": ADDRESS_PARTS,
    "identifiers": frozenset({"value"}),
    "loyalty_accounts": frozenset({"number"}),
    "consents": frozenset({"state"}),
}
# A bare value in a list of our own terms is this part of the item; an address or an identifier says more than one value can.
BARE = {"emails": "value", "phones": "value", "identifiers": "value", "loyalty_accounts": "number"}
SCALARS = frozenset(schema.Fields.model_fields) - LISTS.keys() - {"extras"}
Filler = Callable[[Any, dict[str, Any], Problems], None]


@dataclass(frozen=True, slots=True)
class Mapped:
    """A row in our terms. `unmapped` are the row's own top-level fields that no rule reads."""

    input: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    unmapped: tuple[str, ...] = ()


def load_mapping(path: str | Path) -> Mapping:
    """Read a mapping document. Raises: DocumentError naming file, line and field."""
    return parse_document(Mapping, read_text(path), str(path))


def apply(mapping: Mapping, row: Row[str, Any], echo: frozenset[str] = frozenset()) -> Mapped:
    """Turn a source's row into canonical input; absent values are left out.

    A value read from a path in `echo` (or below one) is marked `echo` in lists and left out elsewhere: it only repeats us.
    """
    return _plan(_ById(mapping), echo)(row)


class _ById:
    """A mapping as a key of the plan cache: by identity, since a frozen document does not change."""

    __slots__ = ("mapping",)

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping

    def __hash__(self) -> int:
        return id(self.mapping)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and self.mapping is other.mapping


@lru_cache(maxsize=256)
def _plan(key: _ById, echo: frozenset[str]) -> Callable[[Row[str, Any]], Mapped]:
    mapping = key.mapping
    planner = _Planner(frozenset(text.casefold() for value in mapping.empty if (text := text_of(value)) is not None), echo)
    fillers = planner.fillers(mapping.fields) if mapping.fields is not None else planner.canonical_fillers()
    known = frozenset(planner.known)

    def run(row: Row[str, Any]) -> Mapped:
        data: dict[str, Any] = {}
        problems: Problems = []
        for fill in fillers:
            fill(row, data, problems)
        return Mapped(data, tuple(problems), tuple(name for name in row if name not in known))

    return run


class _Planner:
    """Turns the declarations of one mapping into functions that read a row, once for all rows."""

    def __init__(self, empty: frozenset[str], echo: frozenset[str]) -> None:
        self.empty, self.echo = empty, echo
        self.known = {path.split(".")[0] for path in echo} | set(echo)

    def fillers(self, fields: schema.Fields) -> list[Filler]:
        """One filler for each thing declared."""
        made: list[Filler | None] = []
        for attribute in schema.Fields.model_fields:
            declared = getattr(fields, attribute)
            if attribute == "extras":
                made += [self._scalar(("extras", name), expression) for name, expression in declared.items()]
            elif attribute in LISTS:
                made += [self._list(attribute, item) for item in declared]
            elif declared is not None:
                made.append(self._scalar((attribute,), declared))
        return [fill for fill in made if fill is not None]

    def canonical_fillers(self) -> list[Filler]:
        """The fillers of a row that speaks our terms already: every attribute stands under its own name."""
        self.known |= schema.Fields.model_fields.keys()
        found = {name: self._scalar((name,), schema.Expression(path=name)) for name in SCALARS}
        found |= {name: self._canonical_list(name, kind) for name, kind in LISTS.items()}
        found["extras"] = self._canonical_extras

        def fill_known(row: Any, data: dict[str, Any], problems: Problems) -> None:
            for name in row:
                fill = found.get(name)
                if fill is not None:
                    fill(row, data, problems)

        return [fill_known]

    def _reader(self, expression: schema.Expression, field: str, prefix: str = "") -> tuple[Reader, bool]:
        paths = [prefix + path for path in roots(expression)]
        self.known.update(paths, (path.split(".")[0] for path in paths))
        return reader(expression, field, self.empty, field.rpartition(".")[2] in DATES), any(map(self._repeats, paths))

    def _repeats(self, path: str) -> bool:
        return any(path == echo or path.startswith(echo + ".") for echo in self.echo)

    def _scalar(self, where: tuple[str, ...], expression: schema.Expression) -> Filler | None:
        """Fill one attribute, or one extra below `extras`; nothing when the source only repeats us."""
        field = ".".join(where)
        read, repeats = self._reader(expression, field)

        def fill(row: Any, data: dict[str, Any], problems: Problems) -> None:
            value = _single(read(row, problems), field, problems)
            if value is not None:
                (data if len(where) == 1 else data.setdefault(where[0], {}))[where[-1]] = value

        return None if repeats else fill

    def _list(self, attribute: str, item: schema.Item) -> Filler:
        each, readers, repeats = item.each, {}, False
        if each:
            self.known.update((each, each.split(".")[0]))
        for name in type(item).model_fields:
            expression = getattr(item, name)
            if isinstance(expression, schema.Expression):
                readers[name], echoed = self._reader(expression, f"{attribute}.{name}", f"{each}." if each else "")
                repeats |= echoed and name in ESSENTIAL[attribute]
        make = _item_maker(attribute, readers, repeats)

        def fill(row: Any, data: dict[str, Any], problems: Problems) -> None:
            for part in [row] if each is None else _elements(lookup(row, each), attribute, problems):
                if items := make(part, problems):
                    data.setdefault(attribute, []).extend(items)

        return fill

    def _canonical_list(self, attribute: str, kind: type[schema.Item]) -> Filler:
        names = [name for name in kind.model_fields if name != "each"]
        readers = {name: self._reader(schema.Expression(path=name), f"{attribute}.{name}", f"{attribute}.")[0] for name in names}
        make = _item_maker(attribute, readers, self._repeats(attribute))
        main = BARE.get(attribute)

        def fill(row: Any, data: dict[str, Any], problems: Problems) -> None:
            found = row.get(attribute)
            # A file of one column a value has no lists: a bare value is a list of one.
            is_bare = main is not None and isinstance(found, str | int | float) and not isinstance(found, bool)
            for part in [found] if is_bare else _elements(found, attribute, problems):
                if main is None and not isinstance(part, dict):
                    problems.append(Problem("wrong_type", attribute))
                elif items := make(part if isinstance(part, dict) else {main: part}, problems):
                    data.setdefault(attribute, []).extend(items)
                elif isinstance(part, dict) and part and part.keys().isdisjoint(readers):
                    problems.append(Problem("unread_item", attribute))

        return fill

    def _canonical_extras(self, row: Any, data: dict[str, Any], problems: Problems) -> None:
        found = row.get("extras")
        if found is not None and not isinstance(found, dict):
            problems.append(Problem("wrong_type", "extras"))
            return
        for name in found or {}:
            fill = self._scalar(("extras", name), schema.Expression(path=f"extras.{name}"))
            if fill is not None:
                fill(row, data, problems)


def _single(value: Any, field: str, problems: Problems) -> str | None:
    """One text, or none; a list of one is its element, a longer list is refused."""
    if value is None or isinstance(value, str):
        return value
    if len(value) == 1:
        return str(value[0])
    problems.append(Problem("wrong_type", field))
    return None


def _elements(found: Any, attribute: str, problems: Problems) -> list[Any]:
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        return [found]
    if found is not None and not (isinstance(found, str) and not found.strip()):  # Blank text is nothing, as everywhere.
        problems.append(Problem("wrong_type", attribute))
    return []


def _item_maker(attribute: str, readers: dict[str, Reader], repeats: bool) -> Callable[[Any, Problems], list[dict[str, Any]]]:
    """Make the items of one declaration: one, or one for each element when its essential value is a list."""
    essential = ESSENTIAL[attribute]
    main = next(iter(essential)) if len(essential) == 1 else None
    plain = tuple(readers.items())

    def single(values: dict[str, Any], problems: Problems) -> dict[str, Any]:
        item: dict[str, Any] = {"echo": True} if repeats else {}
        for name, value in values.items():
            text = _single(value, f"{attribute}.{name}", problems)
            if text is not None and name != "verified":
                item[name] = text
            elif text is not None and text.casefold() in TRUE:
                item["verified"] = True
        return item

    def make(part: Any, problems: Problems) -> list[dict[str, Any]]:
        values = {name: value for name, read in plain if (value := read(part, problems)) is not None}
        if essential.isdisjoint(values):
            return []
        many = values.get(main) if main else None
        variants = [{**values, main: one} for one in many] if main and isinstance(many, list) else [values]
        items = [single(variant, problems) for variant in variants]
        return [item for item in items if not essential.isdisjoint(item)]

    return make
