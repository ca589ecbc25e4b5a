"""What is withheld from matching is no evidence, whatever it says; all the rest is as it was."""

from dataclasses import replace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from matching import blocking
from matching.forms import comparison_form
from matching.record import StandardRecord
from matching.standardize import Context, ExtraRule, form_hash, standardize
from matching.withheld import WITHHOLDABLE, fields_of, left_unused, usable

from .standardize.strategies import contexts, inputs

ADA = {
    "given_name": "Ada", "surname": "Byron", "birth_date": "1984-03-12", "gender": "female", "emails": ["ada@example.org"],
    "phones": ["+442079460958"], "addresses": [{"line1": "5 Main Street", "city": "Leeds", "postal_code": "LS1 4AP"}],
    "identifiers": [{"type": "national_id", "issuer": "GB", "value": "QQ123456C"}], "extras": {"segment": "gold"},
    "loyalty_accounts": [{"programme": "main", "number": "LC-900817"}], "company_name": "Byron Ltd", "party": "person",
}  # fmt: skip
SEGMENT = {"segment": ExtraRule("category", match=True)}
SECRET = b"secret"


def evidence(record: StandardRecord) -> tuple[Any, ...]:
    return comparison_form(record), frozenset(blocking.keys(record, SECRET)), form_hash(record), blocking.left_out(record)


@given(inputs, inputs, contexts, st.sets(st.sampled_from(WITHHOLDABLE), min_size=1))
def test_whatever_a_withheld_attribute_says_the_evidence_is_the_same(
    said: dict[str, Any], otherwise: dict[str, Any], context: Context, names: set[str]
) -> None:
    withheld = tuple(sorted(names))
    one = standardize(said, replace(context, withheld=withheld))
    another = standardize(otherwise, context)
    changed = {field: getattr(another, field) for name in withheld for field in fields_of(name)}
    assume(any(getattr(one, field) != value for field, value in changed.items()))
    assert evidence(one) == evidence(replace(one, **changed))


@given(inputs, contexts)
def test_a_record_of_which_nothing_is_withheld_is_the_same_object(said: dict[str, Any], context: Context) -> None:
    record = standardize(said, context)
    assert usable(record) is record


def test_each_attribute_of_ada_is_evidence_until_it_is_withheld() -> None:
    plain = standardize(ADA, Context("GB", extra_kinds=SEGMENT))
    for name in set(WITHHOLDABLE) - {"language", "preferred_store"}:
        one = standardize(ADA, Context("GB", extra_kinds=SEGMENT, withheld=(name,)))
        assert [getattr(one, field) for field in fields_of(name)] == [getattr(plain, field) for field in fields_of(name)]
        assert evidence(one) != evidence(plain), name
        assert left_unused(one) == (fields_of(name)[0],)


def test_a_record_of_which_all_is_withheld_is_filed_nowhere_and_has_nothing_to_compare() -> None:
    record = standardize(ADA, Context("GB", extra_kinds=SEGMENT, withheld=WITHHOLDABLE))
    assert blocking.keys(record, SECRET) == []
    assert comparison_form(record) == comparison_form(StandardRecord(party=record.party))
