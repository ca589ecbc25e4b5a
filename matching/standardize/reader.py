"""Reads canonical input whatever its JSON types, and gathers what was refused. One reader serves one record."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from matching.record import Note
from matching.standardize.text import LONGEST_VALUE, clean, is_refused

LONGEST_LIST = 50  # Values of one kind in one record; more is a distribution list or an attack, and is noted.


def is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Say whether a value is a mapping. Nearly all are dicts, and asking the abstract class costs ten times as much."""
    return type(value) is dict or isinstance(value, Mapping)


class Reader:
    """Texts and lists of one record's canonical input; `notes` grows as things are refused or changed."""

    __slots__ = ("data", "notes")

    def __init__(self, data: Any) -> None:
        self.data: Mapping[str, Any] = data if is_mapping(data) else {}
        self.notes: list[Note] = []
        if not is_mapping(data):
            self.note("record", ("wrong_type",))

    def note(self, attribute: str, codes: Sequence[str]) -> None:
        """Keep codes under an attribute's name."""
        if codes:
            self.notes.extend(Note(attribute, code) for code in codes)

    def text(self, attribute: str) -> str | None:
        """The clean text of a scalar attribute."""
        value = self.data.get(attribute)
        return None if value is None else self.text_of(value, attribute)

    def text_of(self, value: Any, attribute: str) -> str | None:
        """The clean text of a scalar; noted when its type or length is refused."""
        if value is None:
            return None
        if type(value) is str and value.isalnum() and value.isascii() and len(value) <= LONGEST_VALUE:
            return value  # Most are one word or number, which `clean` would only give back.
        text = clean(value)
        if text is None and is_refused(value):
            self.note(attribute, ("too_long",) if isinstance(value, str) else ("wrong_type",))
        return text

    def items(self, attribute: str) -> Iterable[Mapping[str, Any]]:
        """The elements of a list attribute as mappings; a bare scalar stands for its value, one element for a list of it."""
        value = self.data.get(attribute)
        return () if value is None else self._elements(attribute, value)

    def _elements(self, attribute: str, value: Any) -> Iterator[Mapping[str, Any]]:
        elements = value if isinstance(value, list | tuple) else [value]
        if len(elements) > LONGEST_LIST:
            self.note(attribute, ("too_many_values",))
        for element in elements[:LONGEST_LIST]:
            if is_mapping(element):
                yield element
            elif element is not None:
                yield {"value": element}
