"""How long attributes are kept: where they stand in payloads, and rules that could not be kept to are refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm import kept_days, policy
from mdm.documents import DocumentError

MAPPED = """
sources:
  erp:
    channel_kind: erp
    brand: main
    key: id
    fields:
      name: partner.name
      birth_date: person.born
      addresses: [{each: homes, line1: street, city: town}]
      extras: {shoe: feet.size}
extras: {shoe: {kind: number}}
attributes: {%s: {kept_days: 30}}
"""


@pytest.mark.parametrize(
    ("attribute", "paths"),
    [
        ("birth_date", ("person.born",)),
        ("address", ("homes.street", "homes.town")),
        ("extras.shoe", ("feet.size",)),
        ("gender", ()),
    ],
)
def test_an_attribute_stands_where_the_mapping_reads_it(attribute: str, paths: tuple[str, ...]) -> None:
    assert kept_days.paths(policy.parse(MAPPED % attribute).sources["erp"], attribute) == paths


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MAPPED % "name", "can be said of address, birth_date, gender"),
        (MAPPED % "emails", "can be said of address, birth_date, gender"),
        (
            MAPPED.replace("feet.size", "person") % "birth_date",
            "cannot be kept to: person.born of source 'erp' says something else",
        ),
        (MAPPED.replace("person.born", "id") % "birth_date", "cannot be kept to: id of source 'erp' says something else"),
        (MAPPED.replace("kept_days: 30", "kept_days: 0") % "birth_date", "Input should be greater than or equal to 1"),
    ],
)
def test_a_rule_that_cannot_be_kept_to_is_refused(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        policy.parse(text)
    assert [fault.message[: len(message)] for fault in caught.value.faults] == [message]


SERVING = """
sources: {erp: {channel_kind: erp, brand: main, fields: {birth_date: born, gender: sex, emails: [{value: mail}]}}}
purposes: {%s}
attributes: {%s}
"""


@pytest.mark.parametrize(
    ("purposes", "use", "days"),
    [
        ("marketing: {kept_days: 30}", "serves: [marketing]", 30),
        ("marketing: {kept_days: 30}", "serves: [newsletter]", 30),
        ("newsletter: {kept_days: 30}", "serves: [marketing]", None),
        ("marketing: {kept_days: 30}, newsletter: {kept_days: 60}", "serves: [newsletter]", 30),
        ("marketing: {kept_days: 30}, surveys: {kept_days: 60}", "serves: [marketing, surveys]", 60),
        ("marketing: {kept_days: 30}", "serves: [marketing, service]", None),
        ("marketing: {kept_days: 30}", "serves: [marketing], kept_days: 20", 20),
        ("marketing: {kept_days: 30}", "serves: [marketing], kept_days: 40", 30),
        ("marketing: {}", "serves: [marketing]", None),
        ("", "kept_days: 20", 20),
    ],
)
def test_an_attribute_is_kept_as_long_as_what_it_serves_lets_it(purposes: str, use: str, days: int | None) -> None:
    ruled = policy.parse(SERVING % (purposes, f"birth_date: {{{use}}}, gender: {{serves: [newsletter, surveys, service]}}"))
    assert kept_days.days(ruled, ruled.attributes["birth_date"]) == days


def test_records_of_a_source_are_kept_as_long_as_what_they_serve_lets_them() -> None:
    text = SERVING.replace("brand: main", "brand: main, serves: [newsletter]") % ("marketing: {kept_days: 30}", "")
    ruled = policy.parse(text)
    assert kept_days.days(ruled, ruled.sources["erp"]) == 30
    with pytest.raises(DocumentError, match="'news' is no purpose"):
        policy.parse(text.replace("newsletter", "news"))


@pytest.mark.parametrize(
    ("purposes", "uses", "message"),
    [
        ("matching: {kept_days: 3}", "gender: {serves: [surveys]}", "'matching' is no purpose; there are: call_recording"),
        ("surveys: {kept_days: 3}", "gender: {serves: [survey]}", "'survey' is no purpose; there are: call_recording"),
        (
            "surveys: {kept_days: 3}",
            "gender: {serves: [marketing]}",
            "nothing would be let go of: no attribute and no source says",
        ),
        ("surveys: {kept_days: 3}", "emails: {serves: [surveys]}", "can be said of address, birth_date, gender"),
        ("surveys: {kept_days: 0}", "gender: {serves: [surveys]}", "Input should be greater than or equal to 1"),
    ],
)
def test_a_rule_of_a_purpose_that_cannot_be_kept_to_is_refused(purposes: str, uses: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        policy.parse(SERVING % (purposes, uses))
    assert message in {fault.message[: len(message)] for fault in caught.value.faults}


names = st.sampled_from(["a", "b", "a.b", "c"])
trees = st.recursive(
    st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)


def reached(value: Any, path: list[str]) -> bool:
    if isinstance(value, list):
        return any(reached(one, path) for one in value)
    if not isinstance(value, dict):
        return False
    return ".".join(path) in value or (len(path) > 1 and path[0] in value and reached(value[path[0]], path[1:]))


@given(st.dictionaries(names, trees), st.sampled_from([["a"], ["a", "b"], ["c", "a", "b"]]))
def test_what_stands_at_a_path_goes_and_nothing_else(payload: dict[str, Any], path: list[str]) -> None:
    left = kept_days.dropped(payload, path)
    assert not reached(left, path)
    assert (left is payload) == (not reached(payload, path))
    assert kept_days.dropped(left, path) is left
