"""Masks: what they leave of each kind of value, and that whatever nobody declared is hidden."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm import masking
from mdm.masking import BESIDE, FIGURES, KEYS, OPEN, PLAIN, WORDS, Masker

CANARY = "canary4711"
DECLARED = PLAIN | BESIDE | KEYS | WORDS | FIGURES | OPEN
UNDECLARED = st.text(alphabet="abcxyz_", min_size=1, max_size=8).filter(lambda name: name not in DECLARED)
ATTRIBUTE = st.sampled_from(sorted(masking.PERSONAL | masking.OPAQUE))


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("display_name", "Maria Garcia", "M••• G•••"),
        ("name", {"given": "Maria", "surname": "Garcia Lopez"}, {"given": "M•••", "surname": "G••• L•••"}),
        ("name.given", "Maria", "M•••"),
        ("emails", [{"value": "maria@telefonica.net", "primary": True}], [{"value": "m•••@t•••", "primary": True}]),
        ("emails", [{"value": "no address"}], [{"value": "•••"}]),
        ("phones", [{"value": "+34655872310"}], [{"value": "•••10"}]),
        ("identifiers", [{"type": "national_id", "value": "12345"}], [{"type": "national_id", "value": "•••"}]),
        ("identifiers", [{"type": "tax", "key": "12345678"}], [{"type": "tax", "key": "•••78"}]),
        ("birth_date", "1984-03-12", "1984-••-••"),
        ("birth_date", "12 March", "•••"),
        ("gender", "female", "•••"),
        ("address", {"city": "Madrid", "postal_code": "28013"}, {"city": "Madrid", "postal_code": "28•••"}),
        ("address.lines", ["Calle Mayor 5"], ["•••"]),
        ("extras.segment", "gold", "•••"),
        ("extras.points", 120, None),
        ("language", "es", "es"),
        ("contact_point", "maria@telefonica.net", "m•••@t•••"),
    ],
)
def test_what_a_mask_leaves(field: str, value: Any, shown: Any) -> None:
    assert masking.field(field, value) == shown


def nested(names: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    leaf = st.just(CANARY)
    return st.recursive(leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8)


@given(nested(UNDECLARED | ATTRIBUTE))
def test_what_nobody_declared_is_hidden_wherever_it_stands(value: Any) -> None:
    assert CANARY not in json.dumps(Masker().mask({"items": value}))


@given(st.sampled_from(["payload", "extras", "standard", "evidence"]), nested(st.sampled_from(sorted(DECLARED))))
def test_no_name_is_harmless_in_what_a_source_sent(group: str, value: Any) -> None:
    assert CANARY not in json.dumps(Masker().mask({group: value}))


def test_ids_times_and_figures_stay() -> None:
    plain = {
        "golden_id": "01a2284b-dbbf-7b40-866d-df7d77790391",
        "at": "2026-11-29T17:00:00.123456+00:00",
        "somebody_new": "01a2284b-dbbf-7b40-866d-df7d77790391",
        "levels": {"name": "exact"},
        "count": 3,
        "none": None,
    }
    assert Masker().mask(plain) == plain


def test_keys_are_hidden_of_sources_whose_keys_are_personal() -> None:
    said = {"source": "mail", "items": [{"key": "a@b.c", "keys": ["a@b.c"]}, {"source": "pos", "key": "17"}]}
    shown = Masker({"mail"}).mask(said)
    assert shown == {"source": "mail", "items": [{"key": "•••", "keys": ["•••"]}, {"source": "pos", "key": "17"}]}


def test_the_value_of_a_named_attribute_is_masked_as_that_attribute() -> None:
    said = {"attribute": "phones", "value": "+34655872310", "author": "user:ana", "reason": "She gave 655 87 23 10 at the till."}
    shown = Masker().mask(said)
    assert shown == {"attribute": "phones", "value": "•••10", "author": "user:ana", "reason": "She gave ••• at the till."}
