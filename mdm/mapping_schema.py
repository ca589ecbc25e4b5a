"""The shape of a mapping document: which field of a source becomes which of our attributes.

A text is a dotted path into the row; numbers and booleans stand for themselves; an expression says more (const, join, first, map,
split). Declares and validates only; `mdm.mapping` reads rows with it.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

DateOrder = Literal["DMY", "MDY", "YMD"]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2, upper case")]
Scalar = str | int | float | bool | None


class Strict(BaseModel):
    """A frozen part of a document in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _as_expression(value: Any) -> Any:
    if isinstance(value, str):
        return {"path": value}
    return {"const": value} if isinstance(value, int | float) else value


def _as_literal(value: Any) -> Any:
    return {"const": value} if isinstance(value, str | int | float) else value


def _as_list(value: Any) -> Any:
    return value if value is None or isinstance(value, list) else [value]


class Expression(Strict):
    """How one value is made from a row: exactly one of path, const, join or first, then split, map and default."""

    path: str | None = Field(None, min_length=1)
    const: Scalar = None
    join: "tuple[Path, ...] | None" = Field(None, min_length=1)
    with_: str = Field(" ", alias="with")
    first: "tuple[Path, ...] | None" = Field(None, min_length=1)
    split: str | None = Field(None, min_length=1)
    part: int | None = None
    map: dict[Scalar, Scalar] | None = None
    default: Scalar = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = self.model_fields_set & {"path", "const", "join", "first"}
        if len(given) != 1:
            raise ValueError("needs exactly one of path, const, join, first")
        if self.part is not None and self.split is None:
            raise ValueError("'part' needs 'split'")
        if "with_" in self.model_fields_set and self.join is None:
            raise ValueError("'with' needs 'join'")
        return self


Path = Annotated[Expression, BeforeValidator(_as_expression)]
Literally = Annotated[Expression, BeforeValidator(_as_literal)]
Many = BeforeValidator(_as_list)


class Item(Strict):
    """One element of a list attribute. `each` names a list in the row: one element per item, paths relative to the item."""

    each: str | None = Field(None, min_length=1)


class ContactItem(Item):
    """An e-mail address or a phone number."""

    value: Path
    country: Path | None = None
    verified: Path | None = None
    valid_from: Path | None = None
    valid_to: Path | None = None


class AddressItem(Item):
    """A postal address; a part that is not mapped is unknown."""

    line1: Path | None = None
    line2: Path | None = None
    line3: Path | None = None
    house_number: Path | None = None
    unit: Path | None = None
    street: Path | None = None
    city: Path | None = None
    region: Path | None = None
    postal_code: Path | None = None
    country: Path | None = None
    verified: Path | None = None
    valid_from: Path | None = None
    valid_to: Path | None = None


class IdentifierItem(Item):
    """An identifier. A text for `type` and `issuer` is the type and issuer themselves; say {path: …} to read them."""

    type: Literally
    issuer: Literally | None = None
    value: Path


class LoyaltyItem(Item):
    """A loyalty account. A text for `programme` is the programme itself."""

    programme: Literally
    number: Path
    status: Path | None = None
    tier: Path | None = None
    balance: Path | None = None
    as_of: Path | None = None
    enrolled_on: Path | None = None


class ConsentItem(Item):
    """A consent as the source tells it: kept with the record, and an entry of the consent ledger; a claim without `proof`."""

    purpose: Literally
    state: Path
    at: Path | None = None
    contact_point: Path | None = None
    proof: Path | None = None


def _as_contacts(value: Any) -> Any:
    """A bare path or expression stands for an item of which it is the value."""
    if not isinstance(value, list):
        return _as_list(value) if value is None else _as_contacts([value])
    plain = [not isinstance(item, dict) or not {"value", "each"} & item.keys() for item in value]
    return [{"value": item} if bare else item for item, bare in zip(value, plain, strict=True)]


Contacts = Annotated[tuple[ContactItem, ...], BeforeValidator(_as_contacts)]


class Fields(Strict):
    """Our attributes, each with where it stands in the source's row."""

    name: Path | None = None
    given_name: Path | None = None
    middle_name: Path | None = None
    surname: Path | None = None
    name_prefix: Path | None = None
    name_suffix: Path | None = None
    maiden_name: Path | None = None
    company_name: Path | None = None
    party: Path | None = None
    birth_date: Path | None = None
    birth_year: Path | None = None
    birth_month: Path | None = None
    birth_day: Path | None = None
    gender: Path | None = None
    language: Path | None = None
    preferred_store: Path | None = None
    emails: Contacts = ()
    phones: Contacts = ()
    addresses: Annotated[tuple[AddressItem, ...], Many] = ()
    identifiers: Annotated[tuple[IdentifierItem, ...], Many] = ()
    loyalty_accounts: Annotated[tuple[LoyaltyItem, ...], Many] = ()
    consents: Annotated[tuple[ConsentItem, ...], Many] = ()
    extras: dict[str, Path] = Field(default_factory=dict)
    asserted_golden_id: Path | None = None
    parent: Path | None = None
    region: Path | None = None


class Mapping(Strict):
    """A whole mapping. Without `fields` a row is taken as our attributes already.

    `earliest_birth_year` lets records of people count who were born before 1875: elsewhere such a date is taken for an error.
    `empty` lists values which the source writes for "nothing" (Odoo's false, NULL, N/A); null and blank text always are nothing.
    """

    fields: Fields | None = None
    empty: tuple[Scalar, ...] = ()
    default_country: Country | None = None
    date_order: DateOrder | None = None
    earliest_birth_year: int | None = Field(None, ge=1000, le=1900)
