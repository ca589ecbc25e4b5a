"""What a policy says against itself is told where the document says it; a stored policy goes on to rule."""

import pytest

from kernel import db
from mdm import policy
from mdm.documents import DocumentError

SMALL = "sources:\n  pos: {channel_kind: pos, brand: main}\n"


def told(more: str, text: str = SMALL) -> list[tuple[str, str]]:
    """The faults of a policy with a line more, as field and message."""
    try:
        policy.parse(text + more)
    except DocumentError as error:
        return [(fault.field, fault.message) for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("birth_date: {criteria: [min, max]}", "min and max prefer opposite values"),
        ("name: {criteria: [recent, trust, recent]}", "recent stands twice"),
        ("extras.tier: {criteria: [min]}", "min and max do not apply: what is of kind category has no order"),
        ("extras.member_no: {criteria: [max]}", "min and max do not apply: what is of kind identifier has no order"),
    ],
)
def test_criteria_that_cannot_decide_are_told(rule: str, message: str) -> None:
    extras = "extras: {tier: {kind: category}, member_no: {kind: identifier}}\n"
    [(field, said)] = told(f"{extras}survivorship: {{attributes: {{{rule}}}}}\n")
    assert field == f"survivorship.attributes.{rule.partition(':')[0]}"
    assert said.startswith(message)


@pytest.mark.parametrize("kind", ["number", "date"])
def test_what_has_an_order_may_be_picked_by_it(kind: str) -> None:
    rule = "survivorship: {attributes: {extras.limit: {criteria: [max]}}}\n"
    assert told(f"extras: {{limit: {{kind: {kind}}}}}\n{rule}") == []


def test_a_half_life_without_trust_is_told() -> None:
    [(field, said)] = told("survivorship: {attributes: {name: {criteria: [recent], half_life_days: 30}}}\n")
    assert (field, said[:13]) == ("survivorship.attributes.name.half_life_days", "has no effect")


def test_min_of_every_attribute_is_told() -> None:
    [(field, said)] = told("survivorship: {default: {criteria: [min]}}\n")
    assert (field, said[:31]) == ("survivorship.default", "most attributes have no order: ")


def test_two_names_that_records_do_not_tell_apart_share_no_promise() -> None:
    promises = "{national_id: {one_person_per_value: true}, tax: {}, national-id: {}}"
    assert told(f"identifiers: {promises}\n") == [
        ("identifiers.national-id", "is the same name to records as 'national_id': they would share one promise")
    ]
    [(field, _)] = told("loyalty_programmes: {gold_club: {one_person_per_value: true}, gold-club: {}}\n")
    assert field == "loyalty_programmes.gold-club"


def test_checks_of_merges_that_contradict_each_other_are_told() -> None:
    bands = "merge_audit: {by_weight: [{from_weight: 9, share: 0.1}, {from_weight: 4, share: 1}, {from_weight: 9, share: 0.5}]}\n"
    assert told(bands) == [("merge_audit.by_weight.2", "a band from 9 bits on stands twice")]


@pytest.mark.parametrize("checked", ["", "by_weight: [{from_weight: 4, share: 0}], "])
def test_a_budget_of_merges_that_nobody_checks_is_told(checked: str) -> None:
    [(field, _)] = told(f"merge_audit: {{{checked}budget: {{false_merges: 0.01}}}}\n")
    assert field == "merge_audit.budget"
    assert told("merge_audit: {by_identifier: 0.1, budget: {false_merges: 0.01}}\n") == []


def test_what_serves_a_purpose_is_not_kept_out_of_it() -> None:
    source = SMALL.replace("brand: main", "brand: main, serves: [marketing], not_for: [marketing]")
    assert told("", source) == [("sources.pos.serves.0", "serves 'marketing', and is not for marketing")]


def test_a_key_is_not_below_what_is_never_stored() -> None:
    [(field, said)] = told("", SMALL.replace("brand: main", "brand: main, key: person.no, never_store: [person]"))
    assert (field, said[:10]) == ("sources.pos.never_store.0", "is the key")


def test_a_stored_policy_that_contradicts_itself_goes_on_to_rule(database: object) -> None:
    body = policy.parse(SMALL).body() | {"survivorship": {"attributes": {"birth_date": {"criteria": ["min", "max"]}}}}
    with db.transaction() as session:
        stored = policy.store(session, policy.Policy.model_validate(body), "test")
        policy._STORED.clear()
        assert [*policy.current(session).survivorship_rules().rule("birth_date").criteria] == ["min", "max"]
        assert policy.by_version(session, stored.version).fingerprint == stored.fingerprint
