"""The retailer's policy is valid, covers every channel, and reads what the channels write."""

from collections import Counter

import pytest

from matching.standardize import standardize
from mdm import mapping, policy
from sampledata.files import policy_text
from sampledata.retailer import SOURCES, simulate
from sampledata.stores import all_stores


@pytest.fixture(scope="module")
def known() -> policy.Policy:
    return policy.parse(policy_text())


def test_every_channel_is_mapped(known: policy.Policy) -> None:
    assert set(known.sources) == set(SOURCES)


def test_every_payload_is_read_without_a_problem(known: policy.Policy) -> None:
    for record in simulate(400, 3, "dirty"):
        assert mapping.apply(known.source(record.source), record.payload).problems == ()


def test_almost_every_record_says_who_it_is_about(known: policy.Policy) -> None:
    """Typed by hand and read back: names, contact points and dates arrive where the matcher looks for them.

    A newsletter's subscriber and an app's user need not have a name.
    """
    found: Counter[str] = Counter()
    total = named = 0
    for record in simulate(400, 3):
        read = mapping.apply(known.source(record.source), record.payload)
        standard = standardize(read.input, known.standardize_context(record.source))
        total += 1
        named += record.source not in {"marketing", "app"}
        found["name"] += record.source not in {"marketing", "app"} and bool(
            (standard.name and standard.name.given_folded) or standard.company_key
        )
        found["contact"] += any(item.key for item in (*standard.emails, *standard.phones, *standard.loyalty_accounts))
        found["address"] += any(address.postal_key for address in standard.addresses)
    assert found["name"] / named > 0.97
    assert found["contact"] / total > 0.75
    assert found["address"] / total > 0.45


def test_the_stores_own_phones_are_declared_shared(known: policy.Policy) -> None:
    assert set(known.shared_values.phones) == {store.phone for store in all_stores()}
