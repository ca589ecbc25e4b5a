"""What the mapping says of numbers that look like a payment card's: which the mask spares, and which it must not miss. Pure.

A SIRET or a CNPJ that begins with 36, 38, 39 or 30 passes as a Diners card. Where the source's mapping reads a value as an
identifier of a scheme with check digits of its own, and these are right, it is that identifier. Only such a spot is spared:
never what the mapping reads as a loyalty number, or as an identifier of no known scheme (a payment token), as well. There the
whole value is one number, so a card is told whatever stands between its digits: 4111/1111/1111/1111.
"""

from collections.abc import Iterator

from matching.standardize.identifiers import is_card_number, standard_name, vouches
from mdm.documents import Spot
from mdm.mapping_schema import Expression, IdentifierItem, LoyaltyItem, Mapping
from mdm.mapping_values import reader, roots, spots, text_of

# A row in our own terms, which no mapping translates, says of each identifier itself what it is.
_CANONICAL = (
    IdentifierItem(
        each="identifiers", type=Expression(path="type"), issuer=Expression(path="issuer"), value=Expression(path="value")
    ),
)
_CANONICAL_LOYALTY = (LoyaltyItem(each="loyalty_accounts", programme=Expression(const="any"), number=Expression(path="number")),)


def vouched(mapping: Mapping, payload: object) -> frozenset[Spot]:
    """Name the spots of a payload whose values are identifiers by their own schemes' check digits."""
    spared: set[Spot] = set()
    masked: set[Spot] = set()
    for spot, _, judged in _numbers(mapping, payload):
        (masked if judged is None else spared if judged else set()).add(spot)
    return frozenset(spared - masked)


def cards(mapping: Mapping, payload: object) -> frozenset[Spot]:
    """Name the spots of a payload whose whole value is read as a number of a customer, and is a payment card's."""
    read = [(spot, value) for spot, value, judged in _numbers(mapping, payload) if not judged]
    return frozenset(
        spot for spot, value in read if is_card_number("".join(filter(str.isalnum, text_of(value) or "")).lstrip("0"))
    )


def _numbers(mapping: Mapping, payload: object) -> Iterator[tuple[Spot, object, bool | None]]:
    """Yield each spot that an identifier or a loyalty number is read from, its value, and what its scheme says; None: none."""
    fields = mapping.fields
    for item in fields.identifiers if fields else _CANONICAL:
        yield from _judged(item, payload)
    for account in fields.loyalty_accounts if fields else _CANONICAL_LOYALTY:
        for at, row in _rows(account.each, payload):
            yield from ((spot, value, None) for path in roots(account.number) for spot, value in spots(row, path, at))


def _judged(item: IdentifierItem, payload: object) -> Iterator[tuple[Spot, object, bool | None]]:
    """Yield each spot that an identifier is read from, with what its scheme says of the value there; None: it has none."""
    is_whole = item.value.path is not None or item.value.first is not None
    for at, row in _rows(item.each, payload):
        kind, issuer = _word(item.type, row), _word(item.issuer, row)
        for path in roots(item.value):
            for spot, value in spots(row, path, at):
                judged = vouches(text_of(value) or "", kind, issuer)
                # Of a part of a value, or of values joined, the scheme says nothing about the value itself.
                yield spot, value, judged and is_whole


def _rows(each: str | None, payload: object) -> Iterator[tuple[Spot, object]]:
    return iter([((), payload)]) if each is None else spots(payload, each)


def _word(expression: Expression | None, row: object) -> str:
    """The standard name of a type or an issuer; none where it is missing or said twice."""
    said = reader(expression, "", frozenset(), False)(row, []) if expression else None
    return standard_name(said) if isinstance(said, str) else ""
