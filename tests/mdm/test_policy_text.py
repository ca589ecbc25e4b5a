"""One stage changes in a policy's text; comments, order and everything else stay."""

import pytest

from mdm import policy
from mdm.policy_schema import Stage
from mdm.policy_text import with_stage

BLOCK = """# Ours since 2019.
sources:
  pos: {channel_kind: pos, brand: acme}   # the tills
  shop:
    # Runs on the new platform.
    channel_kind: ecommerce
    brand: acme
    fresh_within: 7d
    quality: {emails: {valid: 0.9}}
"""
SAID = BLOCK.replace("    brand: acme\n    fresh", "    stage: live  # since March\n    brand: acme\n    fresh")
FLOW = BLOCK.replace("brand: acme}", "brand: acme, stage: live}")


@pytest.mark.parametrize(
    ("text", "source", "line"),
    [
        (BLOCK, "shop", "    stage: review"),
        (SAID, "shop", "    stage: review  # since March"),
        (BLOCK, "pos", "  pos: {stage: review, channel_kind: pos, brand: acme}   # the tills"),
        (FLOW, "pos", "  pos: {channel_kind: pos, brand: acme, stage: review}   # the tills"),
    ],
)
def test_the_stage_changes_in_place(text: str, source: str, line: str) -> None:
    before = policy.parse(text)
    after = with_stage(before, source, Stage.REVIEW, "because\nof this")
    assert after.text.splitlines()[:2] == ["# because", "# of this"]
    assert line in after.text.splitlines()
    assert {"# Ours since 2019.", "    # Runs on the new platform."} <= set(after.text.splitlines())
    assert after.sources[source].stage is Stage.REVIEW
    assert after.fingerprint == policy.parse(after.text).fingerprint != before.fingerprint
    others = {name: one for name, one in after.sources.items() if name != source}
    assert others == {name: one for name, one in before.sources.items() if name != source}


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + BLOCK,
        BLOCK.replace("sources:", "sources: !!map"),
        BLOCK.replace("  shop:", "  shop: !!map"),
        BLOCK.replace("  shop:", "  shop: &new"),
        BLOCK.replace("  shop:", "  !!str shop: !!map &new"),
        BLOCK.replace("    channel_kind: ecommerce", "    !!str channel_kind: !!str ecommerce"),
        SAID.replace("stage: live", "stage: !!str live"),
        "---\n" + BLOCK,
        BLOCK.replace("\n", "\r\n"),
        BLOCK.replace("  shop:", "  shop: !!map {channel_kind: ecommerce, brand: acme}  # flow\n  other:"),
        BLOCK.replace("  shop:", "  shop: &new {channel_kind: ecommerce, brand: acme}  # flow\n  other:"),
    ],
)
def test_comments_stay_whatever_stands_around_the_source(text: str) -> None:
    before = policy.parse(text)
    after = with_stage(before, "shop", Stage.REVIEW, "because")
    assert after.sources["shop"].stage is Stage.REVIEW
    assert after.fingerprint == policy.parse(after.text).fingerprint
    assert after.text.startswith("# because\n")
    for comment in ("# Ours since 2019.", "# the tills", "# Runs on the new platform."):
        assert comment in after.text


def test_and_back_again_it_means_what_it_meant() -> None:
    before = policy.parse(BLOCK)
    there = with_stage(before, "shop", Stage.REVIEW, "why")
    assert with_stage(there, "shop", Stage.LIVE, "why").fingerprint == before.fingerprint


def test_a_source_that_is_an_alias_changes_alone() -> None:
    text = "sources:\n  pos: &till {channel_kind: pos, brand: acme}\n  kiosk: *till\n"
    after = with_stage(policy.parse(text), "kiosk", Stage.REVIEW, "why")
    assert [(name, one.stage) for name, one in after.sources.items()] == [("pos", Stage.LIVE), ("kiosk", Stage.REVIEW)]
    assert policy.parse(after.text).fingerprint == after.fingerprint
