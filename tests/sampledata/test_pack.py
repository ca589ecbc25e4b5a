"""The identity pack is well formed, large and varied enough, and a case that makes no sense is refused with its place."""

from collections import Counter
from itertools import combinations

import pytest

from mdm import mapping, policy
from mdm.mapping_schema import Mapping
from sampledata.files import policy_text
from sampledata.pack import VERDICTS, Case, PackError, cases, read_cases

REQUIRED = {
    "ico_v_prudential", "twins_at_one_address", "father_and_son_with_suffix", "spouses_sharing_email_and_phone",
    "shared_till_ipad", "shop_phone_typed_for_everyone", "recycled_phone_number", "marketplace_relay", "gift_recipient",
    "staff_card_on_many_purchases", "student_flat", "three_scripts", "married_name_same_contacts", "nickname_chain",
    "swapped_day_and_month", "swapped_names", "placeholder_birth_date_two_people", "company_and_owner",
    "typo_in_every_field_at_once", "nothing_but_a_name", "hyphenated_double_name", "deceased_and_namesake",
    "two_loyalty_cards_of_one_person", "bridge_record_between_two_people",
}  # fmt: skip
CASE = """
category: made_up
about: Something.
cases:
  one:
    why: Because.
    records: {records}
    pairs: {pairs}
"""
THREE = "{a: {source: pos, name: A}, b: {source: pos, name: B}, c: {source: pos, name: C}}"


def read(records: str = THREE, pairs: str = "{rest: match}") -> list[Case]:
    return list(read_cases(CASE.replace("{records}", records).replace("{pairs}", pairs), "made_up.yaml"))


def test_the_pack_holds_what_the_release_promises() -> None:
    found = cases()
    assert len(found) >= 110
    assert {case.name for case in found} >= REQUIRED
    assert len({case.category for case in found}) >= 12


def test_the_cases_come_from_many_countries() -> None:
    records = [record.data for case in cases() for record in case.records]
    countries = {address["country"] for data in records for address in data.get("addresses", ())}
    assert len(countries) >= 30


def test_every_pair_has_a_verdict_and_every_case_a_sentence() -> None:
    for case in cases():
        assert {*case.expected} == {*combinations(sorted(record.label for record in case.records), 2)}, case.name
        assert {*case.expected.values()} <= {*VERDICTS}
        assert case.why.endswith("."), case.name
        assert len(case.why) > 30, case.name


def test_cases_are_of_different_people() -> None:
    """No e-mail address, phone or card stands in two cases: what one case says must not bear on another."""
    held: Counter[str] = Counter()
    for case in cases():
        mine = set()
        for record in case.records:
            values = [*record.data.get("emails", ()), *record.data.get("phones", ())]
            mine |= {(value["value"] if isinstance(value, dict) else value).replace(" ", "") for value in values}
            mine |= {account["number"] for account in record.data.get("loyalty_accounts", ())}
        held.update(mine)
    assert {value for value, count in held.items() if count > 1} <= {"noemail@noemail.com"}


def test_the_records_are_canonical_input_of_sources_that_the_policy_knows() -> None:
    known = policy.parse(policy_text())
    canonical = Mapping()
    for case in cases():
        for record in case.records:
            assert record.source in known.sources
            mapped = mapping.apply(canonical, record.data)
            assert (mapped.problems, mapped.unmapped) == ((), ()), (case.name, record.label)


def test_rest_speaks_for_the_pairs_that_are_not_named() -> None:
    (case,) = read(pairs="{a b: match, rest: review}")
    assert case.expected == {("a", "b"): "match", ("a", "c"): "review", ("b", "c"): "review"}


def test_the_order_of_labels_in_a_pair_does_not_matter() -> None:
    assert read(pairs="{b a: match, rest: review}") == read(pairs="{a b: match, rest: review}")


@pytest.mark.parametrize(
    ("records", "pairs", "reason"),
    [
        (THREE, "{a b: match}", "say a verdict for"),
        (THREE, "{a b: match, a c: match, b c: match, rest: match}", "speaks for no pair"),
        (THREE, "{a b: perhaps, rest: match}", "perhaps is no verdict"),
        (THREE, "{a z: match, rest: match}", "'a z' names no two"),
        (THREE, "{a a: match, rest: match}", "'a a' names no two"),
        (THREE, "{a b: match, b c: match, a c: no_match}", "a and c both match b"),
        ("{a: {name: A}, b: {source: pos}}", "{a b: match}", "record a names no source"),
    ],
)
def test_a_case_that_makes_no_sense_is_refused_with_its_place(records: str, pairs: str, reason: str) -> None:
    with pytest.raises(PackError, match=reason) as refused:
        read(records, pairs)
    assert "made_up.yaml: one" in str(refused.value)


def test_a_case_without_a_reason_is_refused() -> None:
    text = CASE.replace("    why: Because.\n", "").replace("{records}", THREE).replace("{pairs}", "{rest: match}")
    with pytest.raises(PackError, match="a case has exactly pairs, records, why"):
        list(read_cases(text, "made_up.yaml"))
