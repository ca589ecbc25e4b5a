"""Survivorship rules are refused when they do not suit their attribute."""

import pytest

from mdm.survivorship_rules import AttributeRule, Criterion, SurvivorshipRules

C = Criterion


class TestSurvivorshipRules:
    @pytest.mark.parametrize(
        ("attribute", "criteria", "fault"),
        [
            ("name", (C.UNION,), "union does not apply"),
            ("loyalty_accounts", (C.RECENT,), "must say union"),
            ("name", (C.MIN,), "min and max do not apply"),
            ("language", (), "at least one criterion"),
        ],
    )
    def test_a_rule_must_suit_the_kind_of_its_attribute(
        self, attribute: str, criteria: tuple[Criterion, ...], fault: str
    ) -> None:
        with pytest.raises(ValueError, match=fault):
            SurvivorshipRules(attributes={attribute: AttributeRule(criteria)})

    def test_trust_lies_in_0_to_1(self) -> None:
        with pytest.raises(ValueError, match="trust of pos"):
            SurvivorshipRules(trust={"pos": 1.1})

    def test_an_attribute_without_a_rule_of_its_own_has_ours_or_the_default(self) -> None:
        rules = SurvivorshipRules(default=AttributeRule((C.RECENT,), 10), attributes={"gender": AttributeRule((C.LONGEST,))})
        assert rules.rule("gender").criteria == (C.LONGEST,)
        assert C.UNION in rules.rule("emails").criteria
        assert rules.rule("language").criteria == (C.RECENT,)
        assert rules.half_life_days("gender") == 10
