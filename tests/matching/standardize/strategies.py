"""Canonical input as nobody would write it: any JSON anywhere, and texts made of pieces of names, addresses and numbers."""

from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from matching.standardize import Context, ExtraRule

FOLDER = Path(__file__).parent
PIECES = [*(FOLDER / "pieces.txt").read_text(encoding="utf-8").split(), "\u200b", "�", "\x00"]
# How many examples a property has: more when the long run's profile is loaded (`make soak`).
EXAMPLES = max(200, settings.default.max_examples if settings.default else 0)
SCALARS = (
    "name",
    "given_name",
    "middle_name",
    "surname",
    "name_prefix",
    "name_suffix",
    "maiden_name",
    "company_name",
    "party",
    "birth_date",
    "birth_year",
    "birth_month",
    "birth_day",
    "gender",
    "language",
    "preferred_store",
    "asserted_golden_id",
    "parent",
)
ADDRESS = (
    "line1",
    "line2",
    "line3",
    "house_number",
    "unit",
    "street",
    "place",
    "city",
    "region",
    "postal_code",
    "country",
    "verified",
)

made_up = st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join)
glued = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=6).map("".join)
texts = st.one_of(st.text(max_size=40), made_up, glued)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
values = st.one_of(texts, texts, texts, json_values)


def _items(*names: str) -> st.SearchStrategy[Any]:
    item = st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))
    return st.one_of(json_values, st.lists(st.one_of(values, item), max_size=3))


contacts = _items("value", "country", "verified", "valid_from", "valid_to", "echo")
inputs = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(SCALARS, values),
        "emails": contacts,
        "phones": contacts,
        "addresses": _items(*ADDRESS),
        "identifiers": _items("type", "issuer", "value", "echo"),
        "loyalty_accounts": _items("programme", "number", "tier", "balance"),
        "extras": st.one_of(json_values, st.fixed_dictionaries({}, optional=dict.fromkeys("abcde", values))),
        "consents": _items("purpose", "state", "at"),
    },
)
contexts = st.builds(
    Context,
    default_country=st.sampled_from([None, "AU", "US", "DE", "GB", "BR", "MX", "FR", "ES", "HU", "AR"]),
    date_order=st.sampled_from(["DMY", "MDY", "YMD"]),
    shared_values=st.sampled_from([frozenset[str](), frozenset({"shop@acme.de", "+61 2 9374 4000"})]),
    extra_kinds=st.just(
        {"a": ExtraRule("number", True), "b": ExtraRule("date"), "c": ExtraRule("category"), "d": ExtraRule("identifier", True)}
    ),
)
