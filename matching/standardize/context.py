"""What standardization has to be told about a source: its country, its date order, its own contact points. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

DateOrder = Literal["DMY", "MDY", "YMD"]


@dataclass(frozen=True, slots=True)
class ExtraRule:
    """How an attribute of the user's own is read (text, category, number, date, identifier) and whether it is evidence."""

    kind: str = "text"
    match: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for all records of one source.

    `shared_values` are the shop's own phones and e-mails as anybody writes them: never identifying. `echo` names attributes
    (emails, phones, addresses, identifiers) whose values only repeat us. `extra_kinds` declares the user's own attributes;
    one that is not declared is kept as text. `withheld`: attributes that may not be used for matching. `earliest_birth_year`:
    what is born before tells nobody apart, as it is a typing error; None: in a time of which somebody may live.
    """

    default_country: str | None = None
    date_order: DateOrder = "DMY"
    shared_values: frozenset[str] = frozenset()
    extra_kinds: Mapping[str, ExtraRule] = field(default_factory=dict)
    echo: frozenset[str] = frozenset()
    withheld: tuple[str, ...] = ()
    earliest_birth_year: int | None = None
