"""What a policy document changes is told before it rules, and what would be lost is named."""

import pytest

from mdm import policy
from mdm.policy_changes import FOUR_EYES, NAMED, WHOLE, Change, Sign, difference
from mdm.policy_schema import FourEyes, PolicyDocument

TWO = """
sources:
  crm: {channel_kind: crm, brand: main, trust: 0.8}
  pos: {channel_kind: pos, brand: main}
identifiers:
  passport: {title: Passport}
"""


def test_sources_identifiers_and_views_are_added_removed_and_changed() -> None:
    after = policy.parse(
        "sources:\n  crm: {channel_kind: crm, brand: main, trust: 0.8, stage: review, echo: [x]}\n"
        "  app: {channel_kind: app, brand: main, stage: shadow}\nviews: {checkout: [golden_id]}\n"
        "shared_values: {emails: [a@b.org]}\n"
    )
    assert difference(policy.parse(TWO), after, {"crm": 8}).changes == (
        Change(Sign.CHANGED, "source", "crm", "stage live → review, echo, 8 records"),
        Change(Sign.ADDED, "source", "app", "shadow"),
        Change(Sign.REMOVED, "source", "pos"),
        Change(Sign.REMOVED, "identifier", "passport"),
        Change(Sign.CHANGED, "view", "checkout"),
        Change(Sign.REMOVED, "view", "service"),
        Change(Sign.CHANGED, "", "shared values", "emails"),
    )


def test_the_same_document_changes_nothing() -> None:
    assert difference(policy.parse(TWO), policy.parse("# a comment" + TWO), {}).changes == ()


def test_a_source_with_records_and_the_last_view_are_losses() -> None:
    after = policy.parse("sources:\n  crm: {channel_kind: crm, brand: main}\nviews: {}\n")
    losses = difference(policy.parse(TWO), after, {"crm": 3, "pos": 8}).losses
    assert [loss.split(":")[0] for loss in losses] == ["the source pos would go", "the last view would go"]
    assert "its 8 records leave" in losses[0]


def test_a_source_without_records_may_go() -> None:
    assert difference(policy.parse(TWO), policy.parse("sources:\n  crm: {channel_kind: crm, brand: main}\n"), {}).losses == ()


def test_the_first_policy_loses_nothing() -> None:
    found = difference(None, policy.parse(TWO), {"old": 3})
    assert (found.losses, {change.sign for change in found.changes}) == ((), {Sign.ADDED})


def test_limits_and_kept_days_are_told_and_what_they_lose_is_confirmed() -> None:
    limited = TWO.replace("channel_kind: pos", "channel_kind: pos, not_for: [marketing, surveys]") + (
        "attributes: {birth_date: {not_for: [marketing], kept_days: 100}, gender: {kept_days: 10}}\n"
    )
    ruling, free = policy.parse(limited), policy.parse(TWO)
    assert difference(free, ruling, {}).changes == (
        Change(Sign.CHANGED, "source", "pos", "not_for nothing → marketing, surveys"),
        Change(Sign.ADDED, "attribute", "birth_date", "not_for nothing → marketing, kept_days nothing → 100"),
        Change(Sign.ADDED, "attribute", "gender", "kept_days nothing → 10"),
    )
    assert difference(free, ruling, {}).losses == (
        "birth_date of customers who were not heard of for 100 days would be let go of, for good",
        "gender of customers who were not heard of for 10 days would be let go of, for good",
    )
    assert difference(ruling, free, {}).losses == (
        "birth_date could be used for marketing again",
        "pos could be used for marketing, surveys again",
    )
    shorter = policy.parse(limited.replace("kept_days: 100", "kept_days: 99"))
    assert [len(difference(*pair, {}).losses) for pair in ((ruling, shorter), (shorter, ruling))] == [1, 0]
    assert difference(None, ruling, {}).losses == ()


GUARDED = (
    TWO
    + """
extras: {account: {kind: category}, balance: {kind: number}}
merge_blockers:
  open_accounts: {facts: {account: {is: [open]}}, stale_after_days: 30}
  balances: {facts: {balance: {above: 0}}}
merge_audit: {by_weight: [{from_weight: 9, share: 0.1}], budget: {false_merges: 0.01}}
four_eyes: {records: 20, decisions: 50, policy_records: 1000, values: [birth_date]}
double_review: {share: 0.02}
"""
)


def test_what_asks_humans_is_told_with_both_values() -> None:
    after = policy.parse(
        GUARDED.replace("stale_after_days: 30", "stale_after_days: 60, may_be_overridden: true, when: either")
        .replace("share: 0.1}]", "share: 0.2}], by_identifier: 0.05")
        .replace("records: 20", "records: 200")
        .replace("share: 0.02", "share: 0.0")
    )
    assert difference(policy.parse(GUARDED), after, {}).changes == (
        Change(
            Sign.CHANGED,
            "merge blocker",
            "open_accounts",
            "when both → either, stale_after_days 30 → 60, may_be_overridden no → yes",
        ),
        Change(Sign.CHANGED, "", "merge audit", "by_identifier 0 → 0.05, by_weight"),
        Change(Sign.CHANGED, "", "four eyes", "records 20 → 200"),
        Change(Sign.CHANGED, "", "double review", "share 0.02 → 0"),
    )


def test_a_blocker_and_a_second_person_are_let_go_of_by_intent_alone() -> None:
    found = difference(policy.parse(GUARDED), policy.parse(TWO), {})
    assert [loss.split(":")[0] for loss in found.losses] == [
        "the merge blocker open_accounts would go",
        "the merge blocker balances would go",
        *(f"one person would suffice for {what} (four_eyes.{name})" for name, what in FOUR_EYES.items()),
        "one person would suffice to set birth_date by hand (four_eyes.values)",
    ]
    assert FOUR_EYES.keys() | {"values"} == FourEyes.model_fields.keys()
    assert Change(Sign.REMOVED, "merge blocker", "balances") in found.changes
    assert Change(Sign.CHANGED, "", "merge audit", "by_weight, budget") in found.changes
    assert difference(policy.parse(TWO), policy.parse(GUARDED), {}).losses == ()


@pytest.mark.parametrize("section", sorted(PolicyDocument.model_fields))
def test_no_section_of_a_policy_changes_in_silence(section: str) -> None:
    assert section in NAMED or section in WHOLE


def test_who_is_held_to_no_limits_any_more_is_confirmed() -> None:
    free, held = policy.parse(TWO), policy.parse(TWO + "role_purposes: {steward: service}\n")
    other = policy.parse(TWO + "role_purposes: {steward: marketing}\n")
    assert difference(free, held, {}).losses == ()
    freed = ("whoever has the role steward would not be held to the limits of service any more",)
    assert [difference(held, one, {}).losses for one in (free, other, held)] == [freed, freed, ()]


def test_what_a_rule_of_a_purpose_lets_go_of_is_confirmed() -> None:
    free = policy.parse(TWO + "attributes: {gender: {serves: [marketing]}}\n")
    ruling = policy.parse(TWO + "attributes: {gender: {serves: [marketing]}}\npurposes: {marketing: {kept_days: 50}}\n")
    assert difference(free, ruling, {}).changes == (Change(Sign.ADDED, "purpose", "marketing", "kept_days nothing → 50"),)
    assert difference(free, ruling, {}).losses == (
        "gender of customers who were not heard of for 50 days would be let go of, for good",
    )
    assert difference(ruling, free, {}).losses == ()
